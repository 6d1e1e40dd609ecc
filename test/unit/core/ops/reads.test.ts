// Reads: E35, E37, E41, E57, E62–E64, E66. "Observed" is what Apache ZooKeeper 3.8.0 answered.

import { Code } from '../../../../protocol/client/errors.js';
import type { Acl } from '../../../../protocol/client/records.js';
import { JuteWriter } from '../../../../protocol/jute/writer.js';
import { TestWorld } from '../../../helpers/world.js';

const anyone = (perms: number): Acl[] => [{ perms, id: { scheme: 'world', id: 'anyone' } }];
const text = (value: string) => new TextEncoder().encode(value);
const ANN = { scheme: 'digest', id: 'ann:hash' };

let world: TestWorld;
beforeEach(() => {
  world = new TestWorld();
});

describe('paths of reads are not validated (E35)', () => {
  test.each(['exists', 'getData', 'getChildren', 'getChildren2'] as const)('%s', (name) => {
    world.create('/q');
    const code = (path: string) => world.run(name, { path, watch: false }).code;
    expect(['', '/', '/q'].map(code)).toEqual([0, 0, 0]);
    const odd = ['a', 'q', 'a/b', '/q/', '//', '//q', '/q//x', '/q/..', '/q/\u0001', '/q/\u{1f600}', '/none'];
    expect(odd.map(code)).toEqual(odd.map(() => Code.NoNode));
    expect(code('/q/a\0')).toBe(name === 'exists' ? Code.BadArguments : Code.NoNode); // observed
  });

  test('a null path cannot be decoded; getEphemerals and sync take it (observed)', () => {
    const nullPath = (opCode: number, ...rest: number[]) => {
      const writer = new JuteWriter();
      writer.ustring(null);
      writer.raw(Uint8Array.from(rest));
      return world.runBytes(opCode, writer.toBytes());
    };
    const MARSHALLING = { code: Code.MarshallingError };
    for (const opCode of [3, 4, 8, 12]) expect(nullPath(opCode, 0)).toMatchObject(MARSHALLING);
    for (const opCode of [6, 104]) expect(nullPath(opCode)).toMatchObject(MARSHALLING);
    expect(nullPath(103)).toMatchObject({ code: 0, body: Uint8Array.of(0, 0, 0, 0) });
    expect(nullPath(9)).toMatchObject({ code: 0, body: Uint8Array.of(255, 255, 255, 255) });
  });
});

test('getData: data, then Stat; null and empty are told apart', () => {
  world.create('/x', text('value'));
  world.create('/null', null);
  const { response } = world.run('getData', { path: '/x', watch: false });
  expect(response).toMatchObject({ data: text('value'), stat: { dataLength: 5, version: 0 } });
  expect(world.run('getData', { path: '/null', watch: false }).response?.data).toBeNull();
});

test('getChildren2: names and Stat', () => {
  world.create('/p');
  world.create('/p/a');
  world.create('/p/größe');
  const { response } = world.run('getChildren2', { path: '/p', watch: false });
  expect(response?.children.sort()).toEqual(['a', 'größe']);
  expect(response?.stat).toMatchObject({ numChildren: 2, cversion: 2 });
  expect(world.run('getChildren', { path: '/p', watch: false }).response?.children.sort()).toEqual(['a', 'größe']);
});

test('E41: READ for everything but exists of a missing node', () => {
  world.create('/secret', null, 0, anyone(2));
  for (const name of ['exists', 'getData', 'getChildren', 'getChildren2'] as const) {
    expect(world.run(name, { path: '/secret', watch: true }).code).toBe(Code.NoAuth);
  }
  expect(world.run('getAllChildrenNumber', { path: '/secret' }).code).toBe(Code.NoAuth);
  expect(world.watches.isEmpty).toBe(true);
  expect(world.run('getData', { path: '/secret', watch: false }, { skipAcl: true }).code).toBe(0);
});

describe('getACL (E41)', () => {
  const MIXED: Acl[] = [
    { perms: 31, id: ANN },
    { perms: 1, id: { scheme: 'world', id: 'anyone' } },
    { perms: 31, id: { scheme: 'ip', id: '10.0.0.0/8' } },
  ];
  test('in the order given; the hash is shown to who has ADMIN', () => {
    world.create('/x', null, 0, MIXED);
    expect(world.run('getACL', { path: '/x' }, { identities: [ANN] }).response?.acl).toEqual(MIXED);
    const hidden = [{ perms: 31, id: { scheme: 'digest', id: 'ann:x' } }, ...MIXED.slice(1)];
    expect(world.run('getACL', { path: '/x' }).response?.acl).toEqual(hidden);
  });

  test('ADMIN alone is enough, WRITE alone is not', () => {
    world.create('/admin', null, 0, anyone(16));
    world.create('/write', null, 0, anyone(2));
    expect(world.run('getACL', { path: '/admin' }).code).toBe(0);
    expect(world.run('getACL', { path: '/write' }).code).toBe(Code.NoAuth);
    expect(world.run('getACL', { path: '/none' }).code).toBe(Code.NoNode);
  });

  test('E36: the built-in nodes', () => {
    expect(world.run('getACL', { path: '/' }).response?.acl).toEqual(anyone(31));
    const config = world.run('getACL', { path: '/zookeeper/config' }).response;
    expect(config).toMatchObject({ acl: anyone(1), stat: { aversion: -1, version: 0, czxid: 0n } });
  });
});

test('E37: getAllChildrenNumber counts what is below; for the root /zookeeper too', () => {
  world.create('/p');
  world.create('/p/a');
  world.create('/p/a/b');
  world.create('/pq');
  const count = (path: string) => world.run('getAllChildrenNumber', { path }).response?.totalNumber;
  expect([count('/p'), count('/p/a/b'), count('/')]).toEqual([2, 0, 7]);
});

test('E37: getEphemerals returns those of the caller, by a prefix that knows no slash, without asking any ACL', () => {
  const create = (path: string, session: number) =>
    world.run('create', { path, data: null, acl: anyone(2), flags: 1 }, { session });
  world.create('/e');
  create('/e/a', world.session);
  create('/e/ab', world.session);
  create('/other', world.session);
  create('/e/foreign', 5);
  const list = (prefixPath: string) => world.run('getEphemerals', { prefixPath }).response?.ephemerals.sort();
  expect(list('/e/a')).toEqual(['/e/a', '/e/ab']);
  expect(list('/e')).toEqual(['/e/a', '/e/ab']);
  expect(list('/zzz')).toEqual([]);
  for (const all of ['', '/', ' / ']) expect(list(all)).toEqual(['/e/a', '/e/ab', '/other']);
});

test('whoAmI shows the user of a digest, and nobody for super', () => {
  const identities = [ANN, { scheme: 'ip', id: '::1' }, { scheme: 'super', id: '' }];
  expect(world.run('whoAmI', undefined, { identities }).response?.clientInfo).toEqual([
    { authScheme: 'digest', user: 'ann' },
    { authScheme: 'ip', user: '::1' },
    { authScheme: 'super', user: '' },
  ]);
});

test('ping answers nothing, sync the path', () => {
  expect(world.run('ping', undefined)).toMatchObject({ code: 0, body: new Uint8Array(0) });
  expect(world.run('sync', { path: '/any/path' }).response).toEqual({ path: '/any/path' });
});

describe('watches (E57)', () => {
  const seen = () => world.events.splice(0).map(({ type, path }) => `${type} ${path}`);

  test('exists sets one on a missing node; getData and getChildren do not', () => {
    expect(world.run('exists', { path: '/x', watch: true }).code).toBe(Code.NoNode);
    world.run('getData', { path: '/y', watch: true });
    world.run('getChildren', { path: '/y', watch: true });
    world.create('/x');
    world.create('/y');
    expect(seen()).toEqual(['1 /x']);
  });

  test('getData, getChildren and getChildren2 set theirs on a node that is there', () => {
    world.create('/x');
    world.run('getData', { path: '/x', watch: true });
    world.run('getChildren', { path: '/x', watch: true });
    world.create('/x/child');
    world.run('getChildren2', { path: '/x', watch: true });
    world.run('setData', { path: '/x', data: null, version: -1 });
    world.run('delete', { path: '/x/child', version: -1 });
    expect(seen()).toEqual(['4 /x', '3 /x', '4 /x']);
  });

  test('without the flag nothing is set', () => {
    world.create('/x');
    for (const name of ['exists', 'getData', 'getChildren', 'getChildren2'] as const) {
      world.run(name, { path: '/x', watch: false });
    }
    expect(world.watches.isEmpty).toBe(true);
  });

  test('E64: addWatch answers 0, on a missing node too, and knows two modes', () => {
    expect(world.run('addWatch', { path: '/p', mode: 0 }).response).toEqual({ err: 0 });
    expect(world.run('addWatch', { path: '/r', mode: 1 }).response).toEqual({ err: 0 });
    expect(world.run('addWatch', { path: '/r', mode: 5 }).code).toBe(Code.MarshallingError); // observed
    world.create('/p');
    world.create('/p/x');
    world.create('/r');
    world.create('/r/x');
    expect(seen()).toEqual(['1 /p', '4 /p', '1 /r', '1 /r/x']);
  });

  test('E66: checkWatches and removeWatches', () => {
    world.create('/x');
    world.run('getData', { path: '/x', watch: true });
    const [CHILDREN, DATA] = [1, 2];
    expect(world.run('checkWatches', { path: '/x', type: CHILDREN }).code).toBe(Code.NoWatcher);
    expect(world.run('checkWatches', { path: '/x', type: DATA }).code).toBe(0);
    expect(world.run('removeWatches', { path: '/x', type: CHILDREN }).code).toBe(Code.NoWatcher);
    expect(world.run('removeWatches', { path: '/x', type: DATA }).code).toBe(0);
    expect(world.run('removeWatches', { path: '/x', type: DATA }).code).toBe(Code.NoWatcher);
    expect(world.watches.isEmpty).toBe(true);
    for (const type of [0, 6, 9]) {
      expect(world.run('removeWatches', { path: '/x', type }).code).toBe(Code.MarshallingError); // observed
      expect(world.run('checkWatches', { path: '/x', type }).code).toBe(Code.MarshallingError);
    }
  });

  test('E62, E63: setWatches2 delivers what was missed and sets the rest', () => {
    world.create('/old');
    const relativeZxid = BigInt(world.zxid);
    world.create('/new');
    const lists = { relativeZxid, dataWatches: ['/old', '/new', '/gone'], existWatches: ['/new', '/gone'] };
    world.run('setWatches', { ...lists, childWatches: ['/old', '/'] });
    expect(seen()).toEqual(['3 /new', '2 /gone', '1 /new', '4 /']);
    world.run('setWatches2', {
      relativeZxid,
      dataWatches: [],
      existWatches: [],
      childWatches: [],
      persistentWatches: ['/p'],
      persistentRecursiveWatches: ['/r'],
    });
    world.create('/gone');
    world.create('/old/child');
    world.create('/p');
    world.create('/r');
    world.create('/r/x');
    expect(seen()).toEqual(['1 /gone', '4 /old', '1 /p', '1 /r', '1 /r/x']);
  });

  test('setWatches with null lists cannot be decoded (observed)', () => {
    const writer = new JuteWriter();
    writer.longNumber(0);
    for (let i = 0; i < 3; i++) writer.int(-1);
    expect(world.runBytes(101, writer.toBytes()).code).toBe(Code.MarshallingError);
  });
});
