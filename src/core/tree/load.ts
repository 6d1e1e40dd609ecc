// From loaded records to a tree: children are linked to their parents, then every node is visited from the root, which
// gives it its path. Since each node stands in the list of exactly one parent, the walk ends; what it does not reach
// hangs on a cycle.

import type { NodeId, NodeStore } from './node-store.js';
import { NO_NODE, NodeKind, ROOT, Word } from './node-store.js';
import { CheckpointError } from './page-codec.js';
import type { Slab } from './slab.js';
import type { TreeReader } from './tree-reader.js';

const SLASH = 0x2f;

/**
 * Builds the lists of children from the parent words, and counts them.
 * @returns the number of nodes
 * @throws CheckpointError for a missing root and for parents that cannot be
 */
export function linkChildren(nodes: NodeStore): number {
  if (nodes.slotsEnd <= ROOT || nodes.kind(ROOT) === 0) throw new CheckpointError('the root is missing');
  let total = 0;
  // Backwards, so that the lists and with them the walk run forward through memory.
  for (let id = nodes.slotsEnd - 1; id >= ROOT; id--) {
    if (nodes.kind(id) === 0) continue;
    total++;
    const parent = nodes.get(id, Word.parent);
    if (id === ROOT) {
      if (parent !== NO_NODE) throw new CheckpointError(`the root has a parent, ${parent}`);
      continue;
    }
    if (parent <= NO_NODE || parent >= nodes.slotsEnd || nodes.kind(parent) === 0) {
      throw new CheckpointError(`node ${id} has the parent ${parent}, which does not exist`);
    }
    if (nodes.kind(parent) === NodeKind.ephemeral) throw new CheckpointError(`ephemeral node ${parent} has a child`); // E33
    nodes.link(id, parent);
    nodes.set(parent, Word.childCount, nodes.get(parent, Word.childCount) + 1);
  }
  return total;
}

/**
 * Visits every node below the root and the root itself, parents first; its path is path[0, length), good for the call.
 * @throws CheckpointError for a name that cannot be
 */
export function walkDepthFirst(
  nodes: NodeStore,
  slab: Slab,
  visit: (id: NodeId, path: Uint8Array, length: number) => void,
): void {
  let path = new Uint8Array(1024);
  path[0] = SLASH;
  let length = 0; // of the path of `node`; the root's counts 0 while below it
  nodes.refreshCversion(ROOT);
  if (nodes.get(ROOT, Word.nameLength) !== 0) throw new CheckpointError('the root has a name');
  visit(ROOT, path, 1);
  let node: NodeId = ROOT;
  for (;;) {
    let next = nodes.get(node, Word.firstChild);
    while (next === NO_NODE) {
      if (node === ROOT) return;
      length -= 1 + nodes.get(node, Word.nameLength);
      next = nodes.get(node, Word.nextSibling);
      if (next === NO_NODE) node = nodes.get(node, Word.parent);
    }
    node = next;
    const nameLength = nodes.get(node, Word.nameLength);
    if (length + 1 + nameLength > path.length) {
      const larger = new Uint8Array(2 * path.length + nameLength);
      larger.set(path);
      path = larger;
    }
    path[length++] = SLASH;
    appendName(nodes, slab, node, nameLength, path, length);
    length += nameLength;
    nodes.refreshCversion(node);
    visit(node, path, length);
  }
}

function appendName(nodes: NodeStore, slab: Slab, id: NodeId, length: number, path: Uint8Array, at: number): void {
  if (length === 0) throw new CheckpointError(`node ${id} has no name`);
  const block = nodes.get(id, Word.block);
  const bytes = slab.bytesOf(block);
  const start = slab.offsetOf(block);
  for (let i = 0; i < length; i++) {
    const byte = bytes[start + i];
    if (byte === SLASH) throw new CheckpointError(`node ${id} has a slash in its name`);
    path[at + i] = byte;
  }
}

/** @throws CheckpointError when one of the nodes that always exist (E36) is missing */
export function checkSpecialNodes(tree: TreeReader): void {
  for (const path of ['/zookeeper', '/zookeeper/quota', '/zookeeper/config']) {
    if (tree.findText(path) === NO_NODE) throw new CheckpointError(`${path} is missing`);
  }
}
