// What an audit log tells of an executed entry: who changed what, and whether it went well. Operations and fields are
// those of ZooKeeper's audit log. The record is made here, since only here an entry, its outcome and its caller are at
// hand together; where it is written to is the server's business.
//
//   before(entry) ─ the paths a session's end will delete    after(entry, outcome, reply) ─ the records
//
// One server writes each entry's line: the one that holds the client's connection and, for what has no caller (a session
// that has expired, a container that is reaped), the one that leads. Only entries are seen here, so reads are not told,
// nor a request that was refused before it became one it can be told by (it is an `error` entry then, see admit.ts).

import { CreateFlag, OpCode, Perms } from '../../../protocol/client/constants.js';
import { errorName } from '../../../protocol/client/errors.js';
import { type MultiPartView, MultiResponse } from '../../../protocol/client/multi.js';
import { operations } from '../../../protocol/client/operations.js';
import { JuteReader } from '../../../protocol/jute/reader.js';
import type { View } from '../../../protocol/jute/schema.js';
import type { Slice } from '../../../protocol/jute/slice.js';
import type { JuteWriter } from '../../../protocol/jute/writer.js';
import type { Identity } from '../../../protocol/peer/entries.js';
import { DeleteContainerRequest } from '../ops/delete-container.js';
import type { Entry } from '../ops/operation.js';
import type { AclView } from '../tree/acl.js';
import type { NodeId } from '../tree/tree.js';

export type AuditOperation =
  | 'create'
  | 'delete'
  | 'setData'
  | 'setAcl'
  /** A multi that failed, so that none of its parts has happened; one that succeeded is told part by part. */
  | 'multiOperation'
  | 'reconfig'
  | 'ephemeralZNodeDeletionOnSessionCloseOrExpire';

export interface AuditRecord {
  /** The leader's clock when it took the request, in ms since 1970. */
  readonly timeMs: number;
  readonly zxid: number;
  /** 0 for what the server itself asked for. */
  readonly session: number;
  /** Names of the caller, the address among them; null for what the server itself asked for. */
  readonly user: string | null;
  readonly ip: string | null;
  readonly operation: AuditOperation;
  /** Where it is known: of a multi that failed the path of the part that was to blame. */
  readonly znode?: string | undefined;
  /** Of a creation: persistent, ephemeral_sequential, … */
  readonly znodeType?: string | undefined;
  /** Of setAcl: `scheme:id:perms`, separated by commas; the hash of a digest id is not shown (E41). */
  readonly acl?: string | undefined;
  /** Name of the error; undefined for a success. */
  readonly error?: string | undefined;
}

/** What of a record depends on the operation. */
type Deed = Pick<AuditRecord, 'operation' | 'znode' | 'znodeType' | 'acl' | 'error'>;

/** What is needed of the world, whose tree may be replaced: who is to lose which nodes. */
export interface EphemeralNodes {
  readonly tree: {
    ephemeralsOf(session: number): Iterable<NodeId>;
    pathText(node: NodeId): string;
  };
}

const TYPE_BY_FLAG: Readonly<Record<number, string | undefined>> = {
  [CreateFlag.persistent]: 'persistent',
  [CreateFlag.ephemeral]: 'ephemeral',
  [CreateFlag.persistentSequential]: 'persistent_sequential',
  [CreateFlag.ephemeralSequential]: 'ephemeral_sequential',
  [CreateFlag.container]: 'persistent', // only createContainer makes one (E34)
  [CreateFlag.persistentTtl]: 'persistent_with_ttl',
  [CreateFlag.persistentSequentialTtl]: 'persistent_sequential_with_ttl',
};

/** What a request asked for, before it is known how it went. */
const DEEDS: ReadonlyMap<number, (request: JuteReader) => Deed> = new Map<number, (request: JuteReader) => Deed>([
  [OpCode.create, (reader) => creation(operations.create.request.view(reader), false)],
  [OpCode.create2, (reader) => creation(operations.create2.request.view(reader), false)],
  [OpCode.createContainer, (reader) => creation(operations.createContainer.request.view(reader), true)],
  [OpCode.createTTL, (reader) => creation(operations.createTTL.request.view(reader), false)],
  [OpCode.delete, (reader) => onPath('delete', operations.delete.request.view(reader))],
  [OpCode.deleteContainer, (reader) => onPath('delete', DeleteContainerRequest.view(reader))],
  [OpCode.setData, (reader) => onPath('setData', operations.setData.request.view(reader))],
  [
    OpCode.setACL,
    (reader) => {
      const request = operations.setACL.request.view(reader);
      return { ...onPath('setAcl', request), acl: aclText(request.acl) };
    },
  ],
  [OpCode.reconfig, () => ({ operation: 'reconfig' })],
]);

const CREATIONS: ReadonlySet<number> = new Set([
  OpCode.create,
  OpCode.create2,
  OpCode.createContainer,
  OpCode.createTTL,
]);

export class Auditor {
  private readonly world: EphemeralNodes;
  private readonly isOurs: (session: number, hasCaller: boolean) => boolean;
  private readonly tell: (record: AuditRecord) => void;
  private readonly reader = new JuteReader(new Uint8Array(0));
  /** Paths of the session that the entry under way closes. */
  private doomed: readonly string[] = [];

  /**
   * `isOurs`: whether this server tells of an entry: with a caller, whether it holds the connection of the session;
   * without one, whether it leads. `tell` gets each record, in the order of the log.
   */
  constructor(
    world: EphemeralNodes,
    isOurs: (session: number, hasCaller: boolean) => boolean,
    tell: (record: AuditRecord) => void,
  ) {
    this.world = world;
    this.isOurs = isOurs;
    this.tell = tell;
  }

  /** The entry comes next: the last moment to see what it will delete. */
  before(operation: number, { session, caller }: Entry): void {
    if (operation !== OpCode.closeSession) return;
    const { tree } = this.world;
    this.doomed = this.isOurs(session, caller.length > 0)
      ? Array.from(tree.ephemeralsOf(session), (node) => tree.pathText(node))
      : [];
  }

  /**
   * The entry was executed with this code. `requests[start, end)` is its request. `reply` is the body of its reply, of
   * use only where `code` is 0 and `isOurs` says yes to an entry with a caller.
   */
  after(
    operation: number,
    entry: Entry,
    code: number,
    requests: Uint8Array,
    start: number,
    end: number,
    reply: JuteWriter,
  ): void {
    if (operation === OpCode.closeSession) {
      if (code === 0) this.endSession(entry);
      return;
    }
    const deedOf = DEEDS.get(operation);
    if (deedOf === undefined && operation !== OpCode.multi) return;
    if (!this.isOurs(entry.session, entry.caller.length > 0)) return;
    const request = this.reader.reset(requests, start, end);
    if (deedOf === undefined) {
      this.multi(entry, code, operations.multi.request.view(request), reply);
      return;
    }
    const deed = deedOf(request);
    if (code !== 0) this.record(entry, { ...deed, error: nameOf(code) });
    else if (CREATIONS.has(operation) && entry.caller.length > 0) {
      // With the suffix of a sequential node.
      this.record(entry, { ...deed, znode: operations.create.response.read(new JuteReader(reply.bytes)).path });
    } else this.record(entry, deed);
  }

  private endSession(entry: Entry): void {
    for (const znode of this.doomed) {
      this.record(entry, { operation: 'ephemeralZNodeDeletionOnSessionCloseOrExpire', znode });
    }
    this.doomed = [];
  }

  private multi(entry: Entry, code: number, parts: readonly MultiPartView[], reply: JuteWriter): void {
    if (code !== 0) {
      this.record(entry, { operation: 'multiOperation', error: nameOf(code) });
      return;
    }
    const results = MultiResponse.read(new JuteReader(reply.bytes, 0, reply.position));
    const failed = results.findIndex((result) => result.type === 'error' && result.code !== 0);
    const failure = results[failed];
    if (failure?.type === 'error') {
      const znode = parts[failed].request.path?.text();
      this.record(entry, { operation: 'multiOperation', znode, error: nameOf(failure.code) });
      return;
    }
    for (let i = 0; i < parts.length; i++) {
      const deed = deedOfPart(parts[i]);
      const result = results[i];
      if (deed !== null) this.record(entry, 'path' in result ? { ...deed, znode: result.path } : deed);
    }
  }

  private record({ timeMs, zxid, session, caller }: Entry, deed: Deed): void {
    this.tell({ timeMs, zxid, session, user: usersOf(caller), ip: addressOf(caller), ...deed });
  }
}

/** Null for a part that changes nothing. */
function deedOfPart(part: MultiPartView): Deed | null {
  switch (part.op) {
    case 'check':
      return null;
    case 'delete':
    case 'setData':
      return onPath(part.op, part.request);
    default:
      return creation(part.request, part.op === 'createContainer');
  }
}

function creation({ path, flags }: View<typeof operations.create.request>, isContainer: boolean): Deed {
  return { ...onPath('create', { path }), znodeType: isContainer ? 'container' : TYPE_BY_FLAG[flags] };
}

function onPath(operation: AuditOperation, { path }: { readonly path: Slice | null }): Deed {
  return { operation, znode: path?.text() };
}

function nameOf(code: number): string {
  return errorName(code) ?? String(code);
}

/** The names a caller goes by, separated by commas; null for nobody. */
function usersOf(caller: readonly Identity[]): string | null {
  if (caller.length === 0) return null;
  return caller
    .map(({ scheme, id }) => (scheme === 'super' ? 'super' : scheme === 'digest' ? id.split(':', 1)[0] : id))
    .join(',');
}

/** Every client has its address among its identities (E45). */
function addressOf(caller: readonly Identity[]): string | null {
  return caller.find(({ scheme }) => scheme === 'ip')?.id ?? null;
}

const LETTERS = [
  [Perms.create, 'c'],
  [Perms.delete, 'd'],
  [Perms.read, 'r'],
  [Perms.write, 'w'],
  [Perms.admin, 'a'],
] as const;

function aclText(acl: AclView): string {
  return (acl ?? [])
    .map(({ perms, id }) => {
      const scheme = id.scheme?.text() ?? '';
      const name = id.id?.text() ?? '';
      const letters = LETTERS.map(([bit, letter]) => ((perms & bit) === 0 ? '' : letter)).join('');
      return `${scheme}:${scheme === 'digest' ? name.replace(/:.*$/s, ':x') : name}:${letters}`;
    })
    .join(',');
}
