/** Logging in by SASL as the core has it: token by token, with a mechanism made for the test. */
import { OpCode } from '../../../../protocol/client/constants.js';
import { SaslRequest, SaslResponse } from '../../../../protocol/client/records.js';
import { JuteReader } from '../../../../protocol/jute/reader.js';
import { JuteWriter } from '../../../../protocol/jute/writer.js';
import type { SaslExchange } from '../../../../src/core/io.js';
import { limits } from '../../../../src/core/limits.js';
import type { Reply, VirtualClient } from '../../../../src/testing/index.js';
import { bytes, code, OPEN_ACL, scene } from '../../../conformance/scene.js';

const AUTH_FAILED = -115;
const LOGIN_DEMANDED = -124;

/** Two tokens: the user's name, which is sent back, and `ok`. */
function beginSasl(): SaslExchange {
  let user = '';
  return (token) => {
    const text = Buffer.from(token).toString();
    if (user === '') {
      user = text;
      return { token, identities: null };
    }
    return text === 'ok' ? { token: bytes(`hello ${user}`), identities: [{ scheme: 'sasl', id: user }] } : null;
  };
}

function send(client: VirtualClient, token: string | null, more = ''): Reply {
  const body = new JuteWriter();
  SaslRequest.write(body, { token: token === null ? null : bytes(token) });
  body.raw(bytes(more));
  const from = client.received.length;
  return client.replyTo(client.sendRaw(OpCode.sasl, body.toBytes()), from);
}

/** The token, or the error; with one there is a token all the same, which is null. */
function tokenOf({ code: err, body }: Reply): string | null | number {
  const { token } = SaslResponse.read(new JuteReader(body));
  if (err !== 0) return token === null ? err : 'a token beside an error';
  return token === null ? null : Buffer.from(token).toString();
}

const identitiesOf = (client: VirtualClient) => client.call('whoAmI', undefined).response?.clientInfo.slice(1);
const isClosed = (client: VirtualClient): boolean => {
  client.awaitReceived(0, ({ kind }) => kind === 'closed', 'the end of the connection');
  return !client.isConnected;
};

test('tokens go to and fro, and the last one gains the identity; the header names no state', () => {
  const client = scene({ beginSasl }).client();
  const first = send(client, 'bob');
  expect([tokenOf(first), first.zxid]).toEqual(['bob', 0]);
  expect(identitiesOf(client)).toEqual([]);
  const second = send(client, 'ok');
  expect([tokenOf(second), second.zxid]).toEqual(['hello bob', 0]);
  expect(identitiesOf(client)).toEqual([{ authScheme: 'sasl', user: 'bob' }]);
});

test('what was gained counts in ACLs, also as `auth`', () => {
  const { client } = scene({ beginSasl });
  const bob = client();
  send(bob, 'bob');
  send(bob, 'ok');
  const acl = [{ perms: 31, id: { scheme: 'auth', id: '' } }];
  expect(code(bob, 'create', { path: '/bobs', data: null, acl, flags: 0 })).toBe(0);
  expect(bob.call('getACL', { path: '/bobs' }).response?.acl).toEqual([
    { perms: 31, id: { scheme: 'sasl', id: 'bob' } },
  ]);
  expect(code(bob, 'getData', { path: '/bobs', watch: false })).toBe(0);
  expect(code(client(), 'getData', { path: '/bobs', watch: false })).toBe(-102);
});

test('another user may log in afterwards, and the same one again without counting twice', () => {
  const client = scene({ beginSasl }).client();
  for (const user of ['bob', 'ann', 'bob']) {
    send(client, user);
    expect(tokenOf(send(client, 'ok'))).toBe(`hello ${user}`);
  }
  expect(identitiesOf(client)?.map(({ user }) => user)).toEqual(['bob', 'ann']);
});

test('what is refused ends the connection, and counts', () => {
  const { client, server } = scene({ beginSasl });
  const one = client();
  send(one, 'bob');
  expect(tokenOf(send(one, 'no'))).toBe(AUTH_FAILED);
  expect(isClosed(one)).toBe(true);
  expect(server.replica.stats.authFailures).toBe(1);
});

test('without SASL, a login is refused', () => {
  const client = scene().client();
  expect(tokenOf(send(client, ''))).toBe(AUTH_FAILED);
  expect(isClosed(client)).toBe(true);
});

test('tokens beyond the limit and packets that are none are refused', () => {
  const { client } = scene({ beginSasl });
  expect(tokenOf(send(client(), 'x'.repeat(limits.credentialBytesMax)))).toBe(AUTH_FAILED);
  const one = client();
  expect(one.replyTo(one.sendRaw(OpCode.sasl, bytes('ab'))).code).toBe(AUTH_FAILED);
  expect(tokenOf(send(client(), null))).toBe('');
});

test('allowSaslFailedClients: who fails goes on without the identity, and may try again', () => {
  const client = scene({ beginSasl, keepsSaslFailures: true }).client();
  send(client, 'bob');
  expect(tokenOf(send(client, 'no'))).toBeNull();
  expect(identitiesOf(client)).toEqual([]);
  send(client, 'ann');
  expect(tokenOf(send(client, 'ok'))).toBe('hello ann');
});

describe('where a login is demanded', () => {
  const demanded = { beginSasl, keepsSaslFailures: true, requiredSchemes: ['sasl'] };

  test('nothing else is answered before it', () => {
    const { client } = scene(demanded);
    const early = client();
    const reply = early.call('create', { path: '/a', data: null, acl: OPEN_ACL, flags: 0 });
    expect([reply.code, reply.zxid]).toEqual([LOGIN_DEMANDED, 0]);
    expect(isClosed(early)).toBe(true);
    const half = client();
    send(half, 'bob');
    expect(code(half, 'exists', { path: '/a', watch: false })).toBe(LOGIN_DEMANDED);
  });

  test('who has logged in is served, and who fails is told that it is demanded', () => {
    const { client } = scene(demanded);
    const bob = client();
    send(bob, 'bob');
    send(bob, 'ok');
    expect(code(bob, 'exists', { path: '/', watch: false })).toBe(0);
    const ann = client();
    send(ann, 'ann');
    expect(tokenOf(send(ann, 'no'))).toBe(LOGIN_DEMANDED);
    expect(isClosed(ann)).toBe(true);
  });
});
