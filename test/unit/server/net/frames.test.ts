import fc from 'fast-check';
import { ProtocolError } from '../../../../protocol/errors.js';
import { FrameAssembler } from '../../../../src/server/net/frames.js';

const FRAME_BYTES_MAX = 300;

function framed(body: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length);
  return Buffer.concat([length, body]);
}

/** Feeds the chunks and returns what came out, each run of frames as it was handed over. */
function assemble(chunks: readonly Uint8Array[]): Buffer[] {
  const assembler = new FrameAssembler(FRAME_BYTES_MAX);
  const out: Buffer[] = [];
  for (const chunk of chunks) {
    assembler.feed(chunk, (bytes, start, end) => out.push(Buffer.from(bytes.subarray(start, end))));
  }
  return out;
}

const frames = fc
  .array(fc.uint8Array({ maxLength: FRAME_BYTES_MAX }), { maxLength: 8 })
  .map((list) => list.map(framed));

test('whatever the cuts, the same frames come out, and only whole ones', () => {
  fc.assert(
    fc.property(frames, fc.array(fc.nat(2000), { maxLength: 30 }), (list, cuts) => {
      const stream = Buffer.concat(list);
      const places = [0, ...cuts.map((cut) => cut % (stream.length + 1)).sort((a, b) => a - b), stream.length];
      const chunks = places.slice(1).map((end, i) => stream.subarray(places[i], end));
      const ends = new Set<number>();
      list.reduce((at, frame) => {
        ends.add(at + frame.length);
        return at + frame.length;
      }, 0);
      const out = assemble(chunks);
      expect(Buffer.concat(out)).toEqual(stream);
      out.reduce((at, run) => {
        expect(ends).toContain(at + run.length);
        return at + run.length;
      }, 0);
    }),
  );
});

test('byte by byte is no different', () => {
  const stream = Buffer.concat([
    framed(Buffer.from('one')),
    framed(Buffer.alloc(0)),
    framed(Buffer.alloc(FRAME_BYTES_MAX, 7)),
  ]);
  expect(Buffer.concat(assemble(Array.from(stream, (byte) => Buffer.from([byte]))))).toEqual(stream);
});

test('what arrived in one piece is handed over in one piece, where it lies', () => {
  const stream = Buffer.concat([framed(Buffer.from('one')), framed(Buffer.from('two'))]);
  const assembler = new FrameAssembler(FRAME_BYTES_MAX);
  const runs: [Uint8Array, number, number][] = [];
  assembler.feed(Buffer.concat([stream, Buffer.from([0, 0])]), (bytes, start, end) => runs.push([bytes, start, end]));
  expect(runs).toEqual([[expect.anything(), 0, stream.length]]);
});

test.each([-1, -0x8000_0000, FRAME_BYTES_MAX + 1, 0x7fff_ffff])(
  'a length of %i is an error, also in pieces',
  (length) => {
    const head = Buffer.alloc(4);
    head.writeInt32BE(length);
    expect(() => assemble([head])).toThrow(ProtocolError);
    expect(() => assemble([head.subarray(0, 1), head.subarray(1)])).toThrow(ProtocolError);
    expect(() => assemble([Buffer.concat([framed(Buffer.from('fine')), head])])).toThrow(ProtocolError);
  },
);

test('the frames before a length that cannot be are handed over, in one piece or byte by byte', () => {
  const good = framed(Buffer.from('fine'));
  const stream = Buffer.concat([good, Buffer.from([0x7f, 0xff, 0xff, 0xff])]);
  for (const chunks of [[stream], Array.from(stream, (byte) => Buffer.from([byte]))]) {
    const assembler = new FrameAssembler(FRAME_BYTES_MAX);
    const out: Buffer[] = [];
    const feed = () => {
      for (const chunk of chunks) {
        assembler.feed(chunk, (bytes, start, end) => out.push(Buffer.from(bytes.subarray(start, end))));
      }
    };
    expect(feed).toThrow(ProtocolError);
    expect(out).toEqual([good]);
  }
});
