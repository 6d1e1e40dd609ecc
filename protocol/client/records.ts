// Every record of the client protocol as data (zookeeper.jute; reference A2, E2). Field order is wire order.

import { bool, buffer, type Infer, int, long, record, ustring, vector } from '../jute/schema.js';

// --- shared parts

export const Id = record({ scheme: ustring, id: ustring });
export const Acl = record({ perms: int, id: Id });
export type Acl = Infer<typeof Acl>;
export const AclList = vector(Acl);

export const Stat = record({
  czxid: long,
  mzxid: long,
  ctime: long,
  mtime: long,
  version: int,
  cversion: int,
  aversion: int,
  ephemeralOwner: long,
  dataLength: int,
  numChildren: int,
  pzxid: long,
});
export type Stat = Infer<typeof Stat>;

// --- headers and handshake

export const RequestHeader = record({ xid: int, type: int });
export const ReplyHeader = record({ xid: int, zxid: long, err: int });

/** Without the optional last byte `readOnly`: see packets.ts (E2). */
export const ConnectRequestBody = record({
  protocolVersion: int,
  lastZxidSeen: long,
  timeoutMs: int,
  sessionId: long,
  password: buffer,
});
export const ConnectResponseBody = record({ protocolVersion: int, timeoutMs: int, sessionId: long, password: buffer });

export const WatcherEvent = record({ type: int, state: int, path: ustring });

// --- requests

export const PathRequest = record({ path: ustring });
export const PathWatchRequest = record({ path: ustring, watch: bool });
export const CreateRequest = record({ path: ustring, data: buffer, acl: AclList, flags: int });
export const CreateTtlRequest = record({ path: ustring, data: buffer, acl: AclList, flags: int, ttl: long });
export const DeleteRequest = record({ path: ustring, version: int });
export const SetDataRequest = record({ path: ustring, data: buffer, version: int });
export const SetAclRequest = record({ path: ustring, acl: AclList, version: int });
export const CheckVersionRequest = record({ path: ustring, version: int });
export const AddWatchRequest = record({ path: ustring, mode: int });
export const WatchesOfTypeRequest = record({ path: ustring, type: int });
export const GetEphemeralsRequest = record({ prefixPath: ustring });
export const AuthRequest = record({ type: int, scheme: ustring, auth: buffer });
export const SaslRequest = record({ token: buffer });
export const SetWatchesRequest = record({
  relativeZxid: long,
  dataWatches: vector(ustring),
  existWatches: vector(ustring),
  childWatches: vector(ustring),
});
export const SetWatches2Request = record({
  relativeZxid: long,
  dataWatches: vector(ustring),
  existWatches: vector(ustring),
  childWatches: vector(ustring),
  persistentWatches: vector(ustring),
  persistentRecursiveWatches: vector(ustring),
});
export const ReconfigRequest = record({
  joiningServers: ustring,
  leavingServers: ustring,
  newMembers: ustring,
  curConfigId: long,
});

// --- responses

export const PathResponse = record({ path: ustring });
export const PathStatResponse = record({ path: ustring, stat: Stat });
export const StatResponse = record({ stat: Stat });
export const DataResponse = record({ data: buffer, stat: Stat });
export const AclResponse = record({ acl: AclList, stat: Stat });
export const ChildrenResponse = record({ children: vector(ustring) });
export const ChildrenStatResponse = record({ children: vector(ustring), stat: Stat });
export const EphemeralsResponse = record({ ephemerals: vector(ustring) });
export const CountResponse = record({ totalNumber: int });
export const ErrorResponse = record({ err: int });
export const ClientInfo = record({ authScheme: ustring, user: ustring });
export const WhoAmIResponse = record({ clientInfo: vector(ClientInfo) });
export const SaslResponse = record({ token: buffer });
