/**
 * A world without a server: operations are applied to it one after the other, each with the next zxid, encoded and
 * decoded as they would be on their way through the log. For tests of what operations do.
 *
 *   const world = new TestWorld();
 *   world.run('create', { path: '/a', data: null, acl: OPEN_ACL, flags: 0 })   // { code: 0, response: { path: '/a' }, … }
 */
import { OpCode } from '../../protocol/client/constants.js';
import { type OperationName, operations, type RequestOf, type ResponseOf } from '../../protocol/client/operations.js';
import type { Acl } from '../../protocol/client/records.js';
import { JuteReader } from '../../protocol/jute/reader.js';
import type { Type } from '../../protocol/jute/schema.js';
import { JuteWriter } from '../../protocol/jute/writer.js';
import type { Identity } from '../../protocol/peer/entries.js';
import { type Change, ChangeLog } from '../../src/core/ops/changes.js';
import type { Watcher, World } from '../../src/core/ops/operation.js';
import { operationOf } from '../../src/core/ops/table.js';
import { SessionTable } from '../../src/core/sessions/table.js';
import { AclTable } from '../../src/core/tree/acl.js';
import { QuotaTable } from '../../src/core/tree/quota.js';
import { Tree } from '../../src/core/tree/tree.js';
import { WatchTable } from '../../src/core/watches/table.js';

export const OPEN_ACL: Acl[] = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }];

/** Of a request, where it differs from the world's: who asks, and what the leader stamps. */
export interface Circumstances {
  readonly session?: number;
  readonly identities?: readonly Identity[];
  readonly enforceQuota?: boolean;
  readonly skipAcl?: boolean;
}

export interface Outcome<Response> {
  readonly code: number;
  /** Undefined when the code is not 0. */
  readonly response: Response | undefined;
  /** The reply's body as bytes; empty when the code is not 0. */
  readonly body: Uint8Array;
  readonly zxid: number;
  /** What the watches hear of: for a write all it changed. */
  readonly changes: readonly Change[];
}

export interface SeenEvent {
  readonly watcher: Watcher;
  readonly type: number;
  readonly path: string;
}

export function createWorld(): World {
  const acls = new AclTable();
  const tree = new Tree({ aclDigest: (aclId) => acls.digest(aclId) });
  const changes = new ChangeLog();
  changes.recording = true;
  return { tree, acls, quotas: new QuotaTable(), sessions: new SessionTable(), changes };
}

export class TestWorld {
  readonly world = createWorld();
  /** What setWatches delivered, and what fired, in order. */
  readonly events: SeenEvent[] = [];
  readonly watches = new WatchTable<Watcher>((watcher, type, path) => this.events.push({ watcher, type, path }));
  /** Of the last write. */
  zxid = 0;
  /** Of the next write. */
  timeMs = 1_000_000;
  readonly watcher: Watcher;

  constructor(
    readonly session = 77,
    readonly identities: readonly Identity[] = [{ scheme: 'ip', id: '127.0.0.1' }],
  ) {
    this.watcher = { session, identities };
  }

  /** Applies or answers an operation given by name, with a request and a response as the SDK has them. */
  run<N extends OperationName>(
    name: N,
    request: RequestOf<(typeof operations)[N]>,
    circumstances: Circumstances = {},
  ): Outcome<ResponseOf<(typeof operations)[N]>> {
    const operation = operations[name];
    const writer = new JuteWriter();
    (operation.request as Type<unknown>).write(writer, request);
    const outcome = this.runBytes(operation.code, writer.toBytes(), circumstances);
    const response = outcome.code === 0 ? operation.response.read(new JuteReader(outcome.body)) : undefined;
    return { ...outcome, response: response as ResponseOf<(typeof operations)[N]> | undefined };
  }

  /** The same for an operation given by number and a request in bytes. */
  runBytes(opCode: number, request: Uint8Array, circumstances: Circumstances = {}): Outcome<undefined> {
    const { session = this.session, identities = this.identities, skipAcl = false } = circumstances;
    const { enforceQuota = false } = circumstances;
    const { world, watches } = this;
    const operation = operationOf(opCode);
    if (operation === undefined) throw new Error(`there is no operation ${opCode}`);
    const body = new JuteWriter();
    const view = operation.request.view(new JuteReader(request));
    let code: number;
    if (operation.kind === 'write') {
      const entry = { zxid: ++this.zxid, timeMs: this.timeMs, session, caller: identities, enforceQuota, skipAcl };
      code = operation.apply(world, entry, view, body);
    } else {
      const sameWatcher = session === this.session && identities === this.identities;
      const watcher = sameWatcher ? this.watcher : { session, identities };
      const deliver = (to: Watcher, type: number, path: string) => this.events.push({ watcher: to, type, path });
      code = operation.answer({ world, watches, watcher, skipAcl, deliver }, view, body);
    }
    const changes = world.changes.take();
    for (const change of changes) {
      if (change.kind === 'created') watches.nodeCreated(change.path, change.parentPath);
      else if (change.kind === 'deleted') watches.nodeDeleted(change.path, change.parentPath);
      else watches.nodeDataChanged(change.path);
    }
    if (code !== 0) body.clear();
    return { code, response: undefined, body: body.toBytes(), zxid: this.zxid, changes };
  }

  /** Creates a node, which must succeed, and returns its path. */
  create(path: string, data: Uint8Array | null = null, flags = 0, acl: Acl[] = OPEN_ACL): string {
    const { code, response } = this.run('create', { path, data, acl, flags }, { skipAcl: true });
    if (response === undefined) throw new Error(`create ${path} failed: ${code}`);
    return response.path;
  }

  /** The code of a write that only a server makes, such as createSession. */
  internal(opCode: keyof typeof OpCode, write: (writer: JuteWriter) => void, circumstances?: Circumstances): number {
    const writer = new JuteWriter();
    write(writer);
    return this.runBytes(OpCode[opCode], writer.toBytes(), circumstances).code;
  }
}
