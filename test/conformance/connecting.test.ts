/** Checklist 1–7, 34 and the rules E1–E14: from the first bytes of a connection to its end. */
import { CreateFlag, EventType, OpCode, Perms } from '../../protocol/client/constants.js';
import { Code } from '../../protocol/client/errors.js';
import { JuteWriter } from '../../protocol/jute/writer.js';
import { type Received, VirtualClient } from '../../src/testing/index.js';
import { ANN_ONLY, authenticate, bytes, code, create, events, inShort, OPEN_ACL, scene, statOf } from './scene.js';

const REFUSED = { kind: 'connect', timeoutMs: 0, sessionId: 0n, password: new Uint8Array(16) } as const;

describe('1: the handshake repeats the readOnly byte exactly when it was sent (E2)', () => {
  test.each([
    [undefined, 36],
    [false, 37],
    [true, 37],
  ])('readOnly %s: %i bytes', (readOnly, size) => {
    const { world, server } = scene();
    const answer = new VirtualClient(world).connected(server, { readOnly });
    expect(answer).toMatchObject({
      kind: 'connect',
      bytes: size,
      readOnly: readOnly === undefined ? undefined : false,
    });
  });

  test.each([
    [1, 200],
    [5000, 5000],
    [1_000_000, 60_000],
    [-5, 200],
  ])('a timeout of %i ms becomes %i (E15)', (asked, given) => {
    const { world, server } = scene();
    expect(new VirtualClient(world).connected(server, { timeoutMs: asked })).toMatchObject({ timeoutMs: given });
  });

  test('a null password is good for a new session', () => {
    const { world, server } = scene();
    const answer = new VirtualClient(world).connected(server, { password: null });
    expect(answer).toMatchObject({ kind: 'connect', password: expect.any(Uint8Array) });
  });
});

test('2: a client that has seen more than the server is closed without a byte (E3)', () => {
  const { world, server, client } = scene();
  const first = client();
  create(first, '/a');
  const ahead = BigInt(first.lastZxidSeen) + 1n;
  expect(new VirtualClient(world).connected(server, { lastZxidSeen: ahead })).toEqual({ kind: 'closed' });
  expect(first.resumed(server, { lastZxidSeen: ahead })).toEqual({ kind: 'closed' });
  expect(first.resumed(server)).toMatchObject({ kind: 'connect', sessionId: first.sessionId });
});

describe('3: a resume that is refused (E4)', () => {
  test.each([true, undefined])('readOnly %s: zeros in the same form, then the end', (readOnly) => {
    const { server, client } = scene();
    const wrong = client();
    wrong.resumed(server, { password: new Uint8Array(16).fill(7), readOnly });
    wrong.awaitReceived(1, ({ kind }) => kind === 'closed', 'the end');
    expect(wrong.received.slice(1)).toMatchObject([{ ...REFUSED, bytes: readOnly ? 37 : 36 }, { kind: 'closed' }]);
  });

  test.each([
    ['an unknown session', 0x7777n, new Uint8Array(16)],
    ['an id beyond the safe integers', 0x7fff_ffff_ffff_ffffn, new Uint8Array(16)],
    ['a negative id', -1n, new Uint8Array(16)],
    ['a short password', 'own', new Uint8Array(15)],
    ['no password', 'own', null],
  ] as const)('%s', (_what, id, password) => {
    const { server, client } = scene();
    const one = client();
    const sessionId = id === 'own' ? one.sessionId : id;
    expect(one.connected(server, { sessionId, password })).toMatchObject(REFUSED);
  });

  test('a wrong password does not touch the connection that holds the session (better than E3)', () => {
    const { world, server, client } = scene();
    const holder = client();
    const thief = new VirtualClient(world);
    thief.connected(server, { sessionId: holder.sessionId, password: new Uint8Array(16) });
    expect(code(holder, 'ping', undefined)).toBe(0);
  });

  test('a closed session cannot be resumed', () => {
    const { server, client } = scene();
    const one = client();
    const { sessionId, password } = one;
    code(one, 'closeSession', undefined);
    expect(one.connected(server, { sessionId, password })).toMatchObject(REFUSED);
  });
});

test('4: a resume keeps the ephemerals and takes the session away from its old connection (E19, E23)', () => {
  const { world, server, client } = scene();
  const old = client();
  create(old, '/e', { flags: CreateFlag.ephemeral });
  const { sessionId, password } = old;
  const fresh = new VirtualClient(world);
  expect(fresh.connected(server, { sessionId, password })).toMatchObject({ kind: 'connect', sessionId, password });
  old.awaitReceived(0, ({ kind }) => kind === 'closed', 'the end of the old connection');
  expect(statOf(fresh, '/e').ephemeralOwner).toBe(sessionId);
});

test('4: a session survives a restart of the server with its password and its ephemerals', () => {
  const { server, client, restart } = scene();
  const one = client();
  create(one, '/e', { flags: CreateFlag.ephemeral });
  restart();
  expect(one.resumed(server)).toMatchObject({ kind: 'connect', sessionId: one.sessionId });
  expect(statOf(one, '/e').ephemeralOwner).toBe(one.sessionId);
});

test('4: a resume is answered after what the session sent before has been executed, and is not confused by it', () => {
  const { world, server, client } = scene({}, 100);
  const one = client();
  create(one, '/a');
  const create2 = { path: '/a', data: null, acl: OPEN_ACL, flags: 0 };
  const before = server.replica.appliedZxid;
  one.send('setData', { path: '/a', data: bytes('old'), version: -1 }, 77);
  world.run(1);
  const from = one.received.length;
  one.resume(server);
  one.send('create2', create2, 77); // the same xid as the write that is under way
  one.send('getData', { path: '/a', watch: false }, 78);
  const answer = one.awaitReceived(from, ({ kind }) => kind === 'connect', 'the answer');
  expect(server.replica.appliedZxid).toBeGreaterThan(before);
  expect(answer).toMatchObject({ sessionId: one.sessionId });
  expect(one.replyTo(77, from).code).toBe(Code.NodeExists);
  expect(one.replyTo(78, from)).toMatchObject({ response: { data: bytes('old') } });
});

test('5: connect, auth, setWatches and getData in one segment (E7)', () => {
  const { world, server, client } = scene();
  create(client(), '/secret', { acl: ANN_ONLY, data: bytes('x') });
  const one = new VirtualClient(world);
  one.connect(server);
  const lists = { dataWatches: ['/none'], existWatches: ['/secret'], childWatches: [] };
  one.sendAll([
    one.prepare('auth', { type: 0, scheme: 'digest', auth: bytes('ann:secret') }),
    one.prepare('setWatches', { relativeZxid: 0n, ...lists }),
    one.prepare('getData', { path: '/secret', watch: false }),
  ]);
  one.awaitReceived(0, (item) => item.kind === 'reply' && item.xid > 0, 'the last reply');
  expect(inShort(one)).toEqual([
    'connect',
    'reply -4',
    `event ${EventType.nodeDeleted} /none`,
    `event ${EventType.nodeCreated} /secret`,
    'reply -8',
    'reply 1',
  ]);
});

test('6: a ping keeps its place and shows the zxid reached (E8, E9)', () => {
  const { client } = scene();
  const one = client();
  const from = one.received.length;
  one.sendAll([
    one.prepare('create', { path: '/a', data: null, acl: OPEN_ACL, flags: 0 }),
    one.prepare('ping', undefined),
    one.prepare('setData', { path: '/a', data: null, version: -1 }),
    one.prepare('ping', undefined),
  ]);
  one.replyTo(2, from);
  one.awaitReceived(from + 3, () => true, 'four replies');
  const replies = one.received.slice(from) as Extract<Received, { kind: 'reply' }>[];
  expect(replies.map(({ xid }) => xid)).toEqual([1, -2, 2, -2]);
  expect(replies[1].zxid).toBe(replies[0].zxid);
  expect(replies[3].zxid).toBe(replies[2].zxid);
  expect(replies[2].zxid).toBe(replies[0].zxid + 1);
});

describe('7: operations that no client may ask for are refused, and nothing else is disturbed (E11, E47)', () => {
  const check = new JuteWriter();
  check.ustring('/');
  check.int(-1);
  test.each([
    ['notification', OpCode.notification, new Uint8Array(0)],
    ['check outside of a multi', OpCode.check, check.toBytes()],
    ['deleteContainer', OpCode.deleteContainer, check.toBytes()],
    ['createSession', OpCode.createSession, new Uint8Array(24)],
    ['error', OpCode.error, new Uint8Array(4)],
    ['an unknown number', 4711, new Uint8Array(9)],
    ['the least number', -0x8000_0000, new Uint8Array(0)],
  ])('%s', (_what, opCode, body) => {
    const { client } = scene();
    const one = client();
    const from = one.received.length;
    const written = one.send('create', { path: '/a', data: null, acl: OPEN_ACL, flags: 0 });
    const xid = one.sendRaw(opCode, body);
    const reply = one.replyTo(xid, from);
    expect(reply).toMatchObject({ code: Code.Unimplemented, zxid: -1 });
    expect(inShort(one, from)[0]).toBe(`reply ${written}`);
    expect(code(one, 'ping', undefined)).toBe(0); // deviates: the connection stays
  });
});

describe('34: packets at the limit (E1)', () => {
  const LIMIT = 1_048_575;
  const overhead = 8 + 4 + '/a'.length + 4 + 4;
  test.each([LIMIT - 1, LIMIT])('%i bytes are taken', (size) => {
    const { client } = scene();
    const one = client();
    create(one, '/a');
    const data = new Uint8Array(size - overhead);
    expect(one.prepare('setData', { path: '/a', data, version: -1 }).bytes.length).toBe(4 + size);
    expect(code(one, 'setData', { path: '/a', data, version: -1 })).toBe(0);
    expect(statOf(one, '/a').dataLength).toBe(data.length);
  });

  test.each([
    ['one byte more', [0, 0x10, 0, 0]],
    ['a negative length', [0xff, 0xff, 0xff, 0xff]],
    ['the greatest length', [0x7f, 0xff, 0xff, 0xff]],
  ])('%s: closed with no reply', (_what, length) => {
    const { client } = scene();
    const one = client();
    const from = one.received.length;
    one.sendBytes(new Uint8Array([...length, 0, 0, 0, 1]));
    one.awaitReceived(from, ({ kind }) => kind === 'closed', 'the end');
    expect(inShort(one, from)).toEqual(['closed']);
  });

  test('a frame too short for a header ends the connection', () => {
    const { client } = scene();
    const one = client();
    const from = one.received.length;
    one.sendBytes(new Uint8Array([0, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0]));
    one.awaitReceived(from, ({ kind }) => kind === 'closed', 'the end');
  });
});

test('E10: a request that cannot be decoded answers -5 in its turn, and the connection stays', () => {
  const { client, server } = scene();
  const one = client();
  const from = one.received.length;
  one.send('create', { path: '/a', data: null, acl: OPEN_ACL, flags: 0 });
  for (const opCode of [OpCode.create, OpCode.getData, OpCode.multi, OpCode.setWatches, OpCode.addWatch]) {
    const xid = one.sendRaw(opCode, new Uint8Array([0, 0]));
    expect(one.replyTo(xid, from)).toMatchObject({ code: Code.MarshallingError, body: new Uint8Array(0) });
  }
  expect(inShort(one, from)[0]).toBe('reply 1');
  expect(server.replica.world.tree.nodeCount).toBe(5);
});

describe('E12: authentication', () => {
  test.each([
    ['an unknown scheme', 'nonsense', 'ann:secret'],
    ['credentials that are none', 'digest', ''],
  ])('%s: -115, then the end', (_what, scheme, credentials) => {
    const { client } = scene();
    const one = client();
    const from = one.received.length;
    one.send('auth', { type: 0, scheme, auth: bytes(credentials) });
    one.awaitReceived(from, ({ kind }) => kind === 'closed', 'the end');
    expect(inShort(one, from)).toEqual([`reply -4 (${Code.AuthFailed})`, 'closed']);
  });

  test('is handled at once, not behind a write under way, and its reply has zxid 0', () => {
    const { client } = scene({}, 50);
    const one = client();
    const from = one.received.length;
    one.sendAll([
      one.prepare('create', {
        path: '/mine',
        data: null,
        acl: [{ perms: Perms.all, id: { scheme: 'auth', id: '' } }],
        flags: 0,
      }),
      one.prepare('auth', { type: 0, scheme: 'digest', auth: bytes('ann:secret') }),
    ]);
    one.replyTo(1, from);
    // The create was sent before the identity was gained: it has none that `auth` could stand for.
    expect(inShort(one, from)).toEqual(['reply -4', `reply 1 (${Code.InvalidACL})`]);
    expect(one.received[from]).toMatchObject({ zxid: 0 });
  });

  test('belongs to the connection: it is gone after a reconnect', () => {
    const { server, client } = scene();
    const one = client();
    authenticate(one, 'ann:secret');
    create(one, '/secret', { acl: ANN_ONLY });
    expect(code(one, 'getData', { path: '/secret', watch: false })).toBe(0);
    one.resumed(server);
    expect(code(one, 'getData', { path: '/secret', watch: false })).toBe(Code.NoAuth);
  });
});

test('E13: above the global limit the server stops reading, and every request is answered in the end', () => {
  const { world, server, client } = scene({ outstandingMax: 4 }, 20);
  const effects: string[] = [];
  server.witness = { effect: ({ type }) => effects.push(type) };
  const one = client();
  create(one, '/a');
  for (let i = 0; i < 50; i++) {
    one.send('setData', { path: '/a', data: null, version: -1 });
    one.send('exists', { path: '/a', watch: false });
    world.run(0.5);
    expect(server.replica.clients.outstanding).toBeLessThanOrEqual(4 + 2);
  }
  one.replyTo(101);
  expect(effects).toContain('pause');
  expect(effects.lastIndexOf('resume')).toBeGreaterThan(effects.indexOf('pause'));
  const xids = one.received.flatMap((item) => (item.kind === 'reply' ? [item.xid] : []));
  expect(xids).toEqual(Array.from({ length: 101 }, (_, i) => i + 1));
});

test('E14: what comes while a session is being closed is dropped', () => {
  const { world, server, client } = scene({}, 100);
  const one = client();
  const from = one.received.length;
  const closing = one.send('closeSession', undefined);
  world.run(1);
  one.send('create', { path: '/late', data: null, acl: OPEN_ACL, flags: 0 });
  one.awaitReceived(from, ({ kind }) => kind === 'closed', 'the end');
  expect(inShort(one, from)).toEqual([`reply ${closing}`, 'closed']);
  expect(server.replica.world.tree.nodeCount).toBe(4);
});

test('E7: what is held for a session that waits for the disk is processed in order', () => {
  const { world, server } = scene({}, 100);
  const one = new VirtualClient(world);
  one.connect(server);
  for (let i = 0; i < 5; i++) {
    one.send('create2', { path: '/s-', data: null, acl: OPEN_ACL, flags: CreateFlag.persistentSequential });
    world.run(0.1);
  }
  one.replyTo(5);
  expect(inShort(one)).toEqual(['connect', 'reply 1', 'reply 2', 'reply 3', 'reply 4', 'reply 5']);
  expect(events(one)).toEqual([]);
});
