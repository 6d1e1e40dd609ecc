// setData: replaces a node's data. The version rises even if the bytes are the same (E30).

import { Perms } from '../../../protocol/client/constants.js';
import { Code } from '../../../protocol/client/errors.js';
import { operations } from '../../../protocol/client/operations.js';
import type { SetDataRequest } from '../../../protocol/client/records.js';
import type { View } from '../../../protocol/jute/schema.js';
import { NO_NODE } from '../tree/tree.js';
import { replaceData } from './node-changes.js';
import type { WriteOperation } from './operation.js';
import { isValidPath } from './paths.js';
import { isExpectedVersion } from './versions.js';

export const setData: WriteOperation<View<typeof SetDataRequest>> = {
  kind: 'write',
  name: 'setData',
  code: operations.setData.code,
  request: operations.setData.request,

  apply(world, entry, { path, data, version }, reply) {
    const { tree, acls, quotas } = world;
    // A path that is there is valid, so only the answer to a missing one needs the check (E40).
    if (path === null || path.length === 0) return Code.BadArguments;
    const node = tree.find(path.bytes, path.start, path.end);
    if (node === NO_NODE) return isValidPath(path) ? Code.NoNode : Code.BadArguments;
    if (!acls.allows(tree.aclId(node), Perms.write, entry.caller, entry.skipAcl)) return Code.NoAuth;
    if (entry.enforceQuota && quotas.forbids(tree, path, 0, (data?.length ?? 0) - tree.dataLength(node))) {
      return Code.QuotaExceeded;
    }
    if (!isExpectedVersion(tree.version(node), version)) return Code.BadVersion;

    replaceData(world, entry, node, data);

    if (reply !== null) tree.writeStat(node, reply);
    return 0;
  },
};
