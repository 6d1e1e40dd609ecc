// Numbers that name things. Inside the server they are safe integers (design: a zxid is epoch × 2^32 + counter with an
// epoch below 2^21), so that the hot path never touches a BigInt; at the wire they are 64-bit longs.

const COUNTER_RANGE = 0x1_0000_0000;

/** Epochs stay below this, so that every zxid is a safe integer. */
export const EPOCH_LIMIT = 2 ** 21;

/** Largest counter within an epoch; the leader opens the next epoch before it gets there (E90). */
export const COUNTER_MAX = COUNTER_RANGE - 1;

/** The one place that makes zxids. Throws RangeError for an epoch or counter out of range. */
export function makeZxid(epoch: number, counter: number): number {
  if (!Number.isInteger(epoch) || epoch < 0 || epoch >= EPOCH_LIMIT) throw new RangeError(`epoch ${epoch}`);
  if (!Number.isInteger(counter) || counter < 0 || counter > COUNTER_MAX) throw new RangeError(`counter ${counter}`);
  return epoch * COUNTER_RANGE + counter;
}

export function epochOf(zxid: number): number {
  return Math.floor(zxid / COUNTER_RANGE);
}

export function counterOf(zxid: number): number {
  return zxid % COUNTER_RANGE;
}

/** As ZooKeeper prints zxids and session ids: 0x and lower-case hexadecimal. */
export function hex(id: number | bigint): string {
  return `0x${id.toString(16)}`;
}
