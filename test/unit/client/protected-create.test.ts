// A create whose answer is lost on the way: the relay in between lets the request through and cuts the connection when
// the answer comes. Without protection the caller is left in doubt; with it there is one node, and he has its path.

import { createServer, type Server, type Socket, connect as tcpConnect } from 'node:net';
import { type Client, connect, Perms, ZooKeeperError } from '../../../src/client/index.js';
import { type ServerUnderTest, waitFor } from '../../helpers/processes.js';
import { startZabra } from '../../helpers/zabra-server.js';

/** Passes everything on, until it is told to lose answers: then the next bytes of the server cut the connection. */
class LossyRelay {
  /** So many answers are lost yet. */
  toLose = 0;
  lost = 0;
  onLoss: () => void = () => {};
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(target: number) {
    this.#server = createServer((near) => {
      const far = tcpConnect(target, '127.0.0.1');
      let isGreeted = false;
      near.on('data', (bytes) => far.write(bytes));
      far.on('data', (bytes) => {
        if (isGreeted && this.toLose > 0) {
          this.toLose--;
          this.lost++;
          near.destroy();
          this.onLoss();
          return;
        }
        isGreeted = true; // the first answer is the handshake's
        near.write(bytes);
      });
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ]) {
        this.#sockets.add(socket);
        socket.on('error', () => {});
        socket.on('close', () => {
          this.#sockets.delete(socket);
          other.destroy();
        });
      }
    });
  }

  static async to(port: number): Promise<LossyRelay> {
    const relay = new LossyRelay(port);
    await new Promise<void>((resolve) => relay.#server.listen(0, '127.0.0.1', resolve));
    return relay;
  }

  get address(): string {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? `127.0.0.1:${address.port}` : '';
  }

  end(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

let server: ServerUnderTest;
let relay: LossyRelay;
let observer: Client;
let client: Client;
beforeAll(async () => {
  server = await startZabra();
  relay = await LossyRelay.to(server.port);
  observer = await connect(server.address);
}, 60_000);
afterAll(async () => {
  await observer?.close();
  relay?.end();
  await server?.[Symbol.asyncDispose]();
});
beforeEach(async () => {
  relay.lost = 0;
  relay.onLoss = () => {};
  // As many hosts, all of them the relay, since from the second round on the client would wait before it comes back.
  client = await connect(Array(10).fill(relay.address).join(','), { sessionTimeoutMs: 40_000 });
});
afterEach(async () => {
  relay.toLose = 0;
  await client.close();
});

test('unprotected, the write has happened and the caller cannot know', async () => {
  await observer.create('/doubt');
  relay.toLose = 1;
  const creating = client.create('/doubt/n-', null, { sequential: true });
  await expect(creating).rejects.toMatchObject({ name: 'ConnectionLoss', maybeApplied: true, path: '/doubt/n-' });
  expect(await observer.children('/doubt')).toHaveLength(1);
}, 30_000);

test.each([1, 3])(
  'protected, one node is there and its path is returned, whatever was lost %d times',
  async (losses) => {
    const parent = `/protected-${losses}`;
    await observer.create(parent);
    relay.toLose = losses;
    const { path, stat } = await client.create(`${parent}/n-`, 'mine', {
      protected: true,
      sequential: true,
      ephemeral: true,
    });
    expect(relay.lost).toBe(losses);
    expect(await observer.children(parent)).toEqual([path.slice(parent.length + 1)]);
    expect(path).toMatch(/-n-0000000000$/);
    expect(stat.ephemeralOwner).toBe(client.session.id);
    expect((await observer.get(path)).data?.toString()).toBe('mine');
  },
);

test('given up in the middle, no orphan stays behind', async () => {
  await observer.create('/orphan');
  const abort = new AbortController();
  relay.onLoss = () => abort.abort(new Error('enough'));
  relay.toLose = 1;
  const creating = client.create('/orphan/n-', null, { protected: true, sequential: true, signal: abort.signal });
  await expect(creating).rejects.toThrow('enough');
  await waitFor(
    async () => ((await observer.children('/orphan')).length === 0 ? true : undefined),
    10_000,
    () => 'the node stays',
  );
  expect((await observer.exists('/orphan'))?.cversion).toBe(2); // it was there
}, 30_000);

test('with its ancestors, those that are there untouched and whoever makes them at the same time', async () => {
  await observer.create('/family', 'old', { acl: [{ scheme: 'world', id: 'anyone', perms: Perms.ALL - Perms.ADMIN }] });
  const paths = Array.from({ length: 20 }, (_, i) => `/family/a/b/${i % 2}/n-`);
  relay.toLose = 1; // in the middle of it
  const options = { parents: true, protected: true, sequential: true } as const;
  await Promise.all(paths.map((path) => client.retry(() => client.create(path, 'x', options), { idempotent: true })));
  expect(await observer.allChildrenNumber('/family')).toBe(2 + 2 + 20);
  expect((await observer.get('/family')).data?.toString()).toBe('old');
  expect((await observer.get('/family/a/b')).data).toBeNull();
  await expect(client.create('/family/x/y', null, { ephemeral: true })).rejects.toMatchObject({ name: 'NoNode' });
  for (const chroot of ['/new', '/new/chroot']) {
    await using below = await connect(server.address + chroot);
    await expect(below.create('/x', null, { parents: true })).rejects.toMatchObject({ name: 'NoNode' });
  }
}, 30_000);

test('retry() repeats a lost read and a lost set that may be repeated, and no other write', async () => {
  await observer.create('/retried', '0');
  relay.toLose = 1;
  expect((await client.retry(() => client.get('/retried'))).data?.toString()).toBe('0');
  relay.toLose = 1;
  await client.retry(() => client.set('/retried', '1'), { idempotent: true });
  expect((await observer.get('/retried')).stat.version).toBe(2); // carried out twice
  relay.toLose = 1;
  await expect(client.retry(() => client.set('/retried', '2'))).rejects.toBeInstanceOf(ZooKeeperError);
  expect(relay.lost).toBe(3);
}, 30_000);
