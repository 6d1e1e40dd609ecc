// The session machine against a scripted server and a clock turned by hand: every packet both ways, every loss.

import { EventType, Xid } from '../../../protocol/client/constants.js';
import { Code } from '../../../protocol/client/errors.js';
import { operations as op } from '../../../protocol/client/operations.js';
import { PathResponse, StatResponse } from '../../../protocol/client/records.js';
import { ZooKeeperError } from '../../../src/client/errors.js';
import type { WatchEvent } from '../../../src/client/watches.js';
import { data, PASSWORD, ScriptedSession, STAT } from './scripted-session.js';

const HOSTS = [
  { host: 'a', port: 1 },
  { host: 'b', port: 2 },
  { host: 'c', port: 3 },
];

describe('handshake', () => {
  test('asks for a new session, then resumes it with its password and zxid (E2, E9)', () => {
    const s = new ScriptedSession();
    const { request } = s.connect(0x99n);
    expect(request).toEqual({
      protocolVersion: 0,
      lastZxidSeen: 0n,
      timeoutMs: 9000,
      sessionId: 0n,
      password: new Uint8Array(16),
      readOnly: false,
    });
    s.get('/a');
    const [{ xid }] = s.sent();
    s.reply(xid, op.getData.response, data('x'), 77n);
    s.reply(Xid.ping, undefined, undefined, 99n);
    s.event(EventType.nodeCreated, '/a', 98n);
    s.machine.disconnected(undefined, s.nowMs);
    s.pass(100);
    const again = s.accept(0x99n);
    expect(again.request).toMatchObject({ lastZxidSeen: 77n, sessionId: 0x99n, password: PASSWORD });
    expect(s.log).toEqual(['dial a:1', 'CONNECTED', 'SUSPENDED', 'dial a:1', 'RECONNECTED']);
  });

  test('takes every packet byte by byte', async () => {
    const s = new ScriptedSession();
    s.bytewise = true;
    s.connect();
    const first = s.get('/a');
    const second = s.get('/b');
    const [a, b] = s.sent();
    s.reply(a.xid, op.getData.response, data('eins'));
    s.reply(b.xid, op.getData.response, data('zwei'));
    await expect(first.promise).resolves.toBe('eins');
    await expect(second.promise).resolves.toBe('zwei');
  });

  test('sends nothing of the queue before the session is granted', () => {
    const s = new ScriptedSession();
    s.machine.start(s.nowMs);
    s.get('/a');
    expect(s.open().rest).toEqual([]);
    expect(s.sent()).toEqual([]);
    s.grant(1n);
    expect(s.sent()).toEqual([{ xid: 1, name: 'getData', body: { path: '/a', watch: false } }]);
  });

  test('an expired session: LOST, requests fail, a new one is opened (E4)', async () => {
    const s = new ScriptedSession();
    s.connect();
    s.machine.disconnected(undefined, s.nowMs);
    const waiting = s.get('/a');
    s.pass(100);
    s.open();
    s.grant(0n, 0);
    await expect(waiting.promise).rejects.toMatchObject({ name: 'SessionExpired', maybeApplied: false });
    s.pass(100);
    const { request } = s.accept(0xaan);
    expect(request.sessionId).toBe(0n);
    expect(s.log.slice(2)).toEqual(['SUSPENDED', 'dial a:1', 'LOST', 'hang up', 'dial a:1', 'RECONNECTED']);
    expect(s.machine.session.id).toBe(0xaan);
  });

  test('what a listener asks for when it hears of LOST goes to the new session', async () => {
    const s = new ScriptedSession();
    s.connect();
    s.machine.disconnected(undefined, s.nowMs);
    s.pass(100);
    let answer: Promise<string> | undefined;
    s.onState = (state) => {
      if (state === 'LOST') answer = s.get('/again').promise;
    };
    s.open();
    s.grant(0n, 0);
    s.pass(100);
    s.accept(0xaan);
    const [{ xid }] = s.sent();
    s.reply(xid, op.getData.response, data('new'));
    await expect(answer).resolves.toBe('new');
  });

  test('an expired session is the end without renewSession, and for a session that was handed in', () => {
    const renewed = new ScriptedSession({ renewSession: false });
    renewed.connect();
    renewed.machine.disconnected(undefined, renewed.nowMs);
    renewed.pass(100);
    renewed.open();
    renewed.grant(0n, 0);
    expect(renewed.log.slice(-3)).toEqual(['LOST', 'hang up', 'CLOSED']);

    const handed = new ScriptedSession({ session: { id: 5n, password: PASSWORD } });
    handed.machine.start(handed.nowMs);
    expect(handed.open().request).toMatchObject({ sessionId: 5n, password: PASSWORD });
    handed.grant(0n, 0);
    expect(handed.machine.closedBy).toMatchObject({ name: 'SessionExpired' });
    expect(handed.machine.wakeAtMs).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('requests', () => {
  test('xids rise, replies settle in order, a reply out of order ends the connection (E8)', async () => {
    const s = new ScriptedSession();
    s.connect();
    const first = s.get('/a');
    const second = s.get('/b');
    expect(s.sent().map(({ xid }) => xid)).toEqual([1, 2]);
    s.reply(2, op.getData.response, data('wrong'));
    await expect(first.promise).rejects.toMatchObject({ name: 'ConnectionLoss' });
    await expect(second.promise).rejects.toMatchObject({ name: 'ConnectionLoss' });
    expect(s.log.slice(-2)).toEqual(['hang up', 'SUSPENDED']);
  });

  test('an error reply carries the name, the code, the method and the path', async () => {
    const s = new ScriptedSession();
    s.connect();
    const { promise } = s.get('/a');
    s.sent();
    s.replyError(1, Code.NoNode, 5n);
    await expect(promise).rejects.toMatchObject({ name: 'NoNode', code: -101, operation: 'get', path: '/a' });
    expect(s.machine.lastZxid).toBe(5n);
  });

  test('lost replies: what was sent fails, with a doubt for writes; what was not is sent later', async () => {
    const s = new ScriptedSession();
    s.connect();
    const read = s.get('/a');
    const write = s.set('/a', 'x');
    s.sent();
    const unsentRead = s.get('/b');
    const unsentWrite = s.set('/b', 'y');
    s.machine.disconnected(new Error('reset'), s.nowMs);
    await expect(read.promise).rejects.toMatchObject({ name: 'ConnectionLoss', maybeApplied: false, retryable: true });
    await expect(write.promise).rejects.toMatchObject({ name: 'ConnectionLoss', maybeApplied: true });
    s.pass(100);
    s.accept();
    const [third, fourth] = s.sent();
    expect([third.name, fourth.name]).toEqual(['getData', 'setData']);
    s.reply(third.xid, op.getData.response, data('b'));
    s.reply(fourth.xid, StatResponse, { stat: STAT });
    await expect(unsentRead.promise).resolves.toBe('b');
    await expect(unsentWrite.promise).resolves.toBe('done');
  });

  test('a deadline passes: the request fails, its late reply is nobody else’s', async () => {
    const s = new ScriptedSession();
    s.connect();
    const slow = s.get('/a', s.nowMs + 200);
    const next = s.get('/b');
    s.sent();
    s.pass(199);
    expect(slow.request.settled).toBe(false);
    s.pass(12);
    await expect(slow.promise).rejects.toMatchObject({ name: 'RequestTimeout' });
    s.reply(1, op.getData.response, data('late'));
    s.reply(2, op.getData.response, data('b'));
    await expect(next.promise).resolves.toBe('b');
  });

  test('a request that is given up while it waits is never sent, and its place can be used', async () => {
    const s = new ScriptedSession({ requestsMax: 2 });
    s.machine.start(s.nowMs);
    const first = s.get('/a');
    s.get('/b');
    await expect(s.get('/c').promise).rejects.toMatchObject({
      name: 'ThrottledOp',
      retryable: true,
      maybeApplied: false,
    });
    s.machine.giveUp(first.request, new Error('no more'));
    await expect(first.promise).rejects.toThrow('no more');
    s.get('/d');
    s.accept();
    expect(s.sent().map(({ body }) => (body as { path: string }).path)).toEqual(['/b', '/d']);
  });

  test('a request that is too large fails alone', async () => {
    const s = new ScriptedSession();
    s.connect();
    const large = s.set('/a', 'x'.repeat(1000));
    const small = s.get('/b');
    expect(s.sent()).toMatchObject([{ xid: 1, name: 'getData' }]);
    await expect(large.promise).rejects.toMatchObject({ name: 'BadArguments', maybeApplied: false });
    s.reply(1, op.getData.response, data('b'));
    await expect(small.promise).resolves.toBe('b');
  });

  test('a reply that cannot be read ends the connection and nothing else', async () => {
    const s = new ScriptedSession();
    s.connect();
    const { promise } = s.get('/a');
    s.sent();
    s.reply(1, PathResponse, { path: '/short' });
    await expect(promise).rejects.toMatchObject({ name: 'ConnectionLoss' });
    s.machine.received(new Uint8Array([0xff, 0xff, 0xff, 0xff]), s.nowMs);
    s.pass(100);
    s.open();
    s.machine.received(new Uint8Array([0x7f, 0xff, 0xff, 0xff]), s.nowMs); // a packet of two gigabytes
    expect(s.machine.phase).toBe('waiting');
    expect(s.machine.lastCause?.message).toContain('not ZooKeeper');
  });
});

describe('time', () => {
  test('pings when nothing was sent for half of the read timeout; a request counts as well (E15)', () => {
    const s = new ScriptedSession();
    s.connect();
    s.pass(2999);
    expect(s.sent()).toEqual([]);
    s.pass(1);
    expect(s.sent()).toMatchObject([{ xid: Xid.ping, name: 'ping' }]);
    s.reply(Xid.ping);
    s.pass(2000);
    s.get('/a');
    expect(s.sent()).toHaveLength(1);
    s.reply(1, op.getData.response, data(''));
    s.pass(2999);
    expect(s.sent()).toEqual([]);
  });

  test('pings at least every ten seconds', () => {
    const s = new ScriptedSession();
    s.machine.start(s.nowMs);
    s.accept(1n, 60_000);
    s.pass(9_999);
    expect(s.sent()).toEqual([]);
    s.pass(1);
    expect(s.sent()).toMatchObject([{ name: 'ping' }]);
  });

  test('while the session is guarded heartbeats are syncs, whatever else is sent; on a read-only server still pings', () => {
    const s = new ScriptedSession();
    s.connect();
    s.machine.guard(1);
    s.pass(2000);
    s.set('/a', 'refused');
    expect(s.sent()).toHaveLength(1);
    s.replyError(1, Code.NoNode);
    s.pass(999);
    expect(s.sent()).toEqual([]);
    s.pass(1);
    expect(s.sent()).toMatchObject([{ xid: 2, name: 'sync' }]);
    s.reply(2, op.sync.response, { path: '/' });
    expect(s.machine.sessionSafeUntilMs).toBe(4000 + 9000);
    s.machine.guard(-1);
    s.pass(3000);
    expect(s.sent()).toMatchObject([{ name: 'ping' }]);

    const readOnly = new ScriptedSession({ readOnly: true });
    readOnly.machine.start(readOnly.nowMs);
    readOnly.accept(1n, 9000, true);
    readOnly.machine.guard(1);
    readOnly.pass(3000);
    expect(readOnly.sent()).toMatchObject([{ xid: Xid.ping, name: 'ping' }]);
  });

  test('silence for two thirds of the timeout breaks the connection, for four thirds the session', () => {
    const s = new ScriptedSession();
    s.connect();
    s.pass(5999);
    expect(s.machine.state).toBe('CONNECTED');
    s.pass(1);
    expect(s.machine.state).toBe('SUSPENDED');
    s.pass(5999);
    expect(s.machine.state).toBe('SUSPENDED');
    s.pass(1);
    expect(s.machine.state).toBe('LOST');
    expect(s.machine.session.id).toBe(0n);
    s.pass(20_000);
    expect(s.accept(2n).request.sessionId).toBe(0n);
    expect(s.machine.state).toBe('RECONNECTED');
  });

  test('the session is safe for its timeout from when the last write or sync was sent that had a good answer', () => {
    const s = new ScriptedSession();
    s.connect();
    expect(s.machine.sessionSafeUntilMs).toBe(1000 + 9000);
    s.pass(2000);
    s.set('/a', '');
    s.sent();
    s.pass(500);
    expect(s.machine.sessionSafeUntilMs).toBe(1000 + 9000);
    s.reply(1, op.setData.response, { stat: STAT });
    expect(s.machine.sessionSafeUntilMs).toBe(3000 + 9000);
    s.get('/a');
    s.set('/a', '');
    s.sent();
    s.reply(2, op.getData.response, data('')); // a follower answers that by itself
    s.replyError(3, Code.ThrottledOp); // and so may this be
    expect(s.machine.sessionSafeUntilMs).toBe(3000 + 9000);
    s.pass(100);
    s.submit(op.sync, { path: '/' }, 'sync', '/', Number.POSITIVE_INFINITY, () => 'done');
    s.sent();
    s.pass(100);
    s.reply(4, op.sync.response, { path: '/' });
    expect(s.machine.sessionSafeUntilMs).toBe(s.nowMs - 100 + 9000);
    s.pass(3000);
    s.sent();
    s.reply(Xid.ping); // nor does a ping prove anything
    expect(s.machine.sessionSafeUntilMs).toBe(s.nowMs - 3100 + 9000);
  });

  test('a guarded session that was resumed is proven as soon as it is due: that a server knows it says nothing', () => {
    const s = new ScriptedSession();
    s.connect();
    s.machine.guard(1);
    s.pass(3000);
    expect(s.sent()).toMatchObject([{ name: 'sync' }]);
    s.machine.disconnected(undefined, s.nowMs); // with the heartbeat
    s.pass(0);
    s.accept();
    expect(s.machine.sessionSafeUntilMs).toBe(1000 + 9000);
    s.pass(0);
    expect(s.sent()).toMatchObject([{ name: 'sync' }]);
    s.reply(2, op.sync.response, { path: '/' });
    expect(s.machine.sessionSafeUntilMs).toBe(4000 + 9000);
  });

  test('hosts are tried in turn without delay, then with growing ones', () => {
    const s = new ScriptedSession({ hosts: HOSTS });
    s.machine.start(s.nowMs);
    const dialled: { host: string; atMs: number }[] = [];
    for (let i = 0; i < 9; i++) {
      dialled.push({ host: s.lastDialed?.host ?? '', atMs: s.nowMs });
      s.machine.disconnected(new Error('refused'), s.nowMs);
      s.nowMs = Math.max(s.nowMs, s.machine.wakeAtMs);
      s.machine.timePassed(s.nowMs);
    }
    expect(new Set(dialled.slice(0, 3).map(({ host }) => host)).size).toBe(3);
    expect(dialled.slice(3, 6).map(({ host }) => host)).toEqual(dialled.slice(0, 3).map(({ host }) => host));
    const delays = dialled.slice(1).map(({ atMs }, i) => atMs - dialled[i].atMs);
    expect(delays.slice(0, 2)).toEqual([0, 0]);
    for (const delay of delays.slice(2, 5)) expect(delay >= 25 && delay <= 50).toBe(true);
    for (const delay of delays.slice(5, 8)) expect(delay >= 50 && delay <= 100).toBe(true);
  });

  test('an attempt gets the timeout divided by the number of hosts (E15)', () => {
    const s = new ScriptedSession({ hosts: HOSTS });
    s.machine.start(s.nowMs);
    s.open();
    s.pass(2999);
    expect(s.log).toHaveLength(1);
    s.pass(1);
    expect(s.log).toEqual([expect.stringMatching('dial'), 'hang up', expect.stringMatching('dial')]);
  });
});

describe('what a reconnect restores', () => {
  test('credentials, before anything else, and those that came during the handshake (E12)', async () => {
    const s = new ScriptedSession();
    s.machine.credentials.add({ scheme: 'digest', auth: new Uint8Array([1]) });
    s.machine.start(s.nowMs);
    expect(s.open().rest).toMatchObject([{ xid: Xid.auth, body: { scheme: 'digest' } }]);
    const verdicts: unknown[] = [];
    s.machine.addCredential({ scheme: 'x', auth: new Uint8Array() }, (error) => verdicts.push(error));
    expect(s.sent()).toMatchObject([{ xid: Xid.auth, body: { scheme: 'x' } }]);
    s.grant(1n);
    s.reply(Xid.auth);
    expect(verdicts).toEqual([]);
    s.reply(Xid.auth);
    expect(verdicts).toEqual([null]);
    s.machine.disconnected(undefined, s.nowMs);
    s.pass(100);
    expect(s.open().rest.map(({ body }) => (body as { scheme: string }).scheme)).toEqual(['digest', 'x']);
  });

  test('a refused credential: forgotten when added later, final when it came with the options', () => {
    const s = new ScriptedSession();
    s.connect();
    const verdicts: (ZooKeeperError | null)[] = [];
    s.machine.addCredential({ scheme: 'x', auth: new Uint8Array() }, (error) => verdicts.push(error));
    s.sent();
    s.replyError(Xid.auth, Code.AuthFailed);
    expect(verdicts).toMatchObject([{ name: 'AuthFailed' }]);
    s.pass(100);
    expect(s.accept().rest).toEqual([]);

    const required = new ScriptedSession();
    required.machine.credentials.add({ scheme: 'x', auth: new Uint8Array() });
    required.connect();
    required.replyError(Xid.auth, Code.AuthFailed);
    expect(required.machine.closedBy).toMatchObject({ name: 'AuthFailed' });
  });

  test('watches, with the zxid that was seen; setWatches2 only for persistent ones (E62, E63)', () => {
    const s = new ScriptedSession();
    s.connect();
    s.watch('data', '/d', 'getData');
    s.watch('exist', '/e', 'exists');
    s.watch('exist', '/there', 'exists');
    s.watch('child', '/c', 'getChildren');
    s.watch('data', '/none', 'getData');
    s.sent();
    s.reply(1, op.getData.response, data(''), 40n);
    s.replyError(2, Code.NoNode, 41n);
    s.reply(3, StatResponse, { stat: STAT }, 42n);
    s.reply(4, op.getChildren.response, { children: [] }, 43n);
    s.replyError(5, Code.NoNode, 44n);
    const reconnect = () => {
      s.machine.disconnected(undefined, s.nowMs);
      s.pass(200);
      return s.accept().rest;
    };
    const lists = { relativeZxid: 44n, dataWatches: ['/d', '/there'], existWatches: ['/e'], childWatches: ['/c'] };
    expect(reconnect()).toEqual([{ xid: Xid.setWatches, name: 'setWatches', body: lists }]);
    s.machine.watches.add({ kind: 'persistent', path: '/p', watcher: (event) => s.events.push(event) });
    s.machine.watches.add({ kind: 'recursive', path: '/r', watcher: () => {} });
    expect(reconnect()).toEqual([
      {
        xid: Xid.setWatches,
        name: 'setWatches2',
        body: { ...lists, persistentWatches: ['/p'], persistentRecursiveWatches: ['/r'] },
      },
    ]);
    expect(s.events).toEqual([{ type: 'gap', path: '/p', reason: 'reconnected' }]);
    s.reply(Xid.setWatches, undefined, undefined, 45n);
    expect(s.machine.lastZxid).toBe(45n);
  });

  test('over the loss of the session: one-shot watches are set again, persistent ones hear of a gap, callbacks too', async () => {
    const s = new ScriptedSession();
    s.connect();
    s.watch('data', '/d', 'getData');
    s.reply(s.sent()[0].xid, op.getData.response, data('x'), 42n);
    const streamed: WatchEvent[] = [];
    s.machine.watches.add({ kind: 'persistent', path: '/p', watcher: (event) => s.events.push(event) });
    s.machine.watches.add({ kind: 'recursive', path: '/r', watcher: (event) => streamed.push(event) });
    s.machine.disconnected(undefined, s.nowMs);
    s.pass(100);
    s.open();
    s.grant(0n, 0);
    expect(s.events).toEqual([]); // not yet: what is read now would be followed by more that is missed
    s.pass(3000);
    const { rest } = s.accept(0x100n);
    expect(rest).toMatchObject([
      { name: 'setWatches2', body: { relativeZxid: 42n, dataWatches: ['/d'], persistentWatches: ['/p'] } },
    ]);
    expect(s.log.slice(-2)).toEqual([expect.stringContaining('dial'), 'RECONNECTED']);
    expect(s.events).toEqual([{ type: 'gap', path: '/p', reason: 'newSession' }]);
    expect(streamed).toEqual([{ type: 'gap', path: '/r', reason: 'newSession' }]);
  });

  test('many watches are split by the length of their paths (E63)', () => {
    const s = new ScriptedSession();
    s.connect();
    const long = 'x'.repeat(1000);
    for (let i = 0; i < 300; i++) s.machine.watches.add({ kind: 'data', path: `/${i}${long}`, watcher: () => {} });
    s.machine.disconnected(undefined, s.nowMs);
    s.pass(100);
    const { rest } = s.open();
    const counts = rest.map(({ body }) => (body as { dataWatches: string[] }).dataWatches.length);
    expect(counts).toHaveLength(3);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(300);
    for (const { body } of rest) {
      expect((body as { dataWatches: string[] }).dataWatches.join('').length).toBeLessThanOrEqual(128 * 1024);
    }
  });
});

describe('events', () => {
  test('fire their watchers before the reply that follows (E59)', async () => {
    const s = new ScriptedSession();
    s.connect();
    s.watch('data', '/a', 'getData');
    const write = s.set('/a', 'x');
    s.sent();
    s.reply(1, op.getData.response, data(''));
    s.event(EventType.nodeDataChanged, '/a', 9n);
    expect(s.events).toEqual([{ type: 'dataChanged', path: '/a', zxid: 9n }]);
    expect(write.request.settled).toBe(false);
    s.event(EventType.nodeDataChanged, '/a', 10n);
    expect(s.events).toHaveLength(1);
    s.event(EventType.none, '', 0n);
    expect(s.machine.state).toBe('CONNECTED');
  });
});

describe('read-only servers (E25)', () => {
  test('the client says so, looks for a writable server, and leaves the made-up session behind', () => {
    const s = new ScriptedSession({ hosts: HOSTS, readOnly: true });
    s.machine.start(s.nowMs);
    expect(s.accept(0x11n, 9000, true).request.readOnly).toBe(true);
    expect(s.machine.state).toBe('READ_ONLY');
    s.pass(100);
    expect(s.log.at(-1)).toMatch(/^probe/);
    s.machine.probed(HOSTS[2], false, s.nowMs);
    expect(s.machine.state).toBe('READ_ONLY');
    s.machine.probed(HOSTS[2], true, s.nowMs);
    s.pass(1);
    expect(s.log.at(-1)).toBe('dial c:3');
    expect(s.accept(0x22n).request.sessionId).toBe(0n);
    expect(s.machine.state).toBe('RECONNECTED');
  });
});

describe('close', () => {
  test('sends what was asked before, then closeSession, and ends with its reply', async () => {
    const s = new ScriptedSession();
    s.connect();
    const before = s.get('/a');
    s.machine.close(s.nowMs, 1000, false);
    const after = s.get('/b');
    expect(s.sent()).toMatchObject([{ name: 'getData' }, { name: 'closeSession' }]);
    await expect(after.promise).rejects.toMatchObject({ name: 'ClientClosed' });
    s.reply(1, op.getData.response, data('a'));
    await expect(before.promise).resolves.toBe('a');
    s.reply(2);
    expect(s.log.slice(-2)).toEqual(['hang up', 'CLOSED']);
    s.machine.close(s.nowMs, 1000, false);
    expect(s.log.filter((line) => line === 'CLOSED')).toHaveLength(1);
  });

  test('ends when the server hangs up instead of answering, and after a while without a server', () => {
    const hungUp = new ScriptedSession();
    hungUp.connect();
    hungUp.machine.close(hungUp.nowMs, 1000, false);
    hungUp.sent();
    hungUp.machine.disconnected(undefined, hungUp.nowMs);
    expect(hungUp.machine.state).toBe('CLOSED');

    const alone = new ScriptedSession();
    alone.connect();
    alone.machine.disconnected(undefined, alone.nowMs);
    alone.machine.close(alone.nowMs, 1000, false);
    alone.pass(900);
    expect(alone.machine.state).toBe('SUSPENDED');
    alone.pass(200);
    expect(alone.machine.state).toBe('CLOSED');
    expect(alone.machine.wakeAtMs).toBe(Number.POSITIVE_INFINITY);
  });

  test('closing when the session is lost meanwhile ends as CLOSED, and nothing follows', () => {
    const s = new ScriptedSession();
    s.connect();
    s.machine.disconnected(undefined, s.nowMs);
    s.machine.close(s.nowMs, 60_000, false);
    s.pass(30_000);
    expect(s.machine.state).toBe('CLOSED');
    expect(s.log.filter((line) => line === 'LOST' || line === 'CLOSED')).toEqual(['CLOSED']);
    expect(s.machine.wakeAtMs).toBe(Number.POSITIVE_INFINITY);
  });

  test('without a session, or to keep it, at once', () => {
    const idle = new ScriptedSession();
    idle.machine.close(idle.nowMs, 1000, false);
    expect(idle.log).toEqual(['CLOSED']);
    const kept = new ScriptedSession();
    kept.connect();
    kept.machine.close(kept.nowMs, 1000, true);
    expect(kept.sent()).toEqual([]);
    expect(kept.log.slice(-2)).toEqual(['hang up', 'CLOSED']);
  });
});

test('the same seed and script give the same run', () => {
  const run = () => {
    const s = new ScriptedSession({ hosts: HOSTS });
    s.connect();
    for (let i = 0; i < 5; i++) {
      s.machine.disconnected(undefined, s.nowMs);
      s.pass(3000);
    }
    return s.log;
  };
  expect(run()).toEqual(run());
  expect(ZooKeeperError.is(new Error('x'))).toBe(false);
});
