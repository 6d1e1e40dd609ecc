// Jute decoding with every bound checked before a byte is touched (E1). Nothing is allocated for a claimed length: a
// vector of two billion elements costs nothing until its elements are really there.

import { ProtocolError } from '../errors.js';
import { copyBytes, Slice } from './slice.js';
import { utf8Decode } from './utf8.js';

const TWO_32 = 0x1_0000_0000;

export class JuteReader {
  bytes: Uint8Array;
  position: number;
  end: number;
  private view: DataView;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.position = start;
    this.end = end;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Turns to other bytes, so that one reader serves a whole connection. */
  reset(bytes: Uint8Array, start = 0, end = bytes.length): this {
    if (bytes !== this.bytes) {
      this.bytes = bytes;
      this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    this.position = start;
    this.end = end;
    return this;
  }

  get remaining(): number {
    return this.end - this.position;
  }

  private take(count: number, what: string): number {
    const at = this.position;
    if (count > this.end - at) {
      throw new ProtocolError(`${what} needs ${count} bytes, ${this.end - at} are left`, at);
    }
    this.position = at + count;
    return at;
  }

  /** Java reads any byte but 0 as true. */
  bool(): boolean {
    return this.bytes[this.take(1, 'a bool')] !== 0;
  }

  int(): number {
    return this.view.getInt32(this.take(4, 'an int'));
  }

  long(): bigint {
    return this.view.getBigInt64(this.take(8, 'a long'));
  }

  /** A long as a number: exact for safe integers, rounded (and still outside of the safe range) for all others. */
  longNumber(): number {
    const at = this.take(8, 'a long');
    return this.view.getInt32(at) * TWO_32 + this.view.getUint32(at + 4);
  }

  /** Length of a string or buffer: -1 is null, anything else below 0 or beyond the end is an error. */
  private length(what: string): number {
    const at = this.position;
    const length = this.int();
    if (length < -1) throw new ProtocolError(`${what} of length ${length}`, at);
    if (length > this.end - this.position) {
      throw new ProtocolError(`${what} of ${length} bytes, ${this.end - this.position} are left`, at);
    }
    return length;
  }

  ustring(): string | null {
    const length = this.length('a string');
    if (length < 0) return null;
    const at = this.position;
    this.position += length;
    return utf8Decode(this.bytes, at, at + length);
  }

  /** A buffer, copied. */
  buffer(): Uint8Array | null {
    const length = this.length('a buffer');
    if (length < 0) return null;
    const at = this.position;
    this.position += length;
    return copyBytes(this.bytes, at, at + length);
  }

  /** A string or buffer, not copied. */
  slice(): Slice | null {
    const length = this.length('a string or buffer');
    if (length < 0) return null;
    const at = this.position;
    this.position += length;
    return new Slice(this.bytes, at, at + length);
  }

  /** Number of elements of a vector, -1 for null. Each element takes a byte at least, so a huge count fails here. */
  vectorLength(): number {
    const at = this.position;
    const length = this.int();
    if (length < -1 || length > this.end - this.position) {
      throw new ProtocolError(`a vector of ${length} elements, ${this.end - this.position} bytes are left`, at);
    }
    return length;
  }
}
