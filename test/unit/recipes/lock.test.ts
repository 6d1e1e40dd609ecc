import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, type ConnectionState, connect, ZooKeeperError } from '../../../src/client/index.js';
import { Lock } from '../../../src/recipes/index.js';
import { startTestServer } from '../../../src/testing/index.js';
import { fourLetterWord, waitFor } from '../../helpers/processes.js';
import { aborted, childCount, Fixture, recorded } from './fixture.js';

const fixture = new Fixture();
beforeAll(() => fixture.start(), 60_000);
afterEach(() => fixture.cleanUp());
afterAll(() => fixture.stop());

test('one holder at a time, in the order of asking, with rising tokens', async () => {
  const clients = await Promise.all(Array.from({ length: 5 }, () => fixture.client()));
  const log: { token: bigint; what: 'in' | 'out' }[] = [];
  await Promise.all(
    clients.map(async (client) => {
      for (let i = 0; i < 4; i++) {
        await new Lock(client, '/exclusion/lock').run(async ({ token, signal }) => {
          log.push({ token, what: 'in' });
          await sleep(3, undefined, { signal });
          log.push({ token, what: 'out' });
        });
      }
    }),
  );
  expect(log).toHaveLength(40);
  for (let i = 0; i < log.length; i += 2) {
    expect(log[i].what).toBe('in');
    expect(log[i + 1]).toEqual({ token: log[i].token, what: 'out' });
    if (i > 0) expect(log[i].token).toBeGreaterThan(log[i - 1].token);
  }
});

test('tryAcquire gives the lock or null, and leaves no contender', async () => {
  const client = await fixture.client();
  const lock = new Lock(client, '/try', { data: 'me' });
  const held = await lock.tryAcquire();
  expect(held?.isHeld).toBe(true);
  expect(await new Lock(await fixture.client(), '/try').tryAcquire()).toBeNull();
  expect(await lock.contenders()).toEqual([{ path: held?.path, token: held?.token, data: Buffer.from('me') }]);
  await held?.release();
  expect(held?.isHeld).toBe(false);
  expect(held?.signal.reason).toMatchObject({ name: 'LeaseEndedError', why: 'released' });
  expect(await lock.contenders()).toEqual([]);
});

test('await using releases', async () => {
  const client = await fixture.client();
  const lock = new Lock(client, '/using');
  {
    await using held = await lock.acquire();
    expect(held.isHeld).toBe(true);
    expect(await client.children('/using')).toHaveLength(1);
  }
  expect(await client.children('/using')).toEqual([]);
});

test('a waiter that aborts rejects with the reason, leaves, and lets those behind it through', async () => {
  const client = await fixture.client();
  const lock = new Lock(client, '/abort');
  const held = await lock.acquire();
  const abort = new AbortController();
  const second = lock.acquire({ signal: abort.signal });
  await childCount(client, '/abort', 2);
  const third = lock.acquire();
  await childCount(client, '/abort', 3);
  abort.abort(new Error('enough'));
  await expect(second).rejects.toThrow('enough');
  await childCount(client, '/abort', 2);
  await held.release();
  await (await third).release();
  expect(await client.children('/abort')).toEqual([]);
});

test('an acquire that is aborted before its create is answered leaves no contender', async () => {
  const client = await fixture.client();
  const abort = new AbortController();
  const acquiring = new Lock(client, '/early').acquire({ signal: abort.signal });
  abort.abort(new Error('at once'));
  await expect(acquiring).rejects.toThrow('at once');
  await childCount(client, '/early', 0);
});

test('releasing a lock with 1,000 waiters wakes one of them', async () => {
  const path = '/herd';
  const { client, calls } = recorded(await fixture.client({ sessionTimeoutMs: 20_000 }));
  const lock = new Lock(client, path);
  const held = await lock.acquire();
  const abort = new AbortController();
  const tokens: bigint[] = [];
  const waiters = Array.from({ length: 1000 }, async () => {
    const lease = await lock.acquire({ signal: abort.signal });
    tokens.push(lease.token);
    return lease;
  });
  await watchedPaths(path, 1000); // the holder's node, and those of all waiters but the last
  calls.length = 0;
  await held.release();
  await Promise.race(waiters);
  await watchedPaths(path, 999); // one watch has gone off, and the new holder's node was watched already
  await sleep(50);
  expect(tokens).toHaveLength(1);
  expect(calls.filter((name) => name === 'children')).toHaveLength(1); // one has looked whether it is its turn
  expect(calls.filter((name) => name === 'get')).toHaveLength(1); // and watches its own node now
  abort.abort(new Error('over'));
  const ends = await Promise.allSettled(waiters);
  expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  await childCount(client, path, 1);
}, 60_000);

/** Waits until the server has watches on so many paths below. */
function watchedPaths(path: string, count: number): Promise<boolean> {
  let seen = -1;
  return waitFor(
    async () => {
      const answer = await fourLetterWord(fixture.server.port, 'wchp');
      seen = answer.split('\n').filter((line) => line.startsWith(`${path}/`)).length;
      return seen === count ? true : undefined;
    },
    30_000,
    () => `${seen} paths are watched, not ${count}`,
  );
}

test('an acquire that takes too long rejects with TimeoutError, and leaves no contender', async () => {
  const client = await fixture.client();
  const lock = new Lock(client, '/slow');
  const held = await lock.acquire({ timeoutMs: 10_000 });
  await expect(lock.acquire({ timeoutMs: 60 })).rejects.toMatchObject({ name: 'TimeoutError' });
  await childCount(client, '/slow', 1);
  expect(held.isHeld).toBe(true); // a deadline that was met is not struck later
});

test('a margin beyond the session timeout does not make the lock unholdable', async () => {
  const held = await new Lock(await fixture.client(), '/margin', { marginMs: 1e9 }).acquire();
  expect([held.isHeld, held.signal.aborted]).toEqual([true, false]);
});

test('a re-entrant lock is entered again inside its run, and given up with the last lease', async () => {
  const client = await fixture.client();
  const lock = new Lock(client, '/inside', { reentrant: true });
  await lock.run(async (outer) => {
    const kept = await lock.run(async (inner) => {
      expect(inner.token).toBe(outer.token);
      return await lock.acquire();
    });
    expect((await lock.tryAcquire())?.token).toBe(outer.token);
    expect(await client.children('/inside')).toHaveLength(1);
    expect(await new Lock(client, '/inside').tryAcquire()).toBeNull(); // another object is somebody else
    await kept.release();
    await kept.release();
    expect([kept.isHeld, outer.isHeld]).toEqual([false, true]);
  });
  expect(await client.children('/inside')).toHaveLength(1); // tryAcquire's
  const outside = lock.acquire({ timeoutMs: 100 }); // outside run it is a contender like others
  await expect(outside).rejects.toMatchObject({ name: 'TimeoutError' });
});

test('a re-entrant lock that was lost is not entered again: that would wait for itself', async () => {
  const client = await fixture.client();
  const lock = new Lock(client, '/lost-inside', { reentrant: true });
  await lock.run(async (outer) => {
    await (await fixture.client()).delete(outer.path);
    await aborted(outer.signal);
    await expect(lock.acquire()).rejects.toMatchObject({ name: 'LeaseEndedError', why: 'deleted' });
  });
});

test('a waiter may ask the holder to give up; the holder hears it, and decides', async () => {
  const client = await fixture.client();
  const holder = await new Lock(client, '/asked', { data: 'holder' }).acquire();
  const lock = new Lock(await fixture.client(), '/asked');
  const waiting = lock.acquire();
  await childCount(client, '/asked', 2);
  await client.set(holder.path, 'a note'); // this is no request
  await client.sync();
  expect(holder.revocation.aborted).toBe(false);
  expect(await lock.requestRevocation()).toBe(1);
  await aborted(holder.revocation);
  expect(holder.isHeld).toBe(true);
  expect((await client.get(holder.path)).data?.toString()).toBe('__REVOKE__'); // as Curator's Revoker has it
  await holder.release();
  const next = await waiting;
  expect(next.revocation.aborted).toBe(false);
  await next.release();
  expect(await lock.requestRevocation()).toBe(0);
});

test('mutual exclusion holds while connections are killed', async () => {
  const path = '/killed';
  const members = await Promise.all(Array.from({ length: 4 }, () => fixture.linkedClient({ sessionTimeoutMs: 4000 })));
  let inside = 0;
  let most = 0;
  let turns = 0;
  let cuts = 0;
  const cutter = setInterval(() => {
    // A few for each: a client takes a connection that is cut again and again for a failing server, and waits longer.
    if (cuts < 4 * members.length) members[cuts++ % members.length].link.cut();
  }, 20);
  try {
    await Promise.all(
      members.map(async ({ client }) => {
        for (let i = 0; i < 8; i++) {
          await using _ = await new Lock(client, path).acquire();
          most = Math.max(most, ++inside);
          await sleep(5);
          inside--;
          turns++;
        }
      }),
    );
  } finally {
    clearInterval(cutter);
  }
  expect(most).toBe(1);
  expect(turns).toBe(32);
  expect(cuts).toBeGreaterThan(members.length);
  await childCount(await fixture.client(), path, 0); // nor any orphan
}, 60_000);

test('the signal aborts before the lock can pass to somebody else: connection gone', async () => {
  await signalBeforeSuccessor('/cut', (link) => link.close());
}, 30_000);

test('the signal aborts before the lock can pass to somebody else: network swallows everything', async () => {
  await signalBeforeSuccessor('/frozen', (link) => link.freeze());
}, 30_000);

async function signalBeforeSuccessor(
  path: string,
  harm: (link: Awaited<ReturnType<Fixture['linkedClient']>>['link']) => void,
) {
  const { client, link } = await fixture.linkedClient();
  const held = await new Lock(client, path).acquire();
  const order: string[] = [];
  const successor = new Lock(await fixture.client(), path).acquire().then((lease) => {
    order.push('successor');
    return lease;
  });
  aborted(held.signal).then(() => order.push('signal'));
  harm(link);
  const next = await successor;
  expect(order).toEqual(['signal', 'successor']);
  expect(held.isHeld).toBe(false);
  expect(held.signal.reason).toMatchObject({ why: 'unsafe' });
  expect(next.token).toBeGreaterThan(held.token);
}

test('a short loss of the connection costs nothing', async () => {
  const { client, link } = await fixture.linkedClient({ sessionTimeoutMs: 6000 });
  const held = await new Lock(client, '/short').acquire();
  link.cut();
  await client.sync('/').catch(() => client.sync('/'));
  expect(held.isHeld).toBe(true);
  await held.release();
  expect(await client.children('/short')).toEqual([]);
});

test('a lock whose node somebody deletes is not held any more', async () => {
  const client = await fixture.client();
  const held = await new Lock(client, '/broken').acquire();
  await client.set(held.path, 'a note'); // this is no reason
  expect(held.isHeld).toBe(true);
  await (await fixture.client()).delete(held.path);
  expect(await aborted(held.signal)).toMatchObject({ why: 'deleted' });
  await held.release();
});

test('who loses the session while waiting enters again', async () => {
  const { client, link } = await fixture.linkedClient();
  const other = await fixture.client();
  const held = await new Lock(other, '/again').acquire();
  const waiting = new Lock(client, '/again').acquire();
  await childCount(other, '/again', 2);
  const before = client.session.id;
  link.close();
  await childCount(other, '/again', 1);
  link.open();
  await childCount(other, '/again', 2);
  await held.release();
  expect((await waiting).isHeld).toBe(true);
  expect(client.session.id).not.toBe(before);
}, 30_000);

test('a client that closes ends the lease and the waiting', async () => {
  const client = await fixture.client();
  const lock = new Lock(client, '/closing');
  const held = await lock.acquire();
  const waiting = lock.acquire().catch((error: unknown) => error);
  await childCount(client, '/closing', 2);
  await client.close();
  expect(held.signal.reason).toMatchObject({ why: 'lost' });
  expect(ZooKeeperError.is(await waiting, 'ClientClosed')).toBe(true);
  await held.release();
});

test('trying again and again for a held lock leaves one watch function behind, not one each time', async () => {
  const client = await fixture.client();
  const watches = new Set<unknown>();
  const spying = new Proxy(client, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...args: { watch?: unknown }[]) => {
        if (name === 'get' && args[1]?.watch !== undefined) watches.add(args[1].watch);
        return Reflect.apply(value, target, args);
      };
    },
  });
  const held = await new Lock(await fixture.client(), '/again-and-again').acquire();
  const lock = new Lock(spying, '/again-and-again');
  for (let i = 0; i < 5; i++) {
    const abort = new AbortController();
    const acquiring = lock.acquire({ signal: abort.signal });
    await childCount(client, '/again-and-again', 2);
    await client.sync(); // behind the read that sets the watch
    await sleep(20);
    abort.abort(new Error('later'));
    await expect(acquiring).rejects.toThrow('later');
    await childCount(client, '/again-and-again', 1);
  }
  expect(watches.size).toBe(1);
  await held.release();
  await (await lock.acquire()).release();
});

test('one waiter that gives up does not take the watch from another on the same node', async () => {
  const client = await fixture.client();
  const lock = new Lock(client, '/shared-watch');
  const held = await lock.acquire(); // watches its own node, as does the first waiter
  const abort = new AbortController();
  const first = lock.acquire({ signal: abort.signal });
  const second = lock.acquire();
  await childCount(client, '/shared-watch', 3);
  abort.abort(new Error('no'));
  await expect(first).rejects.toThrow('no');
  await childCount(client, '/shared-watch', 2);
  await (await fixture.client()).delete(held.path);
  expect((await second).isHeld).toBe(true);
  expect(await aborted(held.signal)).toMatchObject({ why: 'deleted' });
});

test('a session lost while waiting is never handed the lock, though its node outlives it', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'zabra-lock-'));
  const first = await startTestServer({ directory });
  const config = { clientPort: String(first.port) };
  const holder = await connect(first.connectString, { sessionTimeoutMs: 4000 });
  const waiter = await connect(first.connectString, { sessionTimeoutMs: 1500 });
  const held = await new Lock(holder, '/outlived').acquire();
  const waiting = new Lock(waiter, '/outlived').acquire();
  await childCount(holder, '/outlived', 2);
  const stale = await new Lock(holder, '/outlived').contenders();
  const lost = stateReached(waiter, 'LOST');
  await first.stop(); // the sessions sleep with the server; the client's clock does not
  await lost;
  const back = stateReached(waiter, 'RECONNECTED');
  const second = await startTestServer({ directory, config });
  await back;
  await held.release();
  const lease = await waiting;
  expect(lease.isHeld).toBe(true);
  expect(lease.token).toBeGreaterThan(stale[1].token);
  await lease.release();
  await Promise.all([holder.close(), waiter.close()]);
  await second.stop();
  await rm(directory, { recursive: true });
}, 60_000);

test('a release while the client closes is left to the end of the session', async () => {
  const client = await fixture.client();
  const lease = await new Lock(client, '/closing').acquire();
  const closing = client.close();
  await lease.release();
  await closing;
});

function stateReached(client: Client, wanted: ConnectionState): Promise<void> {
  return new Promise((resolve) => {
    const unsubscribe = client.onState(({ state }) => {
      if (state !== wanted) return;
      unsubscribe();
      resolve();
    });
  });
}
