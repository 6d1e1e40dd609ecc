/** The server's side of SCRAM-SHA-256, against the example of RFC 7677 and a client written from RFC 5802. */
import { saslLogins } from '../../../../src/server/sasl/index.js';
import { beginsScram, scramExchange } from '../../../../src/server/sasl/scram.js';
import { scramVerifier } from '../../../../src/server/sasl/verifiers.js';
import { type ScramLogin, scramFinal, scramFirst } from './clients.js';

const ITERATIONS = 4096;
const SECRET = Buffer.alloc(32, 9);
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const bob = { scram: scramVerifier('pencil', ITERATIONS) };
const findUser = (user: string) => (user === 'bob' || user === 'a,b=c' ? bob : undefined);
const begin = saslLogins(findUser, ['bob']);

/** What the server says to both tokens, as text; null for a refusal. */
function logIn(login: ScramLogin, change: (token: string) => string = (token) => token) {
  const exchange = begin();
  const first = exchange(bytes(scramFirst(login)));
  if (first === null) return { first: null, final: null, heard: null, identities: null };
  const answer = Buffer.from(first.token).toString();
  const { token, signature } = scramFinal(login, answer);
  const final = exchange(bytes(change(token)));
  const heard = final === null ? null : Buffer.from(final.token).toString() === `v=${signature}`;
  return { first: answer, final, heard, identities: final?.identities ?? null };
}

test('the example of RFC 7677, to the letter', () => {
  const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
  const scram = scramVerifier('pencil', ITERATIONS, salt);
  const exchange = scramExchange({
    findUser: (user) => (user === 'user' ? { scram } : undefined),
    nonce: '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
    serverSecret: SECRET,
  });
  const say = (text: string) => Buffer.from(exchange(bytes(text))?.token ?? []).toString();
  expect(say('n,,n=user,r=rOprNGfwEbeRWgbNEkqO')).toBe(
    'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
  );
  const final =
    'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=';
  expect(say(final)).toBe('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=');
});

test('who knows the password is let in, and hears that the server knows it too', () => {
  expect(logIn({ user: 'bob', password: 'pencil' })).toMatchObject({
    heard: true,
    identities: [
      { scheme: 'super', id: '' },
      { scheme: 'sasl', id: 'bob' },
    ],
  });
});

test('the header y,, is as good; a name with comma and equals sign is decoded', () => {
  expect(logIn({ user: 'bob', password: 'pencil', header: 'y,,' }).heard).toBe(true);
  expect(logIn({ user: 'a=2Cb=3Dc', password: 'pencil' }).identities).toEqual([{ scheme: 'sasl', id: 'a,b=c' }]);
});

test.each<[string, ScramLogin]>([
  ['a wrong password', { user: 'bob', password: 'pencils' }],
  ['nobody we know', { user: 'ann', password: 'pencil' }],
])('%s is refused at the last token, and not before', (_what, login) => {
  const { first, final } = logIn(login);
  expect(first).toMatch(/^r=client-nonce.{20,},s=[A-Za-z0-9+/]{22}==,i=\d+$/);
  expect(final).toBeNull();
});

test('somebody unknown has the same salt each time, as one who is known has', () => {
  const saltOf = (user: string) => /s=([^,]*)/.exec(logIn({ user, password: 'x' }).first ?? '')?.[1];
  expect(saltOf('ann')).toBe(saltOf('ann'));
  expect(saltOf('ann')).not.toBe(saltOf('eve'));
});

test.each<[string, (token: string) => string]>([
  ['another nonce', (token) => token.replace('r=client-nonce', 'r=client-nonsense')],
  ['another channel binding', (token) => token.replace('c=biws', 'c=eSws')],
  ['no proof', (token) => token.replace(/,p=.*/, '')],
  ['a short proof', (token) => token.replace(/,p=.*/, ',p=AAAA')],
  ['a proof of zeros', (token) => token.replace(/,p=.*/, `,p=${Buffer.alloc(32).toString('base64')}`)],
  ['an extension', (token) => token.replace(',p=', ',m=1,p=')],
  ['nothing', () => ''],
])('the last token with %s is refused', (_what, change) => {
  expect(logIn({ user: 'bob', password: 'pencil' }, change).final).toBeNull();
});

test.each([
  'p=tls-unique,,n=bob,r=x',
  'n,a=eve,n=bob,r=x',
  'n,,m=x,n=bob,r=x',
  'n,,n=b=2Dob,r=x',
  'n,,n=bob,r=',
  'n,,',
])('the first token %s is refused', (token) => {
  expect(begin()(bytes(token))).toBeNull();
});

test('a token that was right once is worth nothing in another login', () => {
  const first = begin();
  const answer = Buffer.from(first(bytes(scramFirst({ user: 'bob', password: 'pencil' })))?.token ?? []).toString();
  const { token } = scramFinal({ user: 'bob', password: 'pencil' }, answer);
  const second = begin();
  second(bytes(scramFirst({ user: 'bob', password: 'pencil' })));
  expect(second(bytes(token))).toBeNull();
  expect(first(bytes(token))).not.toBeNull();
});

test('what begins such a login', () => {
  expect(
    ['n,,n=a,r=b', 'y,,n=a,r=b', '', 'charset=utf-8', 'p=x,,'].map((text) => beginsScram(Buffer.from(text))),
  ).toEqual([true, true, false, false, false]);
});
