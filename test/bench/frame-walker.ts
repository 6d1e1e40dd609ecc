/**
 * Counts what a server says without reading it: cuts a stream of bytes into frames (E1) and shows where each begins. A
 * frame that lies whole in a chunk, as nearly all do, is shown in place; only one that is cut by the end of a chunk is
 * copied, and completed from the next chunk.
 */
const LENGTH_BYTES = 4;
const CARRY_BYTES_FIRST = 4096;

/** `bytes[start]` is the first byte behind the length; the frame has `length` bytes and is valid during the call. */
export type FrameVisitor = (bytes: Uint8Array, start: number, length: number) => void;

export class FrameWalker {
  private carry = new Uint8Array(CARRY_BYTES_FIRST);
  private carried = 0;

  constructor(private readonly visit: FrameVisitor) {}

  /** Takes bytes[0, end). */
  feed(bytes: Uint8Array, end: number): void {
    let at = this.carried > 0 ? this.completeCarried(bytes, end) : 0;
    while (end - at >= LENGTH_BYTES) {
      const length = int32At(bytes, at);
      if (end - at - LENGTH_BYTES < length) break;
      this.visit(bytes, at + LENGTH_BYTES, length);
      at += LENGTH_BYTES + length;
    }
    if (at < end) this.keep(bytes, at, end);
  }

  /** Returns how many of the bytes belong to the frame that was begun before. */
  private completeCarried(bytes: Uint8Array, end: number): number {
    const forLength = Math.min(end, Math.max(0, LENGTH_BYTES - this.carried));
    this.keep(bytes, 0, forLength);
    if (this.carried < LENGTH_BYTES) return forLength;
    const length = int32At(this.carry, 0);
    const missing = LENGTH_BYTES + length - this.carried;
    const taken = Math.min(missing, end - forLength);
    this.keep(bytes, forLength, forLength + taken);
    if (taken === missing) {
      this.carried = 0;
      this.visit(this.carry, LENGTH_BYTES, length);
    }
    return forLength + taken;
  }

  private keep(bytes: Uint8Array, start: number, end: number): void {
    const needed = this.carried + end - start;
    if (needed > this.carry.length) {
      const larger = new Uint8Array(Math.max(needed, 2 * this.carry.length));
      larger.set(this.carry.subarray(0, this.carried));
      this.carry = larger;
    }
    this.carry.set(bytes.subarray(start, end), this.carried);
    this.carried = needed;
  }
}

/** A big-endian int, as all of the protocol's. */
export function int32At(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
}
