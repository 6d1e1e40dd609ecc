/**
 * Connections that do not behave: thousands that say nothing, senders of single bytes, readers that never read, peers
 * that vanish in the middle of a request, four-letter words in pieces. The process lives, its memory stays within
 * bounds, and a client beside them is served within a second.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { jest } from '@jest/globals';
import {
  connectRequest,
  createBody,
  dataOf,
  Flag,
  FrameClient,
  Op,
  openSocket,
  readBody,
  requestFrame,
  setDataBody,
} from '../helpers/frame-client.js';
import { type Health, HealthyClient } from '../helpers/healthy-client.js';
import { fourLetterWord, waitFor } from '../helpers/processes.js';
import { ServerProcess } from '../helpers/server-process.js';

jest.setTimeout(60_000);

const MIB = 1024 * 1024;
const HEALTHY_MS = 1000;
const CROWD = 2000;

let server: ServerProcess;
beforeAll(async () => {
  server = await ServerProcess.start({ 'nio.sessionlessCnxnTimeout': '2500', maxSessionTimeout: '60000' });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

/** What a healthy client went through while `mischief` was done. */
async function besides(mischief: () => Promise<void>): Promise<Health> {
  const healthy = await HealthyClient.start(server.port);
  try {
    await mischief();
  } finally {
    await sleep(100);
  }
  return healthy.stop();
}

function expectHealthy({ failure, rounds, worstMs }: Health): void {
  expect(failure).toBeNull();
  expect(rounds).toBeGreaterThan(0);
  expect(worstMs).toBeLessThan(HEALTHY_MS);
  expect(server.alive).toBe(true);
}

const connectionCount = async () =>
  Number(/^Connections: (\d+)$/m.exec(await fourLetterWord(server.port, 'srvr'))?.[1]);

async function untilGone(countMax: number, waitMs = 15_000): Promise<void> {
  let count = 0;
  await waitFor(
    async () => {
      count = await connectionCount();
      return count <= countMax ? true : undefined;
    },
    waitMs,
    () => `${count} connections are left`,
  );
}

/** Sends the pieces one after the other and returns all that is said until the server closes the connection. */
async function say(pieces: readonly (string | Uint8Array)[]): Promise<string> {
  const socket = await openSocket(server.port);
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk.toString('utf8');
  });
  const closed = new Promise((resolve) => socket.once('close', resolve));
  for (const piece of pieces) {
    socket.write(piece);
    await sleep(5);
  }
  await closed;
  return answer;
}

describe('four-letter words', () => {
  const WORDS = [
    'conf',
    'cons',
    'crst',
    'dirs',
    'dump',
    'envi',
    'gtmk',
    'hash',
    'isro',
    'mntr',
    'ruok',
    'srst',
    'srvr',
    'stat',
    'wchc',
    'wchp',
    'wchs',
  ];

  test.each(WORDS)(
    '%s is answered and ends the connection, whole, in halves and with bytes behind it',
    async (word) => {
      const whole = await fourLetterWord(server.port, word);
      expect(whole).not.toBe('');
      for (const pieces of [[word.slice(0, 2), word.slice(2)], [...word], [`${word}\n`], [`${word} and more`]]) {
        const answer = await say(pieces);
        // Figures differ from one answer to the next, the kind of answer does not.
        expect(answer.slice(0, 4)).toBe(whole.slice(0, 4));
      }
    },
  );

  test('stmk waits for its mask, however it is cut', async () => {
    const mask = Buffer.from([0, 0, 0, 0, 0, 0, 0x01, 0xff]);
    const request = Buffer.concat([Buffer.from('stmk'), mask]);
    for (const cut of [2, 4, 7, 11, 12]) {
      expect(await say([request.subarray(0, cut), request.subarray(cut)])).toBe('511');
      expect(await fourLetterWord(server.port, 'gtmk')).toBe('511');
    }
  });

  test('a word that is not allowed says so, one that does not exist ends the connection', async () => {
    await using strict = await ServerProcess.start({ '4lw.commands.whitelist': 'ruok' });
    for (const word of ['srvr', 'cons', 'stmk', 'dump']) {
      expect(await fourLetterWord(strict.port, word)).toBe(
        `${word} is not executed because it is not in the whitelist.\n`,
      );
    }
    expect(await fourLetterWord(strict.port, 'ruok')).toBe('imok');
    expect(await fourLetterWord(strict.port, 'kill')).toBe('');
    expect(await fourLetterWord(strict.port, 'RUOK')).toBe('');
    expect(strict.alive).toBe(true);
  });

  test('words asked for by many at once, while sessions come and go, are all answered', async () => {
    const sessions = await Promise.all(Array.from({ length: 50 }, () => FrameClient.session(server.port)));
    for (const client of sessions) await client.call(Op.exists, readBody('/watched', true));
    const asked = WORDS.flatMap((word) => new Array(10).fill(word) as string[]);
    const answers = Promise.all(asked.map((word) => fourLetterWord(server.port, word)));
    for (const client of sessions) client.close();
    expect((await answers).filter((answer) => answer === '')).toEqual([]);
  });
});

test(`${CROWD} connections that say nothing, half a word or half a greeting cost little and are closed`, async () => {
  const before = server.residentBytes;
  const health = await besides(async () => {
    const beginnings = [
      Buffer.alloc(0),
      Buffer.from('ru'),
      connectRequest().subarray(0, 20),
      Buffer.from([0, 15, 255, 255]),
    ];
    for (let opened = 0; opened < CROWD; opened += 100) {
      const sockets = await Promise.all(Array.from({ length: 100 }, () => openSocket(server.port)));
      sockets.forEach((socket, i) => {
        socket.write(beginnings[i % beginnings.length]);
      });
    }
    expect(await connectionCount()).toBeGreaterThan(CROWD);
    expect(server.residentBytes - before).toBeLessThan(128 * MIB);
    await untilGone(5);
  });
  expectHealthy(health);
});

test(`${CROWD} sessions opened at once are all answered`, async () => {
  const clients: FrameClient[] = [];
  const health = await besides(async () => {
    const opened = await Promise.all(Array.from({ length: CROWD }, () => FrameClient.session(server.port)));
    clients.push(...opened);
  });
  expect(new Set(clients.map(({ sessionId }) => sessionId)).size).toBe(CROWD);
  for (const client of clients) client.close();
  await untilGone(5);
  expectHealthy(health);
});

test('requests that come byte by byte are answered', async () => {
  const health = await besides(async () => {
    const client = await FrameClient.connect(server.port);
    const greeting = connectRequest();
    for (const byte of greeting) {
      client.send(Buffer.from([byte]));
      await sleep(1);
    }
    expect(await client.nextBytes()).not.toBe('closed');
    for (const byte of requestFrame(1, Op.create, createBody('/drip', Buffer.from('drop')))) {
      client.send(Buffer.from([byte]));
      await sleep(1);
    }
    expect(await client.nextReply()).toMatchObject({ xid: 1, err: 0 });
    client.close();
  });
  expectHealthy(health);
});

test('a flood of small requests behind a write is answered in order, however many come in one go', async () => {
  const count = 200_000;
  const health = await besides(async () => {
    const client = await FrameClient.session(server.port);
    const ping = requestFrame(-2, Op.ping);
    const write = requestFrame(1, Op.create, createBody('/flood', null, Flag.sequential));
    const last = requestFrame(2, Op.exists, readBody('/'));
    client.send(Buffer.concat([write, ...new Array<Buffer>(count).fill(ping), last]));
    expect(await client.nextReply()).toMatchObject({ xid: 1, err: 0 });
    for (let i = 0; i < count; i++) {
      const reply = await client.nextReply();
      if (reply === 'closed' || reply.xid !== -2) throw new Error(`answer ${i}: ${JSON.stringify(reply)}`);
    }
    expect(await client.nextReply()).toMatchObject({ xid: 2, err: 0 });
    client.close();
  });
  expectHealthy(health);
});

test('a flood sent before the session is open is kept, bounded, and answered in order (E7)', async () => {
  const client = await FrameClient.connect(server.port);
  const frames = Array.from({ length: 30_000 }, (_, i) => requestFrame(i + 1, Op.setData, setDataBody('/none', null)));
  client.send(Buffer.concat([connectRequest(), ...frames]));
  expect(await client.nextBytes()).not.toBe('closed');
  for (let i = 0; i < frames.length; i++) {
    const reply = await client.nextReply();
    if (reply === 'closed' || reply.xid !== i + 1) throw new Error(`answer ${i}: ${JSON.stringify(reply)}`);
  }
  expect(server.alive).toBe(true);
  client.close();
});

describe('a reader that does not read', () => {
  const LARGE = Buffer.alloc(900_000, 'x');
  let writer: FrameClient;
  beforeAll(async () => {
    writer = await FrameClient.session(server.port, { timeoutMs: 60_000 });
    await writer.call(Op.create, createBody('/large', LARGE));
  });
  afterAll(() => writer.close());

  test('while it asks for gigabytes gets what it can hold, and all of it once it reads', async () => {
    const asked = 400;
    const before = server.residentBytes;
    const reader = await FrameClient.session(server.port, { timeoutMs: 60_000 });
    const health = await besides(async () => {
      reader.socket.pause();
      const frames = Array.from({ length: asked }, (_, i) => requestFrame(i + 1, Op.getData, readBody('/large')));
      reader.send(Buffer.concat(frames));
      await sleep(1000);
      expect(server.residentBytes - before).toBeLessThan(200 * MIB);
    });
    expectHealthy(health);
    reader.socket.resume();
    for (let i = 0; i < asked; i++) {
      const reply = await reader.nextReply();
      if (reply === 'closed') throw new Error(`hung up after ${i} replies`);
      expect(reply.xid).toBe(i + 1);
      expect(dataOf(reply)?.length).toBe(LARGE.length);
    }
    expect((await reader.call(Op.ping)).err).toBe(0);
    reader.close();
  });

  test('with reads waiting behind a write gets them all, and stops nobody else', async () => {
    const asked = 300;
    const before = server.residentBytes;
    const reader = await FrameClient.session(server.port, { timeoutMs: 60_000 });
    const health = await besides(async () => {
      reader.socket.pause();
      const frames = Array.from({ length: asked }, (_, i) => requestFrame(i + 2, Op.getData, readBody('/large')));
      reader.send(Buffer.concat([requestFrame(1, Op.create, createBody('/behind')), ...frames]));
      await sleep(500);
      expect(server.residentBytes - before).toBeLessThan(200 * MIB);
    });
    expectHealthy(health);
    reader.socket.resume();
    for (let i = 0; i <= asked; i++) {
      const reply = await reader.nextReply();
      expect(reply === 'closed' ? reply : reply.xid).toBe(i + 1);
    }
    reader.close();
  });

  test('with large reads between writes is cut off before it fills the memory', async () => {
    const before = server.residentBytes;
    const reader = await FrameClient.session(server.port, { timeoutMs: 60_000 });
    const health = await besides(async () => {
      reader.socket.pause();
      const pair = (i: number) => [
        requestFrame(2 * i + 1, Op.setData, setDataBody('/behind', null)),
        requestFrame(2 * i + 2, Op.getData, readBody('/large')),
      ];
      reader.send(Buffer.concat(Array.from({ length: 400 }, (_, i) => pair(i)).flat()));
      await sleep(500);
      expect(server.residentBytes - before).toBeLessThan(300 * MIB);
    });
    expectHealthy(health);
    reader.socket.resume();
    await waitFor(
      () => (reader.isClosed ? true : undefined),
      10_000,
      () => 'the connection is still open',
    );
  });

  test('of watch events is cut off, not fed from an endless buffer', async () => {
    const before = server.residentBytes;
    const path = `/${'long'.repeat(20_000)}`;
    const reader = await FrameClient.session(server.port, { timeoutMs: 60_000 });
    await writer.call(Op.create, createBody(path));
    const watch = Buffer.concat([readBody(path).subarray(0, -1), Buffer.from([0, 0, 0, 0])]);
    await reader.call(106, watch);
    reader.socket.pause();
    const health = await besides(async () => {
      const other = await FrameClient.session(server.port);
      for (let xid = 1; xid <= 1200; xid++) other.send(requestFrame(xid, Op.setData, setDataBody(path, null)));
      for (let xid = 1; xid <= 1200; xid++) expect(await other.nextReply()).toMatchObject({ xid, err: 0 });
      other.close();
    });
    expectHealthy(health);
    expect(server.residentBytes - before).toBeLessThan(300 * MIB);
    reader.socket.resume();
    await waitFor(
      () => (reader.isClosed ? true : undefined),
      10_000,
      () => 'the connection is still open',
    );
  });
});

test('large writes of many clients wait in their sockets, not in memory and not before everybody else', async () => {
  const each = 12;
  const content = Buffer.alloc(900_000, 'y');
  const clients = await Promise.all(Array.from({ length: 40 }, () => FrameClient.session(server.port)));
  for (const [i, client] of clients.entries()) await client.call(Op.create, createBody(`/heavy-${i}`));
  const before = server.residentBytes;
  let most = 0;
  const sampling = setInterval(() => {
    most = Math.max(most, server.residentBytes);
  }, 10);
  const startMs = performance.now();
  const health = await besides(async () => {
    await Promise.all(
      clients.map(async (client, i) => {
        const body = setDataBody(`/heavy-${i}`, content);
        for (let xid = 2; xid < each + 2; xid++) client.send(requestFrame(xid, Op.setData, body));
        for (let xid = 2; xid < each + 2; xid++) expect(await client.nextReply()).toMatchObject({ xid, err: 0 });
      }),
    );
  });
  const tookMs = performance.now() - startMs;
  clearInterval(sampling);
  for (const client of clients) client.close();
  expect(health.failure).toBeNull();
  // How long the disk takes is not ours to say; but nobody waits until all that was sent before has been written.
  expect(health.worstMs).toBeLessThan(tookMs / 3);
  expect(most - before).toBeLessThan(400 * MIB);
});

test('peers that vanish in the middle of a request leave nothing behind', async () => {
  await untilGone(5);
  const before = server.residentBytes;
  const health = await besides(async () => {
    const half = requestFrame(7, Op.create, createBody('/half', Buffer.alloc(500_000))).subarray(0, 300_000);
    for (let round = 0; round < 20; round++) {
      const clients = await Promise.all(
        Array.from({ length: 20 }, () => FrameClient.session(server.port, { timeoutMs: 2000 })),
      );
      for (const client of clients) {
        client.send(requestFrame(1, Op.create, createBody('/gone', null, Flag.sequential | Flag.ephemeral)));
        client.send(requestFrame(2, Op.getData, readBody('/large', true)));
        client.send(half);
      }
      for (const [i, client] of clients.entries()) {
        if (i % 2 === 0) client.socket.resetAndDestroy();
        else client.close();
      }
    }
    await untilGone(5);
  });
  expectHealthy(health);
  expect(server.residentBytes - before).toBeLessThan(256 * MIB);
  const client = await FrameClient.session(server.port);
  expect((await client.call(Op.exists, readBody('/half'))).err).toBe(-101);
  client.close();
});

test('after all this nothing was logged as an error', () => {
  expect(server.records.filter(({ level }) => level === 'error')).toEqual([]);
});
