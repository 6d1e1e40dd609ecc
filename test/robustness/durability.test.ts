/**
 * Load and SIGKILL, again and again. What was acknowledged is found, what was not is there whole or not at all, no
 * sequence number is given out twice, and a session with its ephemerals lives over the crash until its time is up.
 *
 * Each client keeps its own book: it knows which of its writes were acknowledged, and which were only sent.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { jest } from '@jest/globals';
import {
  childrenOf,
  createBody,
  dataOf,
  Flag,
  FrameClient,
  multiBody,
  Op,
  pathOf,
  readBody,
  requestFrame,
  setDataBody,
} from '../helpers/frame-client.js';
import { fourLetterWord, waitFor } from '../helpers/processes.js';
import { ServerProcess } from '../helpers/server-process.js';

jest.setTimeout(120_000);

const ROUNDS = 10;
const WRITERS = 4;
const IN_FLIGHT = 16;
const NO_NODE = -101;
/** Transactions between checkpoints: several in each round. */
const SETTINGS = { snapCount: '300', minSessionTimeout: '1000', maxSessionTimeout: '60000' };

/** What a writer knows of its nodes. */
class Book {
  /** Sequential nodes that were acknowledged: path → content. */
  readonly acknowledged = new Map<string, string>();
  /** Numbers of pairs created by multis: acknowledged ones, and all that were asked for. */
  readonly pairs = new Set<number>();
  readonly askedPairs = new Set<number>();
  /** Counter node: the value that was acknowledged last, and the one that was sent last. */
  counter = 0;
  counterSent = 0;

  constructor(readonly root: string) {}
}

/** Writes until the server is gone; every reply goes into the book. */
async function write(port: number, book: Book, round: number): Promise<void> {
  const client = await FrameClient.session(port);
  const noted = new Map<number, (body: Buffer) => void>();
  let xid = 0;
  const send = (operation: number, body: Buffer, note: (body: Buffer) => void) => {
    noted.set(++xid, note);
    client.send(requestFrame(xid, operation, body));
  };
  const step = () => {
    switch (xid % 3) {
      case 0: {
        const content = `${book.root} ${round} ${xid}`;
        send(Op.create, createBody(`${book.root}/sequential/n-`, Buffer.from(content), Flag.sequential), (body) => {
          const path = pathOf({ xid: 0, zxid: 0n, err: 0, body });
          if (book.acknowledged.has(path)) throw new Error(`${path} was given out twice`);
          book.acknowledged.set(path, content);
        });
        break;
      }
      case 1: {
        const number = round * 1_000_000 + xid;
        book.askedPairs.add(number);
        const pair = ['left', 'right'].map(
          (side) => [Op.create, createBody(`${book.root}/${side}/${number}`)] as const,
        );
        send(Op.multi, multiBody(pair), () => book.pairs.add(number));
        break;
      }
      default: {
        const value = ++book.counterSent;
        send(Op.setData, setDataBody(`${book.root}/counter`, Buffer.from(String(value))), () => {
          book.counter = value;
        });
      }
    }
  };
  for (let i = 0; i < IN_FLIGHT; i++) step();
  for (;;) {
    const reply = await client.nextReply();
    if (reply === 'closed') return;
    if (reply.err !== 0) throw new Error(`xid ${reply.xid} failed with ${reply.err}`);
    noted.get(reply.xid)?.(reply.body);
    noted.delete(reply.xid);
    step();
  }
}

async function textAt(client: FrameClient, path: string): Promise<string> {
  return Buffer.from(dataOf(await client.call(Op.getData, readBody(path))) ?? []).toString('utf8');
}

async function check(client: FrameClient, book: Book): Promise<void> {
  const names = async (path: string) => new Set(childrenOf(await client.call(Op.getChildren, readBody(path))));
  const sequential = await names(`${book.root}/sequential`);
  for (const [path, content] of book.acknowledged) {
    if (!sequential.has(path.slice(path.lastIndexOf('/') + 1))) throw new Error(`${path} was acknowledged and is gone`);
    expect(await textAt(client, path)).toBe(content);
  }
  const left = await names(`${book.root}/left`);
  const right = await names(`${book.root}/right`);
  expect([...left].filter((name) => !right.has(name))).toEqual([]);
  expect([...right].filter((name) => !left.has(name))).toEqual([]);
  expect([...book.pairs].filter((number) => !left.has(String(number)))).toEqual([]);
  expect([...left].filter((name) => !book.askedPairs.has(Number(name)))).toEqual([]);
  const counter = Number(await textAt(client, `${book.root}/counter`));
  expect(counter).toBeGreaterThanOrEqual(book.counter);
  expect(counter).toBeLessThanOrEqual(book.counterSent);
}

test(`${ROUNDS} crashes under load lose nothing that was acknowledged and leave nothing half done`, async () => {
  await using server = await ServerProcess.start(SETTINGS);
  const books = Array.from({ length: WRITERS }, (_, i) => new Book(`/w${i}`));
  const founder = await FrameClient.session(server.port);
  for (const { root } of books) {
    for (const path of [root, `${root}/sequential`, `${root}/left`, `${root}/right`]) {
      expect((await founder.call(Op.create, createBody(path))).err).toBe(0);
    }
    await founder.call(Op.create, createBody(`${root}/counter`, Buffer.from('0')));
  }
  let checkpoints = 0;
  for (let round = 1; round <= ROUNDS; round++) {
    const writing = Promise.all(books.map((book) => write(server.port, book, round)));
    await sleep(150 + ((round * 61) % 200));
    checkpoints += Number(/^zk_snap_count\t(\d+)$/m.exec(await fourLetterWord(server.port, 'mntr'))?.[1] ?? 0);
    await server.end('SIGKILL');
    await writing;
    await server.start();
    const loaded = server.records.find(({ message }) => message.startsWith('loaded '));
    expect(loaded?.message).toMatch(/^loaded \d+ nodes and \d+ sessions, up to zxid 0x[0-9a-f]+$/);
    expect(loaded).toMatchObject({ replayed: expect.any(Number), checkpoint: expect.stringMatching(/^0x/) });
    if (round % 5 === 0) {
      const reader = await FrameClient.session(server.port);
      for (const book of books) await check(reader, book);
      reader.close();
    }
  }
  expect(checkpoints).toBeGreaterThan(0);
  expect(books.reduce((sum, { acknowledged }) => sum + acknowledged.size, 0)).toBeGreaterThan(ROUNDS * 10);
});

test('a session and its ephemerals live over a crash until their time is up (E18, E22)', async () => {
  await using server = await ServerProcess.start(SETTINGS);
  const alive = await FrameClient.session(server.port, { timeoutMs: 4000 });
  const silent = await FrameClient.session(server.port, { timeoutMs: 2000 });
  await alive.call(Op.create, createBody('/alive', null, Flag.ephemeral));
  await silent.call(Op.create, createBody('/silent', null, Flag.ephemeral));
  await server.end('SIGKILL');
  await server.start();

  const { sessionId, password } = alive;
  const resumed = await FrameClient.session(server.port, { sessionId, password, timeoutMs: 4000 });
  expect([resumed.sessionId, resumed.timeoutMs]).toEqual([sessionId, 4000]);
  expect((await resumed.call(Op.exists, readBody('/alive'))).err).toBe(0);
  expect((await resumed.call(Op.exists, readBody('/silent'))).err).toBe(0);
  await waitFor(
    async () => ((await resumed.call(Op.exists, readBody('/silent'))).err === NO_NODE ? true : undefined),
    10_000,
    () => 'the session that stayed away was not expired',
  );
  expect((await resumed.call(Op.exists, readBody('/alive'))).err).toBe(0);
  const late = await FrameClient.session(server.port, { sessionId: silent.sessionId, password: silent.password });
  expect(late.timeoutMs).toBe(0);
  await server.end('SIGKILL');
  await server.start();
  const again = await FrameClient.session(server.port, { sessionId, password });
  expect((await again.call(Op.exists, readBody('/silent'))).err).toBe(NO_NODE); // expiry is as durable as anything
  expect((await again.call(Op.exists, readBody('/alive'))).err).toBe(0);
});

test('null and empty data stay apart, versions and sequence numbers go on (E26, E27, E29)', async () => {
  await using server = await ServerProcess.start({ ...SETTINGS, snapCount: '4' });
  const writer = await FrameClient.session(server.port);
  await writer.call(Op.create, createBody('/null', null));
  await writer.call(Op.create, createBody('/empty', Buffer.alloc(0)));
  await writer.call(Op.create, createBody('/nulled', Buffer.from('x')));
  await writer.call(Op.setData, setDataBody('/nulled', null));
  await writer.call(Op.create, createBody('/parent'));
  for (let i = 0; i < 5; i++) await writer.call(Op.create, createBody('/parent/s', null, Flag.sequential));
  await writer.call(Op.delete, Buffer.concat([readBody('/parent/s0000000004').subarray(0, -1), Buffer.alloc(4, 0xff)]));
  const stats = async (client: FrameClient) => {
    const found: string[] = [];
    for (const path of ['/null', '/empty', '/nulled', '/parent', '/']) {
      found.push((await client.call(Op.exists, readBody(path))).body.toString('hex'));
    }
    return found;
  };
  const before = await stats(writer);
  for (const ending of ['SIGKILL', 'SIGTERM'] as const) {
    await server.end(ending);
    await server.start();
    const reader = await FrameClient.session(server.port);
    const data = async (path: string) => dataOf(await reader.call(Op.getData, readBody(path)));
    expect(await data('/null')).toBeNull();
    expect(await data('/empty')).toHaveLength(0);
    expect(await data('/nulled')).toBeNull();
    expect(await stats(reader)).toEqual(before);
    reader.close();
  }
  const reader = await FrameClient.session(server.port);
  expect(pathOf(await reader.call(Op.create, createBody('/parent/s', null, Flag.sequential)))).toBe(
    '/parent/s0000000005',
  );
});
