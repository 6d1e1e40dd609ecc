// check: succeeds if a node exists and has the version; the guard of a multi, and no operation on its own (E11, E49).

import { Perms } from '../../../protocol/client/constants.js';
import { Code } from '../../../protocol/client/errors.js';
import { operations } from '../../../protocol/client/operations.js';
import type { CheckVersionRequest } from '../../../protocol/client/records.js';
import type { View } from '../../../protocol/jute/schema.js';
import { NO_NODE } from '../tree/tree.js';
import type { WriteOperation } from './operation.js';
import { isValidPath } from './paths.js';
import { isExpectedVersion } from './versions.js';

export const check: WriteOperation<View<typeof CheckVersionRequest>> = {
  kind: 'write',
  name: 'check',
  code: operations.check.code,
  request: operations.check.request,

  apply(world, entry, { path, version }) {
    const { tree, acls } = world;
    if (path === null || !isValidPath(path)) return Code.BadArguments;
    const node = tree.find(path.bytes, path.start, path.end);
    if (node === NO_NODE) return Code.NoNode;
    if (!acls.allows(tree.aclId(node), Perms.read, entry.caller, entry.skipAcl)) return Code.NoAuth;
    return isExpectedVersion(tree.version(node), version) ? 0 : Code.BadVersion;
  },
};
