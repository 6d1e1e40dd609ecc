// Quotas (E99), through the operations that are subject to them. The figures are those of Apache ZooKeeper 3.8.0 for
// the same requests, but for the enforcement, which needs a server that is set up for it.

import { Code } from '../../../../protocol/client/errors.js';
import { QuotaTable, quotaFigures } from '../../../../src/core/tree/quota.js';
import { OPEN_ACL, TestWorld } from '../../../helpers/world.js';

const text = (value: string) => new TextEncoder().encode(value);
const ENFORCED = { enforceQuota: true };

let world: TestWorld;
beforeEach(() => {
  world = new TestWorld();
});

function limit(path: string, limits: string): void {
  let at = '/zookeeper/quota';
  for (const name of path.split('/').slice(1)) {
    at += `/${name}`;
    if (world.run('exists', { path: at, watch: false }).code !== 0) world.create(at);
  }
  world.create(`${at}/zookeeper_limits`, text(limits));
  world.create(`${at}/zookeeper_stats`, text('count=0,bytes=0'));
}

function stats(path: string): string {
  const { response } = world.run('getData', { path: `/zookeeper/quota${path}/zookeeper_stats`, watch: false });
  return new TextDecoder().decode(response?.data ?? undefined);
}

const set = (path: string, data: string | null, circumstances = {}) =>
  world.run('setData', { path, data: data === null ? null : text(data), version: -1 }, circumstances).code;
const create = (path: string, data: string | null, circumstances = {}) =>
  world.run('create', { path, data: data === null ? null : text(data), acl: OPEN_ACL, flags: 0 }, circumstances).code;
const remove = (path: string) => world.run('delete', { path, version: -1 }).code;

test('a stats node shows what is there already, whatever it was created with', () => {
  world.create('/y', text('abc'));
  world.create('/y/1', text('de'));
  world.create('/yy', text('not below it'));
  world.create('/zookeeper/quota/y');
  world.create('/zookeeper/quota/y/zookeeper_stats', text('junk'));
  expect(stats('/y')).toBe('count=2,bytes=5');
});

test('every change below the path is counted, the path itself included', () => {
  world.create('/y', text('abc'));
  limit('/y', 'count=5,bytes=1000');
  expect(stats('/y')).toBe('count=1,bytes=3');
  create('/y/b', 'xx');
  create('/y/b/c', null);
  set('/y', '1');
  expect(stats('/y')).toBe('count=3,bytes=3');
  remove('/y/b/c');
  set('/y/b', null);
  expect(stats('/y')).toBe('count=2,bytes=1');
  world.create('/y/eph', text('eeee'), 1);
  expect(stats('/y')).toBe('count=3,bytes=5');
  world.run('closeSession', undefined);
  expect(stats('/y')).toBe('count=2,bytes=1');
  create('/z', 'elsewhere');
  create('/yy', 'elsewhere');
  expect(stats('/y')).toBe('count=2,bytes=1');
});

test('only the data of the stats node changes: no version, no zxid, no watch', () => {
  world.create('/y');
  limit('/y', 'count=5,bytes=-1');
  const path = '/zookeeper/quota/y/zookeeper_stats';
  const before = world.run('getData', { path, watch: true }).response?.stat;
  world.timeMs += 10;
  const { changes } = world.run('create', { path: '/y/x', data: text('0123456789'), acl: OPEN_ACL, flags: 0 });
  expect(changes.map((change) => change.path)).toEqual(['/y/x']);
  const after = world.run('getData', { path, watch: false }).response?.stat;
  expect(after).toEqual({ ...before, dataLength: 'count=2,bytes=10'.length });
});

test('only the nearest path with a quota counts', () => {
  world.create('/y', text('abc'));
  world.create('/y/1', text('q'));
  limit('/y', 'count=9,bytes=9');
  limit('/y/1', 'count=9,bytes=9');
  create('/y/1/m', 'mmm');
  expect([stats('/y'), stats('/y/1')]).toEqual(['count=2,bytes=4', 'count=2,bytes=4']);
  create('/y/2', 'zz');
  expect([stats('/y'), stats('/y/1')]).toEqual(['count=3,bytes=6', 'count=2,bytes=4']);
  remove('/zookeeper/quota/y/1/zookeeper_limits');
  create('/y/1/k', 'k');
  expect([stats('/y'), stats('/y/1')]).toEqual(['count=4,bytes=7', 'count=2,bytes=4']);
});

// What stands in the stats node, and what stands there after a node of one byte was created.
test.each([
  ['count=7,bytes=9,foo=3', 'count=8,bytes=10=;foo=3'],
  ['count=1,bytes=9;byteHardLimit=5;countHardLimit=4', 'count=2,bytes=10=;byteHardLimit=5;countHardLimit=4'],
  ['count=7,bytes=9=;byteHardLimit=5', 'count=8,bytes=10=;byteHardLimit=5'],
  ['', 'count=0,bytes=0'],
  ['count=x', 'count=0,bytes=0'],
])('stats of %j become %j', (before, after) => {
  world.create('/y');
  limit('/y', 'count=2,bytes=-1');
  set('/zookeeper/quota/y/zookeeper_stats', before);
  create('/y/2', 'q');
  expect(stats('/y')).toBe(after);
});

test('a quota for the root has no effect', () => {
  expect(create('/zookeeper/quota/zookeeper_limits', 'count=1,bytes=1=;countHardLimit=0')).toBe(0);
  expect(create('/zookeeper/quota/zookeeper_stats', 'x')).toBe(0);
  expect(create('/any', null, ENFORCED)).toBe(0);
  expect(world.world.quotas.isEmpty).toBe(true);
});

test('limits without stats, and stats without limits, do no harm', () => {
  world.create('/y');
  world.create('/zookeeper/quota/y');
  world.create('/zookeeper/quota/y/zookeeper_limits', text('count=1,bytes=1=;countHardLimit=0'));
  expect(create('/y/a', null, ENFORCED)).toBe(0);
  remove('/zookeeper/quota/y/zookeeper_limits');
  world.create('/zookeeper/quota/y/zookeeper_stats');
  expect(create('/y/b', null, ENFORCED)).toBe(0);
  expect(stats('/y')).toBe('count=2,bytes=0'); // what was there when it was made; without limits nothing is added
});

describe('hard limits', () => {
  beforeEach(() => {
    world.create('/y', text('12'));
    limit('/y', 'count=-1,bytes=-1=;byteHardLimit=5;countHardLimit=3');
  });

  test('count: one more than the limit is refused', () => {
    expect([create('/y/a', null, ENFORCED), create('/y/b', null, ENFORCED)]).toEqual([0, 0]);
    expect(create('/y/c', null, ENFORCED)).toBe(Code.QuotaExceeded);
    expect(stats('/y')).toBe('count=3,bytes=2');
    remove('/y/a');
    expect(create('/y/c', null, ENFORCED)).toBe(0);
  });

  test('bytes: of create and of setData, shrinking is always allowed', () => {
    expect(create('/y/a', '1234', ENFORCED)).toBe(Code.QuotaExceeded);
    expect(create('/y/a', '123', ENFORCED)).toBe(0);
    expect(set('/y/a', '1234', ENFORCED)).toBe(Code.QuotaExceeded);
    expect(set('/y/a', 'abc', ENFORCED)).toBe(0);
    expect(set('/y/a', '1', ENFORCED)).toBe(0);
    expect(set('/y', '1234', ENFORCED)).toBe(0);
  });

  test('E40: quota before the version, WRITE before the quota', () => {
    expect(world.run('setData', { path: '/y', data: text('123456'), version: 9 }, ENFORCED).code).toBe(
      Code.QuotaExceeded,
    );
    world.run('setACL', { path: '/y', acl: [{ perms: 1, id: { scheme: 'world', id: 'anyone' } }], version: -1 });
    expect(set('/y', '123456', ENFORCED)).toBe(Code.NoAuth);
  });

  test('are not enforced where the entry does not say so', () => {
    for (const name of ['a', 'b', 'c', 'd']) expect(create(`/y/${name}`, '123')).toBe(0);
    expect(stats('/y')).toBe('count=5,bytes=14');
  });

  test('count inside of a multi, and are rolled back with it', () => {
    const part = (path: string) => ({ op: 'create' as const, request: { path, data: null, acl: OPEN_ACL, flags: 0 } });
    const { response } = world.run('multi', [part('/y/a'), part('/y/b'), part('/y/c')], ENFORCED);
    expect(response?.map((result) => (result.type === 'error' ? result.code : 0))).toEqual([0, 0, Code.QuotaExceeded]);
    expect(stats('/y')).toBe('count=1,bytes=2');
  });
});

test('soft limits are for people to look at', () => {
  world.create('/y');
  limit('/y', 'count=1,bytes=1');
  expect(create('/y/a', '1234', ENFORCED)).toBe(0);
  expect(quotaFigures(world.world.tree, '/y', 'limits')).toMatchObject({ count: 1, bytes: 1, countHardLimit: -1 });
  expect(quotaFigures(world.world.tree, '/y', 'stats')).toMatchObject({ count: 2, bytes: 4 });
  expect(quotaFigures(world.world.tree, '/none', 'stats')).toBeNull();
});

test('quotas are found again in a tree that was loaded', () => {
  world.create('/y');
  limit('/y', 'count=1,bytes=1');
  limit('/y/deep/er', 'count=1,bytes=1');
  const rebuilt = new QuotaTable();
  rebuilt.rebuild(world.world.tree);
  expect([...rebuilt].sort()).toEqual(['/y', '/y/deep/er']);
});

test('the digest keeps up with the stats nodes', () => {
  world.create('/y');
  limit('/y', 'count=1,bytes=1');
  create('/y/a', '123');
  expect(world.world.tree.digest()).toEqual(world.world.tree.recomputeDigest());
});
