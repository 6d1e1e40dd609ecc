/** The server's side of DIGEST-MD5 as ZooKeeper speaks it, against a client written from RFC 2831. */
import { saslLogins } from '../../../../src/server/sasl/index.js';
import { digestMd5Verifier, scramVerifier, type Verifiers } from '../../../../src/server/sasl/verifiers.js';
import { type DigestLogin, digestResponse, digestToken, fieldsOf } from './clients.js';

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const users = new Map<string, Verifiers>([
  ['bob', { digestMd5: digestMd5Verifier('bob', 'secret') }],
  ['jürgen', { digestMd5: digestMd5Verifier('jürgen', 'geheim') }],
  ['борис', { digestMd5: digestMd5Verifier('борис', 'тайна') }],
  ['scram-only', { scram: scramVerifier('secret', 4096) }],
]);
const begin = saslLogins((user) => users.get(user), ['root']);

function challenged() {
  const exchange = begin();
  const challenge = Buffer.from(exchange(bytes(''))?.token ?? []).toString();
  return { exchange, challenge, nonce: fieldsOf(challenge).nonce ?? '' };
}

function logIn(login: Omit<DigestLogin, 'nonce'>, changes: Record<string, string> = {}) {
  const { exchange, nonce } = challenged();
  const step = exchange(bytes(digestToken({ ...login, nonce }, changes)));
  if (step === null) return null;
  expect(Buffer.from(step.token).toString()).toBe(`rspauth=${digestResponse({ ...login, nonce }, '')}`);
  return step.identities;
}

test('the client of these tests does what the example of RFC 2831 does', () => {
  const example = {
    user: 'chris',
    password: 'secret',
    realm: 'elwood.innosoft.com',
    uri: 'imap/elwood.innosoft.com',
    nonce: 'OA6MG9tEQGm2hh',
    cnonce: 'OA6MHXh6VqTrRk',
  };
  expect(digestResponse(example)).toBe('d388dad90d4bbd760a152321f2143af7');
  expect(digestResponse(example, '')).toBe('ea40f60335c427b5527b84dbabcdfffd');
});

test('the challenge names what ZooKeeper names, and a number of its own each time', () => {
  const { challenge } = challenged();
  expect(challenge).toMatch(/^realm="zk-sasl-md5",nonce="[A-Za-z0-9+/]{32}",charset=utf-8,algorithm=md5-sess$/);
  expect(challenged().challenge).not.toBe(challenge);
});

test('who knows the password is let in', () => {
  expect(logIn({ user: 'bob', password: 'secret' })).toEqual([{ scheme: 'sasl', id: 'bob' }]);
  expect(logIn({ user: 'bob', password: 'secret', authzid: 'bob' })).toEqual([{ scheme: 'sasl', id: 'bob' }]);
});

test.each([
  ['jürgen', 'geheim'],
  ['борис', 'тайна'],
])('a name beyond ASCII comes as UTF-8: %s', (user, password) => {
  expect(logIn({ user, password })).toEqual([{ scheme: 'sasl', id: user }]);
});

test.each<[string, Omit<DigestLogin, 'nonce'>]>([
  ['a wrong password', { user: 'bob', password: 'Secret' }],
  ['nobody we know', { user: 'ann', password: 'secret' }],
  ['a user of SCRAM only', { user: 'scram-only', password: 'secret' }],
  ['acting for another', { user: 'bob', password: 'secret', authzid: 'root' }],
  ['another realm', { user: 'bob', password: 'secret', realm: 'elsewhere' }],
  ['another service', { user: 'bob', password: 'secret', uri: 'imap/zk-sasl-md5' }],
])('%s is refused', (_what, login) => {
  expect(logIn(login)).toBeNull();
});

test.each<[string, Record<string, string>]>([
  ['a counter that goes on', { nc: '00000002' }],
  ['another nonce', { nonce: '"AAAA"' }],
  ['a layer of its own', { qop: 'auth-conf' }],
  ['a response that is none', { response: 'x' }],
  ['a response of another length', { response: '00' }],
  ['no cnonce', { cnonce: '""' }],
  ['no name', { username: '""' }],
  ['a name twice', { x: '1,nc=00000001' }],
  ['an open quote', { x: '"abc' }],
])('%s is refused', (_what, changes) => {
  expect(logIn({ user: 'bob', password: 'secret' }, changes)).toBeNull();
});

test('a first token that is neither empty nor SCRAM is refused', () => {
  expect(begin()(bytes('\u0060\u0082'))).toBeNull();
});

test('a token that was right once is worth nothing in another login', () => {
  const { exchange, nonce } = challenged();
  const token = digestToken({ user: 'bob', password: 'secret', nonce });
  expect(challenged().exchange(bytes(token))).toBeNull();
  expect(exchange(bytes(token))).not.toBeNull();
});

test('a long token takes no long time', () => {
  const { exchange } = challenged();
  expect(exchange(bytes(`${'a="\\'.repeat(2000)}`))).toBeNull();
});
