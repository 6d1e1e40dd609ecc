// delete: removes a node that has no children. The permission is asked of the *parent*, and before the node itself is
// looked for (E40). Only the special nodes and a path without a slash are bad arguments; any other odd path is simply
// one where no node is.

import { Perms } from '../../../protocol/client/constants.js';
import { Code } from '../../../protocol/client/errors.js';
import { operations } from '../../../protocol/client/operations.js';
import type { DeleteRequest } from '../../../protocol/client/records.js';
import type { View } from '../../../protocol/jute/schema.js';
import { NO_NODE } from '../tree/tree.js';
import { removeNode } from './node-changes.js';
import type { WriteOperation } from './operation.js';
import { hasNul, isSpecialPath, lastSlash } from './paths.js';
import { isExpectedVersion } from './versions.js';

export const deleteNode: WriteOperation<View<typeof DeleteRequest>> = {
  kind: 'write',
  name: 'delete',
  code: operations.delete.code,
  request: operations.delete.request,

  apply(world, entry, { path, version }) {
    const { tree, acls } = world;
    if (path === null) return Code.MarshallingError;
    const slash = lastSlash(path);
    if (slash < 0 || hasNul(path) || isSpecialPath(path)) return Code.BadArguments;
    const parent = tree.find(path.bytes, path.start, slash);
    if (parent === NO_NODE) return Code.NoNode;
    if (!acls.allows(tree.aclId(parent), Perms.delete, entry.caller, entry.skipAcl)) return Code.NoAuth;
    const node = tree.find(path.bytes, path.start, path.end);
    if (node === NO_NODE) return Code.NoNode;
    if (!isExpectedVersion(tree.version(node), version)) return Code.BadVersion;
    if (tree.childCount(node) > 0) return Code.NotEmpty;

    removeNode(world, entry, node);
    return 0;
  },
};
