// What the tests of the tree share: short ways to change it by path, and to look at a node as a client would.

import { JuteReader } from '../../../../protocol/jute/reader.js';
import { Slice } from '../../../../protocol/jute/slice.js';
import { JuteWriter } from '../../../../protocol/jute/writer.js';
import type { CheckpointPage, NodeId } from '../../../../src/core/tree/tree.js';
import { NodeKind, Tree } from '../../../../src/core/tree/tree.js';

export const encode = (text: string) => new TextEncoder().encode(text);

export const newTree = (hashSeed = 1) => new Tree({ hashSeed, aclDigest: (aclId) => Math.imul(aclId + 1, 0x01000193) });

export interface CreateOptions {
  data?: string | null;
  aclId?: number;
  kind?: NodeKind;
  ownerOrTtl?: number;
  zxid?: number;
  timeMs?: number;
}

export function create(tree: Tree, path: string, options: CreateOptions = {}): NodeId {
  const { data = '', aclId = 0, kind = NodeKind.persistent, ownerOrTtl = 0, zxid = 1, timeMs = 1 } = options;
  const cut = path.lastIndexOf('/');
  const bytes = encode(path);
  const nameStart = encode(path.slice(0, cut + 1)).length;
  const parent = tree.findText(path.slice(0, cut));
  return tree.create(parent, bytes, nameStart, bytes.length, sliceOf(data), aclId, kind, ownerOrTtl, zxid, timeMs);
}

/** With other bytes around, as in a frame. */
export function sliceOf(text: string | null): Slice | null {
  if (text === null) return null;
  const bytes = encode(`<<${text}>>`);
  return new Slice(bytes, 2, bytes.length - 2);
}

export interface Stat {
  czxid: number;
  mzxid: number;
  ctime: number;
  mtime: number;
  version: number;
  cversion: number;
  aversion: number;
  ephemeralOwner: number;
  dataLength: number;
  numChildren: number;
  pzxid: number;
}

/** The Stat as it goes over the wire. */
export function statOf(tree: Tree, path: string): Stat {
  const writer = new JuteWriter();
  tree.writeStat(tree.findText(path), writer);
  const reader = new JuteReader(writer.toBytes());
  const stat = {
    czxid: reader.longNumber(),
    mzxid: reader.longNumber(),
    ctime: reader.longNumber(),
    mtime: reader.longNumber(),
    version: reader.int(),
    cversion: reader.int(),
    aversion: reader.int(),
    ephemeralOwner: reader.longNumber(),
    dataLength: reader.int(),
    numChildren: reader.int(),
    pzxid: reader.longNumber(),
  };
  expect(reader.remaining).toBe(0);
  return stat;
}

/** Everything a client or an operation can see of every node, by path. */
export function dump(tree: Tree): Record<string, unknown> {
  const nodes: [string, unknown][] = [];
  tree.forEachNode((id) => {
    const path = tree.pathText(id);
    expect(tree.findText(path)).toBe(id);
    const children: string[] = [];
    tree.forEachChild(id, (child) => children.push(tree.nameText(child)));
    const data = tree.dataCopy(id);
    nodes.push([
      path,
      {
        ...statOf(tree, path),
        data: data === null ? null : Buffer.from(data).toString('latin1'),
        children: children.sort(),
        kind: tree.kind(id),
        ttlMs: tree.ttlMs(id),
        aclId: tree.aclId(id),
        storedCversion: tree.storedCversion(id),
        isExpendable: tree.expendables().has(id),
        isOwned: tree.ephemeralsOf(tree.owner(id)).has(id),
      },
    ]);
  });
  expect(tree.nodeCount).toBe(nodes.length);
  return Object.fromEntries(nodes.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What a tree is as a whole; equal for equal trees. */
export function totals(tree: Tree): unknown {
  expect(tree.recomputeDigest()).toEqual(tree.digest());
  const sessions = [...tree.sessionsWithEphemerals()].sort((a, b) => a - b);
  return {
    nodeCount: tree.nodeCount,
    ephemeralCount: tree.ephemeralCount,
    approximateDataSize: tree.approximateDataSize,
    sessions: sessions.map((session) => [session, tree.ephemeralsOf(session).size]),
    digest: tree.digest(),
  };
}

export function takeSlices(tree: Tree, bytesMax = 500): CheckpointPage[] {
  const pages: CheckpointPage[] = [];
  while (tree.checkpointPending > 0) pages.push(...tree.nextCheckpointSlice(bytesMax));
  return pages;
}

export function loadTree(pages: Iterable<CheckpointPage>, hashSeed = 2): Tree {
  const tree = newTree(hashSeed);
  for (const { page, bytes } of pages) tree.loadPage(page, bytes);
  tree.finishLoad();
  return tree;
}
