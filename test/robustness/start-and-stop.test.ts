/**
 * Starting on what should not be started on, and stopping in the middle of everything. Whoever runs the server is told
 * what is wrong, where, and what to do; the exit code is 1 for a refusal and 0 for an orderly stop.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { jest } from '@jest/globals';
import { Random } from '../../src/std/random.js';
import { createBody, Flag, FrameClient, Op, readBody, requestFrame, setDataBody } from '../helpers/frame-client.js';
import { LOOPBACK } from '../helpers/ports.js';
import { fourLetterWord } from '../helpers/processes.js';
import { ServerProcess } from '../helpers/server-process.js';

jest.setTimeout(60_000);

const STOP_MS = 1000;
const FLIPS = 14;

/** Starts the server, which must refuse; returns what it printed. */
async function refusal(server: ServerProcess): Promise<string> {
  server.launch();
  expect(await server.ending).toEqual({ code: 1, signal: null });
  return server.output;
}

describe('a damaged database', () => {
  let server: ServerProcess;
  let database: string;
  let sound: Buffer;
  let digest: string;
  beforeAll(async () => {
    server = await ServerProcess.start({ snapCount: '200' });
    const client = await FrameClient.session(server.port);
    for (let i = 0; i < 700; i++)
      client.send(requestFrame(i + 1, Op.create, createBody(`/n${i}`, Buffer.alloc(500, i))));
    for (let i = 0; i < 700; i++) expect(await client.nextReply()).toMatchObject({ err: 0 });
    await sleep(300); // for a checkpoint to end
    digest = await fourLetterWord(server.port, 'hash');
    await server.end('SIGTERM');
    database = join(server.dataDir, 'zabra.db');
    sound = readFileSync(database);
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });

  /** Puts the database in place, alone. */
  function place(bytes: Uint8Array): void {
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${database}${suffix}`, { force: true });
    rmSync(join(server.dataDir, 'zabra.tail'), { force: true }); // it has seen later epochs than the copy
    writeFileSync(database, bytes);
  }

  const CASES: readonly (readonly [what: string, damage: (bytes: Buffer) => Buffer])[] = [
    ['garbage', () => Buffer.from('garbage '.repeat(2000))],
    ['nothing', () => Buffer.alloc(0)],
    ['its first half', (bytes) => bytes.subarray(0, bytes.length / 2)],
    ['its first page', (bytes) => bytes.subarray(0, 4096)],
    ['zeros in the middle', (bytes) => Buffer.concat([bytes.subarray(0, 8192), Buffer.alloc(bytes.length - 8192)])],
  ];

  test.each(CASES)('that holds %s is not served', async (_what, damage) => {
    place(damage(Buffer.from(sound)));
    const output = await refusal(server);
    expect(output).toMatch(/zabra: .*(damaged|malformed|not a database|fails its checksum)/);
    expect(output.includes('zabra.db') || output.includes(`storage in ${server.dataDir}`)).toBe(true);
    expect(output).toContain('keep a copy of the directory');
    expect(readFileSync(database)).toEqual(damage(Buffer.from(sound))); // and is left as it is
  });

  test(`with flipped bytes is refused, or they were in unused space: ${FLIPS} places`, async () => {
    const random = new Random(20_240_817);
    let refused = 0;
    for (let i = 0; i < FLIPS; i++) {
      const bytes = Buffer.from(sound);
      let at = random.int(bytes.length);
      while (bytes[at] === 0) at = random.int(bytes.length); // most of the zeros are unused space
      bytes[at] ^= 1 << random.int(8);
      place(bytes);
      server.launch();
      while (server.alive && !server.output.includes('serving clients on')) await sleep(10);
      if (server.alive) {
        const loaded = await fourLetterWord(server.port, 'hash');
        if (loaded !== digest) throw new Error(`a flip at byte ${at} is served: ${loaded} instead of ${digest}`);
        await server.end('SIGKILL');
        continue;
      }
      refused++;
      expect(await server.ending).toEqual({ code: 1, signal: null });
      expect(server.output).toContain('keep a copy of the directory');
    }
    expect(refused).toBeGreaterThan(FLIPS / 4);
  });

  test('restored to what it was is served again', async () => {
    place(sound);
    await server.start();
    expect(await fourLetterWord(server.port, 'hash')).toBe(digest);
    await server.end('SIGKILL');
  });
});

test('a log from which acknowledged writes are missing is refused; without its witness it is served up to the cut', async () => {
  await using server = await ServerProcess.start();
  const client = await FrameClient.session(server.port);
  // So few that the WAL is not copied meanwhile: its last bytes are those of the last write then.
  for (let i = 0; i < 25; i++) await client.call(Op.create, createBody(`/n${i}`));
  await server.end('SIGKILL');
  const wal = join(server.dataDir, 'zabra.db-wal');
  const cut = readFileSync(wal).subarray(0, -2000);
  writeFileSync(wal, cut);
  expect(await refusal(server)).toMatch(/are missing/);

  writeFileSync(wal, cut);
  rmSync(join(server.dataDir, 'zabra.tail'));
  await server.start();
  const reader = await FrameClient.session(server.port);
  expect((await reader.call(Op.exists, readBody('/n20'))).err).toBe(0);
  expect((await reader.call(Op.exists, readBody('/n24'))).err).toBe(-101);
  reader.close();
});

test('a second server on the same directory is told who holds it, and disturbs nobody', async () => {
  await using first = await ServerProcess.start();
  await using second = await ServerProcess.prepare({ dataDir: first.dataDir });
  const output = await refusal(second);
  expect(output).toContain(`process ${first.pid} `);
  expect(output).toContain(`${LOOPBACK}:${first.port}`);
  expect(output).toContain('give this server a directory of its own');
  const client = await FrameClient.session(first.port);
  expect((await client.call(Op.create, createBody('/still'))).err).toBe(0);
  client.close();
});

test('a port in use is named, and the directory is released', async () => {
  await using server = await ServerProcess.prepare();
  const squatter = createServer().listen(server.port, LOOPBACK);
  await new Promise((resolve) => squatter.once('listening', resolve));
  const output = await refusal(server);
  expect(output).toContain(`${LOOPBACK}:${server.port}`);
  expect(output).toContain('choose another with --client-port');
  await new Promise((resolve) => squatter.close(resolve));
  await server.start();
});

describe('a configuration', () => {
  const CASES: readonly (readonly [setting: string, value: string])[] = [
    ['tickTime', 'soon'],
    ['tickTime', '-5'],
    ['clientPort', '65536'],
    ['maxClientCnxns', '1.5'],
    ['minSessionTimeout', '99999999'],
    ['jute.maxbuffer', '12'],
    ['extendedTypesEnabled', 'perhaps'],
    ['DigestAuthenticationProvider.digestAlg', 'MD17'],
  ];

  test.each(CASES)('with %s=%s is refused by file, line and key', async (key, value) => {
    await using server = await ServerProcess.prepare({ settings: { [key]: value } });
    const line = readFileSync(server.configFile, 'utf8').split('\n').indexOf(`${key}=${value}`) + 1;
    expect(line).toBeGreaterThan(0);
    const output = await refusal(server);
    expect(output).toContain(`${server.configFile}:${line}: ${key}`);
    expect(output).not.toMatch(/\n\s+at /); // no stack trace
  });

  test('with an unknown key is served, and the nearest known one is named', async () => {
    await using server = await ServerProcess.start({ snapCont: '5000' });
    expect(server.output).toMatch(/zoo\.cfg:\d+: snapCont: .*snapCount/);
  });

  test('that is not there is named', async () => {
    await using server = await ServerProcess.prepare();
    rmSync(server.configFile);
    const output = await refusal(server);
    expect(output).toContain(server.configFile);
    expect(output).not.toMatch(/\n\s+at /);
  });

  test('whose dataDir is a file is refused in words', async () => {
    await using server = await ServerProcess.prepare();
    const file = join(server.directory, 'file');
    writeFileSync(file, '');
    server.configure({ dataDir: file });
    const output = await refusal(server);
    expect(output).toContain(file);
    expect(output).not.toMatch(/\n\s+at /);
  });
});

describe.each(['SIGTERM', 'SIGINT'] as const)('%s', (signal) => {
  test('stops within a second, with clients connected and under load, and loses nothing', async () => {
    await using server = await ServerProcess.start({ snapCount: '500' });
    const idle = await Promise.all(Array.from({ length: 200 }, () => FrameClient.session(server.port)));
    const busy = await FrameClient.session(server.port);
    await busy.call(Op.create, createBody('/counter'));
    const acknowledged = (async () => {
      let count = 0;
      for (let i = 1; i <= 200; i++) busy.send(requestFrame(i + 1, Op.setData, setDataBody('/counter', null)));
      for (let xid = 202; ; xid++) {
        const reply = await busy.nextReply();
        if (reply === 'closed') return count;
        count++;
        busy.send(requestFrame(xid, Op.setData, setDataBody('/counter', null)));
      }
    })();
    await sleep(400);
    const startMs = performance.now();
    expect(await server.end(signal)).toEqual({ code: 0, signal: null });
    expect(performance.now() - startMs).toBeLessThan(STOP_MS);
    expect(server.records.map(({ message }) => message)).toEqual(
      expect.arrayContaining([`stopping on ${signal}`, 'stopped']),
    );
    expect(idle.every(({ isClosed }) => isClosed)).toBe(true);

    await server.start();
    const reader = await FrameClient.session(server.port);
    const version = (await reader.call(Op.exists, readBody('/counter'))).body.readInt32BE(32);
    expect(version).toBeGreaterThanOrEqual(await acknowledged);
    expect((await reader.call(Op.create, createBody('/after', null, Flag.ephemeral))).err).toBe(0);
    reader.close();
  });
});

test('SIGTERM stops within a second while a client does not read its gigabyte of answers', async () => {
  await using server = await ServerProcess.start();
  const client = await FrameClient.session(server.port);
  await client.call(Op.create, createBody('/large', Buffer.alloc(900_000)));
  client.socket.pause();
  client.send(
    Buffer.concat(Array.from({ length: 1000 }, (_, i) => requestFrame(i + 2, Op.getData, readBody('/large')))),
  );
  await sleep(200);
  const startMs = performance.now();
  expect(await server.end('SIGTERM')).toEqual({ code: 0, signal: null });
  expect(performance.now() - startMs).toBeLessThan(STOP_MS);
  client.close();
});
