// ping: an answer without content, in its place among the others, with the zxid the server has reached (E9).

import { operations } from '../../../protocol/client/operations.js';
import type { ReadOperation } from './operation.js';

export const ping: ReadOperation<undefined> = {
  kind: 'read',
  name: 'ping',
  code: operations.ping.code,
  request: operations.ping.request,
  answer: () => 0,
};
