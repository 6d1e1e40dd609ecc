// getEphemerals: the ephemeral nodes of the session that asks, if their path starts with the given text, which need not
// end at a slash. No permission is needed: they are its own (E37).

import { operations } from '../../../protocol/client/operations.js';
import type { GetEphemeralsRequest } from '../../../protocol/client/records.js';
import type { View } from '../../../protocol/jute/schema.js';
import type { ReadOperation } from './operation.js';

export const getEphemerals: ReadOperation<View<typeof GetEphemeralsRequest>> = {
  kind: 'read',
  name: 'getEphemerals',
  code: operations.getEphemerals.code,
  request: operations.getEphemerals.request,

  answer({ world, watcher }, { prefixPath }, reply) {
    const { tree } = world;
    const prefix = prefixPath?.text() ?? '';
    const all = prefix.trim() === '' || prefix.trim() === '/';
    const countAt = reply.position;
    reply.int(0);
    let count = 0;
    for (const node of tree.ephemeralsOf(watcher.session)) {
      if (!all && !tree.pathText(node).startsWith(prefix)) continue;
      tree.writePath(node, reply);
      count++;
    }
    reply.view.setInt32(countAt, count);
    return 0;
  },
};
