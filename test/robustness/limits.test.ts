/**
 * Limits of the configuration, seen from outside: exactly at the limit is served, one more is not, and what is over is
 * told or made to wait, but never forgotten.
 */
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { jest } from '@jest/globals';
import {
  createBody,
  Flag,
  FrameClient,
  framed,
  Op,
  openSocket,
  pathOf,
  readBody,
  requestFrame,
  setDataBody,
} from '../helpers/frame-client.js';
import { HealthyClient } from '../helpers/healthy-client.js';
import { fourLetterWord, waitFor } from '../helpers/processes.js';
import { ServerProcess } from '../helpers/server-process.js';

jest.setTimeout(60_000);

const NO_NODE = -101;

/** The log comes through a pipe of its own, and may be read later than what the socket says. */
const said = (server: ServerProcess, word: string) =>
  waitFor(
    () => server.records.find(({ level, message }) => level === 'warn' && message.includes(word)),
    5000,
    () => `no warning names ${word}`,
  );

describe.each([
  ['maxClientCnxns', 5],
  ['maxCnxns', 7],
])('%s=%i', (key, max) => {
  test('takes that many connections, refuses the next, and takes one again when another has left', async () => {
    await using server = await ServerProcess.start({ [key]: String(max) });
    const clients = await Promise.all(Array.from({ length: max }, () => FrameClient.session(server.port)));
    for (let i = 0; i < 3; i++) {
      const refused = await FrameClient.connect(server.port);
      refused.send(requestFrame(1, Op.ping));
      expect(await refused.next()).toBe('closed');
    }
    await said(server, key);
    for (const client of clients) expect((await client.call(Op.ping)).err).toBe(0);
    clients[0].close();
    const again = await waitFor(
      () => FrameClient.session(server.port).catch(() => undefined),
      5000,
      () => 'the place of a client that left is not free',
    );
    for (const client of [again, ...clients]) client.close();
  });
});

describe.each([undefined, 10_000, 3_000_000])('jute.maxbuffer=%p (E1)', (configured) => {
  const max = configured ?? 1_048_575;

  test('takes frames of one byte less and of exactly so many, not of one more', async () => {
    await using server = await ServerProcess.start(
      configured === undefined ? {} : { 'jute.maxbuffer': String(configured) },
    );
    const frameOf = (xid: number, length: number) => {
      const overhead = requestFrame(xid, Op.create, createBody('/n-', Buffer.alloc(0), Flag.sequential)).length - 4;
      return requestFrame(xid, Op.create, createBody('/n-', Buffer.alloc(length - overhead), Flag.sequential));
    };
    const client = await FrameClient.session(server.port);
    for (const [i, length] of [max - 1, max].entries()) {
      const frame = frameOf(i + 1, length);
      expect(frame.readInt32BE(0)).toBe(length);
      client.send(frame);
      expect(await client.nextReply()).toMatchObject({ xid: i + 1, err: 0 });
    }
    client.send(frameOf(3, max + 1));
    expect(await client.nextReply()).toBe('closed');
    await said(server, 'jute.maxbuffer');

    const stranger = await FrameClient.connect(server.port);
    stranger.send(framed(Buffer.alloc(max + 1)));
    expect(await stranger.next()).toBe('closed');
    await server.end('SIGKILL');
    await server.start(); // what was taken can be loaded
    const reader = await FrameClient.session(server.port);
    expect((await reader.call(Op.exists, readBody('/n-0000000001'))).err).toBe(0);
    reader.close();
  });
});

test('globalOutstandingLimit makes requests wait in the sockets, and all are answered in order (E13)', async () => {
  const limit = 10;
  const requests = 5000;
  await using server = await ServerProcess.start({ globalOutstandingLimit: String(limit) });
  const clients = await Promise.all(Array.from({ length: 3 }, () => FrameClient.session(server.port)));
  await clients[0].call(Op.create, createBody('/busy'));
  // One read of a socket holds 64 KiB at most, so that many requests can be in it when it is found too much.
  const content = Buffer.alloc(4000);
  const perRead = 65_536 / requestFrame(1, Op.setData, setDataBody('/busy', content)).length;
  let worst = 0;
  let done = false;
  const sampling = (async () => {
    while (!done) {
      const outstanding = /^Outstanding: (\d+)$/m.exec(await fourLetterWord(server.port, 'srvr'))?.[1];
      worst = Math.max(worst, Number(outstanding ?? 0));
    }
  })();
  await Promise.all(
    clients.map(async (client) => {
      for (let i = 0; i < requests; i++) client.send(requestFrame(i + 1, Op.setData, setDataBody('/busy', content)));
      for (let i = 0; i < requests; i++) expect(await client.nextReply()).toMatchObject({ xid: i + 1, err: 0 });
    }),
  );
  done = true;
  await sampling;
  expect(worst).toBeGreaterThan(0);
  expect(worst).toBeLessThanOrEqual(limit + clients.length * Math.ceil(perRead) * 2);
  for (const client of clients) client.close();
});

test('10,000 requests in flight on one connection are answered in order (E8, E68)', async () => {
  await using server = await ServerProcess.start();
  const client = await FrameClient.session(server.port);
  const count = 10_000;
  const frames = Array.from({ length: count }, (_, i) => {
    if (i % 4 === 0) return requestFrame(i + 1, Op.create, createBody('/s-', null, Flag.sequential));
    if (i % 4 === 1) return requestFrame(i + 1, Op.getChildren, readBody('/none'));
    if (i % 4 === 2) return requestFrame(i + 1, 9, createBody('/').subarray(0, 5)); // sync
    return requestFrame(i + 1, Op.exists, readBody(`/s-${String((i - 3) / 4).padStart(10, '0')}`));
  });
  client.send(Buffer.concat(frames));
  for (let i = 0; i < count; i++) {
    const reply = await client.nextReply();
    if (reply === 'closed') throw new Error(`hung up after ${i} replies`);
    expect([reply.xid, reply.err]).toEqual([i + 1, i % 4 === 1 ? NO_NODE : 0]); // each sees the create before it
    if (i % 4 === 0) expect(pathOf(reply)).toBe(`/s-${String(i / 4).padStart(10, '0')}`);
  }
  client.close();
});

describe('session timeouts', () => {
  test.each([
    [{ tickTime: '1000' }, 2000, 20_000],
    [{ tickTime: '1000', minSessionTimeout: '700', maxSessionTimeout: '9000' }, 700, 9000],
  ])('%p are negotiated between %i and %i ms (E15)', async (settings, min, max) => {
    await using server = await ServerProcess.start(settings);
    const granted: [asked: number, got: number][] = [];
    for (const asked of [-1, 0, 1, min, min + 1, max - 1, max, max + 1, 0x7fff_ffff]) {
      const client = await FrameClient.session(server.port, { timeoutMs: asked });
      granted.push([asked, client.timeoutMs]);
      client.close();
    }
    expect(granted).toEqual(granted.map(([asked]) => [asked, Math.min(Math.max(asked, min), max)]));
  });

  test('a silent session ends after its timeout, not before, and takes its ephemerals along (E17)', async () => {
    await using server = await ServerProcess.start({ tickTime: '500', minSessionTimeout: '1000' });
    const observer = await FrameClient.session(server.port, { timeoutMs: 10_000 });
    const silent = await FrameClient.session(server.port, { timeoutMs: 1000 });
    await silent.call(Op.create, createBody('/silent', null, Flag.ephemeral));
    const startMs = performance.now();
    await waitFor(
      async () => ((await observer.call(Op.exists, readBody('/silent'))).err === NO_NODE ? true : undefined),
      10_000,
      () => 'the session is still there',
    );
    // The reply, from which we count, reached us after the request had reached the server.
    expect(performance.now() - startMs).toBeGreaterThan(1000 - 50);
    expect(await silent.nextReply()).toBe('closed');
    observer.close();
  });
});

test('a connection without a session is closed after nio.sessionlessCnxnTimeout, one with a session stays', async () => {
  await using server = await ServerProcess.start({ 'nio.sessionlessCnxnTimeout': '400' });
  const client = await FrameClient.session(server.port);
  const startMs = performance.now();
  const silent = await openSocket(server.port);
  const chatty = await openSocket(server.port);
  chatty.write('rom');
  await Promise.all([silent, chatty].map((socket) => new Promise((resolve) => socket.once('close', resolve).resume())));
  expect(performance.now() - startMs).toBeGreaterThan(300);
  await sleep(600);
  expect((await client.call(Op.ping)).err).toBe(0);
  client.close();
});

describe('budgets of all clients together', () => {
  const besides = async (server: ServerProcess, mischief: () => Promise<unknown>): Promise<void> => {
    const healthy = await HealthyClient.start(server.port);
    await mischief();
    const { failure, rounds } = await healthy.stop();
    expect(failure).toBeNull();
    expect(rounds).toBeGreaterThan(0);
  };
  const gone = (sockets: readonly Socket[]) => sockets.filter(({ destroyed }) => destroyed).length;
  const watched = async (port: number): Promise<Socket> => (await openSocket(port)).resume();

  test('requests that never become whole: the oldest are given up, and a large one that does is served', async () => {
    await using server = await ServerProcess.start({ largeRequestMaxBytes: '4000000', maxSessionTimeout: '60000' });
    await besides(server, async () => {
      const sockets: Socket[] = [];
      for (let i = 0; i < 12; i++) {
        const socket = await watched(server.port);
        socket.write(framed(Buffer.alloc(1_000_000)).subarray(0, 700_000));
        sockets.push(socket);
        await sleep(20);
      }
      await waitFor(
        () => (gone(sockets) > 0 ? true : undefined),
        5000,
        () => 'all of 8 MB are held',
      );
      await said(server, 'largeRequestMaxBytes');
      expect(sockets.at(-1)?.destroyed).toBe(false);
      expect(gone(sockets)).toBeGreaterThanOrEqual(6); // each part took at least what was sent of it
      const client = await FrameClient.session(server.port);
      expect((await client.call(Op.create, createBody('/large', Buffer.alloc(900_000)))).err).toBe(0);
      expect(await fourLetterWord(server.port, 'mntr')).toMatch(/^zk_large_requests_rejected\t[1-9]/m);
      for (const socket of sockets) socket.destroy();
      client.close();
    });
  });

  test('answers that nobody takes: beyond the limit those who take nothing for the longest are hung up on', async () => {
    await using server = await ServerProcess.start({ outputLimitInMb: '6', maxSessionTimeout: '60000' });
    const writer = await FrameClient.session(server.port);
    await writer.call(Op.create, createBody('/large', Buffer.alloc(900_000)));
    await besides(server, async () => {
      const readers: FrameClient[] = [];
      for (let i = 0; i < 10; i++) {
        const reader = await FrameClient.session(server.port);
        reader.socket.pause();
        // More than the kernel's buffers take.
        for (let xid = 1; xid <= 40; xid++) reader.send(requestFrame(xid, Op.getData, readBody('/large')));
        readers.push(reader);
        await sleep(20);
      }
      await said(server, 'outputLimitInMb');
      expect((await writer.call(Op.ping)).err).toBe(0);
      for (const reader of readers) reader.close();
    });
    writer.close();
  });

  test('one that is turned away two hundred times costs the log two lines', async () => {
    const server = await ServerProcess.start({ maxClientCnxns: '1' });
    const client = await FrameClient.session(server.port);
    for (let i = 0; i < 200; i++) {
      const socket = await watched(server.port);
      if (!socket.destroyed) await new Promise((resolve) => socket.once('close', resolve));
    }
    await said(server, 'maxClientCnxns');
    client.close();
    await server.end('SIGTERM');
    const lines = server.records.filter(({ message }) => message.includes('maxClientCnxns'));
    expect(lines).toHaveLength(2);
    expect(lines[1]?.message).toContain('199 more like this');
    await server[Symbol.asyncDispose]();
  });
});
