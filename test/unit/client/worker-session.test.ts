// A session in a worker thread: what it is for (an event loop that is blocked), that it behaves as one in the main thread
// does, and what happens when the thread is lost. Against a real server in a process of its own, which a blocked test
// does not block.

import { Worker } from 'node:worker_threads';
import { Client } from '../../../src/client/client.js';
import { type ClientOptions, connect, type StateChange, type WatchEvent } from '../../../src/client/index.js';
import { resolveOptions } from '../../../src/client/options.js';
import { systemSurroundings } from '../../../src/client/surroundings.js';
import { WorkerSession } from '../../../src/client/worker-session.js';
import { type ServerUnderTest, waitFor } from '../../helpers/processes.js';
import { startZabra } from '../../helpers/zabra-server.js';
import { Link } from '../recipes/fixture.js';

const SESSION_TIMEOUT_MS = 1000;

let server: ServerUnderTest;
const clients: Client[] = [];
const links: Link[] = [];
beforeAll(async () => {
  server = await startZabra({ tickTime: '250', minSessionTimeout: '500' });
}, 60_000);
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  for (const link of links.splice(0)) link.end();
});
afterAll(() => server?.[Symbol.asyncDispose]());

async function open(options: ClientOptions = {}, address = server.address): Promise<Client> {
  const client = await connect(address, { thread: 'worker', sessionTimeoutMs: 20_000, ...options });
  clients.push(client);
  return client;
}

async function openLinked(options: ClientOptions = {}): Promise<{ client: Client; link: Link }> {
  const link = await Link.to(server.port);
  links.push(link);
  return { client: await open(options, link.address), link };
}

function blockEventLoop(ms: number): void {
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs);
}

function nextState(client: Client, wanted: StateChange['state']): Promise<StateChange> {
  return new Promise((resolve) => {
    const unsubscribe = client.onState((change) => {
      if (change.state !== wanted) return;
      unsubscribe();
      resolve(change);
    });
  });
}

test('an event loop blocked for three session timeouts loses the session of a client without the thread, and only that', async () => {
  const guarded = await open({ sessionTimeoutMs: SESSION_TIMEOUT_MS });
  const bare = await open({ sessionTimeoutMs: SESSION_TIMEOUT_MS, thread: 'main' });
  await guarded.create('/guarded', null, { ephemeral: true });
  await bare.create('/bare', null, { ephemeral: true });
  const ids = [guarded.session.id, bare.session.id];
  const release = guarded.guardSession();
  const guardedStates: string[] = [];
  guarded.onState(({ state }) => guardedStates.push(state));
  const lost = nextState(bare, 'LOST');

  blockEventLoop(3 * SESSION_TIMEOUT_MS);
  // Known at once, before anything that was said meanwhile has been read: a lock may go on.
  expect(guarded.sessionSafeForMs).toBeGreaterThan(0);
  release();
  await lost;

  expect(await guarded.ephemerals()).toEqual(['/guarded']);
  expect(await guarded.exists('/bare')).toBeNull();
  expect(guardedStates).toEqual([]);
  expect(guarded.session.id).toBe(ids[0]);
  await waitFor(
    () => (bare.session.id !== 0n && bare.session.id !== ids[1] ? true : undefined),
    10_000,
    () => 'no session',
  );
}, 60_000);

test('answers, errors, transactions and identities are those of the main thread', async () => {
  const client = await open({ auth: [{ scheme: 'digest', auth: 'ada:secret' }] });
  const { path, stat } = await client.create('/same', 'x');
  expect((await client.get(path)).stat).toEqual(stat);
  expect((await client.get(path)).data?.toString()).toBe('x');
  expect(client.lastZxid).toBeGreaterThanOrEqual(stat.czxid);
  expect(await client.exists('/none')).toBeNull();
  await expect(client.get('/none')).rejects.toMatchObject({
    name: 'NoNode',
    code: -101,
    operation: 'get',
    path: '/none',
  });
  await expect(client.get('/none')).rejects.toThrow('get of /none failed: the node does not exist (NoNode)');
  await expect(client.set(path, Buffer.alloc(2_000_000))).rejects.toMatchObject({ name: 'BadArguments' });
  await expect(client.transaction().set(path, 'y').check('/none').commit()).rejects.toMatchObject({
    name: 'NoNode',
    operationIndex: 1,
    path: '/none',
  });
  await client.addAuth('digest', 'bob:secret');
  expect((await client.whoAmI()).map(({ id }) => id)).toEqual(expect.arrayContaining(['ada', 'bob']));
  await expect(client.addAuth('no-such-scheme', 'x')).rejects.toMatchObject({ name: 'AuthFailed' });
  const many = await Promise.all(Array.from({ length: 2000 }, () => client.get(path)));
  expect(many.every(({ data }) => data?.toString() === 'x')).toBe(true);
}, 30_000);

test('deadlines and signals end calls, also while nobody answers', async () => {
  const { client, link } = await openLinked();
  link.freeze();
  await expect(client.get('/', { timeoutMs: 50 })).rejects.toMatchObject({ name: 'RequestTimeout', path: '/' });
  await expect(client.set('/', 'x', { timeoutMs: 50 })).rejects.toMatchObject({
    name: 'RequestTimeout',
    maybeApplied: true,
  });
  await expect(client.get('/', { signal: AbortSignal.timeout(20) })).rejects.toMatchObject({ name: 'TimeoutError' });
  const lost = client.set('/', 'x');
  await new Promise((resolve) => setTimeout(resolve, 50));
  link.cut();
  await expect(lost).rejects.toMatchObject({ name: 'ConnectionLoss', maybeApplied: true, operation: 'set' });
}, 30_000);

test('watches outlive a reconnect; streams and callbacks hear of the gap; a chroot is taken off', async () => {
  await (await open()).create('/chroot');
  const { client, link } = await openLinked();
  const events: WatchEvent[] = [];
  const below = await open({}, `${link.address}/chroot`);
  await below.create('/w');
  const stream = below.watch('/w', { recursive: true });
  await stream.ready;
  await below.addWatch('/w', (event) => events.push(event));
  const once: WatchEvent[] = [];
  await below.get('/w', { watch: (event) => once.push(event) });
  const back = nextState(below, 'RECONNECTED');
  link.cut();
  await client.retry(() => client.set('/chroot/w', '1'), { idempotent: true });
  await back;
  await below.sync();
  expect(once).toMatchObject([{ type: 'dataChanged', path: '/w' }]); // told by the server, if it was missed (E62)
  expect((await stream.next()).value).toEqual({ type: 'gap', path: '/w', reason: 'reconnected' });
  expect(events[0]).toEqual({ type: 'gap', path: '/w', reason: 'reconnected' });
  await below.set('/w', '2');
  expect(events.at(-1)).toMatchObject({ type: 'dataChanged', path: '/w' });
  expect(once).toHaveLength(1);
  // One that is taken away is not set again.
  await below.removeWatches('/w', { type: 'persistent' });
  expect(events.at(-1)).toMatchObject({ type: 'removed' });
  const again = nextState(below, 'RECONNECTED');
  link.cut();
  await again;
  expect(await below.checkWatches('/w', 'recursive')).toBe(true);
  expect(await below.checkWatches('/w', 'persistent')).toBe(false);
}, 30_000);

test('a watch that is set while the answer of removeWatches is on its way is there to stay', async () => {
  const other = await open();
  await other.create('/crossing');
  const { client, link } = await openLinked();
  const events: string[] = [];
  await client.get('/crossing', { watch: () => events.push('first') });
  // Both are answered in one go: the worker has registered the second watch before it hears that the first is forgotten.
  await Promise.all([
    client.removeWatches('/crossing', { type: 'data' }),
    client.get('/crossing', { watch: ({ type }) => events.push(`second ${type}`) }),
  ]);
  const back = nextState(client, 'RECONNECTED');
  link.cut();
  await back;
  await other.set('/crossing', 'x');
  await client.sync();
  expect(events).toEqual(['first', 'second dataChanged']); // the first has heard that it was removed
}, 30_000);

test('close ends the thread, rejects what waits, and may be called again', async () => {
  const { client, link } = await openLinked({ closeTimeoutMs: 300 });
  link.freeze();
  const waiting = client.get('/');
  const rejected = expect(waiting).rejects.toMatchObject({ name: 'ConnectionLoss' });
  const states: string[] = [];
  client.onState(({ state }) => states.push(state));
  await Promise.all([client.close(), client.close()]);
  await rejected;
  expect(states).toEqual(['CLOSED']);
  await expect(client.get('/')).rejects.toMatchObject({ name: 'ClientClosed' });
  await waitFor(
    () => (process.getActiveResourcesInfo().includes('MessagePort') ? undefined : true),
    10_000,
    () => `the thread lives on: ${process.getActiveResourcesInfo()}`,
  );
}, 30_000);

test('a thread that dies: LOST and CLOSED with the reason, what was handed over fails with a doubt, no lock is safe', async () => {
  const { link } = await openLinked();
  let thread: Worker | undefined;
  const resolved = resolveOptions(link.address, {});
  const client = new Client(
    resolved,
    systemSurroundings(undefined),
    (events) =>
      new WorkerSession(link.address, {}, 100, events, (setup) => {
        thread = new Worker(new URL('../../../src/client/worker-thread.js', import.meta.url), { workerData: setup });
        return thread;
      }),
  );
  clients.push(client);
  await client.connected();
  await client.create('/dying', null, { ephemeral: true });
  expect(client.sessionSafeForMs).toBeGreaterThan(0);
  const changes: StateChange[] = [];
  client.onState((change) => changes.push(change));
  const stream = client.watch('/dying');
  await stream.ready;
  link.freeze();
  const write = client.set('/dying', 'x');
  const read = client.get('/dying');
  const credential = client.addAuth('digest', 'a:b');
  const outcomes = Promise.allSettled([write, read, credential, stream.next()]);
  await thread?.terminate();
  expect(await outcomes).toMatchObject([
    { reason: { name: 'ConnectionLoss', maybeApplied: true, path: '/dying' } },
    { reason: { name: 'ConnectionLoss', maybeApplied: false } },
    { reason: { name: 'ConnectionLoss' } },
    { reason: { name: 'ConnectionLoss' } },
  ]);
  expect(changes.map(({ state }) => state)).toEqual(['LOST', 'CLOSED']);
  expect(changes[0].cause?.message).toContain('worker thread has ended');
  expect(client.sessionSafeForMs).toBe(0);
  await expect(client.get('/')).rejects.toThrow('ConnectionLoss');
}, 30_000);
