// exists: a node's Stat. A watch is set even if there is no node, and will tell of its creation (E57). READ is asked
// for only if the node exists (E41).

import { Perms } from '../../../protocol/client/constants.js';
import { Code } from '../../../protocol/client/errors.js';
import { operations } from '../../../protocol/client/operations.js';
import type { PathWatchRequest } from '../../../protocol/client/records.js';
import type { View } from '../../../protocol/jute/schema.js';
import { NO_NODE } from '../tree/tree.js';
import type { ReadOperation } from './operation.js';
import { hasNul } from './paths.js';

export const exists: ReadOperation<View<typeof PathWatchRequest>> = {
  kind: 'read',
  name: 'exists',
  code: operations.exists.code,
  request: operations.exists.request,

  answer({ world, watches, watcher, skipAcl }, { path, watch }, reply) {
    const { tree, acls } = world;
    if (path === null) return Code.MarshallingError;
    const node = tree.find(path.bytes, path.start, path.end);
    if (node === NO_NODE && hasNul(path)) return Code.BadArguments;
    if (node !== NO_NODE && !acls.allows(tree.aclId(node), Perms.read, watcher.identities, skipAcl)) return Code.NoAuth;
    const refusal = watch ? watches.addData(path.text(), watcher) : 0;
    if (refusal !== 0) return refusal;
    if (node === NO_NODE) return Code.NoNode;
    tree.writeStat(node, reply);
    return 0;
  },
};
