// deleteContainer: what the reaper asks for, never a client (E47). The reaper looks at the leader's tree and goes by
// what it sees there; until its request is applied a child may have come, or a setData may have renewed a TTL. So
// everything is checked again here, with the time of the entry (E48).

import { OpCode } from '../../../protocol/client/constants.js';
import { Code } from '../../../protocol/client/errors.js';
import { PathRequest } from '../../../protocol/client/records.js';
import type { View } from '../../../protocol/jute/schema.js';
import { NO_NODE, type NodeId, NodeKind, type Tree } from '../tree/tree.js';
import { removeNode } from './node-changes.js';
import type { WriteOperation } from './operation.js';
import { isSpecialPath } from './paths.js';

/**
 * Whether the reaper should ask for a node: a container that had children and has none, or never had any for longer
 * than `neverUsedMs` (0: then it stays), or a TTL node without children whose data is older than its TTL.
 */
export function isReapable(tree: Tree, node: NodeId, nowMs: number, neverUsedMs: number): boolean {
  if (tree.childCount(node) > 0) return false;
  const ageMs = nowMs - tree.mtimeMs(node);
  if (tree.kind(node) === NodeKind.ttl) return ageMs > tree.ttlMs(node);
  if (tree.kind(node) !== NodeKind.container) return false;
  return tree.storedCversion(node) !== 0 || (neverUsedMs > 0 && ageMs > neverUsedMs);
}

export const deleteContainer: WriteOperation<View<typeof PathRequest>> = {
  kind: 'write',
  name: 'deleteContainer',
  code: OpCode.deleteContainer,
  request: PathRequest,

  apply(world, entry, { path }) {
    const { tree } = world;
    if (path === null) return Code.MarshallingError;
    if (isSpecialPath(path)) return Code.BadArguments;
    const node = tree.find(path.bytes, path.start, path.end);
    if (node === NO_NODE) return Code.NoNode;
    if (tree.childCount(node) > 0) return Code.NotEmpty;
    const kind = tree.kind(node);
    const isDue = kind === NodeKind.container || (kind === NodeKind.ttl && isReapable(tree, node, entry.timeMs, 0));
    if (!isDue) return Code.BadVersion;

    removeNode(world, entry, node);
    return 0;
  },
};
