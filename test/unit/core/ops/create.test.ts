// create in its four spellings: E26, E27, E29, E32–E35, E40. "Observed" tables are what Apache ZooKeeper 3.8.0 answered.

import { Code } from '../../../../protocol/client/errors.js';
import { type Acl, AclList } from '../../../../protocol/client/records.js';
import { JuteWriter } from '../../../../protocol/jute/writer.js';
import { NodeKind } from '../../../../src/core/tree/tree.js';
import { OPEN_ACL, TestWorld } from '../../../helpers/world.js';

const bytes = (...values: number[]) => Uint8Array.from(values);
const READ_ONLY: Acl[] = [{ perms: 1, id: { scheme: 'world', id: 'anyone' } }];
const PERSISTENT = 0;
const EPHEMERAL = 1;
const SEQUENTIAL = 2;

describe('kinds and flags (E34)', () => {
  const kindAt = (world: TestWorld, path: string) => world.world.tree.kind(world.world.tree.findText(path));

  test.each([
    [0, NodeKind.persistent, '/n'],
    [1, NodeKind.ephemeral, '/n'],
    [2, NodeKind.persistent, '/n0000000000'],
    [3, NodeKind.ephemeral, '/n0000000000'],
    [4, NodeKind.persistent, '/n'],
  ])('create with flag %i', (flags, kind, path) => {
    const world = new TestWorld();
    expect(world.run('create', { path: '/n', data: null, acl: OPEN_ACL, flags }).response).toEqual({ path });
    expect(kindAt(world, path)).toBe(kind);
  });

  test.each([5, 6, 7, -1, 9])('create with flag %i is refused', (flags) => {
    expect(new TestWorld().run('create', { path: '/n', data: null, acl: OPEN_ACL, flags }).code).toBe(
      Code.BadArguments,
    );
  });

  test.each([
    [0, '/n'],
    [1, '/n'],
    [2, '/n0000000000'],
    [3, '/n0000000000'],
    [4, '/n'],
  ])('createContainer with flag %i makes a container (observed)', (flags, path) => {
    const world = new TestWorld();
    const { response } = world.run('createContainer', { path: '/n', data: null, acl: OPEN_ACL, flags });
    expect(response).toMatchObject({ path, stat: { ephemeralOwner: 0n } });
    expect(kindAt(world, path)).toBe(NodeKind.container);
  });

  test.each([5, 6, 7])('createContainer with flag %i is refused', (flags) => {
    const { code } = new TestWorld().run('createContainer', { path: '/n', data: null, acl: OPEN_ACL, flags });
    expect(code).toBe(Code.BadArguments);
  });

  const MAX = 2n ** 40n - 1n;
  for (let flags = 0; flags <= 7; flags++) {
    for (const ttl of [-1n, 0n, 1n, MAX, MAX + 1n, 2n ** 62n]) {
      const good = (flags === 5 || flags === 6) && ttl >= 1n && ttl <= MAX;
      test(`createTTL with flag ${flags} and ttl ${ttl}: ${good ? 'made' : 'refused'}`, () => {
        const world = new TestWorld();
        const { code, response } = world.run('createTTL', { path: '/n', data: null, acl: OPEN_ACL, flags, ttl });
        expect(code).toBe(good ? 0 : Code.BadArguments);
        if (response === undefined) return;
        expect(response.path).toBe(flags === 6 ? '/n0000000000' : '/n');
        expect(response.stat.ephemeralOwner).toBe(0n); // E32
        expect(world.world.tree.ttlMs(world.world.tree.findText(response.path))).toBe(Number(ttl));
      });
    }
  }
});

test('E29: the Stat of a new node', () => {
  const world = new TestWorld(0x1234);
  world.zxid = 0x100000007;
  world.timeMs = 1_700_000_000_123;
  const { response } = world.run('create2', { path: '/e', data: bytes(1, 2), acl: OPEN_ACL, flags: EPHEMERAL });
  const zxid = 0x100000008n;
  expect(response).toEqual({
    path: '/e',
    stat: {
      czxid: zxid,
      mzxid: zxid,
      ctime: 1_700_000_000_123n,
      mtime: 1_700_000_000_123n,
      version: 0,
      cversion: 0,
      aversion: 0,
      ephemeralOwner: 0x1234n,
      dataLength: 2,
      numChildren: 0,
      pzxid: zxid,
    },
  });
});

test('E26: one counter a parent, raised by every create and by no delete', () => {
  const world = new TestWorld();
  world.create('/p');
  expect(world.create('/p/a-', null, SEQUENTIAL)).toBe('/p/a-0000000000');
  world.create('/p/plain');
  world.run('delete', { path: '/p/plain', version: -1 });
  expect(world.create('/p/b-', null, SEQUENTIAL)).toBe('/p/b-0000000002');
  expect(world.create('/p/', null, SEQUENTIAL)).toBe('/p/0000000003');
  expect(world.create('/top-', null, SEQUENTIAL)).toBe('/top-0000000001');
});

test('a sequential node of non-ASCII name', () => {
  const world = new TestWorld();
  expect(world.create('/größe-日本-', null, SEQUENTIAL)).toBe('/größe-日本-0000000000');
  expect(world.run('exists', { path: '/größe-日本-0000000000', watch: false }).code).toBe(0);
});

// path, answer, answer with an empty ACL, answer as a sequential node; /q exists. All observed.
const NO_NODE = Code.NoNode;
const BAD = Code.BadArguments;
const NO_ACL = Code.InvalidACL;
const PATHS: [string, number, number, number][] = [
  ['', BAD, BAD, BAD],
  ['/', Code.NodeExists, NO_ACL, 0],
  ['a', BAD, BAD, BAD],
  ['a/b', NO_NODE, NO_ACL, NO_NODE],
  ['/a/', NO_NODE, NO_ACL, NO_NODE],
  ['/q/', BAD, NO_ACL, 0],
  ['/q//x', NO_NODE, NO_ACL, NO_NODE],
  ['//x', BAD, NO_ACL, BAD],
  ['//', BAD, NO_ACL, BAD],
  ['/q/./x', NO_NODE, NO_ACL, NO_NODE],
  ['/q/..', BAD, NO_ACL, 0],
  ['/q/.', BAD, NO_ACL, 0],
  ['/q/a\0', BAD, BAD, BAD],
  ['/none/a\0', BAD, BAD, BAD],
  ['/q/\u0001', BAD, NO_ACL, BAD],
  ['/q/\u00a0', 0, NO_ACL, 0],
  ['/q/\u{1f600}', BAD, NO_ACL, BAD],
  ['/none/..', NO_NODE, NO_ACL, NO_NODE],
];

test.each(PATHS)('E35: create %j', (path, plain, withoutAcl, sequential) => {
  const world = new TestWorld();
  world.create('/q');
  const code = (acl: Acl[], flags: number) => world.run('create', { path, data: null, acl, flags }).code;
  expect([code([], PERSISTENT), code(OPEN_ACL, PERSISTENT), code(OPEN_ACL, SEQUENTIAL)]).toEqual([
    withoutAcl,
    plain,
    sequential,
  ]);
});

test('a null path is a request that cannot be decoded, a null ACL an invalid one', () => {
  const world = new TestWorld();
  const request = (path: string | null, acl: Acl[] | null) => {
    const writer = new JuteWriter();
    writer.ustring(path);
    writer.buffer(null);
    if (acl === null) writer.int(-1);
    else AclList.write(writer, acl);
    writer.int(0);
    return world.runBytes(1, writer.toBytes()).code;
  };
  expect(request(null, OPEN_ACL)).toBe(Code.MarshallingError);
  expect(request('/x', null)).toBe(Code.InvalidACL);
  expect(request('/x', OPEN_ACL)).toBe(0);
});

describe('E40: with two faults the earlier check wins', () => {
  let world: TestWorld;
  beforeEach(() => {
    world = new TestWorld();
    world.create('/locked', null, PERSISTENT, READ_ONLY);
    world.create('/locked/there');
    world.create('/eph', null, EPHEMERAL);
    world.create('/limited');
    world.create('/zookeeper/quota/limited');
    world.create(
      '/zookeeper/quota/limited/zookeeper_limits',
      new TextEncoder().encode('count=-1,bytes=-1=;countHardLimit=1'),
    );
    world.create('/zookeeper/quota/limited/zookeeper_stats', null);
    world.create('/limited/eph', null, EPHEMERAL);
  });
  const create = (path: string, acl: Acl[], flags = PERSISTENT) =>
    world.run('create', { path, data: null, acl, flags }, { enforceQuota: true }).code;

  test('flags before the path', () => expect(create('noslash', OPEN_ACL, 9)).toBe(Code.BadArguments));
  test('rough path before the ACL', () => expect(create('noslash', [])).toBe(Code.BadArguments));
  test('ACL before the parent', () => expect(create('/none/x', [])).toBe(Code.InvalidACL));
  test('parent before the whole path', () => expect(create('/none/\u0001', OPEN_ACL)).toBe(Code.NoNode));
  test('CREATE before the whole path', () => expect(create('/locked/\u0001', OPEN_ACL)).toBe(Code.NoAuth));
  test('CREATE before existence', () => expect(create('/locked/there', OPEN_ACL)).toBe(Code.NoAuth));
  test('whole path before the ephemeral parent', () => expect(create('/eph/\u0001', OPEN_ACL)).toBe(Code.BadArguments));
  test('ephemeral parent before the quota (E33)', () => {
    expect(create('/limited/eph/x', OPEN_ACL)).toBe(Code.NoChildrenForEphemerals);
    expect(create('/limited/x', OPEN_ACL)).toBe(Code.QuotaExceeded);
  });
  test('existence before the quota', () => expect(create('/limited/eph', OPEN_ACL)).toBe(Code.NodeExists));
});

test('a create that fails changes nothing', () => {
  const world = new TestWorld();
  world.create('/a');
  const before = world.world.tree.digest();
  expect(world.run('create', { path: '/a', data: null, acl: OPEN_ACL, flags: 0 }).changes).toEqual([]);
  expect(world.world.tree.digest()).toEqual(before);
});

test('a create tells the watches of node and parent, with the ACLs that decide who may know', () => {
  const world = new TestWorld();
  world.create('/p', null, PERSISTENT, READ_ONLY);
  const { acls, tree } = world.world;
  const { changes } = world.run('create', { path: '/p/x', data: null, acl: OPEN_ACL, flags: 0 }, { skipAcl: true });
  expect(changes).toEqual([
    { kind: 'created', path: '/p/x', parentPath: '/p', aclId: 0, parentAclId: tree.aclId(tree.findText('/p')) },
  ]);
  expect(acls.list(changes[0].parentAclId)).toEqual(READ_ONLY);
});
