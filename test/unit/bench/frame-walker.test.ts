import fc from 'fast-check';
import { FrameWalker } from '../../bench/frame-walker.js';

function framed(bodies: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    bodies.map((body) => {
      const frame = Buffer.alloc(4 + body.length);
      frame.writeInt32BE(body.length);
      frame.set(body, 4);
      return frame;
    }),
  );
}

function walk(chunks: readonly Uint8Array[]): number[][] {
  const seen: number[][] = [];
  const walker = new FrameWalker((bytes, start, length) => seen.push([...bytes.subarray(start, start + length)]));
  for (const chunk of chunks) {
    // The buffer of a socket is longer than what was read, and used again.
    const buffer = new Uint8Array(chunk.length + 8).fill(0xff);
    buffer.set(chunk);
    walker.feed(buffer, chunk.length);
    buffer.fill(0xee);
  }
  return seen;
}

describe('FrameWalker', () => {
  const bodies = [[1, 2, 3], [], [4], new Array(10_000).fill(5), [6, 7]].map((body) => Uint8Array.from(body));
  const expected = bodies.map((body) => [...body]);

  test('shows the frames of one chunk', () => {
    expect(walk([framed(bodies)])).toEqual(expected);
  });

  test('shows the same when fed byte by byte', () => {
    expect(walk([...framed(bodies)].map((byte) => Uint8Array.of(byte)))).toEqual(expected);
  });

  test('shows nothing of a frame that is not complete', () => {
    expect(walk([framed([Uint8Array.of(1, 2, 3)]).subarray(0, 6)])).toEqual([]);
  });

  test('shows the same however the bytes are cut', () => {
    const cuts = fc.array(fc.nat({ max: 60 }), { maxLength: 10 });
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 8 }), cuts, (some, at) => {
        const bytes = framed(some);
        const edges = [0, ...[...at].sort((a, b) => a - b), bytes.length].map((edge) => Math.min(edge, bytes.length));
        const chunks = edges.slice(1).map((edge, i) => bytes.subarray(edges[i], edge));
        expect(walk(chunks)).toEqual(some.map((body) => [...body]));
      }),
    );
  });
});
