// READ_ONLY against real ZooKeeper: one server of three that has lost its quorum, or never had one, serves reads to those
// who take that; when the quorum comes, the client moves over and gets a session of its own.

import { connect, type StateChange, type WatchEvent } from '../../src/client/index.js';
import { freePort, LOOPBACK } from '../helpers/ports.js';
import type { ServerUnderTest } from '../helpers/processes.js';
import { whyNoZooKeeper } from '../helpers/real-zookeeper.js';
import { startFlaggedZooKeeper } from './flagged-zookeeper.js';

const whyNot = whyNoZooKeeper();

(whyNot === undefined ? describe : describe.skip)(
  `read-only sessions${whyNot === undefined ? '' : ` (${whyNot})`}`,
  () => {
    const servers: ServerUnderTest[] = [];
    const ports: number[] = [];
    let members: Record<string, string>;
    const start = async (myid: number): Promise<ServerUnderTest> => {
      const port = ports[myid - 1];
      const flags = { 'readonlymode.enabled': 'true' };
      const server = await startFlaggedZooKeeper({ port, flags, myid, settings: members });
      servers.push(server);
      return server;
    };

    beforeAll(async () => {
      for (let i = 0; i < 9; i++) ports.push(await freePort());
      members = {
        // Without these a read-only server of this version takes no sessions at all.
        localSessionsEnabled: 'true',
        localSessionsUpgradingEnabled: 'true',
        ...Object.fromEntries([1, 2, 3].map((id) => [`server.${id}`, `${LOOPBACK}:${ports[2 + id]}:${ports[5 + id]}`])),
      };
      await start(1);
    }, 90_000);
    afterAll(() => Promise.all(servers.map((server) => server[Symbol.asyncDispose]())));

    test('reads only, until there is a quorum', async () => {
      const address = `${LOOPBACK}:${ports[0]},${LOOPBACK}:${ports[1]}`;
      // Who does not take a read-only server waits for a quorum.
      await expect(connect(address, { connectTimeoutMs: 1500 })).rejects.toMatchObject({ name: 'ConnectionLoss' });

      await using client = await connect(address, {
        readOnly: true,
        sessionTimeoutMs: 10_000,
        connectTimeoutMs: 60_000,
      });
      expect(client.state).toBe('READ_ONLY');
      const local = client.session.id;
      expect(await client.children('/')).toContain('zookeeper');
      await expect(client.create('/x')).rejects.toMatchObject({
        name: 'NotReadOnly',
        retryable: true,
        maybeApplied: false,
      });
      await expect(client.sync()).rejects.toMatchObject({ name: 'NotReadOnly' });
      const events: WatchEvent[] = [];
      await client.exists('/x', { watch: (event) => events.push(event) });
      const stream = client.watch('/', { recursive: true });
      const changes: StateChange[] = [];
      client.onState((change) => changes.push(change));

      await start(2);
      // A write that has to wait for a quorum, as a program would make it.
      await client.retry(() => client.create('/x', 'written'), { acrossSessions: true });
      expect(changes.map(({ state }) => state).at(-1)).toBe('RECONNECTED');
      expect(changes.map(({ state }) => state)).not.toContain('LOST');
      expect(client.session.id).not.toBe(local);
      expect((await stream.next()).value).toMatchObject({ type: 'gap' });
      expect(events).toMatchObject([{ type: 'created', path: '/x' }]);
    }, 120_000);
  },
);
