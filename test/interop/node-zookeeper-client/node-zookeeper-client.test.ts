/**
 * node-zookeeper-client, the pure JavaScript client from npm: its whole API against the target, with a restart of the
 * server in the middle. Its 44-byte handshake (no readOnly byte, E2) also makes it the test of old clients.
 */
import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import zookeeper, { type Acl, type Client, type Event, type Stat, type Transaction } from 'node-zookeeper-client';
import { freePort, LOOPBACK } from '../../helpers/ports.js';
import { type ServerUnderTest, waitFor } from '../../helpers/processes.js';
import { describeUnless, startTarget, targetName, whyNoTarget } from '../target.js';

const { ACL, CreateMode, Id, Permission } = zookeeper;
const ANN = 'ann:7RJfAeIvrl4zdj6sS2fXrQHDvHM=';

/** A promise of what a callback is given: the first result, or the error. */
function promised<T>(call: (done: (error: Error | null | undefined, result: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => call((error, result) => (error ? reject(error) : resolve(result))));
}

const create = (client: Client, path: string, data = '', mode = CreateMode.PERSISTENT, acls: Acl[] | null = null) =>
  promised<string>((done) => client.create(path, Buffer.from(data), acls, mode, done));
const remove = (client: Client, path: string, version = -1) =>
  promised<void>((done) => client.remove(path, version, (error) => done(error, undefined)));
const setData = (client: Client, path: string, data: string, version = -1) =>
  promised<Stat>((done) => client.setData(path, Buffer.from(data), version, done));
const getData = (client: Client, path: string, watcher: ((event: Event) => void) | null = null) =>
  promised<string | undefined>((done) => client.getData(path, watcher, (error, data) => done(error, data?.toString())));
const getStat = (client: Client, path: string) =>
  promised<Stat>((done) => client.getData(path, null, (error, _, stat) => done(error, stat)));
const exists = (client: Client, path: string, watcher: ((event: Event) => void) | null = null) =>
  promised<Stat | null>((done) => client.exists(path, watcher, (error, stat) => done(error, stat ?? null)));
const getChildren = (client: Client, path: string, watcher: ((event: Event) => void) | null = null) =>
  promised<string[]>((done) => client.getChildren(path, watcher, done));
const commit = (transaction: Transaction) =>
  promised<Array<{ type: string; path?: string; err?: number }>>((done) => transaction.commit(done));
const failure = (name: string) => ({ name });

/**
 * A relay in front of a server that hangs up while the gate is shut. Without it this client sometimes waits for ever
 * when it happens to connect to a ZooKeeper 3.8 that is just starting: behind the TCP connect it has no timeout.
 */
async function gateTo(port: number): Promise<{ address: string; open: boolean; listener: Server }> {
  const gatePort = await freePort();
  const gate = { address: `${LOOPBACK}:${gatePort}`, open: true, listener: createServer() };
  gate.listener.on('connection', (client) => {
    if (!gate.open) {
      client.destroy();
      return;
    }
    const server = connect(port, LOOPBACK);
    client.pipe(server).pipe(client);
    for (const [one, other] of [
      [client, server],
      [server, client],
    ]) {
      one.on('error', () => undefined);
      one.on('close', () => other.destroy());
    }
  });
  gate.listener.listen(gatePort, LOOPBACK);
  await once(gate.listener, 'listening');
  return gate;
}

describeUnless([whyNoTarget()], `node-zookeeper-client against ${targetName()}`, () => {
  let server: ServerUnderTest;
  const clients: Client[] = [];
  let client: Client;
  let root: string;
  let count = 0;

  const connected = async (chroot = '', address = server.address): Promise<Client> => {
    const made = zookeeper.createClient(address + chroot, { sessionTimeout: 15_000, spinDelay: 100 });
    clients.push(made);
    made.connect();
    await once(made, 'connected');
    return made;
  };

  beforeAll(async () => {
    server = await startTarget();
  });
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    client = await connected();
    root = `/case-${++count}`;
    await create(client, root);
  });
  afterEach(() => {
    for (const made of clients.splice(0)) made.close();
  });

  test('connect: a session with an id, a password and the timeout asked for', () => {
    expect(client.getState().getName()).toBe('SYNC_CONNECTED');
    expect(client.getSessionId().some((byte) => byte !== 0)).toBe(true);
    expect(client.getSessionPassword()).toHaveLength(16);
    expect(client.getSessionTimeout()).toBe(15_000);
  });

  test('create in every mode', async () => {
    expect(await create(client, `${root}/p`, 'x')).toBe(`${root}/p`);
    expect(await create(client, `${root}/s-`, 'x', CreateMode.PERSISTENT_SEQUENTIAL)).toBe(`${root}/s-0000000001`);
    expect(await create(client, `${root}/e`, 'x', CreateMode.EPHEMERAL)).toBe(`${root}/e`);
    expect(await create(client, `${root}/es-`, 'x', CreateMode.EPHEMERAL_SEQUENTIAL)).toBe(`${root}/es-0000000003`);
    expect((await getStat(client, `${root}/e`)).ephemeralOwner).toEqual(client.getSessionId());
    await expect(create(client, `${root}/p`)).rejects.toMatchObject(failure('NODE_EXISTS'));
    await expect(create(client, `${root}/no/p`)).rejects.toMatchObject(failure('NO_NODE'));
    await expect(create(client, `${root}/e/p`)).rejects.toMatchObject(failure('NO_CHILDREN_FOR_EPHEMERALS'));
  });

  test('data and versions', async () => {
    await create(client, `${root}/a`, 'one');
    expect(await getData(client, `${root}/a`)).toBe('one');
    expect((await setData(client, `${root}/a`, 'two', 0)).version).toBe(1);
    await expect(setData(client, `${root}/a`, 'x', 0)).rejects.toMatchObject(failure('BAD_VERSION'));
    expect(await getStat(client, `${root}/a`)).toMatchObject({ version: 1, dataLength: 3 });
    await expect(getData(client, `${root}/none`)).rejects.toMatchObject(failure('NO_NODE'));
  });

  test('children, exists and remove', async () => {
    await create(client, `${root}/a`);
    await create(client, `${root}/b`);
    expect((await getChildren(client, root)).sort()).toEqual(['a', 'b']);
    await expect(remove(client, root)).rejects.toMatchObject(failure('NOT_EMPTY'));
    await expect(remove(client, `${root}/a`, 4)).rejects.toMatchObject(failure('BAD_VERSION'));
    await remove(client, `${root}/a`, 0);
    expect(await exists(client, `${root}/a`)).toBeNull();
    expect(await exists(client, root)).toMatchObject({ numChildren: 1 });
  });

  test('mkdirp', async () => {
    await promised<string>((done) => client.mkdirp(`${root}/x/y/z`, done));
    expect(await exists(client, `${root}/x/y/z`)).not.toBeNull();
  });

  test('watchers of data, existence and children fire once', async () => {
    const other = await connected();
    const events: string[] = [];
    const watcher = (event: Event) => events.push(`${event.getName()} ${event.getPath()}`);
    await exists(client, `${root}/a`, watcher);
    await getChildren(client, root, watcher);
    await create(other, `${root}/a`);
    await waitFor(
      () => (events.length === 2 ? true : undefined),
      10_000,
      () => `events: ${events}`,
    );
    expect(events.splice(0)).toEqual([`NODE_CREATED ${root}/a`, `NODE_CHILDREN_CHANGED ${root}`]);
    await getData(client, `${root}/a`, watcher);
    await setData(other, `${root}/a`, '1');
    await setData(other, `${root}/a`, '2');
    await waitFor(
      () => (events.length > 0 ? true : undefined),
      10_000,
      () => 'no event',
    );
    await exists(client, root);
    expect(events.splice(0)).toEqual([`NODE_DATA_CHANGED ${root}/a`]);
    await getData(client, `${root}/a`, watcher);
    await remove(other, `${root}/a`);
    await waitFor(
      () => (events.length > 0 ? true : undefined),
      10_000,
      () => 'no event',
    );
    expect(events).toEqual([`NODE_DELETED ${root}/a`]);
  });

  test('a transaction succeeds as a whole', async () => {
    const results = await commit(
      client
        .transaction()
        .check(root, 0)
        .create(`${root}/a`, Buffer.from('1'))
        .create(`${root}/a/b`, Buffer.from('2'))
        .setData(`${root}/a`, Buffer.from('3'), 0)
        .remove(`${root}/a/b`),
    );
    expect(results).toHaveLength(5);
    expect(results[1].path).toBe(`${root}/a`);
    expect(await getData(client, `${root}/a`)).toBe('3');
    expect(await getChildren(client, `${root}/a`)).toEqual([]);
  });

  test('a transaction fails as a whole', async () => {
    const failing = client.transaction().create(`${root}/a`).remove(`${root}/none`).create(`${root}/b`);
    let codes: Array<number | undefined> = [];
    const run = promised<void>((done) =>
      failing.commit((error, results) => {
        codes = results.map((result) => result.err);
        done(error, undefined);
      }),
    );
    await expect(run).rejects.toMatchObject(failure('NO_NODE'));
    expect(codes).toEqual([0, -101, -2]);
    expect(await getChildren(client, root)).toEqual([]);
  });

  test('ACLs: read, set, refused without the identity, granted with it', async () => {
    const acls = [new ACL(Permission.ALL, new Id('digest', ANN)), new ACL(Permission.READ, new Id('world', 'anyone'))];
    expect(await promised<Acl[]>((done) => client.getACL(root, done))).toEqual(ACL.OPEN_ACL_UNSAFE);
    expect((await promised<Stat>((done) => client.setACL(root, acls, 0, done))).aversion).toBe(1);
    await expect(setData(client, root, 'x')).rejects.toMatchObject(failure('NO_AUTH'));
    expect(await getData(client, root)).toBe('');
    client.addAuthInfo('digest', Buffer.from('ann:secret'));
    expect((await setData(client, root, 'x')).version).toBe(1);
    expect(await promised<Acl[]>((done) => client.getACL(root, done))).toEqual(acls);
    const unknown = [new ACL(Permission.ALL, new Id('nosuch', 'x'))];
    await expect(create(client, `${root}/c`, '', CreateMode.PERSISTENT, unknown)).rejects.toMatchObject(
      failure('INVALID_ACL'),
    );
    await create(client, `${root}/mine`, '', CreateMode.PERSISTENT, ACL.CREATOR_ALL_ACL);
    expect(await promised<Acl[]>((done) => client.getACL(`${root}/mine`, done))).toEqual([acls[0]]);
  });

  test('a chroot', async () => {
    const inside = await connected(root);
    expect(await create(inside, '/a', 'x')).toBe('/a');
    expect(await getData(client, `${root}/a`)).toBe('x');
  });

  test('close ends the session and its ephemerals', async () => {
    const other = await connected();
    await create(other, `${root}/e`, '', CreateMode.EPHEMERAL);
    const gone = new Promise<string>((resolve) => {
      void exists(client, `${root}/e`, (event) => resolve(event.getName()));
    });
    await exists(client, root);
    other.close();
    expect(await gone).toBe('NODE_DELETED');
  });

  test.each(['stop', 'kill9'] as const)(
    'state events and the session over a restart of the server (%s)',
    async (end) => {
      const gate = targetName() === 'zookeeper' ? await gateTo(server.port) : undefined;
      client = await connected('', gate?.address);
      const states: string[] = [];
      client.on('state', (state: { getName(): string }) => states.push(state.getName()));
      await create(client, `${root}/e`, 'mine', CreateMode.EPHEMERAL);
      await create(client, `${root}/p`, 'kept');
      const events: string[] = [];
      await getData(client, `${root}/p`, (event) => events.push(event.getName()));
      const session = client.getSessionId().toString('hex');
      const down = once(client, 'disconnected');
      if (gate) gate.open = false;
      await server[end]();
      await down;
      await server.restart();
      if (gate) gate.open = true;
      await waitFor(
        () => (states.at(-1) === 'SYNC_CONNECTED' ? true : undefined),
        30_000,
        () => `not connected again, states: ${states}`,
      );
      expect(states[0]).toBe('DISCONNECTED');
      expect(client.getSessionId().toString('hex')).toBe(session);
      expect((await getStat(client, `${root}/e`)).ephemeralOwner).toEqual(client.getSessionId());
      expect(await getData(client, `${root}/p`)).toBe('kept');
      await setData(client, `${root}/p`, 'changed');
      // E62: the client sent its watches again with setWatches.
      await waitFor(
        () => (events.length > 0 ? true : undefined),
        10_000,
        () => 'the watch did not survive',
      );
      expect(events).toEqual(['NODE_DATA_CHANGED']);
      gate?.listener.close();
    },
  );
});
