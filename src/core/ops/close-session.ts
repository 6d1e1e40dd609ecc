// closeSession: the end of a session, asked for by its client or by the leader when it has expired. One entry deletes
// the session and all its ephemeral nodes; the watches hear of each node (E21). Whatever of the session is still on its
// way in the log behind this entry finds no session and is refused.

import { operations } from '../../../protocol/client/operations.js';
import { removeNode } from './node-changes.js';
import type { WriteOperation } from './operation.js';

export const closeSession: WriteOperation<undefined> = {
  kind: 'write',
  name: 'closeSession',
  code: operations.closeSession.code,
  request: operations.closeSession.request,

  apply(world, entry) {
    for (const node of [...world.tree.ephemeralsOf(entry.session)]) removeNode(world, entry, node);
    world.sessions.remove(entry.session);
    return 0;
  },
};
