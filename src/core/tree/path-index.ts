// From the hash of a full path to the node: the one structure every request goes through.
//
// Open addressing with linear probing over pairs (hash, node) in flat int32 arrays. It is cut into 256 segments by the
// top bits of the hash; each grows on its own, so growing never stops the server for more than a fraction of a
// millisecond even with millions of nodes. A deletion moves later entries of the run back instead of leaving a
// tombstone, so lookups stay short under any mix of creates and deletes. Equal hashes are told apart by the caller's
// PathMatcher, which compares the bytes.

import { assert } from '../../std/assert.js';

const SEGMENT_SHIFT = 24;
const SEGMENTS = 1 << (32 - SEGMENT_SHIFT);
const ENTRIES_FIRST = 8;

export interface PathMatcher {
  /** True when the full path of the node is exactly bytes[start, end). */
  isPathOf(id: number, bytes: Uint8Array, start: number, end: number): boolean;
}

export class PathIndex {
  /** Each holds 2 × (a power of two) words: hash at even, node (0 = empty) at odd positions. */
  private segments: Int32Array[] = [];
  private readonly used = new Int32Array(SEGMENTS);

  constructor() {
    this.clear();
  }

  clear(): void {
    this.clearFor(0);
  }

  /** Empties the index and gives it room for about this many nodes at once, so that a load need not grow it. */
  clearFor(nodes: number): void {
    let entries = ENTRIES_FIRST;
    // Hashes spread evenly: an eighth more than the mean covers nearly every segment.
    while (entries * 3 < (nodes / SEGMENTS) * 4.5) entries *= 2;
    this.used.fill(0);
    this.segments = Array.from({ length: SEGMENTS }, () => new Int32Array(2 * entries));
  }

  get memoryBytes(): number {
    return this.segments.reduce((sum, segment) => sum + segment.byteLength, 0);
  }

  /** The node at this path, or 0. */
  find(hash: number, matcher: PathMatcher, bytes: Uint8Array, start: number, end: number): number {
    const segment = this.segments[hash >>> SEGMENT_SHIFT];
    const mask = segment.length - 1;
    for (let at = (hash << 1) & mask; ; at = (at + 2) & mask) {
      const id = segment[at + 1];
      if (id === 0) return 0;
      if (segment[at] === hash && matcher.isPathOf(id, bytes, start, end)) return id;
    }
  }

  /** The path must not be there yet. */
  insert(hash: number, id: number): void {
    const number = hash >>> SEGMENT_SHIFT;
    let segment = this.segments[number];
    // At most three quarters full.
    if ((this.used[number] + 1) * 8 > segment.length * 3) {
      segment = grown(segment);
      this.segments[number] = segment;
    }
    this.used[number]++;
    put(segment, hash, id);
  }

  remove(hash: number, id: number): void {
    const number = hash >>> SEGMENT_SHIFT;
    const segment = this.segments[number];
    const mask = segment.length - 1;
    let hole = (hash << 1) & mask;
    while (segment[hole + 1] !== id) {
      assert(segment[hole + 1] !== 0, `node ${id} is not in the path index`);
      hole = (hole + 2) & mask;
    }
    for (let at = (hole + 2) & mask; segment[at + 1] !== 0; at = (at + 2) & mask) {
      const home = (segment[at] << 1) & mask;
      // An entry may move back to the hole only if that is not before its home.
      if (((at - home) & mask) >= ((at - hole) & mask)) {
        segment[hole] = segment[at];
        segment[hole + 1] = segment[at + 1];
        hole = at;
      }
    }
    segment[hole] = 0;
    segment[hole + 1] = 0;
    this.used[number]--;
  }
}

function grown(segment: Int32Array): Int32Array {
  const larger = new Int32Array(segment.length * 2);
  for (let at = 0; at < segment.length; at += 2) {
    if (segment[at + 1] !== 0) put(larger, segment[at], segment[at + 1]);
  }
  return larger;
}

function put(segment: Int32Array, hash: number, id: number): void {
  const mask = segment.length - 1;
  let at = (hash << 1) & mask;
  while (segment[at + 1] !== 0) at = (at + 2) & mask;
  segment[at] = hash;
  segment[at + 1] = id;
}
