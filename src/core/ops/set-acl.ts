// setACL: replaces a node's ACL. It raises aversion and nothing else, and no watch hears of it (E30).

import { Perms } from '../../../protocol/client/constants.js';
import { Code } from '../../../protocol/client/errors.js';
import { operations } from '../../../protocol/client/operations.js';
import type { SetAclRequest } from '../../../protocol/client/records.js';
import type { View } from '../../../protocol/jute/schema.js';
import { NO_NODE } from '../tree/tree.js';
import { replaceAcl } from './node-changes.js';
import type { WriteOperation } from './operation.js';
import { isValidPath } from './paths.js';
import { isExpectedVersion } from './versions.js';

export const setAcl: WriteOperation<View<typeof SetAclRequest>> = {
  kind: 'write',
  name: 'setACL',
  code: operations.setACL.code,
  request: operations.setACL.request,

  apply(world, entry, { path, acl, version }, reply) {
    const { tree, acls } = world;
    if (path === null || !isValidPath(path)) return Code.BadArguments;
    const aclId = acls.intern(acl, entry.caller);
    if (aclId < 0) return aclId;
    const node = tree.find(path.bytes, path.start, path.end);
    if (node === NO_NODE) return Code.NoNode;
    if (!acls.allows(tree.aclId(node), Perms.admin, entry.caller, entry.skipAcl)) return Code.NoAuth;
    if (!isExpectedVersion(tree.aversion(node), version)) return Code.BadVersion;

    replaceAcl(world, node, aclId);

    if (reply !== null) tree.writeStat(node, reply);
    return 0;
  },
};
