/** What the audit log tells of entries that an applier really executes. */
import { CreateFlag, OpCode } from '../../../../protocol/client/constants.js';
import { type OperationName, operations, type RequestOf } from '../../../../protocol/client/operations.js';
import type { Acl } from '../../../../protocol/client/records.js';
import { JuteReader } from '../../../../protocol/jute/reader.js';
import { JuteWriter } from '../../../../protocol/jute/writer.js';
import type { Identity } from '../../../../protocol/peer/entries.js';
import { DeleteContainerRequest } from '../../../../src/core/ops/delete-container.js';
import type { Entry } from '../../../../src/core/ops/operation.js';
import { writeOperation } from '../../../../src/core/ops/table.js';
import { Auditor, type AuditRecord } from '../../../../src/core/pipeline/audit.js';
import { createWorld, OPEN_ACL } from '../../../helpers/world.js';

const SESSION = 0x1f;
const BOB: readonly Identity[] = [
  { scheme: 'ip', id: '10.0.0.7' },
  { scheme: 'digest', id: 'bob:aGFzaA==' },
];

/** A world whose every entry is executed and told, as the applier does it. */
class Stage {
  readonly told: AuditRecord[] = [];
  readonly world = createWorld();
  readonly auditor: Auditor;
  zxid = 0;

  constructor(isOurs: (session: number, hasCaller: boolean) => boolean = () => true) {
    this.auditor = new Auditor(this.world, isOurs, (record) => this.told.push(record));
    this.world.sessions.add({ id: SESSION, timeoutMs: 1000, password: new Uint8Array(16) });
  }

  entry(code: number, write: (writer: JuteWriter) => void, caller = BOB, session = SESSION): readonly AuditRecord[] {
    const request = new JuteWriter();
    request.int(4711); // requests of other entries stand before and behind it
    const start = request.position;
    write(request);
    const end = request.position;
    request.int(4711);
    const entry: Entry = {
      zxid: ++this.zxid,
      timeMs: 5000,
      session,
      caller,
      enforceQuota: false,
      skipAcl: false,
    };
    const reply = new JuteWriter();
    this.auditor.before(code, entry);
    const operation = writeOperation(code);
    const view = operation?.request.view(new JuteReader(request.bytes, start, end));
    const outcome = operation?.apply(this.world, entry, view, caller.length > 0 ? reply : null) ?? -1;
    this.told.length = 0;
    this.auditor.after(code, entry, outcome, request.bytes, start, end, reply);
    return [...this.told];
  }

  run<N extends OperationName>(name: N, request: RequestOf<(typeof operations)[N]>, caller = BOB) {
    const { code, request: type } = operations[name];
    return this.entry(code, (writer) => type.write(writer, request as never), caller);
  }

  create(path: string, flags: number = CreateFlag.persistent) {
    return this.run('create', { path, data: null, acl: OPEN_ACL, flags });
  }
}

const common = { timeMs: 5000, session: SESSION, user: '10.0.0.7,bob', ip: '10.0.0.7' };

test('a creation is told with the path it got, the kind of node, and who asked', () => {
  const stage = new Stage();
  expect(stage.create('/a')).toEqual([
    { ...common, zxid: 1, operation: 'create', znode: '/a', znodeType: 'persistent' },
  ]);
  expect(stage.create('/a/s-', CreateFlag.ephemeralSequential)).toMatchObject([
    { znode: '/a/s-0000000000', znodeType: 'ephemeral_sequential' },
  ]);
  expect(stage.create('/c', CreateFlag.container)).toMatchObject([{ znodeType: 'persistent' }]);
  const request = { path: '/d', data: null, acl: OPEN_ACL, flags: CreateFlag.container };
  expect(stage.run('createContainer', request)).toMatchObject([{ znode: '/d', znodeType: 'container' }]);
  const ttl = { path: '/t', data: null, acl: OPEN_ACL, flags: CreateFlag.persistentTtl, ttl: 1000n };
  expect(stage.run('createTTL', ttl)).toMatchObject([{ znode: '/t', znodeType: 'persistent_with_ttl' }]);
});

test('a failure is told with its path and its error', () => {
  const stage = new Stage();
  stage.create('/a');
  expect(stage.create('/a')).toMatchObject([{ operation: 'create', znode: '/a', error: 'NodeExists' }]);
  expect(stage.run('delete', { path: '/none', version: -1 })).toMatchObject([
    { operation: 'delete', znode: '/none', error: 'NoNode' },
  ]);
  expect(stage.run('setData', { path: '/a', data: null, version: 7 })).toMatchObject([
    { operation: 'setData', znode: '/a', error: 'BadVersion' },
  ]);
  const reconfig = { joiningServers: '', leavingServers: '', newMembers: '', curConfigId: -1n };
  expect(stage.run('reconfig', reconfig)).toMatchObject([{ operation: 'reconfig', error: expect.any(String) }]);
});

test('deletions, changes of data and of ACLs; a hash in an ACL is not shown', () => {
  const stage = new Stage();
  stage.create('/a');
  const set = stage.run('setData', { path: '/a', data: new Uint8Array(3), version: -1 });
  expect(set).toEqual([{ ...common, zxid: 2, operation: 'setData', znode: '/a' }]);
  const acl: Acl[] = [
    { perms: 31, id: { scheme: 'digest', id: 'bob:aGFzaA==' } },
    { perms: 1, id: { scheme: 'world', id: 'anyone' } },
  ];
  expect(stage.run('setACL', { path: '/a', acl, version: -1 })).toEqual([
    { ...common, zxid: 3, operation: 'setAcl', znode: '/a', acl: 'digest:bob:x:cdrwa,world:anyone:r' },
  ]);
  expect(stage.run('delete', { path: '/a', version: -1 })).toMatchObject([{ operation: 'delete', znode: '/a' }]);
});

test('a multi that succeeds is told part by part, without its checks', () => {
  const stage = new Stage();
  const create = { path: '/m-', data: null, acl: OPEN_ACL, flags: CreateFlag.persistentSequential };
  const told = stage.run('multi', [
    { op: 'create', request: create },
    { op: 'check', request: { path: '/m-0000000000', version: 0 } },
    { op: 'create2', request: create },
    { op: 'setData', request: { path: '/m-0000000001', data: null, version: -1 } },
    { op: 'delete', request: { path: '/m-0000000000', version: -1 } },
  ]);
  expect(told.map(({ operation, znode, zxid }) => [operation, znode, zxid])).toEqual([
    ['create', '/m-0000000000', 1],
    ['create', '/m-0000000001', 1],
    ['setData', '/m-0000000001', 1],
    ['delete', '/m-0000000000', 1],
  ]);
  expect(stage.run('multi', [])).toEqual([]);
});

test('a multi that fails is told once, with the part that was to blame', () => {
  const stage = new Stage();
  const told = stage.run('multi', [
    { op: 'create', request: { path: '/a', data: null, acl: OPEN_ACL, flags: 0 } },
    { op: 'delete', request: { path: '/none', version: -1 } },
    { op: 'delete', request: { path: '/a', version: -1 } },
  ]);
  expect(told).toEqual([{ ...common, zxid: 1, operation: 'multiOperation', znode: '/none', error: 'NoNode' }]);
});

test('the end of a session tells of each ephemeral node that goes with it, and names nobody when it has expired', () => {
  const stage = new Stage();
  stage.create('/e1', CreateFlag.ephemeral);
  stage.create('/e2', CreateFlag.ephemeral);
  const told = stage.entry(OpCode.closeSession, () => {}, []);
  const operation = 'ephemeralZNodeDeletionOnSessionCloseOrExpire';
  expect(told).toEqual([
    { timeMs: 5000, session: SESSION, zxid: 3, user: null, ip: null, operation, znode: '/e1' },
    { timeMs: 5000, session: SESSION, zxid: 3, user: null, ip: null, operation, znode: '/e2' },
  ]);
  expect(stage.entry(OpCode.closeSession, () => {}, [])).toEqual([]);
});

test('what the server reaps by itself is told as its own deed', () => {
  const stage = new Stage();
  stage.run('createContainer', { path: '/c', data: null, acl: OPEN_ACL, flags: CreateFlag.container });
  const write = (writer: JuteWriter) => DeleteContainerRequest.write(writer, { path: '/c', czxid: 1n });
  expect(stage.entry(OpCode.deleteContainer, write, [], 0)).toEqual([
    { timeMs: 5000, session: 0, zxid: 2, user: null, ip: null, operation: 'delete', znode: '/c' },
  ]);
});

test('only the entries of this server are told: those of its connections, and without a caller those of who leads', () => {
  const asked: [number, boolean][] = [];
  const stage = new Stage((session, hasCaller) => {
    asked.push([session, hasCaller]);
    return false;
  });
  expect(stage.create('/a', CreateFlag.ephemeral)).toEqual([]);
  expect(stage.run('multi', [{ op: 'delete', request: { path: '/none', version: -1 } }])).toEqual([]);
  expect(stage.entry(OpCode.closeSession, () => {}, [])).toEqual([]);
  expect(asked).toEqual([
    [SESSION, true],
    [SESSION, true],
    [SESSION, false],
  ]);
});

test('neither sessions that open nor entries that only fail are told', () => {
  const stage = new Stage();
  expect(stage.entry(OpCode.error, (writer) => writer.int(-5))).toEqual([]);
});
