// The tree of znodes and the four ways it changes. Whether a change is allowed has been decided before it gets here;
// these functions have the exact effects ZooKeeper's have on the node and on its parent (E26-E32, E36), and keep
// everything that follows: index, owners, counters, digest, the undo log of a multi and the pages of the checkpoint.
//
// A change has one shape: `touch` each record before it changes (that captures its checkpoint page and, inside of a
// transaction, its words), change it, then refresh its share of the digest.

import { Slice } from '../../../protocol/jute/slice.js';
import { utf8Encode } from '../../../protocol/jute/utf8.js';
import { assert } from '../../std/assert.js';
import { ACL_OPEN, ACL_READ_ONLY } from './acl.js';
import type { CheckpointPage } from './checkpoint.js';
import { CheckpointTracker, PAGE_SLOT_BITS } from './checkpoint.js';
import type { Digest } from './digest.js';
import { StateDigest } from './digest.js';
import { contentHash } from './hash.js';
import { checkSpecialNodes, linkChildren, walkDepthFirst } from './load.js';
import type { NodeId } from './node-store.js';
import { makeFlags, NO_NODE, NodeKind, ROOT, Word } from './node-store.js';
import { CheckpointError, decodePage, encodePage } from './page-codec.js';
import { TreeReader } from './tree-reader.js';
import { UndoLog } from './undo.js';

export type { CheckpointPage } from './checkpoint.js';
export type { Digest } from './digest.js';
export type { NodeId } from './node-store.js';
export { NO_NODE, NodeKind, ROOT } from './node-store.js';
export { CheckpointError } from './page-codec.js';
export { TreeReader } from './tree-reader.js';

const NO_BYTES = new Uint8Array(0);
const EMPTY = new Slice(NO_BYTES);
const PATH_SEED = 0x70617468;
const DATA_SEED = 0;

export interface TreeOptions {
  /** Key of the path index, a safe integer; secret where clients are not trusted. Default 0. */
  hashSeed?: number;
  /** An int32 that depends on the content of an ACL only, equal on all replicas. */
  aclDigest: (aclId: number) => number;
}

export class Tree extends TreeReader {
  private readonly aclDigest: (aclId: number) => number;
  private isLoading = false;
  private readonly undo = new UndoLog({
    releaseSlot: (id) => this.nodes.release(id),
    releaseBlock: (block) => this.slab.release(block),
    enter: (id) => this.enter(id),
    strikeOut: (id) => this.strikeOut(id),
  });
  private readonly checkpoint = new CheckpointTracker((page) => encodePage(this.nodes, this.slab, page));
  /** What a rollback sets back as a whole. */
  private before = { nodes: 0, dataSize: 0, digest: this.running.value };

  /** A fresh tree, as a fresh ZooKeeper shows it: cversion -1 on `/`, aversion -1 on the config (E27, E36). */
  constructor(options: TreeOptions) {
    super(options.hashSeed ?? 0);
    this.aclDigest = options.aclDigest;
    this.addBuiltIn(NO_NODE, '', ACL_OPEN);
    const system = this.addBuiltIn(ROOT, 'zookeeper', ACL_OPEN);
    this.addBuiltIn(system, 'quota', ACL_OPEN);
    const config = this.addBuiltIn(system, 'config', ACL_READ_ONLY);
    this.nodes.set(config, Word.aversion, -1);
    this.refresh(config);
  }

  private addBuiltIn(parent: NodeId, name: string, aclId: number): NodeId {
    const bytes = utf8Encode(name);
    const id = this.addNode(parent, bytes, 0, bytes.length, EMPTY, aclId, NodeKind.persistent, 0, 0, 0);
    if (parent !== NO_NODE) {
      this.adopt(id, parent);
      this.refresh(parent);
    }
    this.refresh(id);
    return id;
  }

  // Changes

  /**
   * Adds a child. The parent exists, is not ephemeral and has no child of this name.
   * @param ownerOrTtl session id of an ephemeral node, time to live in ms of a TTL node, else ignored
   */
  create(
    parent: NodeId,
    nameBytes: Uint8Array,
    nameStart: number,
    nameEnd: number,
    data: Slice | null,
    aclId: number,
    kind: NodeKind,
    ownerOrTtl: number,
    zxid: number,
    timeMs: number,
  ): NodeId {
    assert(this.isNode(parent), `create below ${parent}, which is no node`);
    assert(nameEnd > nameStart, 'create with an empty name');
    const id = this.addNode(parent, nameBytes, nameStart, nameEnd, data, aclId, kind, ownerOrTtl, zxid, timeMs);
    this.touch(parent);
    this.adopt(id, parent);
    this.nodes.set(parent, Word.storedCversion, this.storedCversion(parent) + 1); // E26, E27; wraps
    this.nodes.refreshCversion(parent);
    this.nodes.setLong(parent, Word.pzxid, zxid); // E28
    this.refresh(parent);
    this.refresh(id);
    if (this.undo.isOpen) this.undo.entered(id);
    return id;
  }

  /** Removes a node without children, not the root. */
  remove(id: NodeId, zxid: number): void {
    assert(this.isNode(id) && id !== ROOT, `remove of ${id}`);
    assert(this.childCount(id) === 0, 'remove of a node that has children');
    const { nodes } = this;
    const parent = this.parent(id);
    if (this.undo.isOpen) this.undo.struckOut(id);
    this.touch(id);
    this.touch(parent);
    this.touchLinks(id);
    this.dataSizeTotal -= this.pathLength(id) + this.dataLength(id);
    this.nodesTotal--;
    this.strikeOut(id);
    this.running.forget(nodes, id);
    nodes.unlink(id);
    nodes.set(parent, Word.childCount, this.childCount(parent) - 1);
    nodes.refreshCversion(parent);
    if (zxid > this.pzxid(parent)) nodes.setLong(parent, Word.pzxid, zxid); // E28
    this.refresh(parent);
    this.dropBlock(nodes.get(id, Word.block));
    nodes.set(id, Word.flags, 0);
    if (this.undo.isOpen) this.undo.slotDropped(id);
    else nodes.release(id);
  }

  /** New data, also when equal to the old (E30). `version` is for the config node, which always shows -1 (E36). */
  setData(
    id: NodeId,
    data: Slice | null,
    zxid: number,
    timeMs: number,
    version: number = nextVersion(this.version(id)),
  ): void {
    assert(this.isNode(id), `setData of ${id}, which is no node`);
    const { nodes, slab } = this;
    this.touch(id);
    const content = data ?? EMPTY;
    const nameLength = nodes.get(id, Word.nameLength);
    const oldBlock = nodes.get(id, Word.block);
    const length = nameLength + content.length;
    // In a transaction the old block must stay as it is until commit.
    if (this.undo.isOpen || !slab.fits(oldBlock, length)) {
      const from = slab.offsetOf(oldBlock);
      const block = this.takeBlock(length);
      copy(slab.bytesOf(oldBlock), from, from + nameLength, slab.bytesOf(block), slab.offsetOf(block));
      nodes.set(id, Word.block, block);
      this.dropBlock(oldBlock);
    }
    this.dataSizeTotal += content.length - this.dataLength(id);
    this.putData(id, data);
    nodes.set(id, Word.version, version);
    nodes.setLong(id, Word.mzxid, zxid);
    nodes.setLong(id, Word.mtimeMs, timeMs);
    this.refresh(id);
  }

  /** Raises aversion and nothing else (E30). */
  setAcl(id: NodeId, aclId: number): void {
    assert(this.isNode(id), `setAcl of ${id}, which is no node`);
    this.touch(id);
    this.nodes.set(id, Word.aclId, aclId);
    this.nodes.set(id, Word.aversion, nextVersion(this.aversion(id)));
    this.refresh(id);
  }

  /** A node that its parent does not know of yet. */
  private addNode(
    parent: NodeId,
    nameBytes: Uint8Array,
    nameStart: number,
    nameEnd: number,
    data: Slice | null,
    aclId: number,
    kind: NodeKind,
    ownerOrTtl: number,
    zxid: number,
    timeMs: number,
  ): NodeId {
    const { nodes, slab } = this;
    const nameLength = nameEnd - nameStart;
    const block = this.takeBlock(nameLength + (data?.length ?? 0));
    copy(nameBytes, nameStart, nameEnd, slab.bytesOf(block), slab.offsetOf(block));
    const id = nodes.allocate();
    if (this.undo.isOpen) this.undo.slotTaken(id);
    this.touch(id);
    const base = nodes.baseOf(id);
    nodes.chunkOf(id).fill(0, base, base + Word.digest + 2);
    const ttlMs = kind === NodeKind.ttl ? ownerOrTtl : 0;
    nodes.set(id, Word.flags, makeFlags(kind, false, ttlMs));
    nodes.set(id, Word.ttlLow, ttlMs);
    nodes.setLong(id, Word.ephemeralOwner, kind === NodeKind.ephemeral ? ownerOrTtl : 0); // E32
    nodes.setLong(id, Word.czxid, zxid); // E29
    nodes.setLong(id, Word.mzxid, zxid);
    nodes.setLong(id, Word.pzxid, zxid);
    nodes.setLong(id, Word.ctimeMs, timeMs);
    nodes.setLong(id, Word.mtimeMs, timeMs);
    nodes.set(id, Word.aclId, aclId);
    nodes.set(id, Word.parent, parent);
    nodes.set(id, Word.block, block);
    nodes.set(id, Word.nameLength, nameLength);
    this.putData(id, data);
    const start = this.layPath(id);
    this.register(id, this.pathBuffer, start, this.pathBuffer.length);
    return id;
  }

  /** The parent's side of a new child, but for its cversion and pzxid. */
  private adopt(id: NodeId, parent: NodeId): void {
    const sibling = this.firstChild(parent);
    if (sibling !== NO_NODE && this.undo.isOpen) this.undo.keepRecord(this.nodes, sibling);
    this.nodes.link(id, parent);
    this.nodes.set(parent, Word.childCount, this.childCount(parent) + 1);
    this.nodes.refreshCversion(parent);
  }

  /** Makes a complete record, whose path is bytes[start, end), findable and counted. */
  private register(id: NodeId, bytes: Uint8Array, start: number, end: number): void {
    this.nodes.set(id, Word.pathHash, this.hashPath(bytes, start, end));
    this.nodes.set(id, Word.pathDigest, contentHash(bytes, start, end, PATH_SEED));
    this.nodesTotal++;
    this.dataSizeTotal += end - start + this.dataLength(id);
    this.enter(id);
  }

  /** The block has room already. */
  private putData(id: NodeId, data: Slice | null): void {
    const content = data ?? EMPTY;
    const block = this.nodes.get(id, Word.block);
    const at = this.slab.offsetOf(block) + this.nodes.get(id, Word.nameLength);
    copy(content.bytes, content.start, content.end, this.slab.bytesOf(block), at);
    this.nodes.setDataIsNull(id, data === null);
    this.nodes.set(id, Word.dataLength, content.length);
    this.nodes.set(id, Word.dataDigest, contentHash(content.bytes, content.start, content.end, DATA_SEED));
  }

  private takeBlock(lengthBytes: number): number {
    const block = this.slab.allocate(lengthBytes);
    if (this.undo.isOpen) this.undo.blockTaken(block);
    return block;
  }

  private dropBlock(block: number): void {
    if (this.undo.isOpen) this.undo.blockDropped(block);
    else this.slab.release(block);
  }

  private touch(id: NodeId): void {
    this.checkpoint.touch(id >>> PAGE_SLOT_BITS);
    if (this.undo.isOpen) this.undo.keepRecord(this.nodes, id);
  }

  /** Links are not part of a checkpoint, so that a change of siblings does not mark their pages. */
  private touchLinks(id: NodeId): void {
    if (!this.undo.isOpen) return;
    const next = this.nextSibling(id);
    const previous = this.nodes.get(id, Word.previousSibling);
    if (next !== NO_NODE) this.undo.keepRecord(this.nodes, next);
    if (previous !== NO_NODE) this.undo.keepRecord(this.nodes, previous);
  }

  private refresh(id: NodeId): void {
    this.running.refresh(this.nodes, id, this.aclDigest(this.aclId(id)));
  }

  // Transactions

  /** Opens a transaction: until commit or rollback, every change can be undone. They do not nest. */
  begin(): void {
    this.undo.begin();
    this.before = { nodes: this.nodesTotal, dataSize: this.dataSizeTotal, digest: this.running.value };
  }

  commit(): void {
    this.undo.commit();
  }

  /** Puts everything back that was changed since begin. */
  rollback(): void {
    this.undo.rollback(this.nodes);
    this.nodesTotal = this.before.nodes;
    this.dataSizeTotal = this.before.dataSize;
    this.running.value = this.before.digest;
  }

  /** Puts a complete record where it is looked for. */
  private enter(id: NodeId): void {
    this.index.insert(this.nodes.get(id, Word.pathHash), id);
    this.owners.add(id, this.kind(id), this.owner(id));
  }

  private strikeOut(id: NodeId): void {
    this.index.remove(this.nodes.get(id, Word.pathHash), id);
    this.owners.remove(id, this.kind(id), this.owner(id));
  }

  // Checkpoints

  /** What changed since the last begin becomes the checkpoint under way: the state as of now, exactly. */
  beginCheckpoint(): void {
    assert(!this.undo.isOpen, 'a checkpoint cannot begin inside of a transaction');
    this.checkpoint.begin();
  }

  /** Pages of the checkpoint under way that are still to be handed out. */
  get checkpointPending(): number {
    return this.checkpoint.pagesLeft;
  }

  /** Pages that the next checkpoint would hold. */
  get checkpointDirty(): number {
    return this.checkpoint.dirtyPages;
  }

  /** The next pages, until `bytesMax` is reached or passed. A page without bytes is one to delete. */
  nextCheckpointSlice(bytesMax: number): CheckpointPage[] {
    assert(!this.undo.isOpen, 'a checkpoint slice cannot be taken inside of a transaction');
    return this.checkpoint.next(bytesMax);
  }

  /** The last checkpoint was not stored, in whole or in part: the next one will hold its pages again. */
  abandonCheckpoint(): void {
    this.checkpoint.abandon();
  }

  /** The next checkpoint will hold every page, as is needed where none has been stored. */
  markEverythingDirty(): void {
    for (let id = 0; id < this.nodes.slotsEnd; id += 1 << PAGE_SLOT_BITS) this.checkpoint.touch(id >>> PAGE_SLOT_BITS);
  }

  // Loading

  private beginLoad(): void {
    assert(!this.undo.isOpen, 'loading inside of a transaction');
    this.nodes.clear();
    this.slab.clear();
    this.index.clear();
    this.owners.clear();
    this.checkpoint.clear();
    this.running.value = { high: 0, low: 0 };
    this.nodesTotal = 0;
    this.dataSizeTotal = 0;
    this.isLoading = true;
  }

  /**
   * One page as nextCheckpointSlice gave it; in any order, each once. The first one empties the tree, and until
   * finishLoad only loadPage may be called.
   * @throws CheckpointError for bytes that cannot be a page; the tree is then of no use any more
   */
  loadPage(page: number, bytes: Uint8Array): void {
    if (!this.isLoading) this.beginLoad();
    decodePage(this.nodes, this.slab, page, bytes);
  }

  /**
   * All pages are there: makes a tree of them, with no page dirty. ACLs must be known to `aclDigest` by now.
   * @throws CheckpointError when they are not a tree; it is then of no use any more
   */
  finishLoad(): void {
    if (!this.isLoading) throw new CheckpointError('no page has been loaded');
    const total = linkChildren(this.nodes);
    this.index.clearFor(total);
    let found = 0;
    walkDepthFirst(this.nodes, this.slab, (id, path, length) => {
      found++;
      if (this.index.find(this.hashPath(path, 0, length), this, path, 0, length) !== NO_NODE) {
        throw new CheckpointError(`two nodes are called ${this.pathText(id)}`);
      }
      this.register(id, path, 0, length);
      this.refresh(id);
    });
    if (found !== total) throw new CheckpointError(`${total - found} nodes are not connected to the root`);
    checkSpecialNodes(this);
    this.nodes.collectFreeSlots();
    this.isLoading = false;
  }

  /** The digest computed from nothing but names, data and Stats; equal to digest() unless something is broken. */
  recomputeDigest(): Digest {
    const fresh = new StateDigest();
    this.forEachNode((id) => {
      const { nodes } = this;
      const words = [Word.pathDigest, Word.dataDigest, Word.digest, Word.digest + 1];
      const kept = words.map((word) => nodes.get(id, word));
      const data = this.dataCopy(id) ?? NO_BYTES;
      const path = this.pathBytes(id);
      const computed = [
        contentHash(path, 0, path.length, PATH_SEED),
        contentHash(data, 0, data.length, DATA_SEED),
        0,
        0,
      ];
      words.forEach((word, i) => {
        nodes.set(id, word, computed[i]);
      });
      fresh.refresh(nodes, id, this.aclDigest(this.aclId(id)));
      words.forEach((word, i) => {
        nodes.set(id, word, kept[i]);
      });
    });
    return fresh.value;
  }
}

/** E31, and as ZooKeeper 3.10 skips -1: that would be "any version" to the next caller. */
function nextVersion(version: number): number {
  return version === -2 ? 0 : (version + 1) | 0;
}

/** A short copy is cheaper in a loop than a view and a native call. */
function copy(from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): void {
  if (end - start > 24) to.set(from.subarray(start, end), at);
  else for (let i = start; i < end; i++) to[at + i - start] = from[i];
}
