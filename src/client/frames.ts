// A TCP stream cut into packets: four bytes of length, then that many bytes (E1). A packet that lies whole in what was
// received is handed on where it lies; only one that is spread over several reads is put together in a buffer.

import { ProtocolError } from '../../protocol/errors.js';

const EMPTY = new Uint8Array(0);
/** A buffer that had to grow beyond this is given back. */
const BUFFER_KEPT_BYTES_MAX = 256 * 1024;

export class FrameSplitter {
  readonly #bytesMax: number;
  /** Bytes of an unfinished packet, with its length field: [0, #held) of #buffer. */
  #buffer = EMPTY;
  #held = 0;

  /** `bytesMax` bounds the body of one packet. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Forgets an unfinished packet. */
  reset(): void {
    this.#held = 0;
    if (this.#buffer.length > BUFFER_KEPT_BYTES_MAX) this.#buffer = EMPTY;
  }

  /**
   * Calls `visit(bytes, start, end)` for every packet that is complete with `chunk`, in order, until it returns false.
   * The bytes are valid during the call only. Throws ProtocolError for a length that cannot be.
   */
  push(chunk: Uint8Array, visit: (bytes: Uint8Array, start: number, end: number) => boolean): void {
    let bytes = chunk;
    let end = chunk.length;
    if (this.#held > 0) {
      this.#append(chunk, 0);
      bytes = this.#buffer;
      end = this.#held;
    }
    let at = 0;
    while (end - at >= 4) {
      const length = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
      if (length < 0 || length > this.#bytesMax) throw new ProtocolError(`a packet of ${length} bytes`, at);
      if (end - at - 4 < length) break;
      const bodyAt = at + 4;
      at = bodyAt + length;
      if (!visit(bytes, bodyAt, at)) return;
    }
    this.#keep(bytes, at, end);
  }

  #keep(bytes: Uint8Array, start: number, end: number): void {
    if (start === end) {
      this.reset();
    } else if (bytes === this.#buffer) {
      this.#buffer.copyWithin(0, start, end);
      this.#held = end - start;
    } else {
      this.#held = 0;
      this.#append(bytes, start);
    }
  }

  #append(chunk: Uint8Array, start: number): void {
    const needed = this.#held + chunk.length - start;
    if (needed > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(needed, 2 * this.#buffer.length));
      grown.set(this.#buffer.subarray(0, this.#held));
      this.#buffer = grown;
    }
    this.#buffer.set(chunk.subarray(start), this.#held);
    this.#held = needed;
  }
}
