import { setTimeout as sleep } from 'node:timers/promises';
import { Lock, MultiLock, ReadWriteLock } from '../../../src/recipes/index.js';
import { childCount, Fixture } from './fixture.js';

const fixture = new Fixture();
beforeAll(() => fixture.start(), 60_000);
afterEach(() => fixture.cleanUp());
afterAll(() => fixture.stop());

const paths = ['/multi/a', '/multi/b', '/multi/c'];

test('the same locks in whatever order they are named: no deadlock, and one holder at a time', async () => {
  let inside = 0;
  await Promise.all(
    [paths, [...paths].reverse(), [paths[1], paths[2], paths[0]]].map(async (order) => {
      const client = await fixture.client();
      const multi = new MultiLock(order.map((path) => new Lock(client, path)));
      for (let i = 0; i < 4; i++) {
        await multi.run(async ({ tokens, isHeld }) => {
          expect(isHeld).toBe(true);
          expect([...tokens.keys()]).toEqual(paths);
          expect(++inside).toBe(1);
          await sleep(3);
          inside--;
        });
      }
    }),
  );
});

test('all or none: one that is taken, or an abort, gives the others back', async () => {
  const client = await fixture.client();
  const other = await fixture.client();
  const blocker = await new Lock(other, '/multi/c').acquire();
  const multi = new MultiLock(paths.map((path) => new Lock(client, path)));
  expect(await multi.tryAcquire()).toBeNull();
  for (const path of paths.slice(0, 2)) await childCount(other, path, 0);
  await expect(multi.acquire({ timeoutMs: 100 })).rejects.toMatchObject({ name: 'TimeoutError' });
  for (const path of paths.slice(0, 2)) await childCount(other, path, 0);
  await childCount(other, '/multi/c', 1);
  await blocker.release();
  const held = await multi.tryAcquire();
  expect(held?.isHeld).toBe(true);
  expect(held?.tokens.get('/multi/b')).toBe(held?.leases[1].token);
  await other.delete(held?.leases[1].path ?? '');
  await new Promise((resolve) => held?.signal.addEventListener('abort', resolve));
  expect(held?.signal.reason).toMatchObject({ why: 'deleted' });
  expect(held?.isHeld).toBe(false);
  await held?.release();
  for (const path of paths) await childCount(other, path, 0);
});

test('one that loses a lock while it waits for the next begins again', async () => {
  const client = await fixture.client();
  const other = await fixture.client();
  const blocker = await new Lock(other, '/multi/c').acquire();
  const acquiring = new MultiLock(paths.map((path) => new Lock(client, path))).acquire();
  await childCount(other, '/multi/c', 2);
  const [broken] = await new Lock(other, '/multi/a').contenders();
  await other.delete(broken.path);
  const stolen = await new Lock(other, '/multi/a').acquire();
  await blocker.release();
  await childCount(other, '/multi/a', 2); // it stands behind the thief
  await stolen.release();
  const held = await acquiring;
  expect(held.isHeld).toBe(true);
  expect(held.tokens.get('/multi/a')).toBeGreaterThan(stolen.token);
});

test('a lock twice would wait for itself', async () => {
  const client = await fixture.client();
  const lock = new ReadWriteLock(client, '/multi/rw');
  expect(() => new MultiLock([lock.read, lock.write])).toThrow(RangeError);
  expect(() => new MultiLock([])).toThrow(RangeError);
  await using held = await new MultiLock([lock.read, new Lock(client, '/multi/a')]).acquire();
  expect(held.leases).toHaveLength(2);
});
