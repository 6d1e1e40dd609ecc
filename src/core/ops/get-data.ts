// getData: a node's data and Stat, written from the tree straight into the reply. A watch is set only if there is a
// node (E57).

import { Perms } from '../../../protocol/client/constants.js';
import { Code } from '../../../protocol/client/errors.js';
import { operations } from '../../../protocol/client/operations.js';
import type { PathWatchRequest } from '../../../protocol/client/records.js';
import type { View } from '../../../protocol/jute/schema.js';
import { NO_NODE } from '../tree/tree.js';
import type { ReadOperation } from './operation.js';

export const getData: ReadOperation<View<typeof PathWatchRequest>> = {
  kind: 'read',
  name: 'getData',
  code: operations.getData.code,
  request: operations.getData.request,

  answer({ world, watches, watcher, skipAcl }, { path, watch }, reply) {
    const { tree, acls } = world;
    if (path === null) return Code.MarshallingError;
    const node = tree.find(path.bytes, path.start, path.end);
    if (node === NO_NODE) return Code.NoNode;
    if (!acls.allows(tree.aclId(node), Perms.read, watcher.identities, skipAcl)) return Code.NoAuth;
    const refusal = watch ? watches.addData(path.text(), watcher) : 0;
    if (refusal !== 0) return refusal;
    tree.writeData(node, reply);
    tree.writeStat(node, reply);
    return 0;
  },
};
