/** A client that asks for more than it takes, and one that sends more than can be done: both wait, and nobody else does. */
import { CreateFlag } from '../../../../protocol/client/constants.js';
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
