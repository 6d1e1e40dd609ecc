/** Checklist 8–15: sequence numbers, the fields of Stat, the order of checks, kinds of nodes. */
import { CreateFlag, TTL_MS_MAX } from '../../protocol/client/constants.js';
import { Code } from '../../protocol/client/errors.js';
import type { OperationName } from '../../protocol/client/operations.js';
import type { OperationRequest, VirtualClient } from '../../src/testing/index.js';
import { ANN_ONLY, authenticate, bytes, code, create, OPEN_ACL, scene, statOf } from './scene.js';

const SEQUENTIAL = { flags: CreateFlag.persistentSequential };

test('8: one counter per parent, raised by every create of a child, not by deletes, and kept over restarts (E26)', () => {
  const { server, client, restart } = scene();
  const one = client();
  create(one, '/p');
  expect(create(one, '/p/a-', SEQUENTIAL)).toBe('/p/a-0000000000');
  create(one, '/p/plain');
  expect(create(one, '/p/b-', SEQUENTIAL)).toBe('/p/b-0000000002');
  code(one, 'delete', { path: '/p/plain', version: -1 });
  restart();
  one.resumed(server);
  expect(create(one, '/p/', SEQUENTIAL)).toBe('/p/0000000003');
  expect(create(one, '/p/e-', { flags: CreateFlag.ephemeralSequential })).toBe('/p/e-0000000004');
  const ofRoot = create(one, '/x-', SEQUENTIAL);
  expect(ofRoot).toBe('/x-0000000001');
});

test('8: the counter starts anew with a new parent', () => {
  const { client } = scene();
  const one = client();
  create(one, '/p');
  const child = create(one, '/p/a-', SEQUENTIAL);
  code(one, 'delete', { path: child, version: -1 });
  code(one, 'delete', { path: '/p', version: -1 });
  create(one, '/p');
  expect(create(one, '/p/a-', SEQUENTIAL)).toBe('/p/a-0000000000');
});

test('9: cversion counts creates and deletes, over restarts; a fresh root shows -1 (E27)', () => {
  const { server, client, restart } = scene();
  const one = client();
  expect(statOf(one, '/')).toMatchObject({ cversion: -1, numChildren: 1 });
  create(one, '/p');
  for (const name of ['a', 'b', 'c']) create(one, `/p/${name}`);
  expect(statOf(one, '/p').cversion).toBe(3);
  code(one, 'delete', { path: '/p/a', version: -1 });
  expect(statOf(one, '/p')).toMatchObject({ cversion: 4, numChildren: 2 });
  restart();
  one.resumed(server);
  expect(statOf(one, '/p')).toMatchObject({ cversion: 4, numChildren: 2, version: 0 });
});

test('10: pzxid changes with the set of children only (E28)', () => {
  const { client } = scene();
  const one = client();
  const zxidOf = (name: OperationName, request: never) => BigInt(one.call(name, request).zxid);
  const write = { data: null, acl: OPEN_ACL, flags: 0 };
  const created = zxidOf('create', { path: '/p', ...write } as never);
  expect(statOf(one, '/p')).toMatchObject({ czxid: created, mzxid: created, pzxid: created });
  const childCreated = zxidOf('create', { path: '/p/c', ...write } as never);
  expect(statOf(one, '/p').pzxid).toBe(childCreated);
  zxidOf('setData', { path: '/p/c', data: null, version: -1 } as never);
  zxidOf('create', { path: '/p/c/d', ...write } as never);
  zxidOf('delete', { path: '/p/c/d', version: -1 } as never);
  expect(statOf(one, '/p').pzxid).toBe(childCreated);
  const childDeleted = zxidOf('delete', { path: '/p/c', version: -1 } as never);
  expect(statOf(one, '/p')).toMatchObject({ pzxid: childDeleted, mzxid: created });
});

describe('11: of two faults the earlier check wins (E40)', () => {
  const acl = OPEN_ACL;
  const data = null;
  const q = bytes('count=-1,bytes=-1;byteHardLimit=4;countHardLimit=2');
  /** /locked is ann's and has a child; /eph an ephemeral; /q allows two nodes and four bytes and is full. */
  function prepared(): VirtualClient {
    const { client } = scene();
    const ann = client();
    authenticate(ann, 'ann:secret');
    create(ann, '/locked');
    create(ann, '/locked/child');
    code(ann, 'setACL', { path: '/locked', acl: ANN_ONLY, version: -1 });
    create(ann, '/p');
    create(ann, '/p/c');
    create(ann, '/q');
    create(ann, '/q/e', { flags: CreateFlag.ephemeral });
    create(ann, '/zookeeper/quota/q');
    create(ann, '/zookeeper/quota/q/zookeeper_limits', { data: q });
    create(ann, '/zookeeper/quota/q/zookeeper_stats', { data: bytes('count=0,bytes=0') });
    return client();
  }
  const cases: [string, OperationName, object, number][] = [
    ['flags before ACL', 'create', { path: '/a', data, acl: [], flags: 9 }, Code.BadArguments],
    ['TTL before ACL', 'createTTL', { path: '/a', data, acl: [], flags: 5, ttl: 0n }, Code.BadArguments],
    ['rough path before ACL', 'create', { path: 'a', data, acl: [], flags: 0 }, Code.BadArguments],
    ['ACL before parent', 'create', { path: '/none/a', data, acl: [], flags: 0 }, Code.InvalidACL],
    ['parent before whole path', 'create', { path: '/none/a\u0001', data, acl, flags: 0 }, Code.NoNode],
    ['CREATE before whole path', 'create', { path: '/locked/a\u0001', data, acl, flags: 0 }, Code.NoAuth],
    ['CREATE before existence', 'create', { path: '/locked/child', data, acl, flags: 0 }, Code.NoAuth],
    ['whole path before ephemeral parent', 'create', { path: '/q/e/.', data, acl, flags: 0 }, Code.BadArguments],
    ['existence before quota', 'create', { path: '/q/e', data, acl, flags: 0 }, Code.NodeExists],
    ['ephemeral parent before quota', 'create', { path: '/q/e/x', data, acl, flags: 0 }, Code.NoChildrenForEphemerals],
    ['quota at last', 'create', { path: '/q/x', data, acl, flags: 0 }, Code.QuotaExceeded],
    ['delete: special before version', 'delete', { path: '/zookeeper', version: 7 }, Code.BadArguments],
    ['delete: parent before version', 'delete', { path: '/none/a', version: 7 }, Code.NoNode],
    ['delete: DELETE before existence', 'delete', { path: '/locked/none', version: -1 }, Code.NoAuth],
    ['delete: version before children', 'delete', { path: '/p', version: 7 }, Code.BadVersion],
    ['delete: children at last', 'delete', { path: '/p', version: 0 }, Code.NotEmpty],
    ['setData: path before existence', 'setData', { path: 'none', data, version: 7 }, Code.BadArguments],
    ['setData: existence before version', 'setData', { path: '/none', data, version: 7 }, Code.NoNode],
    ['setData: WRITE before version', 'setData', { path: '/locked', data, version: 7 }, Code.NoAuth],
    ['setData: quota before version', 'setData', { path: '/q', data: bytes('12345'), version: 7 }, Code.QuotaExceeded],
    ['setACL: ACL before existence', 'setACL', { path: '/none', acl: [], version: 7 }, Code.InvalidACL],
    ['setACL: existence before version', 'setACL', { path: '/none', acl, version: 7 }, Code.NoNode],
    ['setACL: ADMIN before version', 'setACL', { path: '/locked', acl, version: 7 }, Code.NoAuth],
    ['setACL: version at last', 'setACL', { path: '/p', acl, version: 7 }, Code.BadVersion],
  ];
  const one = prepared();
  test.each(cases)('%s', (_what, name, request, expected) => {
    expect(code(one, name, request as never)).toBe(expected);
  });

  test.each([
    ['check: existence before version', '/none', Code.NoNode],
    ['check: READ before version', '/locked', Code.NoAuth],
    ['check: version at last', '/p', Code.BadVersion],
  ])('%s', (_what, path, expected) => {
    const { response } = one.call('multi', [{ op: 'check', request: { path, version: 7 } }]);
    expect(response).toEqual([{ type: 'error', code: expected }]);
  });
});

test('12: null and empty data stay apart, also over a restart from a checkpoint (E29)', () => {
  const { world, server, client, restart } = scene({ checkpointEntries: 3 });
  const one = client();
  create(one, '/null', { data: null });
  create(one, '/empty', { data: new Uint8Array(0) });
  create(one, '/logged');
  world.run(200);
  expect(server.disk.checkpoint).not.toBeNull();
  const look = () =>
    ['/null', '/empty'].map((path) => one.call('getData', { path, watch: false }).response?.data ?? null);
  expect(look()).toEqual([null, new Uint8Array(0)]);
  restart();
  one.resumed(server);
  expect(look()).toEqual([null, new Uint8Array(0)]);
});

test('13: versions are checked before the change and rise by one; -1 asks for none (E31)', () => {
  const { client } = scene();
  const one = client();
  create(one, '/a');
  for (let version = 0; version < 3; version++) {
    expect(code(one, 'setData', { path: '/a', data: null, version: version + 1 })).toBe(Code.BadVersion);
    expect(one.call('setData', { path: '/a', data: null, version }).response?.stat.version).toBe(version + 1);
  }
  expect(one.call('setData', { path: '/a', data: null, version: -1 }).response?.stat.version).toBe(4);
  expect(code(one, 'delete', { path: '/a', version: 3 })).toBe(Code.BadVersion);
  expect(code(one, 'delete', { path: '/a', version: 4 })).toBe(0);
});

test('13: setACL raises aversion and nothing else (E30)', () => {
  const { client } = scene();
  const one = client();
  create(one, '/a');
  const before = statOf(one, '/a');
  expect(code(one, 'setACL', { path: '/a', acl: OPEN_ACL, version: 0 })).toBe(0);
  expect(statOf(one, '/a')).toEqual({ ...before, aversion: 1 });
});

describe('14: containers and TTL nodes (E32, E48)', () => {
  const container = { data: null, acl: OPEN_ACL, flags: CreateFlag.container };
  const ttl = (ms: number) => ({ data: null, acl: OPEN_ACL, flags: CreateFlag.persistentTtl, ttl: BigInt(ms) });

  test('show no owner', () => {
    const { client } = scene();
    const one = client();
    const made = one.call('createContainer', { path: '/c', ...container });
    expect(made.response).toMatchObject({ path: '/c', stat: { ephemeralOwner: 0n } });
    expect(one.call('createTTL', { path: '/t', ...ttl(5000) }).response?.stat.ephemeralOwner).toBe(0n);
  });

  test('a container goes when its last child has gone, and not before it had one', () => {
    const { world, client } = scene();
    const one = client({ timeoutMs: 60_000 });
    one.call('createContainer', { path: '/c', ...container });
    world.run(3000);
    expect(code(one, 'exists', { path: '/c', watch: false })).toBe(0);
    create(one, '/c/child');
    world.run(3000);
    expect(code(one, 'exists', { path: '/c', watch: false })).toBe(0);
    code(one, 'delete', { path: '/c/child', version: -1 });
    world.run(3000);
    expect(code(one, 'exists', { path: '/c', watch: false })).toBe(Code.NoNode);
  });

  test('a child that is on its way saves the container', () => {
    const { world, server, client } = scene({ containerCheckMs: 100 }, 80);
    const one = client({ timeoutMs: 60_000 });
    one.call('createContainer', { path: '/c', ...container });
    create(one, '/c/child');
    code(one, 'delete', { path: '/c/child', version: -1 });
    const before = server.replica.proposedZxid;
    world.runUntil(() => server.replica.proposedZxid > before, 'the reaper proposes its deletion');
    // Too late for this one, but it must not leave the tree in two minds either way.
    const reply = one.call('create', { path: '/c/child', data: null, acl: OPEN_ACL, flags: 0 });
    const exists = code(one, 'exists', { path: '/c', watch: false });
    expect(reply.code).toBe(exists);
  });

  test('a TTL node goes when it was not written for its time; a write renews it, a child protects it', () => {
    const { world, client } = scene({ containerCheckMs: 50 });
    const one = client({ timeoutMs: 60_000 });
    for (const path of ['/idle', '/written', '/parent']) one.call('createTTL', { path, ...ttl(1000) });
    create(one, '/parent/child');
    world.run(800);
    code(one, 'setData', { path: '/written', data: null, version: -1 });
    world.run(500);
    const there = (path: string) => code(one, 'exists', { path, watch: false }) === 0;
    expect(['/idle', '/written', '/parent'].map(there)).toEqual([false, true, true]);
    code(one, 'delete', { path: '/parent/child', version: -1 });
    world.run(1000);
    expect(['/written', '/parent'].map(there)).toEqual([false, false]);
  });

  test('a clock set forward reaps TTL nodes, one set back does not hurt', () => {
    const { world, client } = scene({ containerCheckMs: 50 });
    const one = client({ timeoutMs: 60_000 });
    one.call('createTTL', { path: '/t', ...ttl(60_000) });
    world.jumpWallClock(-3_600_000);
    world.run(500);
    expect(code(one, 'exists', { path: '/t', watch: false })).toBe(0);
    world.jumpWallClock(7_200_000);
    world.run(500);
    expect(code(one, 'exists', { path: '/t', watch: false })).toBe(Code.NoNode);
  });
});

describe('15: createTTL with every flag and the limits of the TTL (E34)', () => {
  const max = BigInt(TTL_MS_MAX);
  const one = scene().client();
  for (let flags = 0; flags <= 7; flags++) {
    for (const ttl of [-1n, 0n, 1n, max, max + 1n]) {
      const isGood = (flags === 5 || flags === 6) && ttl >= 1n && ttl <= max;
      test(`flag ${flags}, ttl ${ttl}: ${isGood ? 'taken' : 'bad arguments'}`, () => {
        const path = `/t-${flags}-${ttl}`;
        const expected = isGood ? 0 : Code.BadArguments;
        expect(code(one, 'createTTL', { path, data: null, acl: OPEN_ACL, flags, ttl })).toBe(expected);
      });
    }
  }

  test('with extended types off: -6', () => {
    const plain = scene({ ttlNodes: false }).client();
    const request: OperationRequest<'createTTL'> = { path: '/t', data: null, acl: OPEN_ACL, flags: 5, ttl: 1000n };
    expect(code(plain, 'createTTL', request)).toBe(Code.Unimplemented);
  });

  test('create and create2 with a TTL flag: bad arguments; with the container flag: a plain node', () => {
    for (const flags of [5, 6]) expect(code(one, 'create', { path: '/x', data: null, acl: OPEN_ACL, flags })).toBe(-8);
    expect(create(one, '/plain', { flags: CreateFlag.container })).toBe('/plain');
  });
});
