// Clients in great number and under constant disturbance: connections cut while requests are in flight, calls aborted,
// clients closed and let go. Every call must settle, and when all is over nothing may be left behind: no socket, no
// timer, no growing heap, no rejection that nobody handles.

import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Client, connect, createClient, ZooKeeperError } from '../../src/client/index.js';
import { Random } from '../../src/std/random.js';
import { type ServerUnderTest, waitFor } from '../helpers/processes.js';
import { startZabra } from '../helpers/zabra-server.js';
import { heapGrowthBytes, runSoak } from '../soak/soak.js';
import { Link } from '../unit/recipes/fixture.js';

const CLIENTS = 500;
const CLIENTS_AT_ONCE = 25;
const CALLS = 20_000;
const CALLS_AT_ONCE = 200;
/** What a leak of a few hundred bytes a call would exceed. */
const HEAP_GROWTH_BYTES_MAX = 4 * 1024 * 1024;

let server: ServerUnderTest;
let link: Link;
const unhandled: unknown[] = [];
const onUnhandled = (reason: unknown) => unhandled.push(reason);
beforeAll(async () => {
  process.on('unhandledRejection', onUnhandled);
  server = await startZabra();
  link = await Link.to(server.port);
}, 60_000);
afterAll(async () => {
  process.off('unhandledRejection', onUnhandled);
  link?.end();
  await server?.[Symbol.asyncDispose]();
});

/** The kinds of handles that keep the process alive, with their number. */
function handles(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

async function expectNoMoreHandlesThan(before: Record<string, number>): Promise<void> {
  await waitFor(
    async () =>
      ['TCPSocketWrap', 'TCPConnectWrap', 'GetAddrInfoReqWrap', 'Timeout'].every(
        (kind) => (handles()[kind] ?? 0) <= (before[kind] ?? 0) + (kind === 'Timeout' ? 1 : 0), // this wait's own
      )
        ? true
        : undefined,
    10_000,
    () => `left behind: ${JSON.stringify({ before, after: handles() })}`,
  );
}

/** Runs `work` for 0 … count − 1, so many at once. */
async function spread(count: number, atOnce: number, work: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let i = next++; i < count; i = next++) await work(i);
    }),
  );
}

test('500 clients that come and go leave nothing behind', async () => {
  const before = handles();
  const random = new Random(1);
  await spread(CLIENTS, CLIENTS_AT_ONCE, async (i) => {
    const options = { sessionTimeoutMs: 4000, seed: i };
    const client = i % 3 === 0 ? createClient(link.address, options) : await connect(link.address, options);
    const stream = client.watch('/', { recursive: true });
    const calls = [client.exists('/nothing', { watch: () => {} }), client.children('/'), client.sync()];
    if (random.int(4) === 0) link.cut();
    if (random.int(2) === 0) await Promise.allSettled(calls);
    await client.close({ keepSession: random.int(8) === 0 });
    const ends = await Promise.allSettled(calls);
    for (const end of ends) if (end.status === 'rejected') expect(end.reason).toBeInstanceOf(ZooKeeperError);
    await expect(
      stream.next().then(
        ({ done }) => done,
        () => true,
      ),
    ).resolves.toBeDefined();
    await expect(client.get('/')).rejects.toMatchObject({ name: 'ClientClosed' });
  });
  await expectNoMoreHandlesThan(before);
  expect(unhandled).toEqual([]);
}, 120_000);

test('20,000 calls, aborted and cut off, all settle and are forgotten', async () => {
  const before = handles();
  // As many hosts, all of them the same one, since from the second round on the client would wait before it comes back.
  const hosts = Array.from({ length: 100 }, () => link.address).join(',');
  await using client = await connect(hosts, { sessionTimeoutMs: 40_000, seed: 7 });
  await client.create('/soak');
  const shared = new AbortController(); // one signal for many calls, as a server's shutdown signal is
  const disturbing = disturb(client, shared.signal);
  const heapBytes: number[] = [];
  const outcomes = new Map<string, number>();
  try {
    for (const round of [1, 2, 3, 4]) {
      await spread(CALLS / 4, CALLS_AT_ONCE, async (i) => {
        const outcome = await call(client, i, shared.signal);
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      });
      if (round === 1 || round === 4) heapBytes.push(await settledHeapBytes());
    }
  } finally {
    shared.abort();
    await disturbing;
  }
  expect([...outcomes.values()].reduce((sum, count) => sum + count, 0)).toBe(CALLS);
  expect([...outcomes.keys()].filter((name) => !EXPECTED.has(name))).toEqual([]);
  expect(outcomes.get('done')).toBeGreaterThan(CALLS / 4);
  expect(outcomes.get('aborted')).toBeGreaterThan(0);
  expect(outcomes.get('ConnectionLoss')).toBeGreaterThan(0);
  expect(heapBytes[1] - heapBytes[0]).toBeLessThan(HEAP_GROWTH_BYTES_MAX);
  // Nothing that was protected is left: each was deleted by its maker, or behind the back of the one who gave up.
  await waitFor(
    async () => ((await client.children('/soak').catch(() => ['?'])).length === 0 ? true : undefined), // cut again
    20_000,
    () => 'protected nodes are left',
  );
  await client.close();
  await expectNoMoreHandlesThan(before);
  expect(unhandled).toEqual([]);
}, 180_000);

test('the soak in short: locks, streams and worker threads beside, under constant cuts', async () => {
  const { samples, faults, leftHandles } = await runSoak({ durationMs: 5000, sampleMs: 500, seed: 3 });
  expect(faults).toEqual([]);
  expect(leftHandles).toEqual([]);
  const { counts } = samples[samples.length - 1];
  for (const [name, count] of Object.entries(counts)) expect([name, count > 0]).toEqual([name, true]);
  expect(heapGrowthBytes(samples)).toBeLessThan(HEAP_GROWTH_BYTES_MAX);
}, 60_000);

const EXPECTED: ReadonlySet<string> = new Set(['done', 'aborted', 'ConnectionLoss', 'RequestTimeout', 'NoNode']);

async function disturb(client: Client, end: AbortSignal): Promise<void> {
  while (!end.aborted) {
    await client.connected({ signal: end }).catch(() => {});
    await sleep(60);
    link.cut();
  }
}

async function call(client: Client, i: number, shared: AbortSignal): Promise<string> {
  const abort = new AbortController();
  const signal = i % 2 === 0 ? abort.signal : shared;
  const calling = request(client, i, signal);
  if (i % 10 === 0) abort.abort(new Error('aborted'));
  else if (i % 10 === 2) setImmediate(() => abort.abort(new Error('aborted')));
  else if (i % 10 === 4) setTimeout(() => abort.abort(new Error('aborted')), 5);
  try {
    await calling;
    return 'done';
  } catch (error) {
    return error instanceof ZooKeeperError ? error.name : (error as Error).message;
  }
}

async function request(client: Client, i: number, signal: AbortSignal): Promise<unknown> {
  switch (i % 7) {
    case 0:
      return client.get('/soak', { signal });
    case 1:
      return client.exists(`/soak/none-${i}`, { signal });
    case 2:
      return client.set('/soak', `${i}`, { signal });
    case 3:
      return client.get('/soak', { signal, watch: () => {} });
    case 4:
      return client.children('/soak', { signal, timeoutMs: 2000 });
    case 5:
      return client.multiRead([{ get: '/soak' }, { children: '/soak' }], { signal });
    default: {
      const { path } = await client.create('/soak/p-', null, { signal, protected: true, sequential: true });
      for (;;) {
        try {
          return await client.delete(path); // ours by now, so no signal may leave it behind
        } catch (error) {
          if (ZooKeeperError.is(error, 'NoNode')) return undefined; // the delete before, whose answer was lost
          if (!ZooKeeperError.is(error, 'ConnectionLoss')) throw error;
        }
      }
    }
  }
}

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

/** The heap after what is dead was collected. */
async function settledHeapBytes(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    collectGarbage();
    await sleep(50);
  }
  return process.memoryUsage().heapUsed;
}
