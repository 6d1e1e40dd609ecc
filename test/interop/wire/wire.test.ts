/**
 * Bytes on the wire that no well-behaved client library sends, or sends only by chance: frames in pieces, many in one
 * piece, sizes at the limits, sessions that move. Numbers of the cases follow the checklist E-k of the reference.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { fourLetterWord, type ServerUnderTest } from '../../helpers/processes.js';
import { describeUnless, startTarget, targetName, whyNoTarget } from '../target.js';
import { type Fields, JuteWriter } from './jute.js';
import { connectFrame, frameOf, RawConnection, type Received, requestFrame } from './raw-connection.js';

const MAX_BUFFER = 1_048_575;
const OPEN = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }];
const node = (path: string, flags = 0, data: Uint8Array | null = new Uint8Array()): Fields => ({
  path,
  data,
  acl: OPEN,
  flags,
});
const errOf = (received: Received) => (received.kind === 'reply' ? received.header.err : received.kind);

describeUnless([whyNoTarget()], `raw bytes against ${targetName()}`, () => {
  let server: ServerUnderTest;
  const opened: RawConnection[] = [];
  beforeAll(async () => {
    server = await startTarget();
  });
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
  });
  afterEach(() => {
    for (const connection of opened.splice(0)) connection.destroy();
  });
  const bare = async () => {
    const connection = await RawConnection.open(server.port);
    opened.push(connection);
    return connection;
  };
  const session = async (options?: Parameters<typeof RawConnection.session>[1]) => {
    const made = await RawConnection.session(server.port, options);
    opened.push(made.connection);
    return { ...made, id: BigInt(made.session.sessionId as bigint), passwd: made.session.passwd as Uint8Array };
  };

  test.each([
    ['44 bytes', {}, 40],
    ['45 bytes', { readOnly: false }, 41],
  ] as const)('1: a handshake of %s is answered in the same form', async (_, options, frameLength) => {
    const connection = await bare();
    connection.write(connectFrame(options));
    const answer = await connection.receive();
    expect(answer.kind).toBe('connect');
    expect(answer.kind === 'connect' && answer.frame.length).toBe(frameLength);
  });

  test('2: a client that has seen more than the server is closed without a byte (E3)', async () => {
    const connection = await bare();
    connection.write(connectFrame({ lastZxidSeen: 1n << 50n, readOnly: false }));
    expect(await connection.receive()).toEqual({ kind: 'closed' });
  });

  test.each(['wrong password', 'unknown session'])('3: a resume with %s gets zeros and the end (E4)', async (what) => {
    const { id } = await session();
    const connection = await bare();
    const sessionId = what === 'wrong password' ? id : 0x4711n;
    connection.write(connectFrame({ sessionId, passwd: new Uint8Array(16).fill(1), readOnly: false }));
    const answer = await connection.receive();
    expect(answer).toMatchObject({ kind: 'connect', body: { timeOut: 0, sessionId: 0n, passwd: new Uint8Array(16) } });
    expect(await connection.receive()).toEqual({ kind: 'closed' });
  });

  test('4: a session moves to a new connection, with its ephemerals; the old one is closed', async () => {
    const { connection, id, passwd } = await session();
    await connection.call('create', node('/moving', 1));
    const moved = await session({ sessionId: id, passwd, readOnly: false });
    expect(moved.id).toBe(id);
    expect(await connection.receive()).toEqual({ kind: 'closed' });
    const found = await moved.connection.call('exists', { path: '/moving', watch: false });
    expect(found.stat).toMatchObject({ ephemeralOwner: id });
  });

  test('5: connect, auth, setWatches and a read in one segment (E7)', async () => {
    const connection = await bare();
    const watches = { relativeZxid: 0n, dataWatches: [], existWatches: ['/absent'], childWatches: [] };
    const frames = [
      connection.prepare('auth', { type: 0, scheme: 'digest', auth: new Uint8Array(Buffer.from('ann:secret')) }),
      connection.prepare('setWatches', watches),
      connection.prepare('whoAmI'),
    ].map(({ frame }) => frame);
    connection.write(Buffer.concat([connectFrame({ readOnly: false }), ...frames]));
    const answers: Received[] = [];
    while (answers.length < 4) answers.push(await connection.receive());
    expect(answers.map(errOf)).toEqual(['connect', 0, 0, 0]);
    expect(answers[3]).toMatchObject({
      body: { clientInfo: expect.arrayContaining([{ authScheme: 'digest', user: 'ann' }]) },
    });
  });

  test('6: a ping keeps its place and carries the current zxid (E8, E9)', async () => {
    const { connection } = await session();
    const create = connection.prepare('create', node('/ping-order'));
    const ping = connection.prepare('ping');
    const exists = connection.prepare('exists', { path: '/ping-order', watch: false });
    connection.write(Buffer.concat([create.frame, ping.frame, exists.frame]));
    const answers = [await connection.receive(), await connection.receive(), await connection.receive()];
    expect(answers.map((answer) => answer.kind === 'reply' && answer.header.xid)).toEqual([create.xid, -2, exists.xid]);
    const zxids = answers.map((answer) => (answer.kind === 'reply' ? answer.header.zxid : null));
    expect(zxids).toEqual([zxids[0], zxids[0], zxids[0]]);
    expect(BigInt(zxids[0] as bigint) > 0n).toBe(true);
  });

  test('7: an unknown operation is refused with -6 and disturbs nobody else (E11)', async () => {
    const other = await session();
    const { connection } = await session();
    connection.write(frameOf(new JuteWriter().int(1).int(999).bytes()));
    expect(errOf(await connection.receive())).toBe(-6);
    expect((await other.connection.call('exists', { path: '/', watch: false })).err).toBe(0);
  });

  test('18: the event of an own write comes before its reply (E59)', async () => {
    const { connection } = await session();
    await connection.call('create', node('/own'));
    await connection.call('getData', { path: '/own', watch: true });
    const received = await connection.exchange('setData', { path: '/own', data: null, version: -1 });
    expect(received.map(({ kind }) => kind)).toEqual(['event', 'reply']);
  });

  test('18: an event comes before a read that shows the new state, on another connection (E59)', async () => {
    const writer = await session();
    const { connection } = await session();
    await writer.connection.call('create', node('/other'));
    for (let version = 0; version < 20; version++) {
      await connection.call('getData', { path: '/other', watch: true });
      const write = writer.connection.call('setData', { path: '/other', data: null, version });
      for (let told = false; ; ) {
        const received = await connection.exchange('exists', { path: '/other', watch: false });
        told ||= received.some(({ kind }) => kind === 'event');
        const last = received.at(-1);
        const stat = last?.kind === 'reply' ? (last.body?.stat as Fields) : undefined;
        if (stat?.version === version) continue;
        expect(told).toBe(true);
        break;
      }
      await write;
    }
  });

  test('25: a silent session ends, and not before its timeout (E17)', async () => {
    const watcher = await session();
    const { connection } = await session({ timeOut: 2000, readOnly: false });
    await connection.call('create', node('/silent', 1));
    const lastHeard = performance.now();
    await watcher.connection.call('exists', { path: '/silent', watch: true });
    const event = await watcher.connection.receive(20_000);
    expect(event).toMatchObject({ kind: 'event', body: { type: 2, path: '/silent' } });
    expect(performance.now() - lastHeard).toBeGreaterThanOrEqual(1990);
    expect(await connection.receive()).toEqual({ kind: 'closed' });
  });

  test('24: any request keeps a session alive, not only a ping (E16)', async () => {
    const { connection } = await session({ timeOut: 2000, readOnly: false });
    for (let i = 0; i < 9; i++) {
      expect((await connection.call('exists', { path: '/', watch: false })).err).toBe(0);
      await sleep(500);
    }
  });

  test('26: nothing is answered behind closeSession, and its ephemerals are gone (E21)', async () => {
    const watcher = await session();
    const { connection } = await session();
    const frames = [
      connection.prepare('create', node('/in-flight', 1)),
      connection.prepare('closeSession'),
      connection.prepare('create', node('/too-late', 1)),
    ].map(({ frame }) => frame);
    connection.write(Buffer.concat(frames));
    expect(errOf(await connection.receive())).toBe(0);
    expect(await connection.receive()).toMatchObject({ operation: 'closeSession', header: { err: 0 } });
    expect(await connection.receive()).toEqual({ kind: 'closed' });
    await watcher.connection.call('sync', { path: '/' });
    for (const path of ['/in-flight', '/too-late']) {
      expect((await watcher.connection.call('exists', { path, watch: false })).err).toBe(-101);
    }
  });

  test.each([-1, 0, 1])('34: a frame of the largest size %i (E1)', async (more) => {
    const path = `/size-${more + 1}`;
    const { connection } = await session();
    await connection.call('create', node(path));
    const fixed = requestFrame('setData', { path, data: new Uint8Array(), version: -1 }, 1).length - 4;
    const data = new Uint8Array(MAX_BUFFER + more - fixed);
    const { frame } = connection.prepare('setData', { path, data, version: -1 });
    expect(frame.readInt32BE(0)).toBe(MAX_BUFFER + more);
    connection.write(frame);
    const answer = await connection.receive();
    expect(errOf(answer)).toBe(more > 0 ? 'closed' : 0);
  });

  test('frames may come byte by byte', async () => {
    const connection = await bare();
    const { frame } = connection.prepare('exists', { path: '/zookeeper', watch: false });
    for (const byte of Buffer.concat([connectFrame({ readOnly: false }), frame])) {
      connection.write(Buffer.from([byte]));
      await sleep(1);
    }
    expect((await connection.receive()).kind).toBe('connect');
    expect(errOf(await connection.receive())).toBe(0);
  });

  test('many requests in one segment are answered in order', async () => {
    const { connection } = await session();
    await connection.call('create', node('/many'));
    const writes = Array.from({ length: 1000 }, (_, version) =>
      connection.prepare(version % 2 ? 'exists' : 'setData', { path: '/many', data: null, version: -1, watch: false }),
    );
    connection.write(Buffer.concat(writes.map(({ frame }) => frame)));
    for (const [i, { xid }] of writes.entries()) {
      const answer = await connection.receive();
      expect(answer).toMatchObject({ header: { xid, err: 0 }, body: { stat: { version: Math.floor(i / 2) + 1 } } });
    }
  });

  test('a four-letter word is one only before the handshake (E1)', async () => {
    expect(await fourLetterWord(server.port, 'ruok')).toBe('imok');
    expect(await fourLetterWord(server.port, 'isro')).toBe('rw');
    const { connection } = await session();
    connection.write(Buffer.from('ruok'));
    // As a length it is far above jute.maxbuffer.
    expect(await connection.receive()).toEqual({ kind: 'closed' });
  });
});
