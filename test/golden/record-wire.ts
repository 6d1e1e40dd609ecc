/**
 * Records what a real ZooKeeper 3.8 answers to every client operation, byte for byte, into test/golden/wire/*.json.
 * Run from the project's root after a build: `node dist/test/golden/record-wire.js`. Needs Debian's `zookeeper`.
 *
 * The files are material for decoders and encoders (each frame is fed whole and byte by byte); the zxids, times and
 * session ids in them are those of the day of the recording.
 */
import { createHash } from 'node:crypto';
import { startZooKeeper } from '../helpers/real-zookeeper.js';
import { type Fields, JuteWriter } from '../interop/wire/jute.js';
import { type MultiPart, REQUEST_HEADER } from '../interop/wire/operations.js';
import { connectFrame, frameOf, RawConnection } from '../interop/wire/raw-connection.js';
import { Tape } from './tape.js';

const bytes = (text: string) => new Uint8Array(Buffer.from(text));
const acl = (perms: number, scheme: string, id: string): Fields => ({ perms, id: { scheme, id } });
const OPEN = [acl(31, 'world', 'anyone')];
const ANN = `ann:${createHash('sha1').update('ann:secret').digest('base64')}`;
const plain = (path: string, data: Uint8Array | null = bytes('v'), flags = 0): Fields => ({
  path,
  data,
  acl: OPEN,
  flags,
});
const header = (xid: number, type: number) => new JuteWriter().value(REQUEST_HEADER, { xid, type });

const server = await startZooKeeper();
const SERVER = 'Apache ZooKeeper 3.8.0';
const tape = new Tape(server.port);
const topics: ReadonlyArray<readonly [string, () => Promise<void>]> = [
  ['handshake', handshake],
  ['create', create],
  ['read', read],
  ['write', write],
  ['acl', acls],
  ['multi', multi],
  ['multi-read', multiRead],
  ['watches', watches],
  ['set-watches', setWatches],
  ['session', session],
  ['errors', errors],
];
try {
  for (const [topic, record] of topics) {
    await record();
    tape.save(topic, SERVER);
  }
} finally {
  await server[Symbol.asyncDispose]();
}

// E2, E4
async function handshake(): Promise<void> {
  const old = await tape.connect('44 bytes, answered with 36', {});
  const current = await tape.connect('45 bytes, answered with 37', { readOnly: false });
  await tape.connect('45 bytes, read-only allowed', { readOnly: true });
  await tape.connect('timeout below the minimum is raised', { timeOut: 1, readOnly: false });
  await tape.connect('timeout above the maximum is lowered', { timeOut: 1_000_000, readOnly: false });
  await tape.connect('another protocol version is ignored', { protocolVersion: 7, readOnly: false });
  await tape.connect('null password for a new session', { passwd: null, readOnly: false });
  current.connection.destroy();
  const passwd = current.session.passwd as Uint8Array;
  const sessionId = BigInt(current.session.sessionId as bigint);
  await tape.connect('resume', { sessionId, passwd, readOnly: false });
  await tape.connect('resume with a wrong password: all zero, then closed', {
    sessionId,
    passwd: new Uint8Array(16).fill(9),
    readOnly: false,
  });
  await tape.connect('resume of an unknown session: all zero, then closed', {
    sessionId: 0x7777n,
    passwd: new Uint8Array(16).fill(1),
    readOnly: false,
  });
  await tape.connect('resume of an unknown session, 44 bytes', { sessionId: 0x7777n, passwd: new Uint8Array(16) });
  const ahead = await RawConnection.open(server.port);
  const lastZxidSeen = 1n << 40n;
  await tape.raw(
    ahead,
    'lastZxidSeen ahead of the server: closed with no bytes (E3)',
    connectFrame({ lastZxidSeen, readOnly: false }),
    { lastZxidSeen },
    1,
  );
  old.connection.destroy();
}

async function create(): Promise<void> {
  const { connection: c } = await RawConnection.session(server.port);
  await tape.request(c, 'persistent', 'create', plain('/c'));
  await tape.request(c, 'null data', 'create', plain('/c/null', null));
  await tape.request(c, 'empty data', 'create', plain('/c/empty', bytes('')));
  await tape.request(c, 'non-ASCII path', 'create', plain('/c/größe-日本'));
  await tape.request(c, 'ephemeral', 'create', plain('/c/e', bytes('e'), 1));
  await tape.request(c, 'sequential', 'create', plain('/c/s-', bytes('s'), 2));
  await tape.request(c, 'ephemeral sequential', 'create', plain('/c/es-', bytes('es'), 3));
  await tape.request(c, 'sequential without prefix', 'create', plain('/c/', bytes('s'), 2));
  await tape.request(c, 'container flag through create', 'create', plain('/c/flag4', bytes('x'), 4));
  await tape.request(c, 'create2 persistent', 'create2', plain('/c/p2'));
  await tape.request(c, 'create2 ephemeral sequential', 'create2', plain('/c/es2-', bytes('x'), 3));
  await tape.request(c, 'container', 'createContainer', plain('/c/box', bytes('box'), 4));
  const ttl = (path: string, flags: number, ms: bigint) => ({ ...plain(path, bytes('t'), flags), ttl: ms });
  await tape.request(c, 'TTL', 'createTTL', ttl('/c/ttl', 5, 3_600_000n));
  await tape.request(c, 'TTL sequential', 'createTTL', ttl('/c/ttl-', 6, 3_600_000n));
  await tape.request(c, 'TTL of zero', 'createTTL', ttl('/c/ttl0', 5, 0n));
  await tape.request(c, 'TTL above 40 bits', 'createTTL', ttl('/c/ttlmax', 5, 1n << 40n));
  await tape.request(c, 'exists already', 'create', plain('/c'));
  await tape.request(c, 'no parent', 'create', plain('/none/x'));
  await tape.request(c, 'ephemeral parent', 'create', plain('/c/e/x'));
  await tape.request(c, 'unknown flag', 'create', plain('/c/flag9', bytes('x'), 9));
  await tape.request(c, 'TTL flag through create', 'create', plain('/c/flag5', bytes('x'), 5));
  await tape.request(c, 'bad path', 'create', plain('no-slash'));
  await tape.request(c, 'empty ACL', 'create', { ...plain('/c/noacl'), acl: [] });
  await tape.request(c, 'null ACL', 'create', { ...plain('/c/noacl'), acl: null });
  await tape.request(c, 'several ACL entries', 'create', {
    ...plain('/c/acl'),
    acl: [acl(1, 'world', 'anyone'), acl(31, 'ip', '127.0.0.1'), acl(31, 'digest', ANN)],
  });
  c.destroy();
}

async function read(): Promise<void> {
  const { connection: c } = await RawConnection.session(server.port);
  for (const path of ['/r', '/r/a', '/r/b']) await c.call('create', plain(path));
  await c.call('create', plain('/r/null', null));
  await c.call('create', plain('/r/eph', bytes('e'), 1));
  await tape.request(c, 'exists', 'exists', { path: '/r', watch: false });
  await tape.request(c, 'exists: no node', 'exists', { path: '/r/none', watch: false });
  await tape.request(c, 'exists of an ephemeral', 'exists', { path: '/r/eph', watch: false });
  await tape.request(c, 'getData', 'getData', { path: '/r', watch: false });
  await tape.request(c, 'getData: null data', 'getData', { path: '/r/null', watch: false });
  await tape.request(c, 'getData: no node', 'getData', { path: '/r/none', watch: false });
  await tape.request(c, 'getChildren', 'getChildren', { path: '/r', watch: false });
  await tape.request(c, 'getChildren: none', 'getChildren', { path: '/r/a', watch: false });
  await tape.request(c, 'getChildren2', 'getChildren2', { path: '/r', watch: false });
  await tape.request(c, 'getChildren2 of the root', 'getChildren2', { path: '/', watch: false });
  await tape.request(c, 'getEphemerals', 'getEphemerals', { prefixPath: '/' });
  await tape.request(c, 'getEphemerals: none', 'getEphemerals', { prefixPath: '/zzz' });
  await tape.request(c, 'getAllChildrenNumber', 'getAllChildrenNumber', { path: '/r' });
  await tape.request(c, 'whoAmI', 'whoAmI');
  await tape.request(c, 'sync', 'sync', { path: '/r' });
  await tape.request(c, 'ping', 'ping');
  await tape.request(c, 'getData of the config node', 'getData', { path: '/zookeeper/config', watch: false });
  c.destroy();
}

async function write(): Promise<void> {
  const { connection: c } = await RawConnection.session(server.port);
  for (const path of ['/w', '/w/a', '/w/b', '/w/b/c']) await c.call('create', plain(path));
  await tape.request(c, 'setData, any version', 'setData', { path: '/w', data: bytes('one'), version: -1 });
  await tape.request(c, 'setData, right version', 'setData', { path: '/w', data: bytes('two'), version: 1 });
  await tape.request(c, 'setData, wrong version', 'setData', { path: '/w', data: bytes('x'), version: 7 });
  await tape.request(c, 'setData to null', 'setData', { path: '/w', data: null, version: -1 });
  await tape.request(c, 'setData of 1000 bytes', 'setData', {
    path: '/w',
    data: new Uint8Array(1000).fill(0xab),
    version: -1,
  });
  await tape.request(c, 'setData: no node', 'setData', { path: '/w/none', data: null, version: -1 });
  await tape.request(c, 'delete, wrong version', 'delete', { path: '/w/a', version: 3 });
  await tape.request(c, 'delete', 'delete', { path: '/w/a', version: 0 });
  await tape.request(c, 'delete: no node', 'delete', { path: '/w/a', version: -1 });
  await tape.request(c, 'delete: not empty', 'delete', { path: '/w/b', version: -1 });
  await tape.request(c, 'delete of the root', 'delete', { path: '/', version: -1 });
  await tape.request(c, 'reconfig, disabled', 'reconfig', {
    joiningServers: 'server.2=127.0.0.1:1:2;3',
    leavingServers: null,
    newMembers: null,
    curConfigId: -1n,
  });
  c.destroy();
}

async function acls(): Promise<void> {
  const { connection: c } = await RawConnection.session(server.port);
  await tape.request(c, 'auth digest', 'auth', { type: 0, scheme: 'digest', auth: bytes('ann:secret') });
  await tape.request(c, 'whoAmI after auth', 'whoAmI');
  await c.call('create', plain('/acl'));
  await tape.request(c, 'getACL', 'getACL', { path: '/acl' });
  await tape.request(c, 'setACL', 'setACL', {
    path: '/acl',
    acl: [acl(31, 'auth', ''), acl(1, 'world', 'anyone')],
    version: 0,
  });
  await tape.request(c, 'setACL, wrong version', 'setACL', { path: '/acl', acl: OPEN, version: 9 });
  await tape.request(c, 'setACL, unknown scheme', 'setACL', {
    path: '/acl',
    acl: [acl(31, 'nosuch', 'x')],
    version: -1,
  });
  await tape.request(c, 'getACL with ADMIN', 'getACL', { path: '/acl' });
  const { connection: other } = await RawConnection.session(server.port);
  await tape.request(other, 'getACL without ADMIN: digests are hidden', 'getACL', { path: '/acl' });
  await tape.request(other, 'setData without WRITE', 'setData', { path: '/acl', data: null, version: -1 });
  await tape.request(other, 'setACL without ADMIN', 'setACL', { path: '/acl', acl: OPEN, version: -1 });
  await tape.request(other, 'create without CREATE', 'create', plain('/acl/x'));
  await tape.request(other, 'getACL: no node', 'getACL', { path: '/acl/none' });
  await tape.request(
    other,
    'auth with an unknown scheme, then closed',
    'auth',
    { type: 0, scheme: 'nosuch', auth: bytes('x') },
    { andClose: true },
  );
  c.destroy();
}

async function multi(): Promise<void> {
  const { connection: c } = await RawConnection.session(server.port);
  await c.call('create', plain('/m'));
  const run = (name: string, parts: readonly MultiPart[]) => tape.request(c, name, 'multi', {}, { parts });
  const make = (path: string, flags = 0): MultiPart => ({ op: 'create', ...plain(path, bytes('m'), flags) });
  const missing: MultiPart = { op: 'delete', path: '/m/missing', version: -1 };
  await run('empty', []);
  await run('each kind succeeds', [
    { op: 'check', path: '/m', version: 0 },
    make('/m/a'),
    make('/m/a/b'),
    make('/m/s-', 2),
    { op: 'setData', path: '/m', data: bytes('new'), version: 0 },
    { op: 'setData', path: '/m', data: bytes('newer'), version: 1 },
    { op: 'delete', path: '/m/a/b', version: -1 },
  ]);
  await run('create2, container and TTL', [
    { op: 'create2', ...plain('/m/c2') },
    { op: 'createContainer', ...plain('/m/box', bytes('x'), 4) },
    { op: 'createTTL', ...plain('/m/ttl', bytes('x'), 5), ttl: 3_600_000n },
  ]);
  await run('first fails', [missing, make('/m/x'), make('/m/y')]);
  await run('middle fails', [make('/m/x'), missing, make('/m/y')]);
  await run('last fails', [make('/m/x'), make('/m/y'), missing]);
  await run('only one, fails', [missing]);
  await run('check fails', [{ op: 'check', path: '/m', version: 77 }, make('/m/x')]);
  await run('create of an existing node fails', [make('/m/x'), make('/m')]);
  await run('create without parent fails', [make('/nope/x')]);
  await run('delete of a parent fails', [make('/m/x'), { op: 'delete', path: '/m', version: -1 }]);
  await run('bad version of setData fails', [{ op: 'setData', path: '/m', data: null, version: 9 }, make('/m/x')]);
  await run('a read among writes', [make('/m/x'), { op: 'getData', path: '/m', watch: false }]);
  c.destroy();
}

async function multiRead(): Promise<void> {
  const { connection: c } = await RawConnection.session(server.port);
  for (const path of ['/mr', '/mr/a', '/mr/b']) await c.call('create', plain(path));
  const data = (path: string): MultiPart => ({ op: 'getData', path, watch: false });
  const children = (path: string): MultiPart => ({ op: 'getChildren', path, watch: false });
  const run = (name: string, parts: readonly MultiPart[]) => tape.request(c, name, 'multiRead', {}, { parts });
  await run('empty', []);
  await run('data and children', [data('/mr'), children('/mr')]);
  await run('one missing', [data('/mr'), data('/mr/none'), children('/mr/none'), children('/mr')]);
  c.destroy();
}

// E58, E64, E66
async function watches(): Promise<void> {
  const { connection: c } = await RawConnection.session(server.port);
  const { connection: other } = await RawConnection.session(server.port);
  await other.call('create', plain('/n'));
  await tape.request(c, 'exists watch on a missing node', 'exists', { path: '/n/new', watch: true });
  await tape.request(c, 'children watch', 'getChildren2', { path: '/n', watch: true });
  await other.call('create', plain('/n/new'));
  await tape.events(c, 'NodeCreated, then NodeChildrenChanged', 2);
  await tape.request(c, 'data watch', 'getData', { path: '/n/new', watch: true });
  await other.call('setData', { path: '/n/new', data: bytes('x'), version: -1 });
  await tape.events(c, 'NodeDataChanged', 1);
  await tape.request(c, 'data watch again', 'getData', { path: '/n/new', watch: true });
  await tape.request(c, 'children watch again', 'getChildren', { path: '/n', watch: true });
  await other.call('delete', { path: '/n/new', version: -1 });
  await tape.events(c, 'NodeDeleted, then NodeChildrenChanged', 2);
  await tape.request(c, 'watch of the own write', 'getData', { path: '/n', watch: true });
  await tape.request(c, 'the event comes before the reply', 'setData', { path: '/n', data: null, version: -1 });
  await tape.request(c, 'addWatch persistent', 'addWatch', { path: '/n', mode: 0 });
  await tape.request(c, 'addWatch persistent recursive on a missing node', 'addWatch', { path: '/later', mode: 1 });
  await tape.request(c, 'addWatch with an unknown mode', 'addWatch', { path: '/n', mode: 9 });
  await other.call('setData', { path: '/n', data: bytes('1'), version: -1 });
  await other.call('setData', { path: '/n', data: bytes('2'), version: -1 });
  await tape.events(c, 'NodeDataChanged twice from a persistent watch', 2);
  await other.call('create', plain('/later'));
  await other.call('create', plain('/later/deep'));
  await other.call('delete', { path: '/later/deep', version: -1 });
  await tape.events(c, 'created, created, deleted from a recursive watch', 3);
  await tape.request(c, 'checkWatches: any', 'checkWatches', { path: '/n', type: 3 });
  await tape.request(c, 'checkWatches: none there', 'checkWatches', { path: '/zzz', type: 3 });
  await tape.request(c, 'removeWatches: any', 'removeWatches', { path: '/n', type: 3 });
  await tape.request(c, 'removeWatches: none left', 'removeWatches', { path: '/n', type: 3 });
  await c.call('getData', { path: '/n', watch: true });
  await c.call('getChildren', { path: '/n', watch: true });
  await tape.request(c, 'removeWatches: data', 'removeWatches', { path: '/n', type: 2 });
  await tape.request(c, 'removeWatches: children', 'removeWatches', { path: '/n', type: 1 });
  c.destroy();
  other.destroy();
}

// E62, E63
async function setWatches(): Promise<void> {
  const { connection: c } = await RawConnection.session(server.port);
  await c.call('create', plain('/sw'));
  const { zxid } = await c.call('create', plain('/sw/kept'));
  await c.call('create', plain('/sw/changed'));
  const lists = {
    relativeZxid: BigInt(zxid as bigint),
    dataWatches: ['/sw/kept', '/sw/changed', '/sw/gone'],
    existWatches: ['/sw/kept', '/sw/none'],
    childWatches: ['/sw', '/sw/kept', '/sw/gone'],
  };
  await tape.request(c, 'setWatches: events, then the reply', 'setWatches', lists);
  await tape.request(c, 'setWatches2', 'setWatches2', {
    ...lists,
    persistentWatches: ['/sw'],
    persistentRecursiveWatches: ['/sw/kept'],
  });
  await tape.request(c, 'setWatches with empty lists', 'setWatches', {
    relativeZxid: 0n,
    dataWatches: [],
    existWatches: [],
    childWatches: [],
  });
  await tape.request(c, 'a registered watch fires', 'setData', { path: '/sw/kept', data: null, version: -1 });
  c.destroy();
}

async function session(): Promise<void> {
  const { connection: watcher } = await RawConnection.session(server.port);
  const { connection: c } = await RawConnection.session(server.port);
  await c.call('create', plain('/bye', bytes('x'), 1));
  await watcher.call('exists', { path: '/bye', watch: true });
  await tape.request(c, 'closeSession, then closed', 'closeSession', {}, { andClose: true });
  await tape.events(watcher, 'the ephemeral of a closed session is deleted', 1);
  watcher.destroy();
}

// E10, E11
async function errors(): Promise<void> {
  const { connection: c } = await RawConnection.session(server.port);
  await tape.raw(c, 'getData cut short: -5', frameOf(header(900, 4).int(50).bytes()), { xid: 900, type: 4 }, 1);
  await tape.raw(
    c,
    'unknown operation: -6, then closed',
    frameOf(header(901, 999).bytes()),
    { xid: 901, type: 999 },
    2,
  );
  const { connection: d } = await RawConnection.session(server.port);
  await tape.raw(d, 'operation 0: -6, then closed', frameOf(header(902, 0).bytes()), { xid: 902, type: 0 }, 2);
  const { connection: e } = await RawConnection.session(server.port);
  await tape.raw(e, 'a frame above jute.maxbuffer: closed', new JuteWriter().int(0x7fffffff).bytes(), {}, 1);
  const { connection: f } = await RawConnection.session(server.port);
  await tape.raw(f, 'a negative frame length: closed', new JuteWriter().int(-7).bytes(), {}, 1);
}
