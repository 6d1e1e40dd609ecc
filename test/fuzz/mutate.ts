/**
 * Ways to spoil bytes. Half of the time they are left as they are, so that an input is wrong in few places and comes far.
 */
import type { Random } from '../../src/std/random.js';

const EDGES = ['00000000', '00000001', 'ffffffff', 'fffffffe', '7fffffff', '80000000', '0000ffff'].map((hex) =>
  Buffer.from(hex, 'hex'),
);

/** Half of the time as it is; else flipped, cut, stretched, overwritten or repeated at a random place. */
export function mutated(random: Random, bytes: Uint8Array): Buffer {
  return random.bool() ? Buffer.from(bytes) : spoiled(random, bytes);
}

/** Changed in one place at least, if there is any. */
export function spoiled(random: Random, bytes: Uint8Array): Buffer {
  const at = random.int(Math.max(1, bytes.length));
  switch (random.int(6)) {
    case 0: {
      const flipped = Buffer.from(bytes);
      if (flipped.length > 0) flipped[at] ^= 1 << random.int(8);
      return flipped;
    }
    case 1:
      return Buffer.from(bytes.subarray(0, at));
    case 2:
      return Buffer.concat([bytes, random.bytes(random.int(17))]);
    case 3:
      return Buffer.concat([bytes.subarray(0, at), random.bytes(1 + random.int(8)), bytes.subarray(at)]);
    case 4: {
      const length = random.int(Math.min(200, bytes.length - at) + 1);
      return Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)]);
    }
    default:
      return Buffer.concat([bytes.subarray(0, at), random.pick(EDGES), bytes.subarray(at + 4)]);
  }
}

/** The first part of one and the last part of the other. */
export function crossed(random: Random, one: Uint8Array, other: Uint8Array): Buffer {
  return Buffer.concat([one.subarray(0, random.int(one.length + 1)), other.subarray(random.int(other.length + 1))]);
}
