/**
 * A process that is stopped for longer than its sessions last, as a machine that is suspended or starved does. When it
 * goes on, the pings of its clients wait in the sockets: nobody who is alive may be expired, and who is not must be.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { jest } from '@jest/globals';
import { createBody, Flag, FrameClient, Op, readBody, requestFrame } from '../helpers/frame-client.js';
import { waitFor } from '../helpers/processes.js';
import { ServerProcess } from '../helpers/server-process.js';

jest.setTimeout(60_000);

const TIMEOUT_MS = 1000;
const PING_MS = 250;
const STOPPED_MS = 2500;
const CLIENTS = 100;
const NO_NODE = -101;
const SETTINGS = { tickTime: '500', minSessionTimeout: '500', maxSessionTimeout: '60000' };

let server: ServerProcess;
let observer: FrameClient;
beforeAll(async () => {
  server = await ServerProcess.start(SETTINGS);
  observer = await FrameClient.session(server.port, { timeoutMs: 60_000 });
});
afterAll(async () => {
  observer.close();
  await server[Symbol.asyncDispose]();
});

/** Sessions with an ephemeral node each. */
async function sessions(name: string, count: number): Promise<FrameClient[]> {
  const clients = await Promise.all(
    Array.from({ length: count }, () => FrameClient.session(server.port, { timeoutMs: TIMEOUT_MS })),
  );
  for (const [i, client] of clients.entries()) {
    expect(client.timeoutMs).toBe(TIMEOUT_MS);
    expect((await client.call(Op.create, createBody(`/${name}-${i}`, null, Flag.ephemeral))).err).toBe(0);
  }
  return clients;
}

function keepAlive(clients: readonly FrameClient[]): NodeJS.Timeout {
  return setInterval(() => {
    for (const client of clients) client.send(requestFrame(-2, Op.ping));
  }, PING_MS);
}

async function freeze(ms: number): Promise<void> {
  server.signal('SIGSTOP');
  await sleep(ms);
  server.signal('SIGCONT');
}

async function survivors(name: string, count: number): Promise<number> {
  let found = 0;
  for (let i = 0; i < count; i++) {
    if ((await observer.call(Op.exists, readBody(`/${name}-${i}`))).err === 0) found++;
  }
  return found;
}

test('a pause longer than the session timeout expires nobody who went on pinging', async () => {
  const clients = await sessions('live', CLIENTS);
  const pinging = keepAlive(clients);
  for (let round = 0; round < 2; round++) {
    await freeze(STOPPED_MS);
    expect(await survivors('live', CLIENTS)).toBe(CLIENTS);
    await sleep(300);
    expect(await survivors('live', CLIENTS)).toBe(CLIENTS);
  }
  expect(clients.filter(({ isClosed }) => isClosed)).toEqual([]);
  clearInterval(pinging);
  for (const client of clients) client.close();
});

test('clients that gave the connection up and wait for a new one keep their sessions', async () => {
  const clients = await sessions('waiting', CLIENTS);
  server.signal('SIGSTOP');
  for (const client of clients) client.socket.destroy();
  await sleep(STOPPED_MS - 500);
  const reconnected = Promise.all(clients.map((client) => client.reconnect(server.port)));
  await sleep(500);
  server.signal('SIGCONT');
  await reconnected;
  expect(await survivors('waiting', CLIENTS)).toBe(CLIENTS);
  for (const client of clients) client.close();
});

test('clients that were gone are expired all the same', async () => {
  const clients = await sessions('gone', 3);
  for (const client of clients) client.close();
  await freeze(STOPPED_MS);
  await waitFor(
    async () => ((await observer.call(Op.exists, readBody('/gone-0'))).err === NO_NODE ? true : undefined),
    10_000,
    () => 'a client that is gone has kept its session',
  );
});
