/** The server for other people's tests, as they use it. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '../../../src/client/index.js';
import { startTestServer } from '../../../src/testing/index.js';

test('a client connects, its data survive a restart, and nothing is left at the end', async () => {
  const server = await startTestServer();
  const client = await connect(server.connectString);
  await client.create('/a', 'hello');
  await server.restart();
  expect(Buffer.from((await client.get('/a')).data ?? []).toString()).toBe('hello');
  await client.close();
  await server.stop();
  await server.stop();
  await expect(connect(server.connectString, { connectTimeoutMs: 300 })).rejects.toThrow();
}, 30_000);

test('several run side by side, and a directory that was given is kept', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'zabra-kept-'));
  try {
    await using one = await startTestServer({ directory });
    await using two = await startTestServer({ config: { tickTime: '500' } });
    expect(one.port).not.toBe(two.port);
    await one.stop();
    expect(existsSync(directory)).toBe(true);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}, 30_000);

test('a configuration that is none is refused', async () => {
  await expect(startTestServer({ config: { tickTime: 'soon' } })).rejects.toThrow(/tickTime/);
});
