/**
 * Backup and restore of a real server process through its admin port: a snapshot is taken while it is written to, and
 * what it held is there again after a restore, on this server or another; a snapshot that is not whole changes nothing.
 */
import { readdirSync } from 'node:fs';
import { jest } from '@jest/globals';
import { type Client, connect } from '../../src/client/index.js';
import { freePort } from '../helpers/ports.js';
import { waitFor } from '../helpers/processes.js';
import { ServerProcess } from '../helpers/server-process.js';

jest.setTimeout(60_000);

/** Of admin:secret. */
const SUPER = 'admin:fvr2cB/fjGeAiX8g1aGhUm3ZICk=';
const HEADERS = { authorization: 'digest admin:secret' };

interface Place {
  readonly server: ServerProcess;
  readonly admin: string;
  readonly client: Client;
}

async function place(settings: Record<string, string> = {}): Promise<Place> {
  const port = await freePort();
  const server = await ServerProcess.start({
    'admin.enableServer': 'true',
    'admin.serverPort': String(port),
    'admin.rateLimiterIntervalInMS': '0',
    'DigestAuthenticationProvider.superDigest': SUPER,
    ...settings,
  });
  return {
    server,
    admin: `http://127.0.0.1:${port}/commands`,
    client: await connect(`127.0.0.1:${server.port}`, { sessionTimeoutMs: 3000 }),
  };
}

async function snapshot(admin: string): Promise<{ bytes: Uint8Array<ArrayBuffer>; lastZxid: string | null }> {
  const response = await fetch(`${admin}/snapshot`, { headers: HEADERS });
  expect(response.status).toBe(200);
  const bytes = new Uint8Array(await response.arrayBuffer());
  expect(response.headers.get('snapshot_size')).toBe(String(bytes.length));
  return { bytes, lastZxid: response.headers.get('last_zxid') };
}

async function restore(admin: string, body: Uint8Array<ArrayBuffer>): Promise<[number, Record<string, unknown>]> {
  const response = await fetch(`${admin}/restore`, { method: 'POST', headers: HEADERS, body });
  return [response.status, (await response.json()) as Record<string, unknown>];
}

const textOf = async (client: Client, path: string) => String((await client.get(path)).data);

test('what a snapshot holds is there again after a restore, and what came later is gone', async () => {
  const { server, admin, client } = await place({ snapCount: '50' });
  await using _ = server;
  for (let i = 0; i < 200; i++) await client.create(`/n${i}`, `first ${i}`);
  const { bytes, lastZxid } = await snapshot(admin);
  for (let i = 0; i < 100; i++) await client.set(`/n${i}`, 'later');
  const { czxid } = (await client.create('/later', '')).stat ?? { czxid: 0n };

  const [status, answer] = await restore(admin, bytes);
  expect([status, answer.error, answer.last_zxid]).toEqual([200, null, lastZxid]);
  const fresh = await connect(`127.0.0.1:${server.port}`);
  expect(await fresh.exists('/later')).toBeNull();
  for (const i of [0, 99, 199]) expect(await textOf(fresh, `/n${i}`)).toBe(`first ${i}`);
  // No zxid is given twice, although the state is an older one.
  const created = await fresh.create('/after', '');
  expect((await fresh.exists(created.path))?.czxid ?? 0n).toBeGreaterThan(czxid);
  // The old database is still to be had, and survives a restart as the new one does.
  expect(readdirSync(server.dataDir).some((name) => name.startsWith('zabra.replaced-'))).toBe(true);
  await fresh.close();
  await server.end('SIGKILL');
  await server.start();
  const again = await connect(`127.0.0.1:${server.port}`);
  expect(await textOf(again, '/n0')).toBe('first 0');
  expect(await again.exists('/after')).not.toBeNull();
  await again.close();
  await client.close();
});

test('a client that was connected goes on by itself', async () => {
  const { server, admin, client } = await place();
  await using _ = server;
  await client.create('/kept', 'x');
  const { bytes } = await snapshot(admin);
  await client.create('/lost', 'x');
  expect((await restore(admin, bytes))[0]).toBe(200);
  await waitFor(
    () =>
      client.exists('/lost').then(
        (stat) => (stat === null ? true : undefined),
        () => undefined,
      ),
    20_000,
    () => 'the client does not see the state that was restored',
  );
  expect(await textOf(client, '/kept')).toBe('x');
  await client.close();
});

test('a snapshot of one server makes another one equal to it', async () => {
  const from = await place();
  await using _from = from.server;
  await from.client.create('/a', 'from the first');
  await from.client.create('/a/e', '', { ephemeral: true });
  const { bytes } = await snapshot(from.admin);
  const to = await place();
  await using _to = to.server;
  await to.client.create('/own', '');
  expect((await restore(to.admin, bytes))[0]).toBe(200);
  const client = await connect(`127.0.0.1:${to.server.port}`);
  expect(await textOf(client, '/a')).toBe('from the first');
  expect(await client.exists('/own')).toBeNull();
  // Nobody holds that session here: it expires, and its node with it.
  await waitFor(
    async () => ((await client.exists('/a/e')) === null ? true : undefined),
    30_000,
    () => 'the ephemeral node of a session from elsewhere stays',
  );
  await client.close();
  await to.client.close();
  await from.client.close();
});

test('a snapshot taken while it rains writes is one state: every write up to its zxid and none after', async () => {
  const { server, admin, client } = await place({ snapCount: '100' });
  await using _ = server;
  let isWriting = true;
  const writing = (async () => {
    for (let i = 0; isWriting; i += 20) {
      await Promise.all(
        Array.from({ length: 20 }, (_each, j) => client.create(`/w${String(i + j).padStart(6, '0')}`, '')),
      );
    }
  })();
  await waitFor(
    async () => ((await client.exists('/w000200')) === null ? undefined : true),
    20_000,
    () => 'nothing is written',
  );
  const { bytes, lastZxid } = await snapshot(admin);
  isWriting = false;
  await writing;
  const zxids = await Promise.all(
    (await client.children('/'))
      .filter((name) => name.startsWith('w'))
      .map(async (name) => {
        const stat = await client.exists(`/${name}`);
        return [name, stat?.czxid ?? 0n] as const;
      }),
  );
  expect((await restore(admin, bytes))[0]).toBe(200);
  const fresh = await connect(`127.0.0.1:${server.port}`);
  const restored = (await fresh.children('/')).filter((name) => name.startsWith('w')).sort();
  const expected = zxids.filter(([, czxid]) => czxid <= BigInt(lastZxid ?? 0)).map(([name]) => name);
  expect(restored).toEqual(expected.sort());
  expect(restored.length).toBeGreaterThanOrEqual(200);
  await fresh.close();
  await client.close();
});

test('a snapshot that is not whole, and one that is none, change nothing', async () => {
  const { server, admin, client } = await place();
  await using _ = server;
  await client.create('/a', 'x');
  const { bytes } = await snapshot(admin);
  const flipped = Uint8Array.from(bytes);
  flipped[Math.floor(bytes.length / 2)] ^= 4;
  for (const wrong of [bytes.subarray(0, -1), flipped, new Uint8Array(8_000_000), new Uint8Array(0)]) {
    const [status, answer] = await restore(admin, wrong);
    expect(status).toBe(400);
    expect(answer.error).toEqual(expect.any(String));
  }
  await client.set('/a', 'y');
  expect(await textOf(client, '/a')).toBe('y');
  expect(readdirSync(server.dataDir).filter((name) => /restoring|replac|snapshot/.test(name))).toEqual([]);
  await client.close();
});

test('nobody but an administrator gets or replaces anything', async () => {
  const { server, admin, client } = await place();
  await using _ = server;
  const status = async (path: string, init?: RequestInit) => (await fetch(`${admin}/${path}`, init)).status;
  const eve = { authorization: 'digest eve:eve' };
  expect(await status('snapshot')).toBe(401);
  expect(await status('snapshot', { headers: eve })).toBe(403);
  expect(await status('restore', { method: 'POST', body: 'x' })).toBe(401);
  expect(await status('restore', { method: 'POST', body: 'x', headers: eve })).toBe(403);
  await client.close();
});
