/** The servers for other people's tests: what can be done to them, as a client over TCP sees it. */
import { connect, ZooKeeperError } from '../../../src/client/index.js';
import { startEnsemble, startServer } from '../../../src/testing/index.js';

const TIMEOUT_MS = 30_000;

describe('one server', () => {
  test(
    'takes clients on a free port, keeps data over a restart, and is gone at the end',
    async () => {
      const server = await startServer();
      await using other = await startServer();
      expect(other.port).not.toBe(server.port);
      const client = await connect(server.connectString);
      await client.create('/a', 'hello');
      server.restart(1);
      await client.retry(() => client.sync()); // it may not have noticed yet
      expect(String((await client.get('/a')).data)).toBe('hello');
      await server.stop();
      await server.stop();
      await client.close();
      await expect(connect(server.connectString, { connectTimeoutMs: 200 })).rejects.toThrow();
    },
    TIMEOUT_MS,
  );

  test('listens where it is told to', async () => {
    const first = await startServer();
    const { port } = first;
    await expect(startServer({ ports: [port] })).rejects.toThrow('EADDRINUSE');
    await first.stop();
    await using second = await startServer({ ports: [port] });
    expect(second.port).toBe(port);
  });

  test(
    'a session expires when it is told to, and no other',
    async () => {
      await using server = await startServer();
      await using victim = await connect(server.connectString, { sessionTimeoutMs: 20_000 });
      await using other = await connect(server.connectString, { sessionTimeoutMs: 20_000 });
      await victim.create('/victim', null, { ephemeral: true });
      await other.create('/other', null, { ephemeral: true });
      const lost = new Promise((resolve) => victim.onState(({ state }) => state === 'LOST' && resolve(state)));
      await server.expireSession(victim);
      expect(await other.exists('/victim')).toBeNull();
      expect(await other.exists('/other')).not.toBeNull();
      expect(await lost).toBe('LOST');
      await server.expireSession(other.session.id);
    },
    TIMEOUT_MS,
  );

  test(
    'time passes when it is told to: for who is gone, not for who is connected',
    async () => {
      await using server = await startServer();
      await using client = await connect(server.connectString, { sessionTimeoutMs: 5000 });
      const gone = await connect(server.connectString, { sessionTimeoutMs: 60_000 });
      await client.create('/mine', null, { ephemeral: true });
      await client.create('/ttl', null, { ttlMs: 90_000 });
      await gone.create('/gone', null, { ephemeral: true });
      await gone.close({ keepSession: true });
      await server.advance(50_000);
      expect(await client.exists('/gone')).not.toBeNull();
      expect(await client.exists('/ttl')).not.toBeNull();
      await server.advance(50_000);
      expect(await client.exists('/gone')).toBeNull();
      expect(await client.exists('/ttl')).toBeNull();
      expect(await client.exists('/mine')).not.toBeNull();
    },
    TIMEOUT_MS,
  );

  test(
    'a paused server answers nothing, and goes on where it was; clients can be cut off',
    async () => {
      await using server = await startServer();
      await using client = await connect(server.connectString, { sessionTimeoutMs: 20_000 });
      server.pause(1);
      await expect(client.create('/a', null, { timeoutMs: 100 })).rejects.toThrow('RequestTimeout');
      server.resume(1);
      await client.sync();
      expect(await client.exists('/a')).not.toBeNull();
      const { id } = client.session;
      const suspended = new Promise((resolve) =>
        client.onState(({ state }) => state === 'SUSPENDED' && resolve(state)),
      );
      server.cutClients();
      expect(await suspended).toBe('SUSPENDED');
      await client.connected();
      expect(client.session.id).toBe(id);
    },
    TIMEOUT_MS,
  );

  test(
    'a slow disk makes writes slow, a full one has them refused',
    async () => {
      await using server = await startServer();
      await using client = await connect(server.connectString, { sessionTimeoutMs: 20_000 });
      server.slowDisk(1, 400);
      const startMs = performance.now();
      for (let i = 0; i < 4; i++) await client.create(`/slow-${i}`);
      expect(performance.now() - startMs).toBeGreaterThan(50);
      server.slowDisk(1, 0);
      server.fillDisk(1);
      const refused = await client.create('/full').catch((error: unknown) => error);
      expect(ZooKeeperError.is(refused, 'SystemError')).toBe(true);
      server.fillDisk(1, false);
      await client.retry(() => client.create('/room'));
      expect(await client.exists('/room')).not.toBeNull();
    },
    TIMEOUT_MS,
  );

  test('a big answer gets through to a client that reads slowly', async () => {
    await using server = await startServer();
    await using client = await connect(server.connectString);
    const data = 'x'.repeat(900_000);
    await client.create('/big', data);
    const answers = await Promise.all(Array.from({ length: 20 }, () => client.get('/big')));
    expect(answers.every((answer) => answer.data?.length === data.length)).toBe(true);
  });
});

describe('an ensemble', () => {
  test(
    'survives the loss of its leader, and takes it back',
    async () => {
      await using ensemble = await startEnsemble(3);
      await using client = await connect(ensemble.connectString, { sessionTimeoutMs: 10_000 });
      await client.create('/before', null, { ephemeral: true });
      const killed = await ensemble.killLeader();
      expect(await ensemble.awaitLeader()).not.toBe(killed);
      await client.retry(() => client.sync()); // it may not have noticed yet
      expect(await client.exists('/before')).not.toBeNull();
      ensemble.restart(killed);
      await ensemble.awaitWhole();
      await using late = await connect(ensemble.connectStringOf(killed));
      expect(await late.exists('/before')).not.toBeNull();
    },
    TIMEOUT_MS,
  );

  test(
    'a leader that is cut off leads no more; who has a quorum goes on; after healing all agree',
    async () => {
      await using ensemble = await startEnsemble(3);
      const old = await ensemble.awaitLeader();
      const others = [1, 2, 3].filter((id) => id !== old);
      ensemble.partition([old], others);
      await using client = await connect(ensemble.connectStringOf(...others));
      await client.create('/new');
      expect(ensemble.leaderId).not.toBe(old);
      await expect(connect(ensemble.connectStringOf(old), { connectTimeoutMs: 700 })).rejects.toThrow();
      ensemble.heal();
      await ensemble.awaitWhole();
      await using late = await connect(ensemble.connectStringOf(old));
      await late.sync();
      expect(await late.exists('/new')).not.toBeNull();
    },
    TIMEOUT_MS,
  );

  test(
    'an observer follows without a vote',
    async () => {
      await using ensemble = await startEnsemble(1, { observers: 1 });
      await using client = await connect(ensemble.connectStringOf(2));
      await client.create('/through-the-observer');
      ensemble.kill(1);
      await expect(client.create('/x', null, { timeoutMs: 300 })).rejects.toThrow();
      expect(() => ensemble.portOf(3)).toThrow(RangeError);
    },
    TIMEOUT_MS,
  );
});
