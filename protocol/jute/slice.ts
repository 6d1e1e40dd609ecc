// A slice is a string or buffer of a frame that nobody copied: the server looks paths up and stores values straight
// from the bytes it received. It is valid as long as the frame's bytes are; whoever keeps it longer copies it.

import { utf8Decode } from './utf8.js';

/**
 * A plain copy of bytes[start, end). Not `slice`: on a Node Buffer, which is a Uint8Array too, that copies nothing.
 */
export function copyBytes(bytes: Uint8Array, start = 0, end = bytes.length): Uint8Array {
  const copy = new Uint8Array(end - start);
  copy.set(bytes.subarray(start, end));
  return copy;
}

export class Slice {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
  }

  get length(): number {
    return this.end - this.start;
  }

  /** The bytes read as UTF-8. */
  text(): string {
    return utf8Decode(this.bytes, this.start, this.end);
  }

  /** A copy that outlives the frame. */
  toBytes(): Uint8Array {
    return copyBytes(this.bytes, this.start, this.end);
  }
}
