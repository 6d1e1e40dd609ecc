/**
 * The audit log of a real server process: everything that changes something has its line, nothing else has, also over a
 * session that ends by itself, a kill, and a disk that does not take the file.
 */
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { connect, ZooKeeperError } from '../../src/client/index.js';
import { waitFor } from '../helpers/processes.js';
import { ServerProcess } from '../helpers/server-process.js';

jest.setTimeout(60_000);

type Line = Record<string, string | number | undefined>;

function linesOf(file: string): Line[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

const fileOf = (server: ServerProcess) => join(server.dataDir, 'audit.log');
const short = ({ operation, znode, result }: Line) =>
  [operation, znode, result].filter((part) => part !== undefined).join(' ');

/** Lines are written behind the answers: waits until there are so many. */
function lines(server: ServerProcess, count: number): Promise<Line[]> {
  return waitFor(
    () => {
      const found = linesOf(fileOf(server));
      return found.length >= count ? found : undefined;
    },
    10_000,
    () => `there are not ${count} lines, but ${linesOf(fileOf(server)).map(short).join('; ')}`,
  );
}

test('every change has a line that says who, what and how it went; reads have none', async () => {
  await using server = await ServerProcess.start({ 'audit.enable': 'true' });
  const client = await connect(`127.0.0.1:${server.port}`, {
    auth: [{ scheme: 'digest', auth: 'bob:secret' }],
  });
  await client.create('/a', 'x');
  await client.create('/a/s-', 'x', { sequential: true });
  await client.create('/e', 'x', { ephemeral: true });
  await client.get('/a');
  await client.exists('/nothing');
  await client.set('/a', 'y');
  await expect(client.set('/a', 'z', { version: 99 })).rejects.toThrow(ZooKeeperError);
  await client.setAcl('/a', [{ scheme: 'world', id: 'anyone', perms: 31 }]);
  await client.transaction().check('/a', 1).create('/m', 'x').delete('/m').commit();
  await expect(client.transaction().create('/n', 'x').delete('/none').commit()).rejects.toThrow(ZooKeeperError);
  await client.close();
  const found = await lines(server, 11);
  expect(found.map(short)).toEqual([
    'serverStart success',
    'create /a success',
    'create /a/s-0000000000 success',
    'create /e success',
    'setData /a success',
    'setData /a failure',
    'setAcl /a success',
    'create /m success',
    'delete /m success',
    'multiOperation /none failure',
    'ephemeralZNodeDeletionOnSessionCloseOrExpire /e success',
  ]);
  expect(found[1]).toEqual({
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    session: expect.stringMatching(/^0x[0-9a-f]+$/),
    user: '127.0.0.1,bob',
    ip: '127.0.0.1',
    operation: 'create',
    znode: '/a',
    znode_type: 'persistent',
    result: 'success',
    zxid: expect.stringMatching(/^0x[0-9a-f]+$/),
  });
  expect(found[3]?.znode_type).toBe('ephemeral');
  expect(found[5]?.error).toBe('BadVersion');
  expect(found[6]?.acl).toBe('world:anyone:cdrwa');
  expect(new Set(found.slice(1).map(({ session }) => session)).size).toBe(1);

  await server.end('SIGTERM');
  expect(short(linesOf(fileOf(server)).at(-1) ?? {})).toBe('serverStop invoked');
  await server.start();
  expect((await lines(server, 13)).slice(-2).map(short)).toEqual(['serverStop invoked', 'serverStart success']);
});

test('a session that expires tells of its ephemeral nodes, with nobody as the user', async () => {
  await using server = await ServerProcess.start({ 'audit.enable': 'true', tickTime: '200' });
  const client = await connect(`127.0.0.1:${server.port}`, { sessionTimeoutMs: 400 });
  await client.create('/e', 'x', { ephemeral: true });
  const session = (await lines(server, 2))[1]?.session;
  await client.close({ keepSession: true });
  const line = (await lines(server, 3))[2];
  expect(line).toMatchObject({ session, znode: '/e', result: 'success' });
  expect(line?.operation).toBe('ephemeralZNodeDeletionOnSessionCloseOrExpire');
  expect(line?.ip).toBeUndefined();
});

test('a folder that is gone keeps nobody waiting; what happened meanwhile is written when it is back', async () => {
  const server = await ServerProcess.prepare();
  await using _ = server;
  const folder = join(server.directory, 'audit');
  mkdirSync(folder);
  const file = join(folder, 'audit.log');
  server.configure({ 'audit.enable': 'true', 'audit.file': file, 'audit.fileSizeInMb': '1' });
  await server.start();
  const client = await connect(`127.0.0.1:${server.port}`);
  // Lines of a kilobyte: the file is full after a thousand, and the next one cannot be begun.
  const name = 'x'.repeat(1000);
  renameSync(folder, `${folder}.gone`);
  const count = 1200;
  for (let i = 0; i < count; i += 100) {
    await Promise.all(Array.from({ length: 100 }, (_each, j) => client.create(`/${name}-${i + j}`, '')));
  }
  await waitFor(
    () => server.records.find(({ level, message }) => level !== 'info' && message.includes('audit log')),
    10_000,
    () => 'nothing is said about the audit log',
  );
  renameSync(`${folder}.gone`, folder);
  await waitFor(
    () => (linesOf(`${file}.1`).length + linesOf(file).length === count + 1 ? true : undefined),
    10_000,
    () => `${linesOf(`${file}.1`).length} and ${linesOf(file).length} lines`,
  );
  await client.close();
});

test('off, there is no file', async () => {
  await using server = await ServerProcess.start();
  const client = await connect(`127.0.0.1:${server.port}`);
  await client.create('/a', 'x');
  await client.close();
  expect(existsSync(fileOf(server))).toBe(false);
});
