// sync: the answer gives the path back, as it came. What makes it a sync is *when* it is answered: the pipeline waits
// until the leader has heard from a quorum (E70).

import { operations } from '../../../protocol/client/operations.js';
import type { PathRequest } from '../../../protocol/client/records.js';
import type { View } from '../../../protocol/jute/schema.js';
import type { ReadOperation } from './operation.js';

export const sync: ReadOperation<View<typeof PathRequest>> = {
  kind: 'read',
  name: 'sync',
  code: operations.sync.code,
  request: operations.sync.request,

  answer(_context, { path }, reply) {
    reply.int(path === null ? -1 : path.length);
    if (path !== null) reply.raw(path.bytes, path.start, path.end);
    return 0;
  },
};
