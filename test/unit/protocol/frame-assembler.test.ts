/** The server's cutting of streams into frames: however the bytes arrive, the same frames come out (E1). */
import fc from 'fast-check';
import { ProtocolError } from '../../../protocol/errors.js';
import { FrameAssembler } from '../../../src/server/net/frames.js';
import { Random } from '../../../src/std/random.js';
import { goldenFrames } from './golden.js';

const LIMIT = 1_048_575;
const FRAMES = goldenFrames()
  .filter(({ kind, frame, payload }) => kind !== 'raw' && payload.length === frame.length - 4)
  .map(({ frame }) => frame);
const STREAM = new Uint8Array(Buffer.concat(FRAMES));

/** The frames, each on its own, and how many calls they came in. */
function feed(chunks: Iterable<Uint8Array>, limit = LIMIT): { frames: Uint8Array[]; calls: number } {
  const assembler = new FrameAssembler(limit);
  const frames: Uint8Array[] = [];
  let calls = 0;
  for (const chunk of chunks) {
    assembler.feed(chunk, (bytes, start, end) => {
      calls++;
      const view = new DataView(bytes.buffer, bytes.byteOffset);
      for (let at = start; at < end; ) {
        const next = at + 4 + view.getInt32(at);
        frames.push(bytes.slice(at, next));
        at = next;
      }
    });
  }
  return { frames, calls };
}

function* pieces(bytes: Uint8Array, sizeOf: () => number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; ) {
    const size = sizeOf();
    yield bytes.slice(at, at + size); // a chunk of its own: nothing may depend on what lies beside it
    at += size;
  }
}

test('whole: one call for all frames of a read', () => {
  expect(feed([STREAM])).toEqual({ frames: FRAMES, calls: 1 });
});

test('byte by byte', () => {
  expect(feed(pieces(STREAM, () => 1)).frames).toEqual(FRAMES);
});

test('cut anywhere', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 30 }), fc.constantFrom(3, 10, 100, 5000), (seed, max) => {
      const random = new Random(seed);
      const { frames } = feed(pieces(STREAM, () => 1 + random.int(max)));
      expect(Buffer.concat(frames).equals(Buffer.from(STREAM))).toBe(true);
      expect(frames.length).toBe(FRAMES.length);
    }),
    { numRuns: 60 },
  );
});

test('every cut of two frames in two', () => {
  const two = STREAM.slice(0, FRAMES[0].length + FRAMES[1].length);
  for (let cut = 1; cut < two.length; cut++) {
    expect(feed([two.slice(0, cut), two.slice(cut)]).frames).toEqual([FRAMES[0], FRAMES[1]]);
  }
});

test('an empty frame is a frame', () => {
  expect(feed([new Uint8Array(8)]).frames).toEqual([new Uint8Array(4), new Uint8Array(4)]);
});

describe('lengths that cannot be', () => {
  const header = (length: number) => new Uint8Array([length >> 24, length >> 16, length >> 8, length]);
  test.each([-1, -0x8000_0000, LIMIT + 1, 0x7fff_ffff])('%i, in one piece and in four', (length) => {
    const bytes = header(length);
    expect(() => feed([bytes])).toThrow(ProtocolError);
    expect(() => feed(pieces(bytes, () => 1))).toThrow(ProtocolError);
    expect(() => feed([new Uint8Array([...FRAMES[0], ...bytes])])).toThrow(ProtocolError);
  });

  test('the greatest that can be: taken, piece by piece', () => {
    const assembler = new FrameAssembler(LIMIT);
    let length = 0;
    const onFrames = (_bytes: Uint8Array, start: number, end: number) => {
      length = end - start;
    };
    assembler.feed(header(LIMIT), onFrames);
    for (const chunk of pieces(new Uint8Array(LIMIT), () => 65_536)) assembler.feed(chunk, onFrames);
    expect(length).toBe(LIMIT + 4);
  });
});
