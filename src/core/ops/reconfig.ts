// reconfig: would change the members of the ensemble. Servers are given in the configuration file and stay as they are,
// so the answer is ZooKeeper's own for a server on which it is switched off, as it is by default (E92).

import { Code } from '../../../protocol/client/errors.js';
import { operations } from '../../../protocol/client/operations.js';
import type { ReconfigRequest } from '../../../protocol/client/records.js';
import type { View } from '../../../protocol/jute/schema.js';
import type { WriteOperation } from './operation.js';

export const reconfig: WriteOperation<View<typeof ReconfigRequest>> = {
  kind: 'write',
  name: 'reconfig',
  code: operations.reconfig.code,
  request: operations.reconfig.request,
  apply: () => Code.ReconfigDisabled,
};
