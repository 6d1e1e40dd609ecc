// The SDK against a server that is not ours: what it believes about the protocol has to hold for real ZooKeeper. The same
// suite runs against our own server as soon as that can be started.

import { existsSync } from 'node:fs';
import { connect, createClient } from '../../src/client/connect.js';
import {
  type Client,
  type ClientOptions,
  CREATOR_ACL,
  Perms,
  READ_ACL,
  type StateChange,
  type WatchEvent,
  ZooKeeperError,
} from '../../src/client/index.js';
import { type ServerUnderTest, waitFor } from '../helpers/processes.js';
import { startZooKeeper, whyNoZooKeeper } from '../helpers/real-zookeeper.js';
import { startZabra } from '../helpers/zabra-server.js';

interface Subject {
  readonly name: string;
  readonly start: () => Promise<ServerUnderTest>;
  readonly whyNot: string | undefined;
  readonly options?: ClientOptions;
}

const WHY_NO_ZABRA = existsSync('dist/src/cli/main.js') ? undefined : 'no Zabra: its command line is not built';

const SUBJECTS: readonly Subject[] = [
  { name: 'ZooKeeper 3.8', start: () => startZooKeeper(), whyNot: whyNoZooKeeper() },
  {
    name: 'Zabra',
    start: () => startZabra(),
    whyNot: WHY_NO_ZABRA,
  },
  {
    name: 'Zabra, from a worker thread',
    start: () => startZabra(),
    whyNot: WHY_NO_ZABRA,
    options: { thread: 'worker' },
  },
];

for (const subject of SUBJECTS) {
  const title = `SDK against ${subject.name}${subject.whyNot === undefined ? '' : ` (${subject.whyNot})`}`;
  (subject.whyNot === undefined ? describe : describe.skip)(title, () => suite(subject));
}

function suite(subject: Subject): void {
  let server: ServerUnderTest;
  const clients: Client[] = [];

  beforeAll(async () => {
    server = await subject.start();
  }, 90_000);
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.close()));
  });
  afterAll(() => server[Symbol.asyncDispose]());

  async function open(options: ClientOptions = {}, chroot = ''): Promise<Client> {
    const client = await connect(server.address + chroot, { sessionTimeoutMs: 4000, ...subject.options, ...options });
    clients.push(client);
    return client;
  }

  test('create, get, set, exists, children, delete', async () => {
    const client = await open();
    const { path, stat } = await client.create('/basic', 'eins');
    expect(path).toBe('/basic');
    expect(stat.czxid).toBeGreaterThan(0n);
    expect(Math.abs(stat.ctime - Date.now())).toBeLessThan(3_600_000);
    expect((await client.get('/basic')).data?.toString()).toBe('eins');
    const changed = await client.set('/basic', new Uint8Array([1, 2]), { version: 0 });
    expect(changed).toMatchObject({ version: 1, dataLength: 2, czxid: stat.czxid });
    await client.create('/basic/a');
    expect((await client.get('/basic/a')).data).toBeNull();
    await client.create('/basic/ä', '');
    expect((await client.get('/basic/ä')).data).toHaveLength(0);
    expect((await client.children('/basic')).sort()).toEqual(['a', 'ä']);
    const withStat = await client.children('/basic', { withStat: true });
    expect(withStat.stat).toEqual(await client.exists('/basic'));
    expect(await client.allChildrenNumber('/basic')).toBe(2);
    await client.sync('/basic');
    await client.delete('/basic/a');
    expect(await client.exists('/basic/a')).toBeNull();
  });

  test('errors have a name, a code and a path, and a bad call never reaches the server', async () => {
    const client = await open();
    await expect(client.get('/none')).rejects.toMatchObject({
      name: 'NoNode',
      code: -101,
      operation: 'get',
      path: '/none',
    });
    await client.create('/there');
    await expect(client.create('/there')).rejects.toMatchObject({ name: 'NodeExists', maybeApplied: false });
    await expect(client.delete('/there', { version: 7 })).rejects.toMatchObject({ name: 'BadVersion' });
    await expect(client.get('no/slash')).rejects.toMatchObject({ name: 'BadArguments' });
    await expect(client.set('/there', Buffer.alloc(1_100_000))).rejects.toMatchObject({ name: 'BadArguments' });
    expect(client.state).toBe('CONNECTED');
  });

  test('all kinds of nodes', async () => {
    const client = await open();
    await client.create('/kinds');
    const first = await client.create('/kinds/', null, { sequential: true });
    expect(first.path).toBe('/kinds/0000000000');
    const second = await client.create('/kinds/e-', null, { mode: 'ephemeral-sequential' });
    expect(second.path).toBe('/kinds/e-0000000001');
    expect(second.stat.ephemeralOwner).toBe(client.session.id);
    await client.create('/kinds/container', null, { container: true });
    await client.create('/kinds/ttl', null, { ttlMs: 60_000 });
    const guarded = await client.create('/kinds/p-', null, { protected: true, sequential: true, ephemeral: true });
    expect(guarded.path).toMatch(/^\/kinds\/_c_[0-9a-f-]{36}-p-\d{10}$/);
    expect((await client.ephemerals('/kinds')).sort()).toEqual([guarded.path, second.path].sort());
    await client.close();
    const other = await open();
    expect((await other.children('/kinds')).sort()).toEqual(['0000000000', 'container', 'ttl']);
  });

  test('a transaction happens as a whole or not at all', async () => {
    const client = await open();
    const [created, stat, checked, deleted] = await client
      .transaction()
      .create('/multi', 'x')
      .set('/multi', 'y')
      .check('/multi', 1)
      .delete('/multi', { version: 1 })
      .commit();
    expect(created.path).toBe('/multi');
    expect(stat.version).toBe(1);
    expect([checked, deleted]).toEqual([undefined, undefined]);
    const failing = client
      .transaction()
      .create('/multi')
      .check('/absent')
      .create('/multi/b', null, { ephemeral: true });
    await expect(failing.commit()).rejects.toMatchObject({
      name: 'NoNode',
      operationIndex: 1,
      path: '/absent',
      operation: 'check',
    });
    expect(await client.exists('/multi')).toBeNull();
    expect(await client.transaction().commit()).toEqual([]);
  });

  test('multiRead gives each read its own result', async () => {
    const client = await open();
    await client.create('/mr', 'data');
    const [data, names, missing] = await client.multiRead([{ get: '/mr' }, { children: '/mr' }, { get: '/mr/none' }]);
    if (data instanceof ZooKeeperError) throw data;
    expect(data.data?.toString()).toBe('data');
    expect(names).toEqual([]);
    expect(missing).toMatchObject({ name: 'NoNode', path: '/mr/none', operation: 'get' });
  });

  test('a chroot is put on and taken off everywhere (E67, E-k 35)', async () => {
    const plain = await open();
    await plain.create('/app');
    await plain.create('/apple', null, { ephemeral: true });
    const client = await open({}, '/app');
    const events: WatchEvent[] = [];
    await client.exists('/a', { watch: (event) => events.push(event) });
    expect((await client.create('/a', null, { ephemeral: true })).path).toBe('/a');
    expect(events).toEqual([{ type: 'created', path: '/a', zxid: expect.anything() }]);
    const [created] = await client.transaction().create('/s-', null, { sequential: true }).commit();
    expect(created.path).toMatch(/^\/s-\d{10}$/);
    expect(await client.ephemerals()).toEqual(['/a']);
    expect((await client.children('/')).sort()).toEqual(['a', created.path.slice(1)]);
    const [root] = await client.multiRead([{ children: '/' }]);
    expect(root).toHaveLength(2);
    await expect(client.get('/none')).rejects.toMatchObject({ path: '/none' });
    expect(await plain.exists('/app/a')).not.toBeNull();
    expect((await client.getConfig()).stat.version).toBeDefined();
  });

  test('one-shot watches fire once, before the answer that shows the change (E59)', async () => {
    const client = await open();
    const log: string[] = [];
    const watch = (event: WatchEvent) => log.push(`${event.type} ${event.path}`);
    await client.create('/w');
    await client.get('/w', { watch });
    await client.exists('/w', { watch });
    await client.children('/w', { watch });
    await client.create('/w/c').then(() => log.push('create answered'));
    await client.set('/w', '1').then(() => log.push('set answered'));
    await client.set('/w', '2').then(() => log.push('set answered'));
    expect(log).toEqual(['childrenChanged /w', 'create answered', 'dataChanged /w', 'set answered', 'set answered']);
  });

  test('streams: persistent and recursive, with their end', async () => {
    const client = await open();
    await client.create('/st');
    const plain = client.watch('/st');
    await plain.ready;
    await client.create('/st/a');
    expect((await plain.next()).value).toMatchObject({ type: 'childrenChanged', path: '/st' });
    await plain.return();
    await waitFor(
      async () => ((await client.checkWatches('/st')) ? undefined : true),
      5000,
      () => 'the watch stays',
    );

    const tree = client.watch('/st', { recursive: true });
    await tree.ready;
    await client.create('/st/a/b');
    await client.set('/st/a/b', 'x');
    await client.delete('/st/a/b');
    const seen: string[] = [];
    for await (const event of tree) {
      seen.push(`${event.type} ${event.path}`);
      if (seen.length === 3) break;
    }
    expect(seen).toEqual(['created /st/a/b', 'dataChanged /st/a/b', 'deleted /st/a/b']);
    await expect(client.removeWatches('/st')).rejects.toMatchObject({ name: 'NoWatcher' });

    const events: WatchEvent[] = [];
    await client.addWatch('/st', (event) => events.push(event));
    await client.removeWatches('/st');
    expect(events).toEqual([{ type: 'removed', path: '/st' }]);
  });

  test('ACLs and identities', async () => {
    const client = await open({ auth: [{ scheme: 'digest', auth: 'ada:secret' }] });
    await client.create('/mine', 'x', { acl: CREATOR_ACL });
    expect((await client.getAcl('/mine')).acl[0]).toMatchObject({ scheme: 'digest', perms: Perms.ALL });
    const stranger = await open();
    await expect(stranger.get('/mine')).rejects.toMatchObject({ name: 'NoAuth' });
    await stranger.addAuth('digest', 'ada:secret');
    expect((await stranger.get('/mine')).data?.toString()).toBe('x');
    expect(await stranger.whoAmI()).toEqual(expect.arrayContaining([expect.objectContaining({ scheme: 'digest' })]));
    await stranger.setAcl('/mine', READ_ACL, { version: 0 });
    await expect(stranger.addAuth('no-such-scheme', 'x')).rejects.toMatchObject({ name: 'AuthFailed' });
    expect((await stranger.get('/mine')).stat.aversion).toBe(1);
  });

  test('a thousand pipelined operations come back in order', async () => {
    const client = await open();
    await client.create('/pipe');
    const order: number[] = [];
    await Promise.all(
      Array.from({ length: 1000 }, (_, i) =>
        (i % 3 === 0 ? client.create(`/pipe/${i}`, String(i)) : client.get('/pipe')).then(() => order.push(i)),
      ),
    );
    expect(order).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    expect(await client.children('/pipe')).toHaveLength(334);
  });

  test('over a restart of the server: same session, watches, identities, ephemerals', async () => {
    const client = await open({ sessionTimeoutMs: 20_000, auth: [{ scheme: 'digest', auth: 'u:p' }] });
    const states: string[] = [];
    client.onState(({ state }) => states.push(state));
    const { id } = client.session;
    await client.create('/restart', 'x', { acl: CREATOR_ACL });
    await client.create('/restart/e', null, { ephemeral: true, acl: CREATOR_ACL });
    const events: string[] = [];
    await client.get('/restart', { watch: (event) => events.push(`get ${event.type}`) });
    await client.exists('/restart-new', { watch: (event) => events.push(`exists ${event.type}`) });
    const stream = client.watch('/restart');
    await stream.ready;
    await server.stop();
    const waiting = client.get('/restart');
    await server.restart();
    expect((await waiting).data?.toString()).toBe('x');
    expect(states).toEqual(['SUSPENDED', 'RECONNECTED']);
    expect(client.session.id).toBe(id);
    expect(await client.ephemerals('/restart')).toEqual(['/restart/e']);
    expect((await stream.next()).value).toMatchObject({ type: 'gap', reason: 'reconnected' });
    await client.create('/restart-new');
    await client.set('/restart', 'y');
    expect(events).toEqual(['exists created', 'get dataChanged']);
    expect((await stream.next()).value).toMatchObject({ type: 'dataChanged' });
  }, 60_000);

  test('what was missed while away is told by the server (E62)', async () => {
    const other = await open();
    const client = await open({ sessionTimeoutMs: 20_000 });
    await client.create('/missed');
    const events: string[] = [];
    await client.get('/missed', { watch: (event) => events.push(event.type) });
    const session = client.session;
    // A second connection takes the session over: the server drops the first, which comes back by itself.
    const back = nextState(client, 'RECONNECTED');
    const thief = await connect(server.address, { session });
    await other.set('/missed', 'new');
    await thief.close({ keepSession: true });
    await back;
    await client.sync();
    expect(events).toEqual(['dataChanged']);
  }, 30_000);

  test('a session can be handed to another client, and a lost one is refused', async () => {
    const first = await open();
    const { path } = await first.create('/handed', null, { ephemeral: true });
    const session = first.session;
    await first.close({ keepSession: true });
    const second = await open({ session });
    expect(second.session.id).toBe(session.id);
    expect(await second.ephemerals()).toEqual([path]);
    await second.close();
    await expect(connect(server.address, { session })).rejects.toMatchObject({ name: 'SessionExpired' });
    await expect(connect(server.address, { session: { id: 77n, password: new Uint8Array(16) } })).rejects.toMatchObject(
      {
        name: 'SessionExpired',
      },
    );
  });

  test('a server that freezes: SUSPENDED, LOST by the own clock, then a new session', async () => {
    const client = await open();
    const states: string[] = [];
    client.onState(({ state }) => states.push(state));
    const { id } = client.session;
    await client.create('/frozen', null, { ephemeral: true });
    const stream = client.watch('/frozen');
    await stream.ready;
    server.pause();
    const lost = nextState(client, 'LOST');
    await expect(client.set('/frozen', 'x')).rejects.toMatchObject({ name: 'ConnectionLoss', maybeApplied: true });
    await expect(client.get('/frozen')).rejects.toMatchObject({ name: 'SessionExpired', maybeApplied: false });
    await lost;
    server.resume();
    await nextState(client, 'RECONNECTED');
    expect(states).toEqual(['SUSPENDED', 'LOST', 'RECONNECTED']);
    expect(client.session.id).not.toBe(id);
    expect((await stream.next()).value).toMatchObject({ type: 'gap', reason: 'newSession' });
  }, 60_000);

  test('nobody there: calls wait, time out or are aborted, and close() comes back', async () => {
    await server.stop();
    try {
      await expect(connect(server.address, { connectTimeoutMs: 300 })).rejects.toMatchObject({
        name: 'ConnectionLoss',
      });
      const client = createClient(server.address, { sessionTimeoutMs: 4000 });
      const late = client.get('/', { timeoutMs: 100 });
      await expect(late).rejects.toMatchObject({ name: 'RequestTimeout', maybeApplied: false });
      await expect(client.get('/', { signal: AbortSignal.timeout(50) })).rejects.toMatchObject({
        name: 'TimeoutError',
      });
      const rest = client.get('/');
      await Promise.all([client.close(), expect(rest).rejects.toMatchObject({ name: 'ClientClosed' })]);
      await client.close();
      await expect(client.get('/')).rejects.toMatchObject({ name: 'ClientClosed' });
    } finally {
      await server.restart();
    }
  }, 60_000);
}

function nextState(client: Client, wanted: StateChange['state']): Promise<void> {
  return new Promise((resolve) => {
    const unsubscribe = client.onState(({ state }) => {
      if (state !== wanted) return;
      unsubscribe();
      resolve();
    });
  });
}
