// getChildren and getChildren2: the names of a node's children, in no particular order (E37); the second with the
// node's Stat. The watch goes into the child table, and only if there is a node (E56, E57).

import { Perms } from '../../../protocol/client/constants.js';
import { Code } from '../../../protocol/client/errors.js';
import { operations } from '../../../protocol/client/operations.js';
import type { PathWatchRequest } from '../../../protocol/client/records.js';
import type { View } from '../../../protocol/jute/schema.js';
import type { JuteWriter } from '../../../protocol/jute/writer.js';
import { NO_NODE } from '../tree/tree.js';
import type { ReadContext, ReadOperation } from './operation.js';

type Request = View<typeof PathWatchRequest>;

export const getChildren: ReadOperation<Request> = {
  kind: 'read',
  name: 'getChildren',
  code: operations.getChildren.code,
  request: operations.getChildren.request,
  answer: (context, request, reply) => answer(context, request, false, reply),
};

export const getChildren2: ReadOperation<Request> = {
  kind: 'read',
  name: 'getChildren2',
  code: operations.getChildren2.code,
  request: operations.getChildren2.request,
  answer: (context, request, reply) => answer(context, request, true, reply),
};

function answer(context: ReadContext, { path, watch }: Request, withStat: boolean, reply: JuteWriter): number {
  const { world, watches, watcher, skipAcl } = context;
  const { tree, acls } = world;
  if (path === null) return Code.MarshallingError;
  const node = tree.find(path.bytes, path.start, path.end);
  if (node === NO_NODE) return Code.NoNode;
  if (!acls.allows(tree.aclId(node), Perms.read, watcher.identities, skipAcl)) return Code.NoAuth;
  const refusal = watch ? watches.addChild(path.text(), watcher) : 0;
  if (refusal !== 0) return refusal;
  tree.writeChildNames(node, reply);
  if (withStat) tree.writeStat(node, reply);
  return 0;
}
