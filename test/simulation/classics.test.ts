/**
 * Stories of how acknowledged writes were lost elsewhere, told to the ensemble with every crash at the worst moment.
 * Where the moment is not known, it is every moment: the story is told again and again, and each time the server
 * crashes one effect later, until it gets through. See stage.ts for what has to hold at the end of each.
 */
import type { Received, VirtualServer } from '../../src/testing/index.js';
import { OPEN_ACL } from '../helpers/world.js';
import { Stage, type StageOptions } from './stage.js';

const INDEX_MAX = 400;

/** Tells the story with a crash at effect 0, 1, 2 … until there is no such effect any more; with and without luck. */
function atEveryEffect(tell: (crashAt: (stage: Stage, server: VirtualServer) => () => boolean) => void): number {
  for (let index = 0; index < INDEX_MAX; index++) {
    let wasReached = false;
    for (const keepUnsynced of [false, true]) {
      tell((stage, server) => {
        const isReached = stage.crashAtEffect(server, index, keepUnsynced);
        return () => {
          const hasCrashed = isReached();
          wasReached ||= hasCrashed;
          return hasCrashed;
        };
      });
    }
    if (!wasReached) return index;
  }
  throw new Error('the story has no end');
}

/** A leader whose log ends with a write that nobody else has, and that is not committed. Both followers are down. */
function lonelyLeader(options?: StageOptions) {
  const stage = new Stage(options);
  const { leader, followers } = stage.cast();
  const [first, second] = followers as [VirtualServer, VirtualServer];
  stage.write(leader, '/a');
  second.crash(false);
  stage.write(leader, '/b');
  const client = stage.client(leader);
  stage.ensemble.network.isolate(leader.id); // it does not know yet that it is alone
  stage.ask(client, '/c');
  stage.world.run(40);
  leader.crash(true);
  first.crash(false);
  stage.ensemble.network.heal();
  expect(leader.disk.lastZxid).toBeGreaterThan(first.disk.lastZxid);
  return { stage, leader, first, second };
}

describe('the history of a synchronisation is on disk before it counts (ZK-3911, 4643, 4646, 4785)', () => {
  test('the follower crashes at any moment, then the leader; the rest goes on with what there is', () => {
    const effects = atEveryEffect((crashAt) => {
      const { stage, leader, first, second } = lonelyLeader();
      leader.start();
      first.start();
      const hasCrashed = crashAt(stage, first);
      stage.world.run(1000);
      hasCrashed();
      leader.crash(false);
      first.crash(false);
      first.start();
      second.start();
      stage.ensemble.awaitLeader(20_000);
      stage.checkEnd();
    });
    expect(effects).toBeGreaterThan(8); // it was led, and synchronised, and served
  });

  test('the leader crashes at any moment', () => {
    atEveryEffect((crashAt) => {
      const { stage, leader, first, second } = lonelyLeader();
      leader.start();
      first.start();
      const hasCrashed = crashAt(stage, leader);
      stage.world.run(400);
      hasCrashed();
      leader.crash(false);
      second.start();
      stage.ensemble.awaitLeader(20_000);
      stage.checkEnd();
    });
  });

  test('the disk of the follower is full in the middle of it: no epoch without its history', () => {
    for (let afterMs = 0; afterMs < 80; afterMs++) {
      const stage = new Stage({ seed: afterMs + 1 });
      const { leader, followers } = stage.cast();
      const [late, early] = followers as [VirtualServer, VirtualServer];
      late.crash(false);
      stage.write(leader, '/a'); // the early one has it, the late one has not
      early.crash(false);
      leader.crash(false);
      leader.start();
      late.start();
      stage.world.run(afterMs);
      late.disk.isFull = true;
      stage.world.run(150);
      leader.crash(false);
      late.disk.isFull = false;
      early.start();
      stage.ensemble.awaitLeader(20_000);
      stage.checkEnd();
    }
  });
});

describe('what was never committed is cut off, or kept by all', () => {
  test('an old leader comes back with a longer log, and crashes at any moment', () => {
    atEveryEffect((crashAt) => {
      const { stage, leader, first, second } = lonelyLeader();
      first.start();
      second.start();
      stage.write(stage.ensemble.awaitLeader(), '/d');
      leader.start();
      const isReached = crashAt(stage, leader);
      stage.world.run(600);
      isReached();
      stage.checkEnd();
    });
  });

  test('the case of figure 8: x on a majority counts only with the epoch that brought it there', () => {
    const effects = atEveryEffect((crashAt) => {
      const { stage, leader: a, first: b, second: c } = lonelyLeader(); // /c is x, on A alone
      b.start();
      c.start();
      const second = stage.ensemble.awaitLeader(); // y, on the second leader alone
      const third = second === b ? c : b;
      const client = stage.client(second);
      stage.ensemble.network.isolate(second.id);
      stage.ask(client, '/y');
      stage.world.run(40);
      second.crash(true);
      third.crash(false);
      stage.ensemble.network.heal();
      a.start();
      third.start();
      const hasCrashed = crashAt(stage, a); // while it brings x to the third
      stage.world.run(300);
      hasCrashed();
      a.crash(false);
      second.start();
      stage.ensemble.awaitLeader(20_000);
      stage.checkEnd();
    });
    expect(effects).toBeGreaterThan(8);
  });
});

describe('a server that was brought up to date can bring others up to date (ZK-4925)', () => {
  test.each([
    [0, 0],
    [0, 30],
    [300, 0],
    [300, 5],
    [1_000_000, 0],
  ])('%i bytes in memory, %i batches behind the checkpoint', (historyBytesMax, logRetainBatches) => {
    const stage = new Stage({
      voters: 5,
      ensemble: { historyBytesMax },
      options: { checkpointEntries: 12 },
      logRetainBatches,
    });
    const { ensemble } = stage;
    const writeSome = (count: number, name: string) => {
      for (let i = 0; i < count; i++) stage.write(ensemble.awaitLeader(), `/${name}-${i}`);
    };
    ensemble.awaitWhole();
    writeSome(3, 'all');
    ensemble.crash(1, false);
    writeSome(4, 'without-1');
    ensemble.crash(5, false);
    writeSome(20, 'without-1-5');
    ensemble.server(5).start();
    stage.world.run(500);
    writeSome(3, 'without-1-again');
    ensemble.crash(4, false);
    stage.world.run(500);
    const leader = ensemble.awaitLeader();
    expect(leader.id).toBe(5); // of equals the greatest id
    ensemble.server(1).start();
    stage.world.run(500);
    stage.checkEnd();
  });

  test('a copy that is interrupted at any moment is no state at all', () => {
    const effects = atEveryEffect((crashAt) => {
      const stage = new Stage({ ensemble: { historyBytesMax: 0 }, options: { checkpointEntries: 5 } });
      const { leader, followers } = stage.cast();
      const [learner] = followers as [VirtualServer];
      stage.write(leader, '/a');
      learner.crash(false);
      for (let i = 0; i < 12; i++) stage.write(leader, `/b-${i}`);
      stage.world.run(100);
      learner.start();
      const isReached = crashAt(stage, learner);
      stage.world.run(400);
      isReached();
      if (!learner.isUp) learner.start();
      stage.checkEnd();
    });
    expect(effects).toBeGreaterThan(10);
  });
});

describe('what the simulation has found once', () => {
  test('a write straight behind a sync is answered, and so is everything behind it', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const stage = new Stage({ seed });
      const { followers } = stage.cast();
      const client = stage.client(followers[0] as VirtualServer);
      const create = (path: string) => client.prepare('create', { path, data: null, acl: OPEN_ACL, flags: 0 });
      const last = client.sendAll([create('/a'), client.prepare('sync', { path: '/' }), create('/b'), create('/c')]);
      expect(client.replyTo(last).code).toBe(0);
    }
  });

  test('servers that have lost their data get a copy and count again, also when the epoch changes', () => {
    const stage = new Stage({ ensemble: { epochEntriesMax: 40 }, options: { checkpointEntries: 10 } });
    const { leader, followers } = stage.cast();
    for (let i = 0; i < 15; i++) stage.write(leader, `/a-${i}`);
    for (const follower of followers) {
      follower.crash(false);
      follower.disk.lose();
      follower.start();
      stage.ensemble.awaitWhole();
    }
    const { epoch } = leader.replica;
    for (let i = 0; leader.replica.epoch === epoch; i++) stage.write(leader, `/b-${i}`);
    expect(stage.ensemble.leader()).toBe(leader);
    expect(stage.observer.facts.leaderships.map(({ server }) => server)).toEqual([leader.id, leader.id]);
    stage.checkEnd();
  });
});

describe('sync and sessions', () => {
  test('a leader that was cut off answers no sync with what is old', () => {
    for (let waitMs = 500; waitMs < 900; waitMs += 10) {
      const stage = new Stage({ ensemble: { syncLimitMs: 400 } });
      const { leader, followers } = stage.cast();
      stage.write(leader, '/a');
      const reader = stage.client(leader);
      const seen: Received[] = [];
      reader.onReceived = (item) => seen.push(item);
      stage.ensemble.network.isolate(leader.id);
      stage.world.run(waitMs - 50);
      const next = stage.ensemble.servers.find((server) => followers.includes(server) && server.replica.isLeading);
      if (next === undefined) continue;
      stage.write(next, '/b');
      reader.sendAll([reader.prepare('sync', { path: '/' }), reader.prepare('exists', { path: '/b', watch: false })]);
      stage.world.run(1000);
      const answers = seen.filter((item) => item.kind === 'reply' && item.operation === 'exists' && item.code !== 0);
      expect(answers).toEqual([]);
    }
  });

  test('a write that is late does not happen once its session has gone on elsewhere', () => {
    const stage = new Stage();
    const { network } = stage.ensemble;
    const { leader, followers } = stage.cast();
    const [first, second] = followers as [VirtualServer, VirtualServer];
    const client = stage.client(first);
    network.cutOneWay(first.id, leader.id);
    client.send('create', { path: '/late', data: null, acl: OPEN_ACL, flags: 0 });
    stage.world.run(20);
    client.resumed(second);
    expect(client.call('create', { path: '/a', data: null, acl: OPEN_ACL, flags: 0 }).code).toBe(0);
    network.heal();
    stage.world.run(200);
    expect(first.replica.isServing).toBe(true); // its forward has come, and not been lost with the link
    const nodes = client.call('getChildren', { path: '/', watch: false }).response?.children;
    expect(nodes?.sort()).toEqual(['a', 'zookeeper']);
  });

  test('a session on a follower lives for as long as its client pings, and no longer', () => {
    const stage = new Stage();
    const { leader, followers } = stage.cast();
    const client = stage.client(followers[0] as VirtualServer);
    const idle = stage.client(followers[1] as VirtualServer);
    const session = Number(client.sessionId);
    for (let i = 0; i < 30; i++) {
      client.send('ping', undefined);
      stage.world.run(1000);
    }
    const sessions = () => [...leader.replica.world.sessions].map(({ id }) => id);
    expect(sessions()).toContain(session);
    expect(sessions()).not.toContain(Number(idle.sessionId));
    stage.world.run(6000);
    expect(sessions()).toEqual([]);
  });
});
