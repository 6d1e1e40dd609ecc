// The records of all znodes: 32 int32 words each, in flat chunks, addressed by a small integer. Nothing here is an
// object per node, so the garbage collector has nothing to trace however large the tree grows.
//
// The first 17 words are the Stat in wire order, as high and low halves, exactly as a client sees it (E27, E32):
// answering a Stat is copying 17 words. The children of a node are a doubly linked list through their records. Slots
// that were given back form a list through the `parent` word.

/** Number of a slot: 1 is the root, 0 is no node. */
export type NodeId = number;

export const NO_NODE: NodeId = 0;
export const ROOT: NodeId = 1;

/** Kinds as stored; 0 marks a free slot. The operation that created a node decides its kind (E34). */
export const NodeKind = { persistent: 1, ephemeral: 2, container: 3, ttl: 4 } as const;
export type NodeKind = (typeof NodeKind)[keyof typeof NodeKind];

export const RECORD_WORDS = 32;
/** Words of a Stat on the wire: 68 bytes. */
export const STAT_WORDS = 17;

/** Positions in a record. Those of 64 bits name the high half; the low half follows. */
export const Word = {
  czxid: 0,
  mzxid: 2,
  ctimeMs: 4,
  mtimeMs: 6,
  version: 8,
  /** As clients see it: 2 × storedCversion − childCount (E27). */
  cversion: 9,
  aversion: 10,
  /** As clients see it: 0 unless the node is ephemeral (E32). */
  ephemeralOwner: 11,
  /** Null data counts 0 (E29). */
  dataLength: 13,
  childCount: 14,
  pzxid: 15,
  /** Creates below this node: the next sequence number (E26). */
  storedCversion: 17,
  /** Bits 0-2 kind, bit 3 data is null, bits 8-15 high byte of the TTL. */
  flags: 18,
  ttlLow: 19,
  aclId: 20,
  parent: 21,
  firstChild: 22,
  nextSibling: 23,
  previousSibling: 24,
  /** Keyed hash of the full path, for the index. */
  pathHash: 25,
  /** Hashes without a key, for the state digest. */
  pathDigest: 26,
  dataDigest: 27,
  /** The slab block that holds the name, then the data. */
  block: 28,
  nameLength: 29,
  /** What this node adds to the state digest, high and low half. */
  digest: 30,
} as const;

const KIND_MASK = 7;
const NULL_DATA_BIT = 8;
const TTL_HIGH_SHIFT = 8;

const CHUNK_BITS = 12;
const CHUNK_NODES = 1 << CHUNK_BITS;
const RECORD_BITS = 5;
const CHUNK_NODES_FIRST = 64;
const TWO_32 = 0x1_0000_0000;

export function makeFlags(kind: NodeKind, dataIsNull: boolean, ttlMs: number): number {
  return kind | (dataIsNull ? NULL_DATA_BIT : 0) | (Math.floor(ttlMs / TWO_32) << TTL_HIGH_SHIFT);
}

export class NodeStore {
  private chunks: Int32Array[] = [];
  private freeHead: NodeId = NO_NODE;
  private end = 1;

  /** Every slot in use is below this number. */
  get slotsEnd(): number {
    return this.end;
  }

  get memoryBytes(): number {
    return this.chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
  }

  clear(): void {
    this.chunks = [];
    this.freeHead = NO_NODE;
    this.end = 1;
  }

  /** The words of the record begin at baseOf(id). Do not keep it over an allocation: a small chunk is replaced. */
  chunkOf(id: NodeId): Int32Array {
    return this.chunks[id >>> CHUNK_BITS];
  }

  baseOf(id: NodeId): number {
    return (id & (CHUNK_NODES - 1)) << RECORD_BITS;
  }

  /** A free slot. Its words are those of whoever had it before, except that its kind is 0. */
  allocate(): NodeId {
    const id = this.freeHead;
    if (id !== NO_NODE) {
      this.freeHead = this.get(id, Word.parent);
      return id;
    }
    this.cover(this.end);
    return this.end++;
  }

  release(id: NodeId): void {
    this.set(id, Word.flags, 0);
    this.set(id, Word.parent, this.freeHead);
    this.freeHead = id;
  }

  /** Makes a chosen slot addressable, for loading; collectFreeSlots must follow. */
  claim(id: NodeId): void {
    this.cover(id);
    if (id >= this.end) this.end = id + 1;
  }

  /** Finds the free slots after a load, lowest first. */
  collectFreeSlots(): void {
    this.freeHead = NO_NODE;
    for (let id = this.end - 1; id >= ROOT; id--) if (this.kind(id) === 0) this.release(id);
  }

  private cover(id: NodeId): void {
    const number = id >>> CHUNK_BITS;
    if (number < this.chunks.length && number > 0) return;
    // Only the first chunk starts small, so that a tree of a few nodes costs little.
    let nodes = number > 0 ? CHUNK_NODES : CHUNK_NODES_FIRST;
    while (number === 0 && nodes <= id) nodes *= 2;
    this.growFirst(nodes);
    while (this.chunks.length <= number) this.chunks.push(new Int32Array(CHUNK_NODES * RECORD_WORDS));
  }

  private growFirst(nodes: number): void {
    const first = this.chunks[0];
    if (first !== undefined && first.length >= nodes * RECORD_WORDS) return;
    this.chunks[0] = new Int32Array(nodes * RECORD_WORDS);
    if (first !== undefined) this.chunks[0].set(first);
  }

  get(id: NodeId, word: number): number {
    return this.chunkOf(id)[this.baseOf(id) + word];
  }

  set(id: NodeId, word: number, value: number): void {
    this.chunkOf(id)[this.baseOf(id) + word] = value;
  }

  /** A 64-bit field, which by construction is a safe integer. */
  getLong(id: NodeId, word: number): number {
    const chunk = this.chunkOf(id);
    const at = this.baseOf(id) + word;
    return chunk[at] * TWO_32 + (chunk[at + 1] >>> 0);
  }

  setLong(id: NodeId, word: number, value: number): void {
    const chunk = this.chunkOf(id);
    const at = this.baseOf(id) + word;
    chunk[at] = Math.floor(value / TWO_32);
    chunk[at + 1] = value; // the store keeps the value modulo 2^32
  }

  /** 0 for a free slot. */
  kind(id: NodeId): NodeKind | 0 {
    return (this.get(id, Word.flags) & KIND_MASK) as NodeKind | 0;
  }

  dataIsNull(id: NodeId): boolean {
    return (this.get(id, Word.flags) & NULL_DATA_BIT) !== 0;
  }

  setDataIsNull(id: NodeId, isNull: boolean): void {
    const flags = this.get(id, Word.flags);
    this.set(id, Word.flags, isNull ? flags | NULL_DATA_BIT : flags & ~NULL_DATA_BIT);
  }

  ttlMs(id: NodeId): number {
    return (this.get(id, Word.flags) >>> TTL_HIGH_SHIFT) * TWO_32 + (this.get(id, Word.ttlLow) >>> 0);
  }

  /** Puts the node at the head of its parent's list of children; counts nothing. */
  link(id: NodeId, parent: NodeId): void {
    const head = this.get(parent, Word.firstChild);
    this.set(id, Word.parent, parent);
    this.set(id, Word.previousSibling, NO_NODE);
    this.set(id, Word.nextSibling, head);
    if (head !== NO_NODE) this.set(head, Word.previousSibling, id);
    this.set(parent, Word.firstChild, id);
  }

  unlink(id: NodeId): void {
    const next = this.get(id, Word.nextSibling);
    const previous = this.get(id, Word.previousSibling);
    if (next !== NO_NODE) this.set(next, Word.previousSibling, previous);
    if (previous !== NO_NODE) this.set(previous, Word.nextSibling, next);
    else this.set(this.get(id, Word.parent), Word.firstChild, next);
  }

  /** cversion as clients see it follows from the stored one and the number of children (E27). */
  refreshCversion(id: NodeId): void {
    const stored = this.get(id, Word.storedCversion);
    this.set(id, Word.cversion, 2 * stored - this.get(id, Word.childCount));
  }
}
