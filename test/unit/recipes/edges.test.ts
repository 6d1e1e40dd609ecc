// The edges at which locks of other libraries are known to fail, each over a link that loses what is told to it. What went
// wrong elsewhere is named with each test.

import { setTimeout as sleep } from 'node:timers/promises';
import { type ClientOptions, connect, ZooKeeperError } from '../../../src/client/index.js';
import { Election, Lock } from '../../../src/recipes/index.js';
import { waitFor } from '../../helpers/processes.js';
import { aborted, childCount, Fixture, recorded } from './fixture.js';
import { LossyLink, Op } from './lossy-link.js';

const fixture = new Fixture();
let link: LossyLink;
beforeAll(() => fixture.start({ tickTime: '300' }), 60_000);
beforeEach(async () => {
  link = await LossyLink.to(fixture.server.port);
});
afterEach(async () => {
  link.open();
  await fixture.cleanUp();
  await link[Symbol.asyncDispose]();
});
afterAll(() => fixture.stop());

const shaky = (options: ClientOptions = {}) => fixture.client({ hosts: link.address, ...options });

// A create whose answer was lost, and was sent again: the first node, which nobody knew, locked everybody out.
test.each(['request', 'reply'] as const)('the %s of the create is lost: one contender, one holder', async (what) => {
  const path = `/edges/create-${what}`;
  const client = await shaky();
  await client.create('/edges').catch(() => {});
  await client.create(path);
  link.lose(what, Op.create2);
  const held = await new Lock(client, path).acquire();
  expect(link.lost).toBe(1);
  expect(await client.children(path)).toHaveLength(1);
  expect(await new Lock(await fixture.client(), path).tryAcquire()).toBeNull();
  await held.release();
  expect(await client.children(path)).toHaveLength(0);
});

// The caller gave up while the answer was under way or lost, and nobody was left to take the node away.
test.each(['request', 'reply'] as const)(
  'an acquire aborted while the %s of its create is lost leaves no node',
  async (what) => {
    const path = `/edges/aborted-${what}`;
    const client = await shaky();
    const watcher = await fixture.client();
    await (await new Lock(watcher, path).acquire()).release();
    const abort = new AbortController();
    link.lose(what, Op.create2);
    const acquiring = new Lock(client, path).acquire({ signal: abort.signal });
    await waitFor(
      () => (link.lost === 1 ? true : undefined),
      10_000,
      () => 'nothing was lost',
    );
    abort.abort(new Error('enough'));
    await expect(acquiring).rejects.toThrow('enough');
    await client.sync('/', { timeoutMs: 20_000 }).catch(() => client.sync());
    await childCount(watcher, path, 0);
  },
);

// kazoo #760: a try that failed, and whose cleaning up failed, left a contender that had the lock later and did not know.
test.each(['request', 'reply'] as const)(
  'a try that fails and loses the %s of its delete leaves no node',
  async (what) => {
    const path = `/edges/try-${what}`;
    const client = await shaky();
    const held = await new Lock(await fixture.client(), path).acquire();
    link.lose(what, Op.delete);
    expect(await new Lock(client, path).tryAcquire()).toBeNull();
    expect(link.lost).toBe(1);
    expect(await client.children(path)).toHaveLength(1);
    expect(held.isHeld).toBe(true);
  },
);

// CURATOR-202: a delete that was lost with the connection, in a session that lived on, kept the lock for ever.
test.each(['request', 'reply'] as const)(
  'a release that loses the %s of its delete gives the lock up',
  async (what) => {
    const path = `/edges/release-${what}`;
    const client = await shaky();
    const held = await new Lock(client, path).acquire();
    const next = new Lock(await fixture.client(), path).acquire();
    await childCount(client, path, 2);
    link.lose(what, Op.delete);
    await held.release();
    expect(link.lost).toBe(1);
    expect((await next).token).toBeGreaterThan(held.token);
  },
);

test('a release while no server can be reached resolves with the end of the session, and the lock passes on', async () => {
  const path = '/edges/release-away';
  const client = await shaky({ sessionTimeoutMs: 1200 });
  const held = await new Lock(client, path).acquire();
  const next = new Lock(await fixture.client(), path).acquire();
  link.close();
  await held.release();
  expect((await next).isHeld).toBe(true);
}, 30_000);

// CURATOR-620, CURATOR-696: the node of the session before was still there after the reconnect, and was taken for one's own.
test('after LOST a leader is none, whatever its old node says, and campaigns anew with a higher token', async () => {
  const path = '/edges/after-lost';
  const client = await shaky({ sessionTimeoutMs: 1200 });
  const election = new Election(client, path, { data: 'first' });
  const before = await election.campaign();
  const sessionId = client.session.id;
  link.close();
  expect(await aborted(before.signal)).toMatchObject({ why: 'unsafe' });
  await waitFor(
    () => (client.session.id !== sessionId ? true : undefined),
    20_000,
    () => 'the session is not lost',
  );
  link.open();
  const after = await election.campaign({ timeoutMs: 20_000 });
  expect(after.token).toBeGreaterThan(before.token);
  expect([before.isHeld, after.isHeld]).toEqual([false, true]);
  await before.resign(); // takes nothing from the one that holds it now
  expect(await client.children(path)).toHaveLength(1);
  expect(after.isHeld).toBe(true);
}, 40_000);

// CURATOR-171: the node was deleted by somebody, and the leader did not notice.
test('a leader whose node went while it was away hears of it when it is back', async () => {
  const path = '/edges/deleted-while-away';
  const client = await shaky({ sessionTimeoutMs: 8000 });
  const held = await new Election(client, path).campaign();
  link.close();
  await (await fixture.client()).delete(held.path);
  link.open();
  expect(await aborted(held.signal)).toMatchObject({ why: 'deleted' });
}, 30_000);

// A one-shot watch that was set on a connection that is gone: the predecessor left, and the waiter was never told.
test('the predecessor leaves while the waiter is cut off: it is its turn when it is back', async () => {
  const path = '/edges/missed';
  const client = await shaky({ sessionTimeoutMs: 8000 });
  const held = await new Lock(await fixture.client(), path).acquire();
  const waiting = new Lock(client, path).acquire();
  await childCount(client, path, 2);
  await client.sync();
  link.close();
  await held.release();
  link.open();
  expect((await waiting).isHeld).toBe(true);
}, 30_000);

// Netflix/curator #115: the predecessor went, and the one behind it took that for its turn.
test('a waiter in the middle that goes does not make the one behind it the holder', async () => {
  const path = '/edges/middle';
  const client = await fixture.client();
  const held = await new Lock(client, path).acquire();
  const middle = await shaky();
  const second = new Lock(middle, path).acquire().catch((error: unknown) => error);
  await childCount(client, path, 2);
  let isThird = false;
  const third = new Lock(client, path).acquire();
  third.then(() => {
    isThird = true;
  });
  await childCount(client, path, 3);
  await middle.close();
  expect(await second).toMatchObject({ name: 'ClientClosed' });
  await childCount(client, path, 2);
  await client.sync();
  expect([isThird, held.isHeld]).toEqual([false, true]);
  await held.release();
  await third;
});

// CURATOR-724 and all who take the parent for granted: a container goes when it is empty, at any moment.
test('the directory is deleted between two uses, and while somebody enters', async () => {
  const path = '/edges/container/lock';
  const client = await fixture.client();
  const lock = new Lock(client, path);
  await (await lock.acquire()).release();
  await client.delete(path);
  let deletions = 0;
  const deleting = new Proxy(client, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        const isEntering = name === 'create' && String(args[0]).endsWith('/lock-');
        // As the server would: just before the contender's node is made.
        if (isEntering && deletions++ < 2) target.delete(path).catch(() => {});
        return Reflect.apply(value, target, args);
      };
    },
  });
  const held = await new Lock(deleting, path).acquire();
  expect(deletions).toBe(3);
  expect(held.isHeld).toBe(true);
});

// etcd #10811, Consul #18271: partitioned by a network that swallows packets, the holder worked on for minutes.
test('a process that is frozen past its session: isHeld is false at once, before any timer has rung', async () => {
  const path = '/edges/frozen';
  const client = await shaky({ sessionTimeoutMs: 1200 });
  const held = await new Lock(client, path).acquire();
  const lateMs = client.sessionSafeForMs + 1;
  const until = performance.now() + lateMs;
  while (performance.now() < until); // a computation that lets nothing else run
  expect(held.isHeld).toBe(false);
  expect(client.sessionSafeForMs).toBeLessThanOrEqual(0);
}, 30_000);

// A cancel in the middle: the etcd mutex whose context ended kept its key.
test('an acquire may be aborted at every step, and never leaves a node', async () => {
  const path = '/edges/steps';
  const watcher = await fixture.client();
  const held = await new Lock(watcher, path).acquire();
  for (const step of ['create', 'children', 'get']) {
    const abort = new AbortController();
    const { client, calls } = recorded(await fixture.client());
    const acquiring = new Lock(client, path).acquire({ signal: abort.signal }).catch((error: unknown) => error);
    await waitFor(
      () => (calls.includes(step) ? true : undefined),
      10_000,
      () => `no ${step}`,
    );
    abort.abort(new Error(step));
    expect(await acquiring).toMatchObject({ message: step });
    await client.sync();
    await childCount(watcher, path, 1);
  }
  await held.release();
});

test('a client that was closed: acquire rejects at once, release resolves', async () => {
  const client = await connect(fixture.server.address, { sessionTimeoutMs: 4000 });
  const held = await new Lock(client, '/edges/closed').acquire();
  await client.close();
  await held.release();
  await expect(new Lock(client, '/edges/closed').acquire()).rejects.toMatchObject({ name: 'ClientClosed' });
});

// Pings are answered by any server, also by one whose leader has given the session up: they prove nothing.
test('who has waited longer than the session timeout gets a lease that is good for a while, and stays so', async () => {
  const path = '/edges/long-wait';
  const client = await fixture.client({ sessionTimeoutMs: 1500 });
  const held = await new Lock(await fixture.client(), path).acquire();
  const waiting = new Lock(client, path).acquire();
  await waitFor(
    () => (client.sessionSafeForMs < 0 ? true : undefined),
    10_000,
    () => 'the session is proven all the time',
  );
  await held.release();
  const lease = await waiting;
  expect([lease.isHeld, lease.signal.aborted]).toEqual([true, false]);
  await sleep(2000);
  expect([lease.isHeld, lease.signal.aborted]).toEqual([true, false]);
  await lease.release();
}, 30_000);

test('a server that refuses for the moment is asked again, so that a release never leaves the node', async () => {
  const client = await fixture.client();
  let refusals = 0;
  const refusing = new Proxy(client, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        if (name === 'delete' && refusals++ < 2) return Promise.reject(new ZooKeeperError('SystemError'));
        return Reflect.apply(value, target, args);
      };
    },
  });
  await (await new Lock(refusing, '/edges/refused').acquire()).release();
  expect(refusals).toBe(3);
  expect(await client.children('/edges/refused')).toEqual([]);
});
