/**
 * An fsync that fails is never tried again: the kernel may have dropped what was to be written, and the next one would
 * succeed without it. The server stops, says so, and has acknowledged nothing that depended on it.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { jest } from '@jest/globals';
import { childrenOf, createBody, FrameClient, Op, readBody } from '../helpers/frame-client.js';
import { removeDirectory, temporaryDirectory } from '../helpers/processes.js';
import { ServerProcess } from '../helpers/server-process.js';

jest.setTimeout(60_000);

const PRELOAD = pathToFileURL(resolve('dist/test/robustness/fsync-failure.js')).href;
/** Together more than what the write-ahead log holds before it is copied in an idle moment. */
const FILLING_WRITES = 60;
const FILLING_BYTES = 20_000;

let server: ServerProcess;
let trigger: string;
beforeEach(async () => {
  const directory = temporaryDirectory('zabra-fsync');
  trigger = join(directory, 'fsync-fails');
  server = await ServerProcess.prepare({
    dataDir: join(directory, 'data'),
    env: { NODE_OPTIONS: `--import=${PRELOAD}`, ZABRA_TEST_FSYNC: trigger },
  });
  await server.start();
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  removeDirectory(dirname(trigger));
});

const failures = () => readFileSync(`${trigger}.failures`, 'utf8');

async function expectStopped(): Promise<void> {
  expect(await server.ending).toEqual({ code: 1, signal: null });
  const stop = server.records.find(({ message }) => message.startsWith('stopping: '));
  expect(stop).toMatchObject({
    level: 'error',
    message: expect.stringMatching(/disk I\/O error \(SQLITE_IOERR_FSYNC\)/),
    remedy: expect.stringContaining('Restart the server when the disk is sound'),
  });
}

async function namesAfterRestart(): Promise<string[]> {
  rmSync(trigger);
  await server.start();
  const reader = await FrameClient.session(server.port);
  return childrenOf(await reader.call(Op.getChildren, readBody('/')));
}

test('of a group of writes: nothing of it is acknowledged, and the server stops at once', async () => {
  const client = await FrameClient.session(server.port);
  expect((await client.call(Op.create, createBody('/before'))).err).toBe(0);
  expect(existsSync(`${trigger}.failures`)).toBe(false);
  writeFileSync(trigger, 'commit');
  await expect(client.call(Op.create, createBody('/lost'))).rejects.toThrow();
  await expectStopped();
  expect(failures()).toBe('commit\n'); // once: it was not tried again
  expect(await namesAfterRestart()).toEqual(expect.arrayContaining(['before']));
});

test('of the write-ahead log that is copied: what was acknowledged stays', async () => {
  const client = await FrameClient.session(server.port);
  writeFileSync(trigger, 'wal');
  const acknowledged: string[] = [];
  try {
    for (let i = 0; i < FILLING_WRITES; i++) {
      const name = `n${i}`;
      const { err } = await client.call(Op.create, createBody(`/${name}`, Buffer.alloc(FILLING_BYTES)));
      if (err === 0) acknowledged.push(name);
    }
  } catch {
    // hung up on
  }
  await expectStopped();
  expect(failures()).toBe('wal\n');
  expect(acknowledged.length).toBeGreaterThan(10);
  expect(await namesAfterRestart()).toEqual(expect.arrayContaining(acknowledged));
});
