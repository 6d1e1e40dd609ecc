import { contentHash, keyedHash } from '../../../../src/core/tree/hash.js';

const bytes = (text: string) => new TextEncoder().encode(text);

describe('contentHash', () => {
  test.each([
    ['', 0, 0],
    ['', 1, 0x514e28b7],
    ['test', 0, 0xba6bd213],
    ['Hello, world!', 0, 0xc0363e43],
  ])('is MurmurHash3 (x86, 32 bits) of %j under seed %d', (text, seed, expected) => {
    const input = bytes(text);
    expect(contentHash(input, 0, input.length, seed) >>> 0).toBe(expected);
  });

  test('reads only the range it is given', () => {
    const input = bytes('<<test>>');
    expect(contentHash(input, 2, 6, 0) >>> 0).toBe(0xba6bd213);
  });
});

describe('keyedHash', () => {
  test('depends on every byte, on the length and on both halves of the key', () => {
    const seen = new Set<number>();
    for (let length = 0; length < 12; length++) {
      const zeros = new Uint8Array(12);
      seen.add(keyedHash(zeros, 0, length, 1, 2));
      for (let i = 0; i < length; i++) {
        const changed = new Uint8Array(12);
        changed[i] = 1;
        seen.add(keyedHash(changed, 0, length, 1, 2));
      }
    }
    seen.add(keyedHash(new Uint8Array(12), 0, 12, 1, 3));
    seen.add(keyedHash(new Uint8Array(12), 0, 12, 0, 2));
    expect(seen.size).toBe(12 + 66 + 2);
  });

  test('spreads alike paths evenly over the 256 segments of the index', () => {
    const counts = new Array<number>(256).fill(0);
    for (let i = 0; i < 25_600; i++) {
      const path = bytes(`/app/node-${i}`);
      counts[keyedHash(path, 0, path.length, 7, 9) >>> 24]++;
    }
    // Mean 100, standard deviation 10.
    expect(Math.min(...counts)).toBeGreaterThan(50);
    expect(Math.max(...counts)).toBeLessThan(150);
  });
});
