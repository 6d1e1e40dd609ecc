// Caches, queues, counters, membership, discovery and partitions against real ZooKeeper and against ours: what they
// believe about watches, transactions and sessions has to hold for both. And with kazoo on the other side, where the
// layouts are the same.

import { execFile } from 'node:child_process';
import { type Client, type ClientOptions, connect } from '../../src/client/index.js';
import {
  Counter,
  DelayQueue,
  GroupMembership,
  NodeCache,
  Partitioner,
  PersistentNode,
  Queue,
  ServiceDiscovery,
  SharedValue,
  TreeCache,
} from '../../src/recipes/index.js';
import { whyNoKazoo } from '../helpers/kazoo.js';
import type { ServerUnderTest } from '../helpers/processes.js';
import { startZooKeeper, whyNoZooKeeper } from '../helpers/real-zookeeper.js';
import { startZabra } from '../helpers/zabra-server.js';
import { eventually } from '../unit/recipes/data-fixture.js';
import { LossyLink, Op } from '../unit/recipes/lossy-link.js';

const SUBJECTS = [
  { name: 'ZooKeeper 3.8', start: () => startZooKeeper(), whyNot: whyNoZooKeeper() },
  { name: 'Zabra', start: () => startZabra(), whyNot: undefined },
];

for (const { name, start, whyNot } of SUBJECTS) {
  const title = `recipes with data against ${name}${whyNot === undefined ? '' : ` (${whyNot})`}`;
  (whyNot === undefined ? describe : describe.skip)(title, () => suite(start));
}

function suite(start: () => Promise<ServerUnderTest>): void {
  let server: ServerUnderTest;
  const opened: AsyncDisposable[] = [];

  beforeAll(async () => {
    server = await start();
  }, 90_000);
  afterEach(async () => {
    for (const each of opened.splice(0).reverse()) await each[Symbol.asyncDispose]();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  async function open(options: ClientOptions = {}): Promise<Client> {
    const client = await connect(server.address, { sessionTimeoutMs: 4000, ...options });
    opened.push(client);
    return client;
  }

  async function linked(): Promise<{ client: Client; link: LossyLink }> {
    const link = await LossyLink.to(server.port);
    opened.push(link);
    const client = await connect(link.address, { sessionTimeoutMs: 4000 });
    opened.push(client);
    return { client, link };
  }

  async function expire({ client, link }: { client: Client; link: LossyLink }): Promise<void> {
    link.close();
    await (await connect(server.address, { session: client.session, sessionTimeoutMs: 4000 })).close();
  }

  function kazoo(script: string): Promise<string> {
    const head = `from kazoo.client import KazooClient\nzk = KazooClient(hosts='${server.address}'); zk.start()\n`;
    return new Promise((resolve, reject) => {
      execFile('/usr/bin/python3', ['-c', `${head}${script}\nzk.stop()`], { timeout: 60_000 }, (error, stdout) => {
        if (error === null) resolve(stdout.trim());
        else reject(error);
      });
    });
  }

  test('a tree cache follows changes as they are made and over lost sessions, and leaves no watch', async () => {
    const writer = await open();
    const far = await linked();
    await writer.create('/tree');
    const cache = new TreeCache(far.client, '/tree');
    await cache.ready();
    const told: string[] = [];
    cache.onUpdate(({ changes }) => told.push(...changes.map(({ type, path }) => `${type} ${path}`)));
    await writer.create('/tree/a', '1');
    await writer.create('/tree/a/b', '2');
    await eventually(() => cache.size === 3);
    for (let i = 0; i < 50; i++) await writer.set('/tree/a', String(i));
    await eventually(() => cache.isFresh && String(cache.get('/tree/a')?.data) === '49');
    expect(told.slice(0, 2)).toEqual(['added /tree/a', 'added /tree/a/b']);
    await expire(far);
    told.length = 0;
    await writer.transaction().delete('/tree/a/b').create('/tree/a/b', '2').create('/tree/c').commit();
    far.link.open();
    await eventually(() => cache.isFresh && cache.size === 4);
    expect(told).toEqual(['removed /tree/a/b', 'added /tree/c', 'added /tree/a/b'].sort((a, b) => order(a) - order(b)));
    await cache.close();
    expect(await far.client.checkWatches('/tree', 'any')).toBe(false);
  }, 30_000);

  /** Removed first; of one transaction shorter paths first. */
  const order = (line: string) => (line.startsWith('removed') ? 0 : line.length);

  test('a node cache and a shared value', async () => {
    const { client, link } = await linked();
    await using value = new SharedValue(client, '/shared', { initial: 'a' });
    const { version } = await value.get();
    await using cache = new NodeCache(await open(), '/shared');
    await cache.ready();
    link.lose('reply', Op.multi);
    expect(await value.compareAndSet(version, 'b')).toBe(true);
    expect(await value.compareAndSet(version, 'c')).toBe(false);
    await eventually(() => String(cache.node?.data) === 'b');
  });

  test('a counter and a queue whose answers are lost', async () => {
    const { client, link } = await linked();
    await using counter = new Counter(client, '/counter');
    await using queue = new Queue(client, '/queue');
    for (let i = 1; i <= 2; i++) {
      link.lose('reply', Op.multi);
      expect(await counter.add(1)).toBe(BigInt(i));
      link.lose('reply', Op.multi);
      await queue.put(String(i));
    }
    expect(link.lost).toBe(4);
    for (let i = 1; i <= 2; i++) {
      link.lose('reply', Op.multi);
      const item = await queue.take();
      expect(String(item.data)).toBe(String(i));
      link.lose('reply', Op.multi);
      await item.ack();
    }
    expect([await queue.length(), link.lost]).toEqual([0, 8]);
  }, 30_000);

  test('an item of a taker whose session ends is delivered again, and one that is due later waits', async () => {
    const far = await linked();
    const other = await open();
    await new Queue(far.client, '/again').put('x');
    const lost = await new Queue(far.client, '/again').take();
    const taking = new Queue(other, '/again').take();
    await expire(far);
    const item = await taking;
    expect(item.token).toBeGreaterThan(lost.token);
    await item.ack();
    await using delayed = new DelayQueue(other, '/delayed');
    await delayed.put('later', { delayMs: 200 });
    expect(await delayed.tryTake()).toBeNull();
    expect(String((await delayed.take()).data)).toBe('later');
  }, 30_000);

  test('a persistent node, a member and an instance come back after a lost session', async () => {
    const far = await linked();
    const other = await open();
    await using node = new PersistentNode(far.client, '/persistent', { data: 'x' });
    await node.ready();
    await using _member = await new GroupMembership(far.client, '/group').join('me');
    const discovery = new ServiceDiscovery(other, '/services');
    await using view = await discovery.watch('api');
    const registering = new ServiceDiscovery(far.client, '/services');
    await using _ = await registering.register({ name: 'api', id: 'one', address: 'h', port: 1 });
    await eventually(() => view.instances.length === 1);
    const before = node.token;
    await expire(far);
    await eventually(() => view.instances.length === 0);
    far.link.open();
    await eventually(() => node.token > before && view.instances.length === 1);
    const group = new GroupMembership(other, '/group');
    await eventually(async () => (await group.members()).length === 1);
    await using fresh = await group.join('me', 'fresh');
    expect(await group.members()).toMatchObject([{ token: fresh.token }]);
  }, 30_000);

  test('partitions are shared and handed over', async () => {
    const stop = new AbortController();
    const owners = new Map<number, string>();
    let doubles = 0;
    const run = async (id: string) =>
      new Partitioner(await open(), '/partitions', { partitions: 4, id }).run(
        async ({ index, signal }) => {
          if (owners.has(index)) doubles++;
          owners.set(index, id);
          await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
          owners.delete(index);
        },
        { signal: stop.signal },
      );
    const running = [run('a')];
    await eventually(() => owners.size === 4);
    running.push(run('b'));
    await eventually(() => [...owners.values()].sort().join('') === 'aabb');
    stop.abort();
    await Promise.all(running);
    expect(doubles).toBe(0);
  }, 30_000);

  (whyNoKazoo() === undefined ? test : test.skip)(
    'kazoo puts into our queue, takes from it, and counts on',
    async () => {
      const client = await open();
      await using queue = new Queue(client, '/with-kazoo/queue');
      await using counter = new Counter(client, '/with-kazoo/counter');
      await queue.put('ours');
      await counter.add(40);
      const held = await queue.take();
      const script = `q = zk.LockingQueue('/with-kazoo/queue'); q.put(b'theirs'); q.put(b'urgent', priority=1)
c = zk.Counter('/with-kazoo/counter'); c += 2
print(q.get(5).decode(), q.consume(), q.get(5).decode(), q.consume(), q.get(1), c.value)`;
      expect(await kazoo(script)).toBe('urgent True theirs True None 42');
      await held.release();
      expect(await kazoo("q = zk.LockingQueue('/with-kazoo/queue'); print(q.get(5).decode(), q.consume())")).toBe(
        'ours True',
      );
      expect([await queue.length(), await counter.add(1)]).toEqual([0, 43n]);
    },
    60_000,
  );
}
