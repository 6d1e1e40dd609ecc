// Randomness that can be replayed: the simulator, back-off jitter and property tests all draw from a generator with a
// seed, so a failure prints its seed and happens again. The generator is sfc32 (Doty-Humphrey's Small Fast Counting
// generator: 128 bits of state, passes PractRand), its state spread from the seed by splitmix32. It is not for secrets.

import { assert } from './assert.js';

const UINT32_RANGE = 0x1_0000_0000;
const WARM_UP_ROUNDS = 15;

export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** The same `seed` (any safe integer) always gives the same sequence. */
  constructor(seed: number) {
    assert(Number.isSafeInteger(seed), `seed ${seed} is not a safe integer`);
    let state = (seed ^ Math.imul(Math.floor(seed / UINT32_RANGE), 0x85ebca6b)) | 0;
    const spread = (): number => {
      state = (state + 0x9e3779b9) | 0;
      let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
      mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
      return mixed ^ (mixed >>> 15);
    };
    this.#a = spread();
    this.#b = spread();
    this.#c = spread();
    for (let round = 0; round < WARM_UP_ROUNDS; round++) this.uint32();
  }

  /** Uniform in 0 … 2^32 − 1. */
  uint32(): number {
    const result = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + result) | 0;
    return result >>> 0;
  }

  /** Uniform in 0 … n − 1, without bias, for n in 1 … 2^32. Throws AssertionFailure for any other n. */
  int(n: number): number {
    assert(Number.isInteger(n) && n >= 1 && n <= UINT32_RANGE, `random integer below ${n}`);
    const fair = UINT32_RANGE - (UINT32_RANGE % n); // values from here on would favour the small remainders
    for (;;) {
      const value = this.uint32();
      if (value < fair) return value % n;
    }
  }

  /** True with probability `p`: never for p ≤ 0, always for p ≥ 1. Default one half. */
  bool(p = 0.5): boolean {
    return this.uint32() < p * UINT32_RANGE;
  }

  /** One of the items. Throws AssertionFailure when there are none. */
  pick<T>(items: readonly T[]): T {
    return items[this.int(items.length)];
  }

  /** Shuffles the items where they are (every order equally likely) and returns them. */
  shuffle<T>(items: T[]): T[] {
    for (let last = items.length - 1; last > 0; last--) {
      const other = this.int(last + 1);
      const item = items[last];
      items[last] = items[other];
      items[other] = item;
    }
    return items;
  }

  /** A new array of `length` random bytes. */
  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i++) bytes[i] = this.uint32() >>> 24;
    return bytes;
  }

  /** A generator of its own, so that what one part draws does not shift what another gets. */
  fork(): Random {
    return new Random(this.uint32() * 2 ** 20 + (this.uint32() >>> 12));
  }
}
