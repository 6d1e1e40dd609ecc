// A running digest of the whole state, so that replicas can prove to each other that they are equal (design, decision
// 2; in the spirit of E98). It is a sum over nodes of a mix of everything a client could observe or an operation could
// depend on; a sum, so that a change costs one subtraction and one addition and the order of changes does not matter.
// What two replicas may differ in stays out: slot numbers, block references, the order of siblings, the numbers by
// which a replica calls its ACLs (their content enters by a digest that the caller provides).

import { avalanche } from './hash.js';
import type { NodeId, NodeStore } from './node-store.js';
import { STAT_WORDS, Word } from './node-store.js';

/** The record's first words: the Stat, then stored cversion, flags and TTL. */
const STATE_WORDS = STAT_WORDS + 3;

/** Halves are unsigned 32-bit integers. */
export interface Digest {
  high: number;
  low: number;
}

export class StateDigest {
  private high = 0;
  private low = 0;

  get value(): Digest {
    return { high: this.high >>> 0, low: this.low >>> 0 };
  }

  set value(digest: Digest) {
    this.high = digest.high | 0;
    this.low = digest.low | 0;
  }

  /** The node is new or has changed: what it adds is computed anew, and replaces what it added before. */
  refresh(nodes: NodeStore, id: NodeId, aclDigest: number): void {
    const chunk = nodes.chunkOf(id);
    const base = nodes.baseOf(id);
    let a = 0x2545f491;
    let b = 0x6c8e9cf5;
    // The halves go different ways, so that what cancels out in one does not in the other.
    for (let i = 0; i < STATE_WORDS; i++) {
      const value = chunk[base + i];
      a = Math.imul(a ^ value, 0x9e3779b1);
      a ^= a >>> 15;
      b = Math.imul(((b << 13) | (b >>> 19)) ^ value, 0x85ebca77);
    }
    const path = chunk[base + Word.pathDigest];
    const data = chunk[base + Word.dataDigest];
    a = avalanche(a ^ path);
    b = avalanche(b + path);
    a = avalanche(a ^ data);
    b = avalanche(b + data);
    a = avalanche(a ^ aclDigest);
    b = avalanche(b + aclDigest);
    this.high = (this.high - chunk[base + Word.digest] + a) | 0;
    this.low = (this.low - chunk[base + Word.digest + 1] + b) | 0;
    chunk[base + Word.digest] = a;
    chunk[base + Word.digest + 1] = b;
  }

  /** The node is gone. */
  forget(nodes: NodeStore, id: NodeId): void {
    this.high = (this.high - nodes.get(id, Word.digest)) | 0;
    this.low = (this.low - nodes.get(id, Word.digest + 1)) | 0;
    nodes.set(id, Word.digest, 0);
    nodes.set(id, Word.digest + 1, 0);
  }
}
