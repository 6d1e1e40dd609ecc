// Jute encoding into one growing buffer: big-endian integers, length-prefixed strings, buffers and vectors with -1 for
// null (E1). The buffer is meant to be reused: a writer of a connection collects many replies and is emptied at once.

import { utf8Length, utf8Write } from './utf8.js';

const CAPACITY_MIN = 256;
const TWO_32 = 0x1_0000_0000;

export class JuteWriter {
  /** The backing bytes; valid content is [0, position). Replaced when it grows: do not keep a reference. */
  bytes: Uint8Array;
  view: DataView;
  position = 0;

  constructor(capacityBytes = CAPACITY_MIN) {
    this.bytes = new Uint8Array(capacityBytes);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    if (this.position + count > this.bytes.length) this.grow(this.position + count);
  }

  private grow(needed: number): void {
    let capacity = Math.max(this.bytes.length, CAPACITY_MIN);
    while (capacity < needed) capacity *= 2;
    const bytes = new Uint8Array(capacity);
    bytes.set(this.bytes.subarray(0, this.position));
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
  }

  bool(value: boolean): void {
    this.reserve(1);
    this.bytes[this.position++] = value ? 1 : 0;
  }

  int(value: number): void {
    this.reserve(4);
    this.view.setInt32(this.position, value);
    this.position += 4;
  }

  long(value: bigint): void {
    this.reserve(8);
    this.view.setBigInt64(this.position, value);
    this.position += 8;
  }

  /** A 64-bit long given as a safe integer. */
  longNumber(value: number): void {
    this.reserve(8);
    this.view.setInt32(this.position, Math.floor(value / TWO_32));
    this.view.setInt32(this.position + 4, value >>> 0);
    this.position += 8;
  }

  ustring(value: string | null): void {
    if (value === null) {
      this.int(-1);
      return;
    }
    const length = utf8Length(value);
    this.reserve(4 + length);
    this.view.setInt32(this.position, length);
    this.position = utf8Write(value, this.bytes, this.position + 4);
  }

  buffer(value: Uint8Array | null): void {
    if (value === null) {
      this.int(-1);
      return;
    }
    this.reserve(4 + value.length);
    this.view.setInt32(this.position, value.length);
    this.bytes.set(value, this.position + 4);
    this.position += 4 + value.length;
  }

  /** Bytes as they are, with no length before them. */
  raw(source: Uint8Array, start = 0, end = source.length): void {
    const length = end - start;
    this.reserve(length);
    const { bytes, position } = this;
    // A short copy is cheaper in a loop than a subarray and a native call.
    if (length <= 24) for (let i = 0; i < length; i++) bytes[position + i] = source[start + i];
    else bytes.set(source.subarray(start, end), position);
    this.position += length;
  }

  /** Leaves room for a frame's length; give the result to endFrame. */
  beginFrame(): number {
    const start = this.position;
    this.int(0);
    return start;
  }

  endFrame(start: number): void {
    this.view.setInt32(start, this.position - start - 4);
  }

  /** A copy of what was written. */
  toBytes(): Uint8Array {
    return this.bytes.slice(0, this.position);
  }

  /** Somebody else goes on using the bytes: continues in new ones. */
  handOver(): void {
    this.position = 0;
    this.bytes = new Uint8Array(CAPACITY_MIN);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Forgets the content; keeps the memory unless it grew beyond `keepBytesMax`. */
  clear(keepBytesMax = Number.POSITIVE_INFINITY): void {
    this.position = 0;
    if (this.bytes.length > keepBytesMax) this.handOver();
  }
}
