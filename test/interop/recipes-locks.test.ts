// The locking recipes against real ZooKeeper and against ours: what they rely on has to hold for both. And kazoo's locks
// beside ours on the same paths: they exclude each other.

import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, type ClientOptions, connect } from '../../src/client/index.js';
import {
  Barrier,
  DoubleBarrier,
  Election,
  fencedTransaction,
  Lock,
  type Lockable,
  type LockLayout,
  MultiLock,
  ReadWriteLock,
  Semaphore,
} from '../../src/recipes/index.js';
import { whyNoKazoo } from '../helpers/kazoo.js';
import { fourLetterWord, type ServerUnderTest, waitFor } from '../helpers/processes.js';
import { startZooKeeper, whyNoZooKeeper } from '../helpers/real-zookeeper.js';
import { startZabra } from '../helpers/zabra-server.js';
import { aborted, childCount } from '../unit/recipes/fixture.js';
import { LossyLink, Op } from '../unit/recipes/lossy-link.js';
import { describeUnless } from './target.js';

const SUBJECTS = [
  { name: 'ZooKeeper 3.8', start: () => startZooKeeper(), whyNot: whyNoZooKeeper() },
  { name: 'Zabra', start: () => startZabra(), whyNot: undefined },
];
const NO_KAZOO = whyNoKazoo();
const PEER = resolve('test/interop/kazoo/lock_peer.py');

for (const subject of SUBJECTS) {
  describeUnless([subject.whyNot], `locking recipes against ${subject.name}`, () => suite(subject.start));
}

function suite(start: () => Promise<ServerUnderTest>): void {
  let server: ServerUnderTest;
  let link: LossyLink;
  const clients: Client[] = [];

  beforeAll(async () => {
    server = await start();
    link = await LossyLink.to(server.port);
  }, 90_000);

  afterEach(async () => {
    link.open();
    await Promise.all(clients.splice(0).map((client) => client.close()));
  });

  afterAll(async () => {
    await link[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  const open = async (hosts = server.address, options: ClientOptions = {}) => {
    const client = await connect(hosts, { sessionTimeoutMs: 4000, ...options });
    clients.push(client);
    return client;
  };

  /** Several clients, some of them over a link that is cut now and then, each with so many turns. */
  async function turns(path: string, lockOf: (client: Client) => Lockable): Promise<void> {
    let inside = 0;
    let cuts = 0;
    const tokens: bigint[] = [];
    const cutter = setInterval(() => {
      if (cuts++ < 4) link.cut();
    }, 60);
    const members = await Promise.all([open(), open(link.address), open(), open(link.address)]);
    await Promise.all(
      members.map(async (client) => {
        const lock = lockOf(client);
        for (let i = 0; i < 5; i++) {
          await using held = await lock.acquire();
          expect(++inside).toBe(1);
          tokens.push(held.token);
          await sleep(3);
          inside--;
        }
      }),
    );
    clearInterval(cutter);
    expect(tokens).toHaveLength(20);
    for (let i = 1; i < tokens.length; i++) expect(tokens[i]).toBeGreaterThan(tokens[i - 1]);
    await childCount(members[0], path, 0);
  }

  test('a lock: one holder at a time, rising tokens, while connections are cut', async () => {
    await turns('/locks/plain', (client) => new Lock(client, '/locks/plain'));
  });

  test('a write lock likewise, in the layout of kazoo', async () => {
    await turns('/locks/write', (client) => new ReadWriteLock(client, '/locks/write', { layout: 'kazoo' }).write);
  });

  test.each(['request', 'reply'] as const)(
    'the %s of a create or of a delete is lost: no orphan, no second node',
    async (what) => {
      const path = `/locks/lost-${what}`;
      const client = await open(link.address);
      await client.create(path).catch(() => client.create('/locks').then(() => client.create(path)));
      link.lose(what, Op.create2);
      const held = await new Lock(client, path).acquire();
      expect(await client.children(path)).toHaveLength(1);
      link.lose(what, Op.delete);
      await held.release();
      expect(await client.children(path)).toHaveLength(0);
    },
  );

  test('the signal comes before the successor, when the holder is cut off', async () => {
    const held = await new Lock(await open(link.address, { sessionTimeoutMs: 2000 }), '/locks/signal').acquire();
    const order: string[] = [];
    held.signal.addEventListener('abort', () => order.push('signal'));
    const successor = new Lock(await open(), '/locks/signal').acquire().then((lease) => {
      order.push('successor');
      return lease;
    });
    link.close();
    expect((await successor).token).toBeGreaterThan(held.token);
    expect(order).toEqual(['signal', 'successor']);
  });

  test('a release with many waiting makes one watch go off', async () => {
    const client = await open(server.address, { sessionTimeoutMs: 20_000 });
    const lock = new Lock(client, '/locks/herd');
    const held = await lock.acquire();
    const abort = new AbortController();
    const waiters = Array.from({ length: 300 }, () => lock.acquire({ signal: abort.signal }));
    const watched = (count: number) =>
      waitFor(
        async () => ((await watchedPaths(server.port, '/locks/herd/')) === count ? true : undefined),
        30_000,
        () => `not ${count} watched paths`,
      );
    await watched(300);
    await held.release();
    await Promise.race(waiters);
    await watched(299);
    abort.abort(new Error('over'));
    await Promise.allSettled(waiters);
  });

  test('readers and writers, and a downgrade that keeps writers out', async () => {
    const client = await open();
    const lock = new ReadWriteLock(client, '/locks/rw');
    const reading = await Promise.all([lock.read.acquire(), lock.read.acquire()]);
    const writing = lock.write.acquire();
    await childCount(client, '/locks/rw', 3);
    expect(await lock.read.tryAcquire()).toBeNull(); // the writer is not starved
    for (const reader of reading) await reader.release();
    const writer = await writing;
    const next = lock.write.acquire();
    await childCount(client, '/locks/rw', 2);
    const reader = await writer.downgrade();
    expect(reader).toMatchObject({ isHeld: true, token: writer.token });
    expect((await lock.write.contenders()).map(({ path }) => path)[0]).toBe(reader.path);
    await reader.release();
    expect((await next).isHeld).toBe(true);
  });

  test('a semaphore: its limit, several permits, a new limit', async () => {
    const semaphore = new Semaphore(await open(), '/locks/semaphore', 2);
    const [one, two] = [await semaphore.acquire(), await semaphore.acquire()];
    expect(await semaphore.tryAcquire()).toBeNull();
    const both = semaphore.acquire({ permits: 2 });
    await two.release();
    await one.release();
    expect((await both).leases).toHaveLength(2);
    const third = semaphore.acquire();
    await semaphore.setLimit(3);
    expect((await third).token).toBeGreaterThan((await both).token);
  });

  test('several locks as one; a request to give up; a write that goes with the lease', async () => {
    const client = await open();
    const multi = new MultiLock(['/locks/b', '/locks/a'].map((path) => new Lock(client, path)));
    await using held = await multi.acquire();
    const lock = new Lock(await open(), '/locks/a');
    expect(await lock.tryAcquire()).toBeNull();
    expect(await lock.requestRevocation()).toBe(1);
    await aborted(held.leases[0].revocation);
    await client.create('/locks/value');
    await fencedTransaction(client, held.leases[0]).set('/locks/value', 'mine').commit();
    await held.release();
    const late = fencedTransaction(client, held.leases[0]).set('/locks/value', 'late').commit();
    await expect(late).rejects.toMatchObject({ name: 'NoNode', operationIndex: 0 });
  });

  test('an election: leader, observer, selector', async () => {
    const client = await open();
    const first = await new Election(client, '/election', { data: 'first' }).campaign();
    const seen = new Election(client, '/election').observe();
    expect((await seen.next()).value).toMatchObject({ data: Buffer.from('first'), token: first.token });
    const stop = new AbortController();
    const leading = new Election(await open(), '/election', { data: 'second' }).lead(
      async ({ token }, signal) => {
        expect(token).toBeGreaterThan(first.token);
        expect((await seen.next()).value).toMatchObject({ data: Buffer.from('second'), token });
        stop.abort(new Error('seen'));
        await aborted(signal);
      },
      { signal: stop.signal },
    );
    await childCount(client, '/election', 2);
    await first.resign();
    await leading;
    expect((await seen.next()).value).toBeNull();
    await seen.return();
  });

  test('barriers', async () => {
    const [client, other] = [await open(), await open()];
    const gate = new Barrier(client, '/gate');
    await gate.close();
    const waiting = new Barrier(other, '/gate').wait({ timeoutMs: 20_000 });
    await gate.open();
    await waiting;
    const members = await Promise.all([client, other].map((each) => new DoubleBarrier(each, '/rounds', 2).enter()));
    await Promise.all(members.map((member) => member.leave()));
    await childCount(client, '/rounds', 0);
  });

  describeUnless([NO_KAZOO], 'beside kazoo', () => {
    /** As the peer does: alone inside, or there is a breach. */
    async function alone(client: Client, path: string): Promise<void> {
      await client.create(`${path}-inside`, 'zabra', { ephemeral: true });
      await sleep(3);
      await client.delete(`${path}-inside`);
    }

    function kazoo(kind: string, path: string, ...patterns: string[]): Promise<number> {
      return new Promise((settle, reject) => {
        const args = ['-B', PEER, server.address, kind, path, '15', ...patterns];
        execFile('/usr/bin/python3', args, { timeout: 50_000, killSignal: 'SIGKILL' }, (error, stdout, stderr) => {
          if (error === null) settle(Number(stdout));
          else reject(new Error(`kazoo's ${kind}: ${stdout}${stderr}`));
        });
      });
    }

    /** Takes turns for as long as the peers do; how many it had before they were through. */
    async function beside(peers: readonly Promise<number>[], takeTurn: () => Promise<void>): Promise<number> {
      let isOver = false;
      const through = Promise.all(peers).finally(() => {
        isOver = true;
      });
      through.catch(() => {});
      let had = 0;
      for (; !isOver; had++) await takeTurn();
      expect(await through).toEqual(peers.map(() => 15));
      return had;
    }

    test.each<[LockLayout, string[]]>([
      ['kazoo', []],
      ['curator', ['-lock-']],
    ])("a Lock in the layout of %s and kazoo's Lock exclude each other", async (layout, patterns) => {
      const path = `/kazoo-${layout}`;
      const client = await open();
      const lock = new Lock(client, path, { layout });
      const peers = [kazoo('Lock', path, ...patterns), kazoo('Lock', path, ...patterns)];
      expect(await beside(peers, () => lock.run(() => alone(client, path)))).toBeGreaterThan(5);
    });

    test("a ReadWriteLock and kazoo's WriteLock exclude each other", async () => {
      const path = '/kazoo-rw';
      const client = await open();
      const lock = new ReadWriteLock(client, path, { layout: 'kazoo' });
      const turn = async () => {
        await lock.write.run(() => alone(client, path));
        await lock.read.run(async () => expect(await client.exists(`${path}-inside`)).toBeNull());
      };
      expect(await beside([kazoo('WriteLock', path), kazoo('WriteLock', path)], turn)).toBeGreaterThan(5);
    });

    // One writer at a time: kazoo 2.8's reader waits also for writers that came after it, while those wait for it.
    test("kazoo's ReadLock waits for a writer of ours, and stands beside a reader of ours", async () => {
      const path = '/kazoo-read';
      const client = await open();
      const lock = new ReadWriteLock(client, path, { layout: 'kazoo' });
      await client.create(`${path}-inside`, 'zabra', { ephemeral: true });
      const writer = await lock.write.acquire();
      const reading = kazoo('ReadLock', path);
      await Promise.race([reading, childCount(client, path, 2)]);
      await client.delete(`${path}-inside`);
      await using _reader = await writer.downgrade();
      expect(await reading).toBe(15);
    });

    test("an Election and kazoo's have one leader", async () => {
      const path = '/kazoo-election';
      const client = await open();
      const election = new Election(client, path, { layout: 'kazoo', data: 'zabra' });
      const turn = () => election.lead(() => alone(client, path), { requeue: false });
      expect(await beside([kazoo('Election', path), kazoo('Election', path)], turn)).toBeGreaterThan(5);
    });
  });
}

async function watchedPaths(port: number, prefix: string): Promise<number> {
  const answer = await fourLetterWord(port, 'wchp');
  return answer.split('\n').filter((line) => line.startsWith(prefix)).length;
}
