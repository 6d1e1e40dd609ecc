/** Checklist 24–26 and 33: the life of sessions, and of epochs. */
import { CreateFlag } from '../../protocol/client/constants.js';
import { Code } from '../../protocol/client/errors.js';
import { epochOf } from '../../protocol/ids.js';
import { DEFAULT_ENSEMBLE_OPTIONS } from '../../src/testing/index.js';
import { code, create, inShort, OPEN_ACL, scene, statOf } from './scene.js';

const EPHEMERAL = { data: null, acl: OPEN_ACL, flags: CreateFlag.ephemeral };

test('24: reads alone keep a session alive (E16)', () => {
  const { world, client } = scene();
  const one = client({ timeoutMs: 500 });
  create(one, '/e', EPHEMERAL);
  for (let i = 0; i < 20; i++) {
    world.run(300);
    expect(code(one, 'getChildren', { path: '/', watch: false })).toBe(0);
  }
  expect(statOf(one, '/e').ephemeralOwner).toBe(one.sessionId);
});

describe('25: a session expires not before its timeout and at most a tick later (E17)', () => {
  test.each([200, 450, 500, 730, 2000])('%i ms', (timeoutMs) => {
    const { world, server, client } = scene({ tickTimeMs: 100 });
    const watcher = client();
    const one = client({ timeoutMs });
    create(one, '/e', EPHEMERAL);
    world.run(world.delayUpTo(100));
    code(one, 'ping', undefined);
    const lastMs = world.nowMs;
    world.runUntil(() => server.replica.world.sessions.get(Number(one.sessionId)) === undefined, 'the session expires');
    const silentMs = world.nowMs - lastMs;
    expect(silentMs).toBeGreaterThanOrEqual(timeoutMs);
    expect(silentMs).toBeLessThanOrEqual(timeoutMs + 100 + 50);
    expect(code(watcher, 'exists', { path: '/e', watch: false })).toBe(Code.NoNode);
    expect(inShort(one).at(-1)).toBe('closed');
  });

  test('jumps of the wall clock expire nobody', () => {
    const { world, client } = scene();
    const one = client({ timeoutMs: 1000 });
    for (const jumpMs of [3_600_000, -7_200_000, 86_400_000]) {
      world.jumpWallClock(jumpMs);
      world.run(500);
      expect(code(one, 'ping', undefined)).toBe(0);
    }
  });

  test('after a restart every session has its whole timeout again (E18)', () => {
    const { world, server, client, restart } = scene();
    const one = client({ timeoutMs: 1000 });
    world.run(900);
    restart();
    world.run(900);
    expect(one.resumed(server)).toMatchObject({ kind: 'connect', sessionId: one.sessionId });
  });

  test('a pause of the whole process expires nobody whose ping waits in the socket', () => {
    const { world, server, client } = scene();
    const one = client({ timeoutMs: 500 });
    server.isFrozen = true;
    world.run(400);
    one.send('ping', undefined);
    world.run(3000);
    server.isFrozen = false;
    world.run(100);
    expect(code(one, 'ping', undefined)).toBe(0);
  });
});

describe('26: closeSession with creates and deletes of its own ephemerals in flight (E21)', () => {
  test('everything before it counts, nothing after it, and no ephemeral stays', () => {
    const { server, client } = scene();
    const watcher = client();
    const one = client();
    create(one, '/e0', EPHEMERAL);
    const from = one.received.length;
    one.sendAll([
      one.prepare('create', { path: '/e1', ...EPHEMERAL }),
      one.prepare('delete', { path: '/e0', version: -1 }),
      one.prepare('create', { path: '/e2', ...EPHEMERAL }),
      one.prepare('closeSession', undefined),
      one.prepare('create', { path: '/e3', ...EPHEMERAL }),
      one.prepare('create', { path: '/stays', data: null, acl: OPEN_ACL, flags: 0 }),
    ]);
    one.awaitReceived(from, ({ kind }) => kind === 'closed', 'the end');
    expect(inShort(one, from)).toEqual(['reply 2', 'reply 3', 'reply 4', 'reply 5', 'closed']);
    expect(watcher.call('getChildren', { path: '/', watch: false }).response?.children).toEqual(['zookeeper']);
    expect(server.replica.world.tree.ephemeralCount).toBe(0);
  });

  test('it is one entry: one zxid for all deletions', () => {
    const { server, client } = scene();
    const watcher = client();
    const one = client();
    create(watcher, '/p');
    for (const name of ['a', 'b', 'c']) create(one, `/p/${name}`, EPHEMERAL);
    const before = server.replica.appliedZxid;
    code(one, 'closeSession', undefined);
    expect(statOf(watcher, '/p')).toMatchObject({ numChildren: 0, cversion: 6, pzxid: BigInt(before + 1) });
  });
});

test('E14: when the end of a session could not be stored, its connection is closed, not left deaf', () => {
  const { world, server, client } = scene({}, 50);
  const one = client();
  const from = one.received.length;
  server.disk.isFull = true;
  const closing = one.send('closeSession', undefined);
  world.run(1);
  one.send('exists', { path: '/', watch: false });
  one.awaitReceived(from, ({ kind }) => kind === 'closed', 'the end');
  expect(inShort(one, from)).toEqual([`reply ${closing} (${Code.SystemError})`, 'closed']);
  server.disk.isFull = false;
  world.run(200);
  expect(one.resumed(server)).toMatchObject({ kind: 'connect', sessionId: one.sessionId });
});

describe('a full disk: writes are refused, reads are served, nothing is lost', () => {
  test('what was sent before and during is answered in order', () => {
    const { world, server, client } = scene({}, 50);
    const one = client({ timeoutMs: 60_000 });
    create(one, '/a');
    const from = one.received.length;
    server.disk.isFull = true;
    one.sendAll([
      one.prepare('sync', { path: '/' }),
      one.prepare('create', { path: '/lost', data: null, acl: OPEN_ACL, flags: 0 }),
      one.prepare('sync', { path: '/' }),
      one.prepare('exists', { path: '/lost', watch: false }),
    ]);
    one.replyTo(5, from);
    expect(inShort(one, from)).toEqual(['reply 2', 'reply 3 (-1)', 'reply 4', `reply 5 (${Code.NoNode})`]);
    expect(code(one, 'setData', { path: '/a', data: null, version: -1 })).toBe(Code.SystemError);
    expect(code(one, 'exists', { path: '/a', watch: false })).toBe(0);
    server.disk.isFull = false;
    world.run(200);
    expect(code(one, 'setData', { path: '/a', data: null, version: -1 })).toBe(0);
  });
});

describe('33: an epoch that is used up is followed by the next without a break (E90)', () => {
  test('pipelined writes and syncs of several clients go on', () => {
    const { world, server, client } = scene({ ensemble: { ...DEFAULT_ENSEMBLE_OPTIONS, epochEntriesMax: 10 } }, 5);
    const clients = [client(), client(), client()];
    for (let round = 0; round < 40; round++) {
      for (const one of clients) {
        one.send('create', { path: '/s-', data: null, acl: OPEN_ACL, flags: CreateFlag.persistentSequential });
        one.send('sync', { path: '/' });
      }
      world.run(1);
    }
    world.run(500);
    for (const one of clients) {
      const replies = one.received.flatMap((item) => (item.kind === 'reply' ? [item] : []));
      expect(replies.map(({ xid, code: result }) => [xid, result])).toEqual(
        Array.from({ length: 80 }, (_, i) => [i + 1, 0]),
      );
      const zxids = replies.map(({ zxid }) => zxid);
      expect(zxids).toEqual([...zxids].sort((a, b) => a - b));
    }
    expect(server.replica.epoch).toBeGreaterThan(3);
    expect(server.disk.currentEpoch).toBe(server.replica.epoch);
    expect(statOf(clients[0], '/').numChildren).toBe(121);
  });

  test('a sync that comes while the epoch changes waits for the writes of others before it (E70)', () => {
    const { world, server, client } = scene({ ensemble: { ...DEFAULT_ENSEMBLE_OPTIONS, epochEntriesMax: 5 } }, 40);
    const [one, other] = [client(), client()];
    const isOpeningEpoch = () => server.replica.peer.leader === null;
    world.runUntil(() => !isOpeningEpoch(), 'a quiet moment');
    while (!isOpeningEpoch()) {
      one.send('create', { path: '/x-', data: null, acl: OPEN_ACL, flags: 2 });
      world.run(1);
    }
    const epoch = epochOf(server.replica.proposedZxid);
    const mine = one.send('create', { path: '/mine', data: null, acl: OPEN_ACL, flags: 0 });
    world.run(0.6);
    other.send('create', { path: '/theirs', data: null, acl: OPEN_ACL, flags: 0 });
    world.run(0.6);
    const from = one.received.length;
    const synced = one.send('sync', { path: '/' });
    const seen = one.send('exists', { path: '/theirs', watch: false });
    expect(one.replyTo(seen, from).code).toBe(0);
    expect(one.replyTo(mine).zxid).toBeLessThan(one.replyTo(synced).zxid);
    expect(epochOf(one.replyTo(synced).zxid)).toBeGreaterThanOrEqual(epoch);
  });
});

test('a sync waits no longer than for what was proposed before it, and reads behind it see no later write', () => {
  const { world, client } = scene({}, 40);
  const [one, other] = [client(), client()];
  create(one, '/a');
  const from = one.received.length;
  // One turn, one batch: the sync waits for the other's write, and its own write comes behind it in the same batch.
  other.send('setData', { path: '/a', data: null, version: -1 });
  one.sendAll([
    one.prepare('sync', { path: '/' }),
    one.prepare('exists', { path: '/a', watch: false }),
    one.prepare('setData', { path: '/a', data: null, version: -1 }),
    one.prepare('exists', { path: '/a', watch: false }),
  ]);
  world.run(200);
  const stats = one.received.slice(from).flatMap((item) => (item.kind === 'reply' ? [item.response] : []));
  expect(stats).toMatchObject([
    { path: '/' },
    { stat: { version: 1 } },
    { stat: { version: 2 } },
    { stat: { version: 2 } },
  ]);
});
