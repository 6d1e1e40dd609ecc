// create, create2, createContainer and createTTL: one operation in four spellings. They differ in the kind of node,
// which the operation decides and not the flag (E34), and in whether the reply shows a Stat.
//
// The checks come in ZooKeeper's order (E40): flags, TTL, rough path, ACL, parent, CREATE on the parent, whole path,
// existence, ephemeral parent, quota. The suffix of a sequential node is appended before the whole path is checked, so
// that `/a/` is a good path for one (E26, E35).

import { CreateFlag, Perms, TTL_MS_MAX } from '../../../protocol/client/constants.js';
import { Code } from '../../../protocol/client/errors.js';
import { operations } from '../../../protocol/client/operations.js';
import type { CreateRequest, CreateTtlRequest } from '../../../protocol/client/records.js';
import type { View } from '../../../protocol/jute/schema.js';
import { Slice } from '../../../protocol/jute/slice.js';
import type { JuteWriter } from '../../../protocol/jute/writer.js';
import { sequenceSuffix } from '../../../protocol/path.js';
import { NO_NODE, NodeKind } from '../tree/tree.js';
import { addNode } from './node-changes.js';
import type { Entry, World, WriteOperation } from './operation.js';
import { hasNul, isValidPath, lastSlash } from './paths.js';

type Request = View<typeof CreateRequest>;

/** What the flags say, by their value. Container is a plain node unless the operation makes it one (E34). */
const FLAGS = [
  { flag: CreateFlag.persistent, ephemeral: false, sequential: false, ttl: false },
  { flag: CreateFlag.ephemeral, ephemeral: true, sequential: false, ttl: false },
  { flag: CreateFlag.persistentSequential, ephemeral: false, sequential: true, ttl: false },
  { flag: CreateFlag.ephemeralSequential, ephemeral: true, sequential: true, ttl: false },
  { flag: CreateFlag.container, ephemeral: false, sequential: false, ttl: false },
  { flag: CreateFlag.persistentTtl, ephemeral: false, sequential: false, ttl: true },
  { flag: CreateFlag.persistentSequentialTtl, ephemeral: false, sequential: true, ttl: true },
] as const;

/** What requests without a TTL carry in its place. */
const NO_TTL = -1;

interface Variant {
  readonly withStat: boolean;
  /** The kind that the operation makes; null: the flag decides between persistent and ephemeral. */
  readonly kind: NodeKind | null;
}

const PLAIN: Variant = { withStat: false, kind: null };
const PLAIN_WITH_STAT: Variant = { withStat: true, kind: null };
const CONTAINER: Variant = { withStat: true, kind: NodeKind.container };
const TTL: Variant = { withStat: true, kind: NodeKind.ttl };

export const create: WriteOperation<Request> = {
  kind: 'write',
  name: 'create',
  code: operations.create.code,
  request: operations.create.request,
  apply: (world, entry, request, reply) => apply(world, entry, request, NO_TTL, PLAIN, reply),
};

export const create2: WriteOperation<Request> = {
  kind: 'write',
  name: 'create2',
  code: operations.create2.code,
  request: operations.create2.request,
  apply: (world, entry, request, reply) => apply(world, entry, request, NO_TTL, PLAIN_WITH_STAT, reply),
};

export const createContainer: WriteOperation<Request> = {
  kind: 'write',
  name: 'createContainer',
  code: operations.createContainer.code,
  request: operations.createContainer.request,
  apply: (world, entry, request, reply) => apply(world, entry, request, NO_TTL, CONTAINER, reply),
};

export const createTtl: WriteOperation<View<typeof CreateTtlRequest>> = {
  kind: 'write',
  name: 'createTTL',
  code: operations.createTTL.code,
  request: operations.createTTL.request,
  apply: (world, entry, request, reply) => apply(world, entry, request, request.ttl, TTL, reply),
};

function apply(
  world: World,
  entry: Entry,
  request: Request,
  ttlMs: number,
  variant: Variant,
  reply: JuteWriter | null,
): number {
  const { tree, acls } = world;

  if (request.flags < 0 || request.flags >= FLAGS.length) return Code.BadArguments;
  const flags = FLAGS[request.flags];
  if (flags.ttl ? ttlMs < 1 || ttlMs > TTL_MS_MAX : ttlMs >= 0) return Code.BadArguments;
  // A TTL node has a TTL: ZooKeeper takes createTTL with a plain flag and a negative TTL, and falls over it later.
  if (variant.kind === NodeKind.ttl && !flags.ttl) return Code.BadArguments;

  let path = request.path;
  if (path === null) return Code.MarshallingError;
  let valid = !flags.sequential && isValidPath(path);
  const slash = lastSlash(path);
  if (!valid && (slash < 0 || hasNul(path))) return Code.BadArguments;

  const aclId = acls.intern(request.acl, entry.caller);
  if (aclId < 0) return aclId;

  const parent = tree.find(path.bytes, path.start, slash);
  if (parent === NO_NODE) return Code.NoNode;
  if (!acls.allows(tree.aclId(parent), Perms.create, entry.caller, entry.skipAcl)) return Code.NoAuth;

  let nameStart = slash + 1;
  if (flags.sequential) {
    const prefixStart = path.start;
    path = withSuffix(path, sequenceSuffix(tree.storedCversion(parent)));
    nameStart -= prefixStart;
    valid = isValidPath(path);
  }
  if (!valid) return Code.BadArguments;
  if (tree.find(path.bytes, path.start, path.end) !== NO_NODE) return Code.NodeExists;
  if (tree.kind(parent) === NodeKind.ephemeral) return Code.NoChildrenForEphemerals; // E33
  if (entry.enforceQuota && world.quotas.forbids(tree, path, 1, request.data?.length ?? 0)) return Code.QuotaExceeded;

  const kind = variant.kind ?? (flags.ephemeral ? NodeKind.ephemeral : NodeKind.persistent);
  const ownerOrTtl = kind === NodeKind.ephemeral ? entry.session : kind === NodeKind.ttl ? ttlMs : 0;
  const { bytes, end } = path;
  const node = addNode(world, entry, parent, bytes, nameStart, end, request.data, aclId, kind, ownerOrTtl);

  if (reply !== null) {
    reply.int(path.length);
    reply.raw(bytes, path.start, end);
    if (variant.withStat) tree.writeStat(node, reply);
  }
  return 0;
}

/** The path with ASCII text behind it, in bytes of its own. */
function withSuffix(path: Slice, suffix: string): Slice {
  const bytes = new Uint8Array(path.length + suffix.length);
  bytes.set(path.bytes.subarray(path.start, path.end));
  for (let i = 0; i < suffix.length; i++) bytes[path.length + i] = suffix.charCodeAt(i);
  return new Slice(bytes);
}
