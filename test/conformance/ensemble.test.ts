/** Checklist 4, 16, 24, 25, 28, 29, 31 and 33, with three servers or five. */
import { CreateFlag } from '../../protocol/client/constants.js';
import { Code } from '../../protocol/client/errors.js';
import { DEFAULT_ENSEMBLE_OPTIONS, VirtualClient, type VirtualServer } from '../../src/testing/index.js';
import { type EnsembleScene, ensembleScene, states } from './ensemble-scene.js';
import { bytes, code, create, inShort, OPEN_ACL, statOf } from './scene.js';

const EPHEMERAL = { data: null, acl: OPEN_ACL, flags: CreateFlag.ephemeral };

const NODE_EXISTS = { type: 'error', code: Code.NodeExists };

function expectAgreement({ ensemble, settle }: EnsembleScene): void {
  settle();
  expect(new Set(states(ensemble)).size).toBe(1);
}

function has(server: VirtualServer, path: string): boolean {
  const reader = new VirtualClient(server.world);
  reader.connected(server);
  return code(reader, 'exists', { path, watch: false }) === 0;
}

describe('4: a session goes on at another server', () => {
  /** One session with two connections: the old one, and the one it was resumed on. */
  function moved(from: (scene: EnsembleScene) => VirtualServer, to: (scene: EnsembleScene) => VirtualServer) {
    const scene = ensembleScene();
    const old = scene.client(from(scene));
    create(old, '/e', EPHEMERAL);
    scene.settle();
    const now = new VirtualClient(scene.world);
    const { sessionId, password, lastZxidSeen } = old;
    const answer = now.connected(to(scene), { sessionId, password, lastZxidSeen: BigInt(lastZxidSeen) });
    expect(answer).toMatchObject({ kind: 'connect', sessionId });
    return { ...scene, old, now };
  }
  const leader = (scene: EnsembleScene) => scene.leader;
  const follower = (index: number) => (scene: EnsembleScene) => scene.followers[index];

  test.each([
    ['follower to follower', follower(0), follower(1)],
    ['follower to leader', follower(0), leader],
    ['leader to follower', leader, follower(1)],
  ])('%s: its ephemerals stay', (_, from, to) => {
    const { world, now } = moved(from, to);
    world.run(500);
    expect(statOf(now, '/e').ephemeralOwner).toBe(now.sessionId);
    create(now, '/later', EPHEMERAL);
  });

  test('a read on the old connection to a follower works, a write closes it without a reply (E19)', () => {
    const scene = moved(follower(0), follower(1));
    const { old, now } = scene;
    expect(code(old, 'exists', { path: '/e', watch: false })).toBe(0);
    expect(code(old, 'ping', undefined)).toBe(0);
    const from = old.received.length;
    old.send('setData', { path: '/e', data: bytes('old'), version: -1 });
    old.awaitReceived(from, ({ kind }) => kind === 'closed', 'the end');
    expect(inShort(old, from)).toEqual(['closed']);
    expect(statOf(now, '/e').version).toBe(0);
    expectAgreement(scene);
  });

  test('back and forth: each time the last one has it', () => {
    const scene = moved(follower(0), follower(1));
    const { world, now, followers } = scene;
    for (let i = 0; i < 6; i++) {
      expect(now.resumed(followers[i % 2])).toMatchObject({ kind: 'connect', sessionId: now.sessionId });
      expect(code(now, 'setData', { path: '/e', data: null, version: i })).toBe(0);
      world.run(50);
    }
  });

  test('a session that is closed cannot be resumed anywhere (E4)', () => {
    const { world, old, now, followers } = moved(follower(0), follower(1));
    const { password } = now;
    const sessionId = now.sessionId;
    code(now, 'closeSession', undefined);
    world.run(50);
    for (const server of followers) {
      expect(old.connected(server, { sessionId, password })).toMatchObject({
        kind: 'connect',
        sessionId: 0n,
        timeoutMs: 0,
      });
    }
  });

  test('what it has seen it sees at the next server, at once', () => {
    const { world, client, followers, ensemble, leader } = ensembleScene();
    const one = client(followers[0]);
    create(one, '/a');
    // The other follower is behind: what the leader tells it takes its time.
    ensemble.network.setDelay(leader.id, followers[1].id, 200);
    for (let i = 0; i < 5; i++) {
      code(one, 'setData', { path: '/a', data: null, version: i });
      world.run(1);
    }
    for (let tries = 0; !(one.resumed(followers[1]).kind === 'connect') && tries < 50; tries++) world.run(50);
    expect(statOf(one, '/a').version).toBe(5);
  });
});

describe('16: a multi through a follower', () => {
  test.each([0, 1, 2])('fails as a whole at its operation %i, and every server agrees', (failing) => {
    const scene = ensembleScene();
    const one = scene.client(scene.followers[0]);
    create(one, '/a');
    const make = (path: string) => ({ op: 'create', request: { path, data: null, acl: OPEN_ACL, flags: 0 } }) as const;
    const parts = [0, 1, 2].map((i) => make(i === failing ? '/a' : `/m${i}`));
    const frames = [
      one.prepare('multi', parts),
      ...[0, 1, 2].map((i) => one.prepare('exists', { path: `/m${i}`, watch: false })),
    ];
    const from = one.received.length;
    const last = one.sendAll(frames);
    one.replyTo(last, from);
    const reads = [last - 2, last - 1, last].map((xid) => `reply ${xid} (${Code.NoNode})`);
    expect(inShort(one, from)).toEqual([`reply ${last - 3}`, ...reads]);
    expect(one.received[from]).toMatchObject({ response: [0, 1, 2].map((i) => (i === failing ? NODE_EXISTS : {})) });
    expectAgreement(scene);
  });
});

describe('24: what keeps a session alive through a follower (E16)', () => {
  test('reads alone', () => {
    const { world, client, followers } = ensembleScene();
    const one = client(followers[0], { timeoutMs: 500 });
    create(one, '/e', EPHEMERAL);
    for (let i = 0; i < 20; i++) {
      world.run(300);
      expect(code(one, 'getChildren', { path: '/', watch: false })).toBe(0);
    }
    expect(statOf(one, '/e').ephemeralOwner).toBe(one.sessionId);
  });

  test('pings alone, with a break between two connections', () => {
    const { world, client, followers } = ensembleScene();
    const one = client(followers[0], { timeoutMs: 800 });
    create(one, '/e', EPHEMERAL);
    for (let i = 0; i < 10; i++) {
      world.run(400);
      code(one, 'ping', undefined);
    }
    world.run(500);
    expect(one.resumed(followers[1])).toMatchObject({ sessionId: one.sessionId });
    world.run(500);
    expect(statOf(one, '/e').ephemeralOwner).toBe(one.sessionId);
  });
});

describe('25: expiry (E17, E18)', () => {
  test.each([1, 2, 3, 4, 5])(
    'never before the timeout, wherever the client is, however late messages are (seed %i)',
    (seed) => {
      const { world, ensemble, client, followers, leader } = ensembleScene({}, seed);
      for (const { id } of followers) ensemble.network.setDelay(leader.id, id, 40);
      const timeoutMs = 600;
      const ones = ensemble.servers.map((server) => client(server, { timeoutMs }));
      world.run(world.delayUpTo(300));
      const lastMs = ones.map((one) => {
        code(one, 'ping', undefined);
        return world.nowMs;
      });
      ones.forEach((one, i) => {
        const isThere = () => leader.replica.world.sessions.get(Number(one.sessionId)) !== undefined;
        world.runUntil(() => !isThere(), 'it expires');
        const silentMs = world.nowMs - lastMs[i];
        expect(silentMs).toBeGreaterThanOrEqual(timeoutMs - 1);
        // A tick to round up, one since reports come with pings, and the way of the messages.
        expect(silentMs).toBeLessThanOrEqual(timeoutMs + 400);
      });
    },
  );

  test('a client that is heard of just in time lives, though the leader learns of it late', () => {
    const { world, ensemble, client, followers, leader } = ensembleScene();
    for (const { id } of followers) ensemble.network.setDelay(leader.id, id, 10);
    const one = client(followers[0], { timeoutMs: 400 });
    for (let i = 0; i < 60; i++) {
      one.send('ping', undefined);
      world.run(395);
      expect(one.isConnected).toBe(true);
    }
  });

  test('a new leader gives every session its whole timeout again, and no more', () => {
    const { world, ensemble, client, followers, leader } = ensembleScene();
    const timeoutMs = 1500;
    const one = client(followers[0], { timeoutMs });
    create(one, '/e', EPHEMERAL);
    world.run(1000);
    ensemble.crash(leader.id);
    const next = ensemble.awaitLeader();
    const sinceMs = world.nowMs;
    const isThere = () => next.replica.world.sessions.get(Number(one.sessionId)) !== undefined;
    expect(isThere()).toBe(true);
    world.runUntil(() => !isThere(), 'it expires');
    expect(world.nowMs - sinceMs).toBeGreaterThanOrEqual(timeoutMs - 50);
    expect(world.nowMs - sinceMs).toBeLessThanOrEqual(2 * timeoutMs);
    expect(has(next, '/e')).toBe(false);
  });
});

describe('28: a server that comes back with more than the others have (E81)', () => {
  /** The leader is alone and logs three writes that nobody else has; the others go on without it. */
  function parted(setup: Parameters<typeof ensembleScene>[0], writes: number) {
    const scene = ensembleScene(setup);
    const { world, ensemble, leader, followers, client } = scene;
    const [lost, going] = [client(leader), client(followers[0], { timeoutMs: 60_000 })];
    create(going, '/before');
    ensemble.network.isolate(leader.id);
    for (let i = 0; i < 3; i++) lost.send('create', { path: `/lost${i}`, data: null, acl: OPEN_ACL, flags: 0 });
    world.run(50);
    expect(leader.disk.lastZxid).toBeGreaterThan(followers[0].disk.lastZxid);
    world.runUntil(() => ensemble.leader() !== leader && ensemble.leader() !== null, 'another leader');
    expect(inShort(lost).filter((line) => line.startsWith('reply'))).toEqual([]);
    const next = ensemble.leader() as VirtualServer;
    world.runUntil(() => followers.every(({ replica }) => replica.isServing), 'both serve');
    going.resumed(next);
    for (let i = 0; i < writes; i++) create(going, `/after${i}`);
    scene.sentTo(leader);
    ensemble.network.heal();
    return { ...scene, next };
  }

  test('cuts it off, and gets what it lacks', () => {
    const scene = parted({}, 3);
    expectAgreement(scene);
    const sent = scene.sentTo(scene.leader);
    expect([sent.has('truncate'), sent.has('snapshot'), sent.has('propose')]).toEqual([true, false, true]);
    expect(['/before', '/lost0', '/lost2', '/after2'].map((path) => has(scene.leader, path))).toEqual([
      true,
      false,
      false,
      true,
    ]);
  });

  test('takes a full copy when the log no longer reaches back that far', () => {
    const scene = parted({ options: { checkpointEntries: 10 }, ensemble: { historyBytesMax: 0 } }, 60);
    expectAgreement(scene);
    const sent = scene.sentTo(scene.leader);
    expect([sent.has('truncate'), sent.has('snapshot')]).toEqual([false, true]);
    expect(has(scene.leader, '/lost0')).toBe(false);
    // What it has taken over is on its disk: it starts from there.
    scene.ensemble.restart(scene.leader.id);
    expectAgreement(scene);
  });
});

describe('29: the leader falls with a write that only a minority has (E88)', () => {
  /** Server 5 leads five; server 4 alone has its last write, and nobody has been told that it is committed. */
  function fallen() {
    const scene = ensembleScene({ voters: 5 });
    const { world, ensemble, leader, client } = scene;
    const one = client(leader);
    create(one, '/before');
    world.run(100);
    const keeper = scene.followers[scene.followers.length - 1];
    for (const { id } of scene.followers) if (id !== keeper.id) ensemble.network.cut(leader.id, id);
    const from = one.received.length;
    const before = leader.disk.lastZxid;
    one.send('create', { path: '/last', data: null, acl: OPEN_ACL, flags: 0 });
    world.runUntil(() => Math.min(keeper.disk.lastZxid, leader.disk.lastZxid) > before, 'both have it');
    world.run(20);
    expect(inShort(one, from)).toEqual([]);
    ensemble.crash(leader.id, true);
    return { ...scene, keeper };
  }

  test('the next leader has it: it is committed', () => {
    const scene = fallen();
    const next = scene.ensemble.awaitLeader();
    expect(next.id).toBe(scene.keeper.id);
    expect(has(next, '/last')).toBe(true);
    scene.ensemble.network.heal();
    scene.ensemble.start();
    expectAgreement(scene);
    for (const server of scene.ensemble.servers) expect(has(server, '/last')).toBe(true);
  });

  test('the next leader does not have it: it never happened', () => {
    const scene = fallen();
    scene.ensemble.crash(scene.keeper.id, true);
    const next = scene.ensemble.awaitLeader();
    expect(has(next, '/last')).toBe(false);
    scene.ensemble.network.heal();
    scene.ensemble.start();
    expectAgreement(scene);
    for (const server of scene.ensemble.servers) expect(has(server, '/last')).toBe(false);
  });
});

test.each([1, 2, 3, 4, 5, 6])(
  '31: the power fails everywhere, in the middle of writing: what was acknowledged is there (seed %i)',
  (seed) => {
    const scene = ensembleScene({ options: { checkpointEntries: 20 } }, seed);
    const { world, ensemble, client } = scene;
    const acknowledged: string[] = [];
    for (const server of ensemble.servers) {
      const one = client(server);
      one.onReceived = (item) => {
        if (item.kind === 'reply' && item.code === 0) acknowledged.push((item.response as { path: string }).path);
      };
      for (let i = 0; i < 30; i++)
        one.send('create', { path: `/s${server.id}-${i}`, data: null, acl: OPEN_ACL, flags: 0 });
      world.run(3);
    }
    world.run(world.delayUpTo(20));
    ensemble.crashAll();
    const before = [...acknowledged];
    world.run(100);
    ensemble.start();
    expectAgreement(scene);
    const reader = client(ensemble.servers[0]);
    expect(before.filter((path) => code(reader, 'exists', { path, watch: false }) !== 0)).toEqual([]);
  },
);

test('33: an epoch that is used up is followed by the next, and no client is disturbed (E90)', () => {
  const scene = ensembleScene({
    ensemble: { ...DEFAULT_ENSEMBLE_OPTIONS, epochEntriesMax: 10, ...votersOf(3) },
    observers: 1,
  });
  const { world, ensemble, client, leader } = scene;
  const clients = ensemble.servers.map((server) => client(server));
  const epoch = leader.replica.epoch;
  for (let round = 0; round < 20; round++) {
    for (const one of clients) {
      one.send('create', { path: '/s-', data: null, acl: OPEN_ACL, flags: CreateFlag.persistentSequential });
      one.send('sync', { path: '/' });
    }
    world.run(5);
  }
  world.run(1000);
  for (const one of clients) {
    const replies = one.received.flatMap((item) => (item.kind === 'reply' ? [item] : []));
    expect(replies.map(({ xid, code: result }) => [xid, result])).toEqual(
      Array.from({ length: 40 }, (_, i) => [i + 1, 0]),
    );
    expect(one.isConnected).toBe(true);
  }
  expect(leader.replica.isLeading).toBe(true);
  expect(leader.replica.epoch).toBeGreaterThan(epoch + 3);
  expectAgreement(scene);
  for (const { disk } of ensemble.servers) expect(disk.currentEpoch).toBe(leader.replica.epoch);
});

function votersOf(count: number) {
  const ids = Array.from({ length: count }, (_, i) => i + 1);
  return { voters: ids.map((id) => ({ id, weight: 1, group: 0 })), observers: [count + 1] };
}
