// whoAmI: the identities of the connection. Of a digest id only the user is shown; `super` is no id of anybody.

import { operations } from '../../../protocol/client/operations.js';
import type { Identity } from '../../../protocol/peer/entries.js';
import type { ReadOperation } from './operation.js';

export const whoAmI: ReadOperation<undefined> = {
  kind: 'read',
  name: 'whoAmI',
  code: operations.whoAmI.code,
  request: operations.whoAmI.request,

  answer({ watcher }, _request, reply) {
    reply.int(watcher.identities.length);
    for (const identity of watcher.identities) {
      reply.ustring(identity.scheme);
      reply.ustring(userOf(identity));
    }
    return 0;
  },
};

function userOf({ scheme, id }: Identity): string {
  if (scheme === 'super') return '';
  return scheme === 'digest' ? id.split(':', 1)[0] : id;
}
