// The four changes of nodes, each with everything that goes with it: the tree, the references of ACLs, the figures of
// quotas, and what the watches will be told. Every write operation changes nodes through these, so that no two
// operations can differ in what a creation or a deletion means.

import type { Slice } from '../../../protocol/jute/slice.js';
import type { NodeId, NodeKind } from '../tree/tree.js';
import type { Entry, World } from './operation.js';

/** `ownerOrTtl`: the session of an ephemeral node, the TTL in ms of a TTL node, else 0. */
export function addNode(
  world: World,
  entry: Entry,
  parent: NodeId,
  name: Uint8Array,
  nameStart: number,
  nameEnd: number,
  data: Slice | null,
  aclId: number,
  kind: NodeKind,
  ownerOrTtl: number,
): NodeId {
  const { tree, acls, quotas, changes } = world;
  const { zxid, timeMs } = entry;
  const node = tree.create(parent, name, nameStart, nameEnd, data, aclId, kind, ownerOrTtl, zxid, timeMs);
  acls.retain(aclId);
  quotas.created(tree, node, name, nameStart, nameEnd);
  changes.record('created', tree, node);
  return node;
}

/** The node has no children and is none of the special ones. */
export function removeNode(world: World, entry: Entry, node: NodeId): void {
  const { tree, acls, quotas, changes } = world;
  changes.record('deleted', tree, node);
  quotas.removing(tree, node);
  acls.release(tree.aclId(node));
  tree.remove(node, entry.zxid);
}

export function replaceData(world: World, entry: Entry, node: NodeId, data: Slice | null): void {
  const { tree, quotas, changes } = world;
  const byteDelta = (data?.length ?? 0) - tree.dataLength(node);
  tree.setData(node, data, entry.zxid, entry.timeMs);
  if (byteDelta !== 0) quotas.dataChanged(tree, node, byteDelta);
  changes.record('dataChanged', tree, node);
}

/** No watch hears of it (E30). */
export function replaceAcl(world: World, node: NodeId, aclId: number): void {
  const { tree, acls } = world;
  acls.retain(aclId);
  acls.release(tree.aclId(node));
  tree.setAcl(node, aclId);
}
