/** Checklist 16 and 17: several operations as one. */
import { Code } from '../../protocol/client/errors.js';
import type { OperationRequest } from '../../src/testing/index.js';
import { bytes, code, create, OPEN_ACL, scene, statOf } from './scene.js';

type Parts = OperationRequest<'multi'>;
const make = (path: string): Parts[number] => ({
  op: 'create',
  request: { path, data: null, acl: OPEN_ACL, flags: 0 },
});
const remove = (path: string): Parts[number] => ({ op: 'delete', request: { path, version: -1 } });
const set = (path: string, version = -1): Parts[number] => ({ op: 'setData', request: { path, data: null, version } });
const error = (code: number) => ({ type: 'error', code });

describe('16: a failure anywhere undoes everything (E50-E53)', () => {
  const cases: [string, Parts, number][] = [
    ['first', [remove('/none'), make('/a'), make('/b')], 0],
    ['middle', [make('/a'), remove('/none'), make('/b')], 1],
    ['last', [make('/a'), make('/a/b'), set('/a', 5)], 2],
  ];
  test.each(cases)('the %s operation fails', (_what, parts, failed) => {
    const { server, client } = scene();
    const one = client();
    const before = server.replica.appliedZxid;
    const { code: header, response, zxid } = one.call('multi', parts);
    expect(header).toBe(0);
    expect(response).toHaveLength(3);
    response?.forEach((result, i) => {
      if (i < failed) expect(result).toEqual(error(0));
      if (i === failed) expect(result).toEqual(error(parts[i].op === 'delete' ? Code.NoNode : Code.BadVersion));
      if (i > failed) expect(result).toEqual(error(Code.RuntimeInconsistency));
    });
    expect(zxid).toBe(before + 1); // it uses its zxid all the same
    expect(code(one, 'exists', { path: '/a', watch: false })).toBe(Code.NoNode);
    const { high, low } = server.replica.world.tree.digest();
    expect(server.replica.world.tree.recomputeDigest()).toEqual({ high, low });
  });

  test('each operation sees the ones before it, and all share one zxid', () => {
    const { client } = scene();
    const one = client();
    const { response, zxid } = one.call('multi', [make('/p'), make('/p/c'), set('/p/c', 0), set('/p/c', 1)]);
    expect(response?.map(({ type }) => type)).toEqual(['create', 'create', 'setData', 'setData']);
    const at = BigInt(zxid);
    expect(statOf(one, '/p/c')).toMatchObject({ czxid: at, mzxid: at, version: 2 });
    expect(statOf(one, '/p')).toMatchObject({ czxid: at, pzxid: at, cversion: 1 });
  });

  test('a pipelined second request sees the rollback', () => {
    const { client } = scene();
    const one = client();
    const from = one.received.length;
    one.sendAll([
      one.prepare('multi', [make('/a'), make('/a/b'), remove('/none')]),
      one.prepare('create2', { path: '/a', data: null, acl: OPEN_ACL, flags: 0 }),
      one.prepare('create', { path: '/s-', data: null, acl: OPEN_ACL, flags: 2 }),
    ]);
    expect(one.replyTo(2, from)).toMatchObject({ code: 0, response: { stat: { cversion: 0, numChildren: 0 } } });
    // The children that were taken back have not counted for the root's sequence either.
    expect(one.replyTo(3, from)).toMatchObject({ response: { path: '/s-0000000001' } });
  });

  test('an empty one is legal and uses a zxid', () => {
    const { server, client } = scene();
    const one = client();
    const before = server.replica.appliedZxid;
    expect(one.call('multi', [])).toMatchObject({ code: 0, response: [], zxid: before + 1 });
  });

  test('no watch fires for what was undone', () => {
    const { client } = scene();
    const one = client();
    code(one, 'exists', { path: '/a', watch: true });
    const from = one.received.length;
    one.call('multi', [make('/a'), remove('/none')]);
    create(one, '/b');
    expect(one.received.slice(from).filter(({ kind }) => kind === 'event')).toEqual([]);
  });

  test('what can follow E26: a failed multi leaves no gap in sequence numbers over a restart', () => {
    const { server, client, restart } = scene();
    const one = client();
    create(one, '/p');
    one.call('multi', [make('/p/x'), remove('/none')]);
    restart();
    one.resumed(server);
    expect(create(one, '/p/', { flags: 2 })).toBe('/p/0000000000');
  });
});

test('17: in a multiRead each part succeeds or fails alone, and none sets a watch (E55)', () => {
  const { client } = scene();
  const one = client();
  create(one, '/a', { data: bytes('v') });
  create(one, '/a/b');
  const { response } = one.call('multiRead', [
    { op: 'getData', request: { path: '/a', watch: true } },
    { op: 'getData', request: { path: '/none', watch: true } },
    { op: 'getChildren', request: { path: '/a', watch: true } },
  ]);
  expect(response).toMatchObject([
    { type: 'getData', data: bytes('v'), stat: { numChildren: 1 } },
    error(Code.NoNode),
    { type: 'getChildren', children: ['b'] },
  ]);
  const from = one.received.length;
  code(one, 'setData', { path: '/a', data: null, version: -1 });
  expect(one.received.slice(from).filter(({ kind }) => kind === 'event')).toEqual([]);
});
