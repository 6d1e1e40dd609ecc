import fc from 'fast-check';
import { crc32, crc32ByTable, rowCrc } from '../../../../src/server/storage/crc.js';
import { textBytes } from './fixtures.js';

test('both implementations give the check value of CRC-32', () => {
  expect(crc32(textBytes('123456789'))).toBe(0xcbf43926);
  expect(crc32ByTable(textBytes('123456789'))).toBe(0xcbf43926);
});

test('both agree, and go on from any seed, also over nothing', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 50 }), fc.uint8Array({ maxLength: 50 }), (head, tail) => {
      const whole = crc32(Uint8Array.from([...head, ...tail]));
      expect(crc32(tail, crc32(head))).toBe(whole);
      expect(crc32ByTable(tail, crc32ByTable(head))).toBe(whole);
    }),
  );
  expect(crc32(Buffer.alloc(0), 77)).toBe(77);
});

test('the key counts as much as the bytes', () => {
  const bytes = textBytes('x');
  expect(
    new Set([rowCrc(bytes, 1, 2), rowCrc(bytes, 2, 1), rowCrc(bytes, 1, 2, 3), rowCrc(textBytes('y'), 1, 2)]).size,
  ).toBe(4);
});

test('a row without bytes is damage: a flipped bit can make null of them', () => {
  expect(() => rowCrc(null as unknown as Uint8Array, 1, 2)).toThrow(expect.objectContaining({ code: 'DAMAGED' }));
  expect(rowCrc(new Uint8Array(0), 1, 2)).not.toBe(rowCrc(new Uint8Array(0), 2, 1));
});
