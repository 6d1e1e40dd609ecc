// The tree as a read sees it: nodes are found by the bytes of a path as they came in a request, and everything a reply
// needs is written straight from the records into the writer of the connection. A NodeId is good until the node is
// removed; ids are reused.

import { utf8Decode, utf8Encode } from '../../../protocol/jute/utf8.js';
import type { JuteWriter } from '../../../protocol/jute/writer.js';
import type { Digest } from './digest.js';
import { StateDigest } from './digest.js';
import { keyedHash } from './hash.js';
import type { NodeId } from './node-store.js';
import { NO_NODE, type NodeKind, NodeStore, ROOT, STAT_WORDS, Word } from './node-store.js';
import { Owners } from './owners.js';
import type { PathMatcher } from './path-index.js';
import { PathIndex } from './path-index.js';
import { Slab } from './slab.js';

const SLASH = 0x2f;
const TWO_32 = 0x1_0000_0000;
const PATH_BYTES_FIRST = 1024;

export class TreeReader implements PathMatcher {
  protected readonly nodes = new NodeStore();
  protected readonly slab = new Slab();
  protected readonly index = new PathIndex();
  protected readonly owners = new Owners();
  protected readonly running = new StateDigest();
  protected nodesTotal = 0;
  protected dataSizeTotal = 0;
  private readonly key0: number;
  private readonly key1: number;
  /** Holds the path laid out last, at its end; see layPath. */
  protected pathBuffer = new Uint8Array(PATH_BYTES_FIRST);

  protected constructor(hashSeed: number) {
    this.key0 = Math.floor(hashSeed / TWO_32);
    this.key1 = hashSeed | 0;
  }

  // Finding

  /** The node at an absolute path given as UTF-8 bytes, 0 when there is none. `/` and the empty path are the root (E35). */
  find(bytes: Uint8Array, start: number, end: number): NodeId {
    if (end - start <= 1 && (end === start || bytes[start] === SLASH)) return ROOT;
    return this.index.find(this.hashPath(bytes, start, end), this, bytes, start, end);
  }

  findText(path: string): NodeId {
    const bytes = utf8Encode(path);
    return this.find(bytes, 0, bytes.length);
  }

  protected hashPath(bytes: Uint8Array, start: number, end: number): number {
    return keyedHash(bytes, start, end, this.key0, this.key1);
  }

  /** Compares names backwards, up to the root. */
  isPathOf(id: NodeId, bytes: Uint8Array, start: number, end: number): boolean {
    let stop = end;
    for (let node = id; node !== ROOT; ) {
      const chunk = this.nodes.chunkOf(node);
      const base = this.nodes.baseOf(node);
      const nameStart = stop - chunk[base + Word.nameLength];
      if (nameStart <= start || bytes[nameStart - 1] !== SLASH) return false;
      const block = chunk[base + Word.block];
      const name = this.slab.bytesOf(block);
      const shift = this.slab.offsetOf(block) - nameStart;
      for (let at = nameStart; at < stop; at++) if (bytes[at] !== name[at + shift]) return false;
      stop = nameStart - 1;
      node = chunk[base + Word.parent];
    }
    return stop === start;
  }

  isNode(id: NodeId): boolean {
    return id > NO_NODE && id < this.nodes.slotsEnd && this.nodes.kind(id) !== 0;
  }

  // Fields

  kind(id: NodeId): NodeKind {
    return this.nodes.kind(id) as NodeKind;
  }

  /** Session of an ephemeral node, 0 for every other kind. */
  owner(id: NodeId): number {
    return this.nodes.getLong(id, Word.ephemeralOwner);
  }

  /** Time to live of a TTL node, 0 for every other kind. */
  ttlMs(id: NodeId): number {
    return this.nodes.ttlMs(id);
  }

  version(id: NodeId): number {
    return this.nodes.get(id, Word.version);
  }

  /** The next sequence number of a child (E26); not what clients see as cversion (E27). */
  storedCversion(id: NodeId): number {
    return this.nodes.get(id, Word.storedCversion);
  }

  aversion(id: NodeId): number {
    return this.nodes.get(id, Word.aversion);
  }

  aclId(id: NodeId): number {
    return this.nodes.get(id, Word.aclId);
  }

  childCount(id: NodeId): number {
    return this.nodes.get(id, Word.childCount);
  }

  /** In bytes; 0 for null data. */
  dataLength(id: NodeId): number {
    return this.nodes.get(id, Word.dataLength);
  }

  dataIsNull(id: NodeId): boolean {
    return this.nodes.dataIsNull(id);
  }

  czxid(id: NodeId): number {
    return this.nodes.getLong(id, Word.czxid);
  }

  mzxid(id: NodeId): number {
    return this.nodes.getLong(id, Word.mzxid);
  }

  pzxid(id: NodeId): number {
    return this.nodes.getLong(id, Word.pzxid);
  }

  ctimeMs(id: NodeId): number {
    return this.nodes.getLong(id, Word.ctimeMs);
  }

  mtimeMs(id: NodeId): number {
    return this.nodes.getLong(id, Word.mtimeMs);
  }

  /** 0 for the root. */
  parent(id: NodeId): NodeId {
    return this.nodes.get(id, Word.parent);
  }

  /** 0 for none. The order of siblings means nothing, and differs between replicas. */
  firstChild(id: NodeId): NodeId {
    return this.nodes.get(id, Word.firstChild);
  }

  nextSibling(id: NodeId): NodeId {
    return this.nodes.get(id, Word.nextSibling);
  }

  /** `visit` may remove the child it is given. */
  forEachChild(id: NodeId, visit: (child: NodeId) => void): void {
    for (let child = this.firstChild(id); child !== NO_NODE; ) {
      const next = this.nextSibling(child);
      visit(child);
      child = next;
    }
  }

  /** All nodes below this one. For the root that is what ZooKeeper answers too, `/zookeeper` included (E37). */
  countDescendants(id: NodeId): number {
    if (id === ROOT) return this.nodesTotal - 1;
    let count = 0;
    let node = id;
    for (;;) {
      let next = this.firstChild(node);
      while (next === NO_NODE) {
        if (node === id) return count;
        next = this.nextSibling(node);
        if (next === NO_NODE) node = this.parent(node);
      }
      node = next;
      count++;
    }
  }

  // Writing answers

  /** A Stat: 68 bytes. */
  writeStat(id: NodeId, writer: JuteWriter): void {
    writer.reserve(STAT_WORDS * 4);
    const { view, position } = writer;
    const chunk = this.nodes.chunkOf(id);
    const base = this.nodes.baseOf(id);
    for (let i = 0; i < STAT_WORDS; i++) view.setInt32(position + 4 * i, chunk[base + i]);
    writer.position = position + STAT_WORDS * 4;
  }

  /** A jute buffer; null and empty data stay distinct (E29). */
  writeData(id: NodeId, writer: JuteWriter): void {
    if (this.dataIsNull(id)) {
      writer.int(-1);
      return;
    }
    const length = this.dataLength(id);
    writer.int(length);
    const start = this.dataStart(id);
    writer.raw(this.contentOf(id), start, start + length);
  }

  /** The last element of the path, a jute string. */
  writeName(id: NodeId, writer: JuteWriter): void {
    const block = this.nodes.get(id, Word.block);
    const length = this.nodes.get(id, Word.nameLength);
    const start = this.slab.offsetOf(block);
    writer.int(length);
    writer.raw(this.slab.bytesOf(block), start, start + length);
  }

  /** A jute vector of strings. */
  writeChildNames(id: NodeId, writer: JuteWriter): void {
    writer.int(this.childCount(id));
    for (let child = this.firstChild(id); child !== NO_NODE; child = this.nextSibling(child)) {
      this.writeName(child, writer);
    }
  }

  /** The full path, a jute string. */
  writePath(id: NodeId, writer: JuteWriter): void {
    const start = this.layPath(id);
    writer.int(this.pathBuffer.length - start);
    writer.raw(this.pathBuffer, start, this.pathBuffer.length);
  }

  pathText(id: NodeId): string {
    const start = this.layPath(id);
    return utf8Decode(this.pathBuffer, start, this.pathBuffer.length);
  }

  /** A copy. */
  pathBytes(id: NodeId): Uint8Array {
    const start = this.layPath(id);
    return this.pathBuffer.slice(start);
  }

  nameText(id: NodeId): string {
    const start = this.slab.offsetOf(this.nodes.get(id, Word.block));
    return utf8Decode(this.contentOf(id), start, start + this.nodes.get(id, Word.nameLength));
  }

  dataCopy(id: NodeId): Uint8Array | null {
    if (this.dataIsNull(id)) return null;
    const start = this.dataStart(id);
    return this.contentOf(id).slice(start, start + this.dataLength(id));
  }

  private contentOf(id: NodeId): Uint8Array {
    return this.slab.bytesOf(this.nodes.get(id, Word.block));
  }

  private dataStart(id: NodeId): number {
    return this.slab.offsetOf(this.nodes.get(id, Word.block)) + this.nodes.get(id, Word.nameLength);
  }

  /** Lays the full path out at the end of pathBuffer, and returns where in it the path starts. */
  protected layPath(id: NodeId): number {
    let start = this.pathBuffer.length;
    if (id === ROOT) this.pathBuffer[--start] = SLASH;
    for (let node = id; node !== ROOT; node = this.parent(node)) {
      const length = this.nodes.get(node, Word.nameLength);
      if (start < length + 1) start = this.growPathBuffer(start, length + 1);
      start -= length;
      const from = this.slab.offsetOf(this.nodes.get(node, Word.block));
      const content = this.contentOf(node);
      for (let i = 0; i < length; i++) this.pathBuffer[start + i] = content[from + i];
      this.pathBuffer[--start] = SLASH;
    }
    return start;
  }

  private growPathBuffer(start: number, needed: number): number {
    const old = this.pathBuffer;
    const larger = new Uint8Array(2 * old.length + needed);
    larger.set(old.subarray(start), larger.length - (old.length - start));
    this.pathBuffer = larger;
    return larger.length - (old.length - start);
  }

  /** Bytes of the full path. */
  protected pathLength(id: NodeId): number {
    if (id === ROOT) return 1;
    let length = 0;
    for (let node = id; node !== ROOT; node = this.parent(node)) length += 1 + this.nodes.get(node, Word.nameLength);
    return length;
  }

  // The tree as a whole

  /** The root included, once; ZooKeeper's zk_znode_count is one more, since it holds the root twice (E37). */
  get nodeCount(): number {
    return this.nodesTotal;
  }

  get ephemeralCount(): number {
    return this.owners.ephemeralCount;
  }

  /** Bytes of all paths and data: ZooKeeper's zk_approximate_data_size. */
  get approximateDataSize(): number {
    return this.dataSizeTotal;
  }

  /** Bytes held from the machine by records, blocks and index. */
  get memoryBytes(): number {
    return this.nodes.memoryBytes + this.slab.memoryBytes + this.index.memoryBytes;
  }

  /** Live: removing a node while iterating is fine. The order differs between replicas. */
  ephemeralsOf(sessionId: number): ReadonlySet<NodeId> {
    return this.owners.ephemeralsOf(sessionId);
  }

  sessionsWithEphemerals(): Iterable<number> {
    return this.owners.sessions();
  }

  /** The containers and TTL nodes, which the reaper looks at (E48). Live, as ephemeralsOf. */
  expendables(): ReadonlySet<NodeId> {
    return this.owners.expendables();
  }

  /** Every node, in no particular order. */
  forEachNode(visit: (id: NodeId) => void): void {
    for (let id = ROOT; id < this.nodes.slotsEnd; id++) if (this.nodes.kind(id) !== 0) visit(id);
  }

  /** Equal on replicas with equal trees. */
  digest(): Digest {
    return this.running.value;
  }
}
