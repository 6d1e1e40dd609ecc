// deleteContainer: what the reaper asks for, never a client (E47). The reaper looks at the leader's tree and goes by
// what it sees there; until its request is applied a child may have come, or a setData may have renewed a TTL. So
// everything is checked again here, with the time of the entry (E48). The node's czxid travels with its path, so that
// one which was deleted and created anew meanwhile is not taken for the old one.

import { OpCode } from '../../../protocol/client/constants.js';
import { Code } from '../../../protocol/client/errors.js';
import { long, record, ustring, type View } from '../../../protocol/jute/schema.js';
import { NO_NODE, NodeKind } from '../tree/tree.js';
import { removeNode } from './node-changes.js';
import type { WriteOperation } from './operation.js';
import { isSpecialPath } from './paths.js';

export const DeleteContainerRequest = record({ path: ustring, czxid: long });

export const deleteContainer: WriteOperation<View<typeof DeleteContainerRequest>> = {
  kind: 'write',
  name: 'deleteContainer',
  code: OpCode.deleteContainer,
  request: DeleteContainerRequest,

  apply(world, entry, { path, czxid }) {
    const { tree } = world;
    if (path === null) return Code.MarshallingError;
    if (isSpecialPath(path)) return Code.BadArguments;
    const node = tree.find(path.bytes, path.start, path.end);
    if (node === NO_NODE || tree.czxid(node) !== czxid) return Code.NoNode;
    if (tree.childCount(node) > 0) return Code.NotEmpty;
    const kind = tree.kind(node);
    const isOld = entry.timeMs - tree.mtimeMs(node) > tree.ttlMs(node);
    if (kind !== NodeKind.container && !(kind === NodeKind.ttl && isOld)) return Code.BadVersion;

    removeNode(world, entry, node);
    return 0;
  },
};
