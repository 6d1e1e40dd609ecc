/** A client that asks for more than it takes, and one that sends more than can be done: both wait, and nobody else does. */
import { CreateFlag } from '../../../../protocol/client/constants.js';
import { Code } from '../../../../protocol/client/errors.js';
import { limits } from '../../../../src/core/limits.js';
import { code, create, OPEN_ACL, scene, statOf } from '../../../conformance/scene.js';

test('a flood behind a slow write is held, not lost, and answered in order', () => {
  const { client, server } = scene({ outstandingMax: 1_000_000 }, 100);
  const one = client({ timeoutMs: 60_000 });
  const from = one.received.length;
  const pings = 3 * limits.laneLengthMax;
  const frames = [one.prepare('create', { path: '/a', data: null, acl: OPEN_ACL, flags: 0 })];
  for (let i = 0; i < pings; i++) frames.push(one.prepare('ping', undefined));
  frames.push(one.prepare('exists', { path: '/a', watch: false }));
  for (let i = 0; i < frames.length; i += 5000) one.sendAll(frames.slice(i, i + 5000));
  expect(one.replyTo(2, from)).toMatchObject({ code: 0 });
  expect(one.received.length - from).toBe(frames.length);
  expect(server.replica.clients.outstanding).toBe(0);
});

test('a client that does not read is not answered without end, does not stop others, and goes on where it was', () => {
  const { world, server, client } = scene();
  const [slow, other] = [client({ timeoutMs: 60_000 }), client({ timeoutMs: 60_000 })];
  create(slow, '/big', { data: new Uint8Array(500_000) });
  const from = slow.received.length;
  slow.stopReading();
  const reads = 200;
  for (let i = 0; i < reads; i++) slow.send('getData', { path: '/big', watch: false });
  world.run(100);
  expect(server.replica.stats.reads).toBeLessThan(20);
  expect(code(other, 'create', { path: '/other', data: null, acl: OPEN_ACL, flags: 0 })).toBe(0);
  slow.readOn();
  world.run(1000);
  expect(slow.received.length - from).toBe(reads);
});

test('large reads behind a slow write are held in the socket, not in memory', () => {
  const { world, server, client } = scene({}, 2000);
  const one = client({ timeoutMs: 60_000 });
  const from = one.received.length;
  const path = `/${'x'.repeat(500_000)}`;
  const reads = 30;
  one.send('create', { path: '/a', data: null, acl: OPEN_ACL, flags: 0 });
  for (let i = 0; i < reads; i++) {
    one.send('exists', { path, watch: false });
    world.run(1);
  }
  const [connection] = server.replica.clients;
  expect(connection.lane.length * path.length).toBeLessThan(2 * limits.laneBytesMax);
  world.run(60_000);
  expect(one.received.length - from).toBe(reads + 1);
});

test('one that vanishes in the middle leaves nothing behind', () => {
  const { world, server, client } = scene({ outstandingMax: 10 }, 50);
  const [one, other] = [client(), client()];
  for (let i = 0; i < 100; i++) {
    one.send('create', { path: '/s-', data: null, acl: OPEN_ACL, flags: CreateFlag.persistentSequential });
  }
  world.run(1);
  one.cut();
  expect(code(other, 'setData', { path: '/', data: null, version: -1 })).toBe(0);
  world.run(500);
  expect(server.replica.clients.outstanding).toBe(0);
  expect(statOf(other, '/').numChildren).toBeLessThanOrEqual(101);
});

test('when the pipeline is full, those wait who fill it: a quiet session is served as before', () => {
  const { world, server, client } = scene({ outstandingMax: 100 }, 50);
  const [greedy, quiet] = [client({ timeoutMs: 60_000 }), client({ timeoutMs: 60_000 })];
  const [from, quietFrom] = [greedy.received.length, quiet.received.length];
  const writes = 50_000;
  const frames = Array.from({ length: writes }, () =>
    greedy.prepare('setData', { path: '/', data: null, version: -1 }),
  );
  for (let i = 0; i < writes; i += 500) greedy.sendAll(frames.slice(i, i + 500));
  world.run(1);
  const [greedyHere, quietHere] = server.replica.clients;
  expect(greedyHere.paused).toBe(true);
  let lastMs = world.nowMs;
  for (let i = 0; i < 10; i++) {
    // The whole of what it asks is taken in at once, though as much as may be waits already.
    for (let j = 0; j < 3; j++) quiet.send('setData', { path: '/', data: null, version: -1 });
    world.run(1);
    expect([quietHere.paused, server.replica.clients.outstanding > 100]).toEqual([false, true]);
    world.runUntil(() => quiet.received.length === quietFrom + 3 * (i + 1), 'the quiet session is answered');
    expect(world.nowMs - lastMs).toBeLessThan(4 * 50); // virtual time: a disk's delay is 50 ms at most
    lastMs = world.nowMs;
  }
  expect(greedy.received.length - from).toBeLessThan(writes);
  world.run(60_000);
  expect(greedy.received.length - from).toBe(writes);
  expect(server.replica.stats.throttleWaits).toBeGreaterThan(0);
});

describe('throttledOpWaitTime', () => {
  const flood = (options: object) => {
    const stage = scene({ outstandingMax: 20, ...options }, 50);
    const one = stage.client({ timeoutMs: 60_000 });
    const from = one.received.length;
    const frames = Array.from({ length: 4000 }, () => one.prepare('setData', { path: '/', data: null, version: -1 }));
    frames.push(one.prepare('ping', undefined));
    for (let i = 0; i < frames.length; i += 100) one.sendAll(frames.slice(i, i + 100));
    stage.world.runUntil(() => one.received.length - from === frames.length, 'all is answered');
    const codes = one.received.slice(from).map((item) => (item.kind === 'reply' ? item.code : null));
    return { ...stage, one, codes };
  };

  test('what waits for longer is refused, in its turn, and it goes on when there is room again', () => {
    const { server, one, codes } = flood({ throttledWaitMs: 10 });
    const refused = codes.filter((answer) => answer === Code.ThrottledOp).length;
    expect(refused).toBe(server.replica.stats.throttledRequests);
    expect(refused).toBeGreaterThan(1000);
    expect(codes.filter((answer) => answer === 0).length).toBe(codes.length - refused);
    expect(codes.at(-1)).toBe(0); // the ping is never refused
    expect(code(one, 'setData', { path: '/', data: null, version: -1 })).toBe(0);
  });

  test('without it nothing is refused', () => {
    const { codes } = flood({});
    expect(new Set(codes)).toEqual(new Set([0]));
  });
});
