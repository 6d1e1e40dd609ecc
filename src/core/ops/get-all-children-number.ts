// getAllChildrenNumber: how many nodes are below one; for the root that includes /zookeeper and what is below it (E37).

import { Perms } from '../../../protocol/client/constants.js';
import { Code } from '../../../protocol/client/errors.js';
import { operations } from '../../../protocol/client/operations.js';
import type { PathRequest } from '../../../protocol/client/records.js';
import type { View } from '../../../protocol/jute/schema.js';
import { NO_NODE } from '../tree/tree.js';
import type { ReadOperation } from './operation.js';

export const getAllChildrenNumber: ReadOperation<View<typeof PathRequest>> = {
  kind: 'read',
  name: 'getAllChildrenNumber',
  code: operations.getAllChildrenNumber.code,
  request: operations.getAllChildrenNumber.request,

  answer({ world, watcher, skipAcl }, { path }, reply) {
    const { tree, acls } = world;
    if (path === null) return Code.MarshallingError;
    const node = tree.find(path.bytes, path.start, path.end);
    if (node === NO_NODE) return Code.NoNode;
    if (!acls.allows(tree.aclId(node), Perms.read, watcher.identities, skipAcl)) return Code.NoAuth;
    reply.int(tree.countDescendants(node));
    return 0;
  },
};
