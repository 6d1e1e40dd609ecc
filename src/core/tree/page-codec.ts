// A page of the checkpoint as bytes: 16 consecutive slots, self-checking.
//
//   checksum  int32   of everything behind it and of the page's number
//   used      uint16  one bit per slot
//   per slot in use, lowest first:
//     18 × int32      czxid mzxid ctime mtime (two words each), version, aversion, owner or TTL (2), pzxid (2),
//                     stored cversion, acl, parent, kind
//     int32 int32     length of the name, length of the data (-1 for null)
//     bytes           name, data
//
// All integers little-endian. What follows from the rest (links, number of children, hashes) is not stored. Loading
// checks every bound; what needs the whole tree, such as orphans, is checked when all pages are there.

import { PAGE_SLOT_BITS, PAGE_SLOTS } from './checkpoint.js';
import { contentHash } from './hash.js';
import type { NodeId, NodeStore } from './node-store.js';
import { makeFlags, NO_NODE, NodeKind, Word } from './node-store.js';
import type { Slab } from './slab.js';

const HEADER_BYTES = 6;
const CHECKSUM_SEED = 0x5a616272;
const TWO_32 = 0x1_0000_0000;

/** Checkpoint bytes that cannot be what they claim to be. */
export class CheckpointError extends Error {
  override readonly name = 'CheckpointError';
}

/** The record's first words are stored as they are: czxid, mzxid, ctime, mtime, version. */
const LEADING_WORDS = Word.version + 1;
const AVERSION_AT = LEADING_WORDS * 4;
const OWNER_AT = AVERSION_AT + 4;
const PZXID_AT = OWNER_AT + 8;
const STORED_CVERSION_AT = PZXID_AT + 8;
const ACL_AT = STORED_CVERSION_AT + 4;
const PARENT_AT = ACL_AT + 4;
const KIND_AT = PARENT_AT + 4;
const NAME_LENGTH_AT = KIND_AT + 4;
const DATA_LENGTH_AT = NAME_LENGTH_AT + 4;
const NODE_BYTES = DATA_LENGTH_AT + 4;

/** @returns the bytes of a page, none when no slot is in use. */
export function encodePage(nodes: NodeStore, slab: Slab, page: number): Uint8Array {
  const first = page << PAGE_SLOT_BITS;
  let used = 0;
  let length = HEADER_BYTES;
  for (let slot = 0; slot < PAGE_SLOTS; slot++) {
    const id = first + slot;
    if (id === NO_NODE || id >= nodes.slotsEnd || nodes.kind(id) === 0) continue;
    used |= 1 << slot;
    length += NODE_BYTES + nodes.get(id, Word.nameLength) + nodes.get(id, Word.dataLength);
  }
  if (used === 0) return new Uint8Array(0);
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint16(4, used, true);
  let at = HEADER_BYTES;
  for (let slot = 0; slot < PAGE_SLOTS; slot++) {
    if ((used & (1 << slot)) !== 0) at = encodeNode(nodes, slab, first + slot, bytes, view, at);
  }
  sealPage(page, bytes);
  return bytes;
}

/** Writes the checksum over the page's number and the bytes behind it. */
export function sealPage(page: number, bytes: Uint8Array): void {
  new DataView(bytes.buffer, bytes.byteOffset).setInt32(0, checksum(page, bytes), true);
}

function checksum(page: number, bytes: Uint8Array): number {
  return contentHash(bytes, 4, bytes.length, CHECKSUM_SEED ^ page);
}

function encodeNode(nodes: NodeStore, slab: Slab, id: NodeId, bytes: Uint8Array, view: DataView, at: number): number {
  const chunk = nodes.chunkOf(id);
  const base = nodes.baseOf(id);
  for (let i = 0; i < LEADING_WORDS; i++) view.setInt32(at + 4 * i, chunk[base + i], true);
  const kind = nodes.kind(id);
  const isTtl = kind === NodeKind.ttl;
  const ttlMs = nodes.ttlMs(id);
  const nameLength = chunk[base + Word.nameLength];
  const dataLength = chunk[base + Word.dataLength];
  view.setInt32(at + AVERSION_AT, chunk[base + Word.aversion], true);
  view.setInt32(at + OWNER_AT, isTtl ? Math.floor(ttlMs / TWO_32) : chunk[base + Word.ephemeralOwner], true);
  view.setInt32(at + OWNER_AT + 4, isTtl ? ttlMs : chunk[base + Word.ephemeralOwner + 1], true);
  view.setInt32(at + PZXID_AT, chunk[base + Word.pzxid], true);
  view.setInt32(at + PZXID_AT + 4, chunk[base + Word.pzxid + 1], true);
  view.setInt32(at + STORED_CVERSION_AT, chunk[base + Word.storedCversion], true);
  view.setInt32(at + ACL_AT, chunk[base + Word.aclId], true);
  view.setInt32(at + PARENT_AT, chunk[base + Word.parent], true);
  view.setInt32(at + KIND_AT, kind, true);
  view.setInt32(at + NAME_LENGTH_AT, nameLength, true);
  view.setInt32(at + DATA_LENGTH_AT, nodes.dataIsNull(id) ? -1 : dataLength, true);
  const block = chunk[base + Word.block];
  const from = slab.offsetOf(block);
  bytes.set(slab.bytesOf(block).subarray(from, from + nameLength + dataLength), at + NODE_BYTES);
  return at + NODE_BYTES + nameLength + dataLength;
}

/**
 * Fills the slots of a page. Links, counts and the hash of the path are left to whoever has the whole tree.
 * @throws CheckpointError
 */
export function decodePage(nodes: NodeStore, slab: Slab, page: number, bytes: Uint8Array): void {
  if (!Number.isInteger(page) || page < 0 || page >= 1 << (31 - PAGE_SLOT_BITS)) {
    throw new CheckpointError(`checkpoint page number ${page} is out of range`);
  }
  if (bytes.length === 0) return;
  const fail = (what: string): never => {
    throw new CheckpointError(`checkpoint page ${page}: ${what}`);
  };
  if (bytes.length < HEADER_BYTES) fail(`${bytes.length} bytes are too few`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getInt32(0, true) !== checksum(page, bytes)) fail('the checksum does not match');
  const used = view.getUint16(4, true);
  let at = HEADER_BYTES;
  for (let slot = 0; slot < PAGE_SLOTS; slot++) {
    if ((used & (1 << slot)) === 0) continue;
    const id = (page << PAGE_SLOT_BITS) + slot;
    if (id === NO_NODE) fail('slot 0 is in use');
    if (id < nodes.slotsEnd && nodes.kind(id) !== 0) fail(`slot ${id} has been loaded before`);
    if (at + NODE_BYTES > bytes.length) fail(`ends inside of slot ${id}`);
    const kind = view.getInt32(at + KIND_AT, true);
    const nameLength = view.getInt32(at + NAME_LENGTH_AT, true);
    const dataLength = view.getInt32(at + DATA_LENGTH_AT, true);
    if (kind < NodeKind.persistent || kind > NodeKind.ttl) fail(`slot ${id} is of unknown kind ${kind}`);
    if (nameLength < 0 || dataLength < -1) fail(`slot ${id} has a negative length`);
    const contentBytes = nameLength + Math.max(0, dataLength);
    if (at + NODE_BYTES + contentBytes > bytes.length) fail(`ends inside of the name or data of slot ${id}`);
    nodes.claim(id);
    decodeNode(nodes, slab, id, bytes, view, at);
    at += NODE_BYTES + contentBytes;
  }
  if (at !== bytes.length) fail(`${bytes.length - at} bytes too many`);
}

function decodeNode(nodes: NodeStore, slab: Slab, id: NodeId, bytes: Uint8Array, view: DataView, at: number): void {
  const chunk = nodes.chunkOf(id);
  const base = nodes.baseOf(id);
  for (let i = 0; i < LEADING_WORDS; i++) chunk[base + i] = view.getInt32(at + 4 * i, true);
  const high = view.getInt32(at + OWNER_AT, true);
  const low = view.getInt32(at + OWNER_AT + 4, true);
  const kind = view.getInt32(at + KIND_AT, true) as NodeKind;
  const nameLength = view.getInt32(at + NAME_LENGTH_AT, true);
  const dataLength = view.getInt32(at + DATA_LENGTH_AT, true);
  chunk[base + Word.aversion] = view.getInt32(at + AVERSION_AT, true);
  chunk[base + Word.pzxid] = view.getInt32(at + PZXID_AT, true);
  chunk[base + Word.pzxid + 1] = view.getInt32(at + PZXID_AT + 4, true);
  chunk[base + Word.storedCversion] = view.getInt32(at + STORED_CVERSION_AT, true);
  chunk[base + Word.aclId] = view.getInt32(at + ACL_AT, true);
  chunk[base + Word.parent] = view.getInt32(at + PARENT_AT, true);
  const isTtl = kind === NodeKind.ttl;
  chunk[base + Word.flags] = makeFlags(kind, dataLength < 0, isTtl ? high * TWO_32 + (low >>> 0) : 0);
  chunk[base + Word.ttlLow] = isTtl ? low : 0;
  chunk[base + Word.ephemeralOwner] = isTtl ? 0 : high;
  chunk[base + Word.ephemeralOwner + 1] = isTtl ? 0 : low;
  chunk[base + Word.nameLength] = nameLength;
  chunk[base + Word.dataLength] = Math.max(0, dataLength);
  chunk[base + Word.childCount] = 0;
  chunk[base + Word.firstChild] = NO_NODE;
  chunk[base + Word.digest] = 0;
  chunk[base + Word.digest + 1] = 0;
  const contentStart = at + NODE_BYTES;
  const dataStart = contentStart + nameLength;
  const contentEnd = dataStart + Math.max(0, dataLength);
  const block = slab.allocate(contentEnd - contentStart);
  slab.bytesOf(block).set(bytes.subarray(contentStart, contentEnd), slab.offsetOf(block));
  chunk[base + Word.block] = block;
  chunk[base + Word.dataDigest] = contentHash(bytes, dataStart, contentEnd, 0);
}
