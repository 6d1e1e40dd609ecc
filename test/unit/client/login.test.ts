// The login's place in a connection: after the handshake and before everything else, on each connection anew.

import { Code } from '../../../protocol/client/errors.js';
import { operations } from '../../../protocol/client/operations.js';
import { SaslError, type SaslExchange } from '../../../src/client/sasl.js';
import { data, ScriptedSession } from './scripted-session.js';

const text = (token: string) => new TextEncoder().encode(token);

/** Says A, then B to whatever comes, and is satisfied with `good`. */
function login(): SaslExchange {
  let said = 'A';
  return {
    start: () => text(said),
    next: (token) => {
      if (said === 'B' && new TextDecoder().decode(token) !== 'good') throw new SaslError('a lie');
      if (said === 'B') return null;
      said = 'B';
      return text(said);
    },
  };
}

function answer(s: ScriptedSession, token: string | null, code = 0): void {
  const [packet] = s.sent();
  expect(packet).toMatchObject({ name: 'sasl' });
  if (code !== 0) s.replyError(packet.xid, code);
  else s.reply(packet.xid, operations.sasl.response, { token: token === null ? null : text(token) }, 77n);
}

function logIn(s: ScriptedSession): void {
  answer(s, 'challenge');
  answer(s, 'good');
}

test('nothing is sent and nothing is told before it is complete; then credentials, watches, requests', async () => {
  const s = new ScriptedSession({ login });
  s.bytewise = true;
  s.machine.credentials.add({ scheme: 'digest', auth: new Uint8Array([1]) });
  const { promise } = s.get('/a');
  expect(s.connect().rest).toEqual([]);
  expect(s.machine.phase).toBe('loggingIn');
  answer(s, 'challenge');
  s.machine.addCredential({ scheme: 'late', auth: new Uint8Array([2]) }, () => {});
  expect(s.log).not.toContain('CONNECTED');
  answer(s, 'good');
  expect(s.log.at(-1)).toBe('CONNECTED');
  expect(s.machine.lastZxid).toBe(0n); // the zxid of a login's reply is none that the session has seen
  const [first, second, get] = s.sent();
  expect([first, second].map(({ body }) => body)).toMatchObject([{ scheme: 'digest' }, { scheme: 'late' }]);
  expect(get).toMatchObject({ name: 'getData' });
  s.reply(get.xid, operations.getData.response, data('x'));
  expect(await promise).toBe('x');
});

test('again after a reconnect, before the watches', () => {
  const s = new ScriptedSession({ login });
  s.connect();
  logIn(s);
  s.machine.watches.add({ kind: 'persistent', path: '/p', watcher: (event) => s.events.push(event) });
  s.machine.disconnected(undefined, s.nowMs);
  s.pass(1000);
  expect(s.accept().rest).toEqual([]);
  expect(s.events).toEqual([]);
  logIn(s);
  expect(s.sent().map(({ name }) => name)).toEqual(['setWatches2']);
  expect(s.log.at(-1)).toBe('RECONNECTED');
  expect(s.events).toEqual([{ type: 'gap', path: '/p', reason: 'reconnected' }]);
});

test.each<[string, (s: ScriptedSession) => void, string]>([
  ['a code', (s) => answer(s, null, Code.AuthFailed), 'AuthFailed'],
  ['no token', (s) => answer(s, null), 'AuthFailed'],
  [
    'a lie',
    (s) => {
      answer(s, 'challenge');
      answer(s, 'bad');
    },
    'AuthFailed',
  ],
  [
    'a demand for another login',
    (s) => answer(s, null, Code.SessionClosedRequireSaslAuth),
    'SessionClosedRequireSaslAuth',
  ],
])('refused with %s at the start: the client closes; later on: it tries again', async (_name, refuse, name) => {
  const s = new ScriptedSession({ login });
  const { promise } = s.get('/a');
  s.connect();
  refuse(s);
  expect(s.machine.state).toBe('CLOSED');
  expect(s.machine.closedBy).toMatchObject({ name });
  await expect(promise).rejects.toMatchObject({ name });

  const later = new ScriptedSession({ login });
  later.connect();
  logIn(later);
  later.machine.disconnected(undefined, later.nowMs);
  later.pass(1000);
  later.accept();
  refuse(later);
  expect(later.machine.phase).toBe('waiting');
  expect(later.machine.state).toBe('SUSPENDED');
});

test('a server that falls silent in the middle is given up like one that does not answer the handshake', () => {
  const s = new ScriptedSession({ login });
  s.connect();
  s.pass(9100);
  expect(s.log.filter((line) => line === 'hang up')).toHaveLength(1);
  expect(s.log.filter((line) => line.startsWith('dial'))).toHaveLength(2);
});

test('a new session that the login came in between is told of as new', () => {
  const s = new ScriptedSession({ login });
  s.connect();
  logIn(s);
  s.machine.watches.add({ kind: 'recursive', path: '/r', watcher: (event) => s.events.push(event) });
  s.machine.disconnected(undefined, s.nowMs);
  s.pass(100);
  s.open();
  s.grant(0n, 0); // expired
  s.pass(3000);
  s.accept(0x100n);
  s.machine.disconnected(undefined, s.nowMs); // before the login was complete
  s.pass(3000);
  s.accept(0x100n);
  logIn(s);
  expect(s.events).toEqual([{ type: 'gap', path: '/r', reason: 'newSession' }]);
});
