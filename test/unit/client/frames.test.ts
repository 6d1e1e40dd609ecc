// Packets cut out of a stream: however the stream is cut, the same packets come out (style 13).

import fc from 'fast-check';
import { FrameSplitter } from '../../../src/client/frames.js';

function encode(packets: readonly Uint8Array[]): Uint8Array {
  const bytes: number[] = [];
  for (const packet of packets) bytes.push(0, 0, packet.length >> 8, packet.length & 0xff, ...packet);
  return new Uint8Array(bytes);
}

function split(splitter: FrameSplitter, chunks: readonly Uint8Array[]): number[][] {
  const packets: number[][] = [];
  for (const chunk of chunks) {
    splitter.push(chunk, (bytes, start, end) => {
      packets.push([...bytes.subarray(start, end)]);
      return true;
    });
  }
  return packets;
}

test('any cut gives the same packets', () => {
  const packets = fc.array(fc.uint8Array({ maxLength: 600 }), { maxLength: 6 });
  fc.assert(
    fc.property(packets, fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1 }), (list, lengths) => {
      const stream = encode(list);
      const chunks: Uint8Array[] = [];
      for (let at = 0, i = 0; at < stream.length; i++) {
        const length = lengths[i % lengths.length];
        chunks.push(stream.slice(at, at + length));
        at += length;
      }
      expect(split(new FrameSplitter(600), chunks)).toEqual(list.map((packet) => [...packet]));
    }),
  );
});

test('a length that cannot be is refused as soon as it is seen', () => {
  expect(() => split(new FrameSplitter(10), [new Uint8Array([0, 0, 0, 11])])).toThrow('a packet of 11 bytes');
  expect(() => split(new FrameSplitter(10), [new Uint8Array([0xff, 0xff, 0xff, 0xff])])).toThrow(
    'a packet of -1 bytes',
  );
});

test('after reset an unfinished packet is forgotten; a visitor that returns false gets no more', () => {
  const splitter = new FrameSplitter(10);
  expect(split(splitter, [new Uint8Array([0, 0, 0, 2, 1])])).toEqual([]);
  splitter.reset();
  const seen: number[] = [];
  splitter.push(encode([new Uint8Array([7]), new Uint8Array([8])]), (bytes, start) => {
    seen.push(bytes[start]);
    return false;
  });
  expect(seen).toEqual([7]);
});
