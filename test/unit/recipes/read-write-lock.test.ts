import { setTimeout as sleep } from 'node:timers/promises';
import { ReadWriteLock } from '../../../src/recipes/index.js';
import { aborted, childCount, Fixture, recorded } from './fixture.js';
import { LossyLink, Op } from './lossy-link.js';

const fixture = new Fixture();
beforeAll(() => fixture.start(), 60_000);
afterEach(() => fixture.cleanUp());
afterAll(() => fixture.stop());

/** Settled yet? */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  return (await Promise.race([promise.then(() => 'settled'), sleep(60).then(() => 'pending')])) === 'pending';
}

test('readers together, a writer alone, and readers that come after a waiting writer wait for it', async () => {
  const client = await fixture.client();
  const lock = new ReadWriteLock(client, '/rw/order');
  const first = await lock.read.acquire();
  const second = await lock.read.acquire();
  const writing = lock.write.acquire();
  await childCount(client, '/rw/order', 3);
  const late = lock.read.acquire();
  await childCount(client, '/rw/order', 4);
  await first.release();
  expect(await isPending(writing)).toBe(true);
  await second.release();
  const writer = await writing;
  expect(writer.token).toBeGreaterThan(second.token);
  expect(await isPending(late)).toBe(true); // not starved: it came before
  await writer.release();
  expect((await late).token).toBeGreaterThan(writer.token);
});

test('a writer that gives up waiting lets the readers behind it through to those ahead', async () => {
  const client = await fixture.client();
  const lock = new ReadWriteLock(client, '/rw/gives-up');
  const first = await lock.read.acquire();
  const abort = new AbortController();
  const writing = lock.write.acquire({ signal: abort.signal });
  await childCount(client, '/rw/gives-up', 2);
  const late = lock.read.acquire();
  await childCount(client, '/rw/gives-up', 3);
  abort.abort(new Error('never mind'));
  await expect(writing).rejects.toThrow('never mind');
  expect((await late).isHeld).toBe(true);
  expect(first.isHeld).toBe(true);
  expect(await lock.write.tryAcquire()).toBeNull();
  expect(await lock.read.tryAcquire()).not.toBeNull();
});

test('never a writer beside anybody, whatever the connections do', async () => {
  const members = await Promise.all(Array.from({ length: 4 }, () => fixture.linkedClient({ sessionTimeoutMs: 6000 })));
  let readers = 0;
  let writers = 0;
  let readersMost = 0;
  let cuts = 0;
  const cutter = setInterval(() => {
    if (cuts < 2 * members.length) members[cuts++ % members.length].link.cut();
  }, 25);
  await Promise.all(
    members.map(async ({ client }, n) => {
      const lock = new ReadWriteLock(client, '/rw/mixed');
      for (let i = 0; i < 6; i++) {
        if ((i + n) % 3 === 0) {
          await lock.write.run(async () => {
            writers++;
            expect([readers, writers]).toEqual([0, 1]);
            await sleep(2);
            writers--;
          });
        } else {
          await lock.read.run(async () => {
            readers++;
            expect(writers).toBe(0);
            readersMost = Math.max(readersMost, readers);
            await sleep(8);
            readers--;
          });
        }
      }
    }),
  );
  clearInterval(cutter);
  expect(readersMost).toBeGreaterThan(1);
  await childCount(await fixture.client(), '/rw/mixed', 0);
}, 60_000);

test('a writer that leaves wakes the readers behind it, and of the writers behind them none', async () => {
  const { client, calls } = recorded(await fixture.client());
  const lock = new ReadWriteLock(client, '/rw/herd');
  const writer = await lock.write.acquire();
  const readers = [lock.read.acquire(), lock.read.acquire(), lock.read.acquire()];
  await childCount(client, '/rw/herd', 4);
  const abort = new AbortController();
  const others = Array.from({ length: 20 }, () => lock.write.acquire({ signal: abort.signal }));
  await childCount(client, '/rw/herd', 24);
  await client.sync();
  await sleep(50);
  calls.length = 0;
  await writer.release();
  await Promise.all(readers);
  await sleep(50);
  expect(calls.filter((name) => name === 'children')).toHaveLength(readers.length);
  abort.abort(new Error('over'));
  await Promise.allSettled(others);
});

test('a writer becomes a reader in one step: readers come in, the next writer stays out', async () => {
  const client = await fixture.client();
  const lock = new ReadWriteLock(client, '/rw/down');
  const writer = await lock.write.acquire();
  const nextWriter = lock.write.acquire();
  await childCount(client, '/rw/down', 2);
  const reader = await writer.downgrade();
  expect(writer.isHeld).toBe(false);
  expect(writer.signal.reason).toMatchObject({ why: 'released' });
  expect(reader).toMatchObject({ isHeld: true, token: writer.token });
  expect(await isPending(nextWriter)).toBe(true);
  await expect(writer.downgrade()).rejects.toMatchObject({ name: 'LeaseEndedError' });
  await writer.release(); // as `await using` does: it takes nothing from the reader
  expect(reader.isHeld).toBe(true);
  expect((await lock.read.contenders())[0].path).toBe(reader.path);
  await reader.release();
  await (await nextWriter).release();

  const alone = await lock.write.acquire();
  const reading = await alone.downgrade();
  const beside = await lock.read.tryAcquire();
  expect([reading.isHeld, beside?.isHeld]).toEqual([true, true]);
});

test.each(['request', 'reply'] as const)(
  'a downgrade whose %s is lost happens once',
  async (what) => {
    await using link = await LossyLink.to(fixture.server.port);
    const client = await fixture.client({ hosts: link.address });
    const lock = new ReadWriteLock(client, `/rw/lost-${what}`);
    const writer = await lock.write.acquire();
    link.lose(what, Op.multi);
    const reader = await writer.downgrade();
    expect(link.lost).toBe(1);
    expect(reader.isHeld).toBe(true);
    expect(await client.children(`/rw/lost-${what}`)).toEqual([reader.path.slice(reader.path.lastIndexOf('/') + 1)]);
    await (await fixture.client()).delete(reader.path);
    expect(await aborted(reader.signal)).toMatchObject({ why: 'deleted' });
    await client.close();
  },
  30_000,
);

test('a downgrade after the lock was broken is refused', async () => {
  const client = await fixture.client();
  const writer = await new ReadWriteLock(client, '/rw/broken').write.acquire();
  await (await fixture.client()).delete(writer.path);
  await expect(writer.downgrade()).rejects.toMatchObject({ name: 'LeaseEndedError', why: 'deleted' });
  expect(await client.children('/rw/broken')).toEqual([]);
});
