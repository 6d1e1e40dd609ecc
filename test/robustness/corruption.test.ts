/**
 * Damage that is found while a server runs, and what an operator is told of damage. A damaged database that is found at
 * the start is the business of test/ensemble/synchronisation.test.ts.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import Database from 'better-sqlite3';
import { connect } from '../../src/client/index.js';
import { runZabra } from '../cli/run-cli.js';
import { Ensemble } from '../helpers/ensemble.js';
import { createBody, FrameClient, Op } from '../helpers/frame-client.js';
import { ServerProcess } from '../helpers/server-process.js';

jest.setTimeout(90_000);

/** Flips a bit in the stored bytes of the batch that `which` selects, as a disk would: no checksum follows. */
function damageBatch(dataDir: string, which: string): void {
  const db = new Database(join(dataDir, 'zabra.db'));
  const [first, bytes] = db
    .prepare<[], [number, Buffer]>(`SELECT first_zxid, bytes FROM log ORDER BY first_zxid ${which} LIMIT 1`)
    .raw()
    .get() as [number, Buffer];
  bytes[bytes.length >> 1] ^= 4;
  db.prepare('UPDATE log SET bytes = ? WHERE first_zxid = ?').run(bytes, first);
  db.close();
}

test('a leader that finds its log damaged while it brings a learner up to date takes a copy from the others', async () => {
  await using ensemble = await Ensemble.start({ settings: { snapCount: '20' } });
  const [late, other, leader] = ensemble.members;
  await late.stop();
  await ensemble.serving([other, leader]);
  const client = await connect(leader.address);
  for (let i = 0; i < 60; i++) await client.create(`/n${i}`);
  await client.close();
  await other.stop();
  await leader.stop();
  // Behind the checkpoint, so nobody reads it when the server starts; but the late one has not got it.
  damageBatch(leader.server.dataDir, 'DESC LIMIT 1 OFFSET 30 --');
  await Promise.all([other.start(), leader.start()]);
  expect(await ensemble.serving([other, leader])).toBe(leader);
  const { pid } = leader.server;

  await late.start();
  const next = await ensemble.serving();
  expect(next).not.toBe(leader);
  expect(leader.server.pid).toBe(pid);
  expect(leader.log).toMatch(/log row \d+ .* fails its checksum.*set aside as zabra\.aside-/);
  await ensemble.expectSameTrees();
});

describe('zabra verify', () => {
  let server: ServerProcess;
  beforeAll(async () => {
    server = await ServerProcess.start({ snapCount: '20' });
    const client = await FrameClient.session(server.port, { timeoutMs: 30_000 });
    await client.call(Op.create, createBody('/ephemeral', null, 1));
    for (let i = 0; i < 50; i++) await client.call(Op.create, createBody(`/n${i}`, Buffer.from('content')));
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test('refuses while the server runs, and says which', async () => {
    const { exitCode, stdout, stderr } = await runZabra(['verify', server.dataDir]);
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(new RegExp(`is in use by process ${server.pid} on .* Stop it first`));
  });

  test('finds nothing wrong after a crash, and changes nothing', async () => {
    await server.end('SIGKILL');
    const image = () =>
      readdirSync(server.dataDir).map((name) => [name, readFileSync(join(server.dataDir, name), 'hex')]);
    const before = image();
    const { exitCode, stdout, stderr } = await runZabra(['verify', server.dataDir]);
    expect(stderr).toBe('');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/everything is as it was stored\n {2}checkpoint: at zxid 0x1000000.., \d pages?\n/);
    expect(stdout).toMatch(/content: 55 nodes, among them 1 ephemeral one, and 1 session\n/);
    expect(image()).toEqual(before);
  });

  test('says what is damaged and what to do, with exit code 1', async () => {
    await server.start();
    await server.end('SIGTERM');
    damageBatch(server.dataDir, '');
    const { exitCode, stdout } = await runZabra(['verify', server.dataDir]);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(
      /is damaged:\n {2}the batch of zxids 0x100000001 to 0x100000001 of the log fails its checksum\.\n/,
    );
    expect(stdout).toContain('Then restore a backup into an empty directory');
  });

  test.each([
    ['no directory', []],
    ['one without a database', ['/']],
  ])('%s: exit code 2', async (_, args) => {
    const { exitCode, stderr } = await runZabra(['verify', ...args]);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^zabra: /);
  });
});
