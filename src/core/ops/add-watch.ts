// addWatch: a watch that stays, on one node or on a whole subtree. The path need not exist, and no permission is asked
// for; events are filtered when they happen (E41, E46, E64).

import { AddWatchMode } from '../../../protocol/client/constants.js';
import { Code } from '../../../protocol/client/errors.js';
import { operations } from '../../../protocol/client/operations.js';
import type { AddWatchRequest } from '../../../protocol/client/records.js';
import type { View } from '../../../protocol/jute/schema.js';
import type { ReadOperation } from './operation.js';

export const addWatch: ReadOperation<View<typeof AddWatchRequest>> = {
  kind: 'read',
  name: 'addWatch',
  code: operations.addWatch.code,
  request: operations.addWatch.request,

  answer({ watches, watcher }, { path, mode }, reply) {
    if (path === null) return Code.MarshallingError;
    let refusal: number;
    if (mode === AddWatchMode.persistent) refusal = watches.addPersistent(path.text(), watcher);
    else if (mode === AddWatchMode.persistentRecursive) refusal = watches.addRecursive(path.text(), watcher);
    else return Code.MarshallingError;
    reply.int(0);
    return refusal;
  },
};
