// delete, setData, setACL, check and the internal writes: E21, E28, E30, E31, E36, E40, E47, E48.

import { Code } from '../../../../protocol/client/errors.js';
import type { Acl } from '../../../../protocol/client/records.js';
import type { JuteWriter } from '../../../../protocol/jute/writer.js';
import { TestWorld } from '../../../helpers/world.js';

const PERMS = { read: 1, write: 2, create: 4, delete: 8, admin: 16 };
const anyone = (perms: number): Acl[] => [{ perms, id: { scheme: 'world', id: 'anyone' } }];
const bytes = (...values: number[]) => Uint8Array.from(values);

let world: TestWorld;
beforeEach(() => {
  world = new TestWorld();
});

const stat = (path: string) => {
  const { response } = world.run('exists', { path, watch: false }, { skipAcl: true });
  if (response === undefined) throw new Error(`${path} is missing`);
  return response.stat;
};

describe('delete', () => {
  const remove = (path: string, version = -1) => world.run('delete', { path, version });

  test('removes the node, raises the pzxid of the parent and tells the watches', () => {
    world.create('/p');
    world.create('/p/x');
    const { code, changes, body, zxid } = remove('/p/x', 0);
    expect([code, body.length]).toEqual([0, 0]);
    expect(changes).toMatchObject([{ kind: 'deleted', path: '/p/x', parentPath: '/p' }]);
    expect(stat('/p')).toMatchObject({ pzxid: BigInt(zxid), cversion: 2, numChildren: 0 }); // E27, E28
    expect(remove('/p/x').code).toBe(Code.NoNode);
  });

  // All observed on 3.8.0; /q exists.
  test.each([
    ['', Code.BadArguments],
    ['/', Code.BadArguments],
    ['/zookeeper', Code.BadArguments],
    ['/zookeeper/quota', Code.BadArguments],
    ['/zookeeper/config', Code.BadArguments],
    ['a', Code.BadArguments],
    ['a/b', Code.NoNode],
    ['/a/', Code.NoNode],
    ['/q/', Code.NoNode],
    ['/q//x', Code.NoNode],
    ['//', Code.NoNode],
    ['/q/..', Code.NoNode],
    ['/q/a\0', Code.BadArguments],
    ['/none/a\0', Code.BadArguments],
    ['/q/\u0001', Code.NoNode],
    ['/q/\u{1f600}', Code.NoNode],
  ])('E35, E36: delete %j', (path, code) => {
    world.create('/q');
    expect(remove(path).code).toBe(code);
  });

  test('E40: parent, DELETE on the parent, node, version, children', () => {
    world.create('/locked', null, 0, anyone(PERMS.read));
    world.create('/p');
    world.create('/p/x', null, 0, anyone(PERMS.read)); // what its own ACL says does not matter
    world.create('/p/x/child');
    expect(remove('/none/x').code).toBe(Code.NoNode);
    expect(remove('/locked/none').code).toBe(Code.NoAuth);
    expect(remove('/p/none', 5).code).toBe(Code.NoNode);
    expect(remove('/p/x', 5).code).toBe(Code.BadVersion);
    expect(remove('/p/x', 0).code).toBe(Code.NotEmpty);
    remove('/p/x/child');
    world.run('delete', { path: '/p/x/child', version: -1 }, { skipAcl: true });
    expect(remove('/p/x', 0).code).toBe(0);
  });
});

describe('setData', () => {
  const set = (path: string, data: Uint8Array | null, version = -1) => world.run('setData', { path, data, version });

  test('E30: equal bytes raise the version too; the answer is the new Stat', () => {
    world.create('/x', bytes(1));
    world.timeMs += 5;
    const { response, changes, zxid } = set('/x', bytes(1), 0);
    expect(response?.stat).toMatchObject({ version: 1, mzxid: BigInt(zxid), mtime: 1_000_005n, ctime: 1_000_000n });
    expect(changes).toMatchObject([{ kind: 'dataChanged', path: '/x' }]);
    expect(response?.stat).toEqual(stat('/x'));
  });

  test('E28: pzxid stays; E29: null and empty data are told apart', () => {
    world.create('/x', bytes(1));
    const pzxid = stat('/x').pzxid;
    expect(set('/x', null).response?.stat).toMatchObject({ pzxid, dataLength: 0 });
    expect(world.run('getData', { path: '/x', watch: false }).response?.data).toBeNull();
    set('/x', bytes());
    expect(world.run('getData', { path: '/x', watch: false }).response?.data).toEqual(bytes());
  });

  // Observed on 3.8.0; /q exists.
  test.each([
    ['', Code.BadArguments],
    ['a', Code.BadArguments],
    ['/q/', Code.BadArguments],
    ['/q//x', Code.BadArguments],
    ['/q/..', Code.BadArguments],
    ['/q/\u0001', Code.BadArguments],
    ['/q/\u{1f600}', Code.BadArguments],
    ['/q/none', Code.NoNode],
    ['/', 0],
    ['/zookeeper/config', Code.NoAuth],
  ])('E35: setData %j', (path, code) => {
    world.create('/q');
    expect(set(path, null).code).toBe(code);
  });

  test('E31, E40: WRITE before the version', () => {
    world.create('/locked', null, 0, anyone(PERMS.read));
    world.create('/x');
    expect(set('/locked', null, 9).code).toBe(Code.NoAuth);
    expect(set('/x', null, 1).code).toBe(Code.BadVersion);
    expect(set('/x', null, 0).code).toBe(0);
    expect(set('/x', null, 0).code).toBe(Code.BadVersion);
  });
});

test('setData of the root tells its watches', () => {
  const { changes } = world.run('setData', { path: '/', data: null, version: -1 });
  expect(changes).toMatchObject([{ kind: 'dataChanged', path: '/', parentPath: '/' }]);
});

describe('setACL', () => {
  const setAcl = (path: string, acl: Acl[], version = -1) => world.run('setACL', { path, acl, version });

  test('E30: raises aversion only, and no watch hears of it', () => {
    world.create('/x');
    const before = stat('/x');
    const { response, changes } = setAcl('/x', anyone(31), 0);
    expect(response?.stat).toEqual({ ...before, aversion: 1 });
    expect(changes).toEqual([]);
  });

  test('E40: path, ACL, node, ADMIN, aversion', () => {
    world.create('/locked', null, 0, anyone(PERMS.read));
    world.create('/x');
    expect(setAcl('/x/', []).code).toBe(Code.BadArguments);
    expect(setAcl('/none', []).code).toBe(Code.InvalidACL);
    expect(setAcl('/none', anyone(1)).code).toBe(Code.NoNode);
    expect(setAcl('/locked', anyone(1), 7).code).toBe(Code.NoAuth);
    expect(setAcl('/x', anyone(1), 7).code).toBe(Code.BadVersion);
  });

  test('a node of the new ACL keeps it, one of the old does not', () => {
    const { acls, tree } = world.world;
    world.create('/x', null, 0, anyone(17));
    const old = tree.aclId(tree.findText('/x'));
    setAcl('/x', anyone(19));
    acls.sweep();
    expect(() => acls.list(old)).toThrow();
    expect(acls.list(tree.aclId(tree.findText('/x')))).toEqual(anyone(19));
  });
});

describe('internal writes', () => {
  const createSession = (session: number, password: Uint8Array | null = new Uint8Array(16).fill(7)) => {
    const write = (writer: JuteWriter) => {
      writer.int(4000);
      writer.buffer(password);
    };
    return world.internal('createSession', write, { session });
  };

  test('createSession, and again: the second changes nothing', () => {
    expect(createSession(501)).toBe(0);
    expect(world.world.sessions.get(501)).toMatchObject({ timeoutMs: 4000 });
    expect(createSession(501)).toBe(0);
    expect(world.world.sessions.size).toBe(1);
  });

  test('createSession without a proper password', () => {
    expect([createSession(501, null), createSession(501, new Uint8Array(15))]).toEqual([-8, -8]);
    expect(world.world.sessions.size).toBe(0);
  });

  test('E21: closeSession deletes the ephemerals of the session, all under one zxid', () => {
    createSession(501);
    world.create('/p');
    const open = { data: null, acl: anyone(31), flags: 1 };
    world.run('create', { path: '/p/a', ...open }, { session: 501 });
    world.run('create', { path: '/p/b', ...open }, { session: 501 });
    world.run('create', { path: '/p/other', ...open }, { session: 502 });
    const { code, changes, zxid } = world.run('closeSession', undefined, { session: 501 });
    expect(code).toBe(0);
    expect(changes.map(({ kind, path }) => `${kind} ${path}`).sort()).toEqual(['deleted /p/a', 'deleted /p/b']);
    expect(stat('/p')).toMatchObject({ numChildren: 1, pzxid: BigInt(zxid) });
    expect(world.world.sessions.get(501)).toBeUndefined();
    expect(world.run('closeSession', undefined, { session: 501 }).changes).toEqual([]);
  });

  test('error only fails (E38)', () => {
    expect(world.internal('error', (w) => w.int(-5))).toBe(Code.MarshallingError);
  });

  test('reconfig is disabled (E92)', () => {
    const request = { joiningServers: '', leavingServers: '', newMembers: '', curConfigId: -1n };
    expect(world.run('reconfig', request).code).toBe(Code.ReconfigDisabled);
  });

  describe('deleteContainer (E47, E48)', () => {
    const reap = (path: string, czxid = world.world.tree.czxid(world.world.tree.findText(path))) => {
      const write = (w: JuteWriter) => {
        w.ustring(path);
        w.longNumber(czxid);
      };
      return world.internal('deleteContainer', write, { session: 0 });
    };

    test('a container goes when it has no children', () => {
      world.run('createContainer', { path: '/box', data: null, acl: anyone(31), flags: 4 });
      world.create('/box/x');
      expect(reap('/box')).toBe(Code.NotEmpty);
      world.run('delete', { path: '/box/x', version: -1 });
      expect(reap('/box')).toBe(0);
      expect(reap('/box', 0)).toBe(Code.NoNode);
    });

    test('a TTL node goes when its data is too old by the time of the entry', () => {
      world.run('createTTL', { path: '/t', data: null, acl: anyone(31), flags: 5, ttl: 1000n });
      world.timeMs += 1000;
      expect(reap('/t')).toBe(Code.BadVersion);
      world.run('setData', { path: '/t', data: null, version: -1 });
      world.timeMs += 1000;
      expect(reap('/t')).toBe(Code.BadVersion); // renewed
      world.timeMs += 1;
      expect(reap('/t')).toBe(0);
    });

    test('no other node goes', () => {
      world.create('/plain');
      world.create('/eph', null, 1);
      expect([reap('/plain'), reap('/eph'), reap('/zookeeper/quota')]).toEqual([
        Code.BadVersion,
        Code.BadVersion,
        Code.BadArguments,
      ]);
    });
  });
});
