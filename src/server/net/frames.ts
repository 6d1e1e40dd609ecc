// Cuts a byte stream into whole frames (E1). What arrives complete, which is nearly always, is passed on where it lies:
// one call for all frames of a read, nothing copied. Only a frame that is torn over several reads is collected, in a
// buffer that grows with what has really come: a length of a megabyte costs nothing until its bytes are there.

import { ProtocolError } from '../../../protocol/errors.js';

const GROWTH_START_BYTES = 4096;
export const LENGTH_BYTES = 4;

/** Receives bytes[start, end): whole frames, each with its length in front. */
export type OnFrames = (bytes: Uint8Array, start: number, end: number) => void;

export class FrameAssembler {
  private readonly frameBytesMax: number;
  private partial: Uint8Array = new Uint8Array(0);
  private filled = 0;
  /** Whole size of the torn frame with its length, once that is known; else 0. */
  private wanted = 0;

  constructor(frameBytesMax: number) {
    this.frameBytesMax = frameBytesMax;
  }

  /** Bytes held of a frame that has not come as a whole. */
  get heldBytes(): number {
    return this.partial.length;
  }

  /** Throws ProtocolError for a length below 0 or above the limit; the stream cannot be read on after that. */
  feed(chunk: Uint8Array, onFrames: OnFrames): void {
    const start = this.filled > 0 ? this.complete(chunk, onFrames) : 0;
    const end = wholeFramesEnd(chunk, start, this.frameBytesMax);
    if (end > start) onFrames(chunk, start, end);
    if (end < chunk.length) this.keep(chunk, end, chunk.length);
  }

  /** Adds to the torn frame what belongs to it; returns where the rest of the chunk starts. */
  private complete(chunk: Uint8Array, onFrames: OnFrames): number {
    let at = 0;
    if (this.filled < LENGTH_BYTES) {
      at = Math.min(LENGTH_BYTES - this.filled, chunk.length);
      this.keep(chunk, 0, at);
      if (this.filled < LENGTH_BYTES) return at;
    }
    const end = Math.min(at + this.wanted - this.filled, chunk.length);
    this.keep(chunk, at, end);
    if (this.filled === this.wanted) {
      const frame = this.partial;
      const length = this.filled;
      this.partial = new Uint8Array(0);
      this.filled = 0;
      this.wanted = 0;
      onFrames(frame, 0, length);
    }
    return end;
  }

  private keep(chunk: Uint8Array, start: number, end: number): void {
    const needed = this.filled + end - start;
    if (needed > this.partial.length) {
      const bytes = new Uint8Array(
        Math.max(needed, Math.min(this.partial.length * 2, this.wanted), GROWTH_START_BYTES),
      );
      bytes.set(this.partial.subarray(0, this.filled));
      this.partial = bytes;
    }
    this.partial.set(chunk.subarray(start, end), this.filled);
    this.filled = needed;
    if (this.wanted === 0 && needed >= LENGTH_BYTES) {
      this.wanted = LENGTH_BYTES + frameLength(this.partial, 0, this.frameBytesMax);
    }
  }
}

/** Where the last whole frame of chunk[start, …) ends. What is behind it is a torn frame, or has a bad length. */
function wholeFramesEnd(chunk: Uint8Array, start: number, frameBytesMax: number): number {
  let at = start;
  while (chunk.length - at >= LENGTH_BYTES) {
    const length = int32At(chunk, at);
    if (length < 0 || length > frameBytesMax || length > chunk.length - at - LENGTH_BYTES) break;
    at += LENGTH_BYTES + length;
  }
  return at;
}

function frameLength(bytes: Uint8Array, at: number, frameBytesMax: number): number {
  const length = int32At(bytes, at);
  if (length < 0) throw new ProtocolError(`a frame of length ${length}`, at);
  if (length > frameBytesMax) {
    throw new ProtocolError(`a frame of ${length} bytes, the limit is ${frameBytesMax} (jute.maxbuffer)`, at);
  }
  return length;
}

function int32At(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
}
