import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '../../../../src/client/index.js';
import { DelayQueue, LeaseEndedError, PriorityQueue, Queue } from '../../../../src/recipes/index.js';
import { DataFixture, eventually } from '../data-fixture.js';
import { aborted, recorded } from '../fixture.js';
import { Op } from '../lossy-link.js';

const fixture = new DataFixture();
beforeAll(() => fixture.start(), 60_000);
afterEach(() => fixture.cleanUp());
afterAll(() => fixture.stop());

test('items come in their order, each to one of many takers, and go when they are acknowledged', async () => {
  const producer = await fixture.client();
  await using queue = new Queue(producer, '/queues/order');
  await queue.putAll(Array.from({ length: 30 }, (_, i) => String(i)));
  const taken: { item: string; token: bigint }[] = [];
  const takers = Array.from({ length: 3 }, async () => {
    const own = new Queue(await fixture.client(), '/queues/order');
    for (let item = await own.tryTake(); item !== null; item = await own.tryTake()) {
      taken.push({ item: String(item.data), token: item.token });
      await item.ack();
      await item.ack();
    }
  });
  await Promise.all(takers);
  expect(taken.map(({ item }) => Number(item)).sort((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, i) => i));
  expect(new Set(taken.map(({ token }) => token)).size).toBe(30);
  expect(await queue.length()).toBe(0);
  expect(await producer.children('/queues/order/taken')).toEqual([]);
  await queue.put('first');
  await queue.put('second');
  expect(String((await queue.take()).data)).toBe('first');
  expect(String((await queue.take()).data)).toBe('second');
});

test('what is not acknowledged is delivered again: released, or left by one that died', async () => {
  const linked = await fixture.linked();
  const other = new Queue(await fixture.client(), '/queues/again');
  await using queue = new Queue(linked.client, '/queues/again');
  await queue.put('work');
  {
    await using item = await queue.take();
    expect(String(item.data)).toBe('work'); // and the scope is left without an ack
  }
  const item = await queue.take();
  expect(await other.tryTake()).toBeNull();
  const waiting = other.take();
  await fixture.expireAndStayAway(linked);
  const second = await waiting; // as soon as the session has ended
  expect([String(second.data), second.token > item.token]).toEqual(['work', true]);
  linked.link.open();
  expect(await aborted(item.signal)).toMatchObject({ name: 'LeaseEndedError' });
  await eventually(() => linked.client.session.id !== 0n);
  await expect(item.ack()).rejects.toBeInstanceOf(LeaseEndedError); // and does not take the other's claim along
  await item.release();
  expect(second.signal.aborted).toBe(false);
  await second.ack();
  expect(await other.length()).toBe(0);
});

test.each(['reply', 'request'] as const)(
  'a put whose %s is lost puts the item once, though it is taken at once',
  async (what) => {
    const { client, link } = await fixture.linked();
    const path = `/queues/put-${what}`;
    const consumer = new Queue(await fixture.client(), path);
    const seen: string[] = [];
    const stop = new AbortController();
    const consuming = (async () => {
      for await (const item of consumer.items({ signal: stop.signal })) seen.push(String(item.data));
    })();
    consuming.catch(() => {});
    await using queue = new Queue(client, path);
    await queue.put('0');
    for (let i = 1; i <= 3; i++) {
      link.lose(what, Op.multi);
      await queue.put(String(i));
      expect(link.lost).toBe(i);
    }
    await eventually(async () => seen.length >= 4 && (await queue.length()) === 0);
    expect(seen).toEqual(['0', '1', '2', '3']);
    stop.abort(new Error('over'));
    await expect(consuming).rejects.toThrow('over');
  },
);

test('a put in doubt says so when the session is lost with the answer', async () => {
  const linked = await fixture.linked();
  await using queue = new Queue(linked.client, '/queues/doubt');
  await queue.put('sure');
  linked.link.lose('reply', Op.multi);
  const putting = queue.put('in doubt');
  putting.catch(() => {});
  await eventually(() => linked.link.lost === 1);
  await fixture.expire(linked);
  await expect(putting).rejects.toMatchObject({ maybeApplied: true });
});

test('lost answers to a claim and to an ack: the item is held once, and acknowledged', async () => {
  const { client, link } = await fixture.linked();
  await using queue = new Queue(client, '/queues/claims');
  await queue.putAll(['one', 'two']);
  link.lose('reply', Op.multi);
  const item = await queue.take();
  expect([String(item.data), link.lost, item.signal.aborted]).toEqual(['one', 1, false]);
  expect(await client.children('/queues/claims/taken')).toHaveLength(1);
  const rest = await queue.take(); // another taker of the same session does not take it for its own
  expect(String(rest.data)).toBe('two');
  link.lose('reply', Op.multi);
  await item.ack();
  expect(link.lost).toBe(2);
  expect(await queue.length()).toBe(1);
});

test('an ack in doubt whose item is gone has succeeded, also without the session', async () => {
  const linked = await fixture.linked();
  await using queue = new Queue(linked.client, '/queues/ack-doubt');
  await queue.put('x');
  const item = await queue.take();
  linked.link.lose('reply', Op.multi);
  const acking = item.ack();
  acking.catch(() => {});
  await eventually(() => linked.link.lost === 1);
  await fixture.expire(linked);
  await acking;
  expect(await queue.length()).toBe(0);
});

test('an item that somebody takes away is told at the ack', async () => {
  const client = await fixture.client();
  await using queue = new Queue(client, '/queues/purged');
  await queue.put('x');
  const item = await queue.take();
  await client.delete(item.path);
  await expect(item.ack()).rejects.toMatchObject({ name: 'LeaseEndedError', why: 'deleted' });
});

test('an item that goes between the look and the claim leaves no claim', async () => {
  const client = await fixture.client();
  const other = await fixture.client();
  await using queue = new Queue(client, '/queues/ghost');
  await queue.put('x');
  const children = client.children.bind(client) as (path: string) => Promise<string[]>;
  const look = async (path: string) => {
    const names = await children(path);
    if (path.endsWith('/entries')) for (const name of names) await other.delete(`${path}/${name}`);
    return names;
  };
  client.children = look as typeof client.children;
  expect(await queue.tryTake()).toBeNull();
  expect(await children('/queues/ghost/taken')).toEqual([]);
});

test('of many who wait one wakes for a new item', async () => {
  const { client, calls } = recorded(await fixture.client());
  const queue = new Queue(client, '/queues/herd');
  const abort = new AbortController();
  let woken = 0;
  const takers = Array.from({ length: 20 }, () => queue.take({ signal: abort.signal }).then(() => woken++));
  const settled = Promise.allSettled(takers);
  await eventually(async () => (await client.exists('/queues/herd/takers'))?.numChildren === 20);
  await client.sync('/');
  await sleep(50);
  calls.length = 0;
  await new Queue(await fixture.client(), '/queues/herd').put('x');
  await eventually(() => woken === 1);
  await eventually(async () => (await client.exists('/queues/herd/takers'))?.numChildren === 19);
  await client.sync('/');
  // The first looks at entries and claims when the item and when its own claim come; then the second at the line, and so on.
  expect(calls.filter((name) => name === 'children').length).toBeLessThanOrEqual(8);
  expect(woken).toBe(1);
  abort.abort(new Error('over'));
  await settled;
  expect(await client.children('/queues/herd/takers')).toEqual([]);
});

test('an aborted take holds nothing, and a take may have a time', async () => {
  const client = await fixture.client();
  await using queue = new Queue(client, '/queues/abort');
  await expect(queue.take({ timeoutMs: 30 })).rejects.toMatchObject({ name: 'TimeoutError' });
  const abort = new AbortController();
  await queue.put('x');
  const taking = queue.take({ signal: abort.signal });
  abort.abort(new Error('at once'));
  await expect(taking).rejects.toThrow('at once');
  await eventually(async () => (await client.children('/queues/abort/taken')).length === 0);
  expect(String((await queue.take()).data)).toBe('x');
});

test('a queue that somebody deletes is made again', async () => {
  const client = await fixture.client();
  await using queue = new Queue(client, '/queues/gone');
  await queue.put('lost');
  for (const item of await client.children('/queues/gone/entries')) await client.delete(`/queues/gone/entries/${item}`);
  await client.delete('/queues/gone/entries');
  await queue.put('kept');
  expect(String((await queue.take()).data)).toBe('kept');
});

test('items with a lower number come first, and in order among equals', async () => {
  await using queue = new PriorityQueue(await fixture.client(), '/queues/priority');
  await queue.put('later', { priority: 500 });
  await queue.put('b');
  await queue.put('c');
  await queue.put('urgent', { priority: 0 });
  const order: string[] = [];
  for (let item = await queue.tryTake(); item !== null; item = await queue.tryTake()) {
    order.push(String(item.data));
    await item.ack();
  }
  expect(order).toEqual(['urgent', 'b', 'c', 'later']);
  await expect(queue.put('x', { priority: 1000 })).rejects.toThrow(RangeError);
});

test('an item is not taken before it is due, by the clock of the server', async () => {
  const client = await fixture.client();
  await using queue = new DelayQueue(client, '/queues/delay');
  await queue.put('later', { delayMs: 400 });
  await queue.put('soon', { delayMs: 150 });
  const putAtMs = (await client.get('/queues/delay/entries')).stat.mtime;
  expect(await queue.tryTake()).toBeNull();
  const soon = await queue.take();
  expect(String(soon.data)).toBe('soon');
  expect(soon.takenAtMs - putAtMs).toBeGreaterThanOrEqual(150);
  const later = new DelayQueue(await fixture.client(), '/queues/delay').take();
  expect(String((await later).data)).toBe('later');
  expect((await later).takenAtMs - putAtMs).toBeGreaterThanOrEqual(400);
  const now = await (async () => {
    await queue.put('now');
    return queue.take();
  })();
  expect(String(now.data)).toBe('now');
});

test('an item that is due before the one that is waited for is taken first', async () => {
  await using queue = new DelayQueue(await fixture.client(), '/queues/overtaking');
  await queue.put('in an hour', { delayMs: 3_600_000 });
  const taking = queue.take();
  await sleep(30);
  await queue.put('now');
  expect(String((await taking).data)).toBe('now');
});

test('an item that is due in months is waited for in steps that a timer can take', async () => {
  const client = await fixture.client();
  const delaysMs: number[] = [];
  const { clock } = client;
  const after: typeof clock.after = (delayMs, ring) => {
    delaysMs.push(delayMs);
    return clock.after(delayMs, ring);
  };
  const watched: Client = new Proxy(client, {
    get(target, name) {
      if (name === 'clock') return { ...clock, after };
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  await using queue = new DelayQueue(watched, '/queues/months');
  await queue.put('renew the certificate', { delayMs: 100 * 86_400_000 });
  const stop = new AbortController();
  const taking = queue.take({ signal: stop.signal });
  await eventually(() => delaysMs.length > 0);
  stop.abort(new Error('enough'));
  await expect(taking).rejects.toThrow('enough');
  expect(delaysMs.filter((delayMs) => delayMs > 60_000)).toEqual([86_400_000]);
});
