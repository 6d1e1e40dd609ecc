// multi and multiRead: E49–E55.

import { Code } from '../../../../protocol/client/errors.js';
import type { MultiPart } from '../../../../protocol/client/multi.js';
import type { Acl } from '../../../../protocol/client/records.js';
import { JuteWriter } from '../../../../protocol/jute/writer.js';
import { OPEN_ACL, TestWorld } from '../../../helpers/world.js';

const text = (value: string) => new TextEncoder().encode(value);
const create = (path: string, data: Uint8Array | null = null, acl: Acl[] = OPEN_ACL, flags = 0): MultiPart => ({
  op: 'create',
  request: { path, data, acl, flags },
});
const set = (path: string, data: Uint8Array | null, version = -1): MultiPart => ({
  op: 'setData',
  request: { path, data, version },
});
const remove = (path: string, version = -1): MultiPart => ({ op: 'delete', request: { path, version } });
const check = (path: string, version = -1): MultiPart => ({ op: 'check', request: { path, version } });

let world: TestWorld;
beforeEach(() => {
  world = new TestWorld();
  world.create('/m');
});

test('an empty multi is legal and answers nothing', () => {
  expect(world.run('multi', [])).toMatchObject({ code: 0, response: [] });
});

test('E50: each part sees the earlier ones, all under one zxid', () => {
  const { code, response, zxid } = world.run('multi', [
    check('/m', 0),
    create('/m/a'),
    create('/m/a/b'),
    create('/m/s-', null, OPEN_ACL, 2),
    set('/m', text('1'), 0),
    set('/m', text('22'), 1),
    remove('/m/a/b'),
  ]);
  expect(code).toBe(0);
  const stat = { mzxid: BigInt(zxid), pzxid: BigInt(zxid), cversion: 2, numChildren: 2 };
  expect(response).toMatchObject([
    { type: 'check' },
    { type: 'create', path: '/m/a' },
    { type: 'create', path: '/m/a/b' },
    { type: 'create', path: '/m/s-0000000001' },
    { type: 'setData', stat: { ...stat, version: 1, dataLength: 1 } }, // as of its part, not as of the end
    { type: 'setData', stat: { ...stat, version: 2, dataLength: 2 } },
    { type: 'delete' },
  ]);
});

test('E52: create2, createContainer and createTTL answer as type 15 with a Stat', () => {
  const request = { data: null, acl: OPEN_ACL };
  const { response, body } = world.run('multi', [
    { op: 'create2', request: { ...request, path: '/m/2', flags: 0 } },
    { op: 'createContainer', request: { ...request, path: '/m/box', flags: 4 } },
    { op: 'createTTL', request: { ...request, path: '/m/ttl', flags: 5, ttl: 9n } },
  ]);
  expect(response?.map((result) => ('path' in result ? [result.type, result.path] : result))).toEqual([
    ['create2', '/m/2'],
    ['create2', '/m/box'],
    ['create2', '/m/ttl'],
  ]);
  expect(Array.from(body.subarray(0, 9))).toEqual([0, 0, 0, 15, 0, 0, 0, 0, 0]);
});

test('E49: the op number decides the kind, not the flag', () => {
  world.run('multi', [create('/m/plain', null, OPEN_ACL, 4)]);
  const { tree } = world.world;
  expect([...tree.expendables()]).toEqual([]);
  expect(tree.findText('/m/plain')).not.toBe(0);
});

describe('E51: results of a failure', () => {
  const good = (name: string) => create(`/m/${name}`);
  test.each([
    ['first', [remove('/none'), good('x'), good('y')], [Code.NoNode, -2, -2]],
    ['middle', [good('x'), remove('/none'), good('y')], [0, Code.NoNode, -2]],
    ['last', [good('x'), good('y'), remove('/none')], [0, 0, Code.NoNode]],
    ['only', [remove('/none')], [Code.NoNode]],
    ['check', [check('/m', 77), good('x')], [Code.BadVersion, -2]],
    ['exists by an earlier part', [good('x'), good('x')], [0, Code.NodeExists]],
    ['not empty by an earlier part', [good('x'), remove('/m')], [0, Code.NotEmpty]],
    ['bad flag', [good('x'), create('/m/y', null, OPEN_ACL, 9)], [0, Code.BadArguments]],
  ])('%s', (_name, parts, codes) => {
    const before = world.world.tree.digest();
    const { code, response, changes } = world.run('multi', parts);
    expect(code).toBe(0);
    expect(response).toEqual(codes.map((each) => ({ type: 'error', code: each })));
    // E53: nothing has happened, nothing fires.
    expect(changes).toEqual([]);
    expect(world.world.tree.digest()).toEqual(before);
    expect(world.run('exists', { path: '/m/x', watch: false }).code).toBe(Code.NoNode);
  });
});

test('E51: an error stands twice on the wire, in its header and as its body', () => {
  const { body } = world.run('multi', [remove('/none')]);
  const int = (value: number) => [value >> 24, value >> 16, value >> 8, value].map((byte) => byte & 0xff);
  expect(Array.from(body)).toEqual([...int(-1), 0, ...int(-101), ...int(-101), ...int(-1), 1, ...int(-1)]);
});

test('E53: the parent of a rolled-back create has its counter back', () => {
  world.run('multi', [create('/m/s-', null, OPEN_ACL, 2), remove('/none')]);
  expect(world.create('/m/s-', null, 2)).toBe('/m/s-0000000000');
});

test('E53: ACL references and quotas are rolled back too', () => {
  const readOnly: Acl[] = [{ perms: 1, id: { scheme: 'world', id: 'anyone' } }];
  const adminToo: Acl[] = [{ perms: 17, id: { scheme: 'world', id: 'anyone' } }];
  const { acls, quotas, tree } = world.world;
  world.create('/kept', null, 0, adminToo);
  const kept = tree.aclId(tree.findText('/kept'));
  const size = acls.size;
  const { response } = world.run('multi', [
    remove('/kept'),
    create('/m/new', null, [{ perms: 7, id: { scheme: 'world', id: 'anyone' } }]),
    create('/m/new/readable', null, readOnly),
    create('/zookeeper/quota/m'),
    create('/zookeeper/quota/m/zookeeper_limits', text('count=1,bytes=-1')),
    remove('/none'),
  ]);
  expect(response?.at(-1)).toEqual({ type: 'error', code: Code.NoNode }); // all but the last succeeded
  expect([...quotas]).toEqual([]);
  acls.sweep();
  expect(acls.size).toBe(size);
  expect(acls.list(kept)).toEqual(adminToo);
});

test('E54: changes of a success come part by part', () => {
  const { changes } = world.run('multi', [create('/m/a'), set('/m/a', text('x')), remove('/m/a'), set('/m', null)]);
  expect(changes.map(({ kind, path }) => `${kind} ${path}`)).toEqual([
    'created /m/a',
    'dataChanged /m/a',
    'deleted /m/a',
    'dataChanged /m',
  ]);
});

test('a null path anywhere: the request as a whole cannot be decoded, and nothing has happened (observed)', () => {
  const writer = new JuteWriter();
  const header = (type: number, done = false) => {
    writer.int(type);
    writer.bool(done);
    writer.int(-1);
  };
  header(5);
  writer.ustring('/m');
  writer.buffer(text('changed'));
  writer.int(-1);
  header(2);
  writer.ustring(null);
  writer.int(-1);
  header(-1, true);
  expect(world.runBytes(14, writer.toBytes())).toMatchObject({ code: Code.MarshallingError, changes: [] });
  expect(world.run('getData', { path: '/m', watch: false }).response?.data).toBeNull();
});

test('permissions and quotas are checked in each part', () => {
  world.create('/locked', null, 0, [{ perms: 1, id: { scheme: 'world', id: 'anyone' } }]);
  expect(world.run('multi', [check('/locked'), set('/locked', null)]).response).toEqual([
    { type: 'error', code: 0 },
    { type: 'error', code: Code.NoAuth },
  ]);
});

describe('multiRead (E55)', () => {
  test('each part succeeds or fails for itself, and none sets a watch', () => {
    world.create('/m/child', text('c'));
    world.create('/locked', null, 0, [{ perms: 2, id: { scheme: 'world', id: 'anyone' } }]);
    const { code, response } = world.run('multiRead', [
      { op: 'getData', request: { path: '/m/child', watch: true } },
      { op: 'getData', request: { path: '/none', watch: true } },
      { op: 'getChildren', request: { path: '/locked', watch: true } },
      { op: 'getChildren', request: { path: '/m', watch: true } },
    ]);
    expect(code).toBe(0);
    expect(response).toMatchObject([
      { type: 'getData', data: text('c'), stat: { dataLength: 1 } },
      { type: 'error', code: Code.NoNode },
      { type: 'error', code: Code.NoAuth },
      { type: 'getChildren', children: ['child'] },
    ]);
    expect(world.watches.isEmpty).toBe(true);
  });

  test('an empty one answers nothing', () => expect(world.run('multiRead', []).response).toEqual([]));
});
