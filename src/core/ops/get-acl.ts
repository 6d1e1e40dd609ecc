// getACL: a node's ACL in the order it was given, and its Stat. Who may not administer the node sees digest ids without
// their hash (E41).

import { Perms } from '../../../protocol/client/constants.js';
import { Code } from '../../../protocol/client/errors.js';
import { operations } from '../../../protocol/client/operations.js';
import { type Acl, AclList, type PathRequest } from '../../../protocol/client/records.js';
import type { View } from '../../../protocol/jute/schema.js';
import { NO_NODE } from '../tree/tree.js';
import type { ReadOperation } from './operation.js';

export const getAcl: ReadOperation<View<typeof PathRequest>> = {
  kind: 'read',
  name: 'getACL',
  code: operations.getACL.code,
  request: operations.getACL.request,

  answer({ world, watcher, skipAcl }, { path }, reply) {
    const { tree, acls } = world;
    if (path === null) return Code.MarshallingError;
    const node = tree.find(path.bytes, path.start, path.end);
    if (node === NO_NODE) return Code.NoNode;
    const aclId = tree.aclId(node);
    if (!acls.allows(aclId, Perms.read | Perms.admin, watcher.identities, skipAcl)) return Code.NoAuth;
    const mayAdminister = acls.allows(aclId, Perms.admin, watcher.identities, skipAcl);
    const list = acls.list(aclId);
    AclList.write(reply, mayAdminister ? [...list] : list.map(withoutHash));
    tree.writeStat(node, reply);
    return 0;
  },
};

function withoutHash(acl: Acl): Acl {
  const { scheme, id } = acl.id;
  return scheme === 'digest' ? { perms: acl.perms, id: { scheme, id: id.replace(/:.*/g, ':x') } } : acl;
}
