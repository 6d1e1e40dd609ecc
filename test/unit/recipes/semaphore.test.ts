import { setTimeout as sleep } from 'node:timers/promises';
import { type Permits, Semaphore } from '../../../src/recipes/index.js';
import { childCount, Fixture, recorded } from './fixture.js';
import { LossyLink, Op } from './lossy-link.js';

const fixture = new Fixture();
beforeAll(() => fixture.start(), 60_000);
afterEach(() => fixture.cleanUp());
afterAll(() => fixture.stop());

test('as many as there are permits, never more, with tokens of their own, whatever the connections do', async () => {
  const members = await Promise.all(Array.from({ length: 5 }, () => fixture.linkedClient({ sessionTimeoutMs: 6000 })));
  let inside = 0;
  let most = 0;
  let cuts = 0;
  const tokens = new Set<bigint>();
  const cutter = setInterval(() => {
    if (cuts < 2 * members.length) members[cuts++ % members.length].link.cut();
  }, 25);
  await Promise.all(
    members.map(async ({ client }) => {
      const semaphore = new Semaphore(client, '/semaphores/mixed', 2);
      for (let i = 0; i < 4; i++) {
        await semaphore.run(async ({ token, isHeld }) => {
          expect(isHeld).toBe(true);
          tokens.add(token);
          most = Math.max(most, ++inside);
          await sleep(40);
          inside--;
        });
      }
    }),
  );
  clearInterval(cutter);
  expect(most).toBe(2);
  expect(tokens.size).toBe(20);
  const watcher = await fixture.client();
  await childCount(watcher, '/semaphores/mixed/leases', 0);
  await childCount(watcher, '/semaphores/mixed/locks', 0);
}, 60_000);

test('holders may give back in any order: the next one has it at once', async () => {
  const client = await fixture.client();
  const semaphore = new Semaphore(client, '/semaphores/any', 2, { data: 'me' });
  const first = await semaphore.acquire();
  const second = await semaphore.acquire();
  expect((await semaphore.holders()).map(({ token }) => token)).toEqual([first.token, second.token]);
  const third = semaphore.acquire();
  await childCount(client, '/semaphores/any/leases', 3);
  expect(await semaphore.tryAcquire()).toBeNull();
  await second.release();
  expect(second.signal.aborted).toBe(true);
  expect((await third).token).toBeGreaterThan(second.token);
  expect(first.isHeld).toBe(true);
});

test('several at once: all or none, and nobody behind gets past', async () => {
  const client = await fixture.client();
  const semaphore = new Semaphore(client, '/semaphores/several', 3);
  const one = await semaphore.acquire();
  expect(await semaphore.tryAcquire({ permits: 3 })).toBeNull();
  await childCount(client, '/semaphores/several/leases', 1);
  const three = semaphore.acquire({ permits: 3 });
  await childCount(client, '/semaphores/several/leases', 4);
  const order: string[] = [];
  const last = semaphore.acquire().then((permits) => {
    order.push('one behind');
    return permits;
  });
  three.then(() => order.push('three'));
  await childCount(client, '/semaphores/several/locks', 2);
  await one.release();
  const held = await three;
  expect(held.leases).toHaveLength(3);
  await held.release();
  await (await last).release();
  expect(order).toEqual(['three', 'one behind']);
});

test('when time runs out, or one is aborted, nothing is left and the next one goes on', async () => {
  const client = await fixture.client();
  const semaphore = new Semaphore(client, '/semaphores/late', 2);
  const held = await semaphore.acquire();
  await expect(semaphore.acquire({ permits: 2, timeoutMs: 100 })).rejects.toMatchObject({ name: 'TimeoutError' });
  await childCount(client, '/semaphores/late/leases', 1);
  await childCount(client, '/semaphores/late/locks', 0);
  const beside = await semaphore.acquire({ timeoutMs: 10_000 });
  expect([held.isHeld, beside.isHeld]).toEqual([true, true]);
});

test('of those who wait, one asks; a permit given back wakes it alone', async () => {
  const { client, calls } = recorded(await fixture.client());
  const semaphore = new Semaphore(client, '/semaphores/herd', 1);
  const held = await semaphore.acquire();
  const abort = new AbortController();
  const granted: Permits[] = [];
  const waiters = Array.from({ length: 50 }, () =>
    semaphore.acquire({ signal: abort.signal }).then((permits) => granted.push(permits)),
  );
  await childCount(client, '/semaphores/herd/locks', 50);
  await childCount(client, '/semaphores/herd/leases', 2);
  await client.sync();
  await sleep(100);
  calls.length = 0;
  await held.release();
  await Promise.race(waiters);
  await sleep(150);
  expect(granted).toHaveLength(1);
  // The one that got it, and the next one, which has its turn to ask now: at the lock, and twice at the permits, since
  // it sees its own node come.
  expect(calls.filter((name) => name === 'children').length).toBeLessThanOrEqual(5);
  abort.abort(new Error('over'));
  await Promise.allSettled(waiters);
  await childCount(client, '/semaphores/herd/leases', 1);
}, 30_000);

test('the number of permits can be changed while some wait', async () => {
  const client = await fixture.client();
  const semaphore = new Semaphore(client, '/semaphores/limit', 1);
  expect(await semaphore.limit()).toBe(1);
  await semaphore.acquire();
  const second = semaphore.acquire();
  await childCount(client, '/semaphores/limit/leases', 2);
  await new Semaphore(await fixture.client(), '/semaphores/limit', 1).setLimit(2);
  expect((await second).isHeld).toBe(true);
  const third = semaphore.acquire();
  await childCount(client, '/semaphores/limit/leases', 3);
  await semaphore.setLimit(3); // a change of a node that is there
  expect((await third).isHeld).toBe(true);
  await semaphore.setLimit(1);
  expect(await semaphore.limit()).toBe(1);
  await (await second).release();
  expect(await semaphore.tryAcquire()).toBeNull();
  expect(() => new Semaphore(client, '/x', 0)).toThrow(RangeError);
  expect(() => semaphore.acquire({ permits: 1.5 })).toThrow(RangeError);
});

test.each(['request', 'reply'] as const)(
  'a permit whose create loses its %s is there once',
  async (what) => {
    await using link = await LossyLink.to(fixture.server.port);
    const client = await fixture.client({ hosts: link.address });
    const path = `/semaphores/lost-${what}`;
    const semaphore = new Semaphore(client, path, 1);
    await (await semaphore.acquire()).release();
    await childCount(client, `${path}/locks`, 0);
    link.lose(what, Op.create2); // the lock
    await (await semaphore.acquire()).release();
    await childCount(client, `${path}/locks`, 0);
    const acquiring = semaphore.acquire();
    await childCount(await fixture.client(), `${path}/locks`, 1);
    link.lose(what, Op.create2); // mostly the permit
    const permits = await acquiring;
    await childCount(client, `${path}/leases`, 1);
    await permits.release();
    await childCount(client, `${path}/leases`, 0);
    await client.close();
  },
  30_000,
);

test('a holder whose session ends gives its permit back, after its signal has told it', async () => {
  const { client, link } = await fixture.linkedClient();
  const held = await new Semaphore(client, '/semaphores/dying', 1).acquire();
  const order: string[] = [];
  held.signal.addEventListener('abort', () => order.push('signal'));
  const next = new Semaphore(await fixture.client(), '/semaphores/dying', 1).acquire().then((permits) => {
    order.push('next');
    return permits;
  });
  link.freeze();
  expect((await next).token).toBeGreaterThan(held.token);
  expect(order).toEqual(['signal', 'next']);
  expect(held.isHeld).toBe(false);
}, 30_000);
