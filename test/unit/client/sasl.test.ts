// Both mechanisms against the published example (RFC 7677), against a second implementation of the formulas, and against
// servers that lie.

import { createHash } from 'node:crypto';
import { type SaslExchange, type SaslOptions, saslExchange } from '../../../src/client/sasl.js';
import { nodeCrypto } from '../../../src/client/sasl-crypto.js';

function exchange(mechanism: SaslOptions['mechanism'], nonce: string, username = 'user', password = 'pencil') {
  return saslExchange({ mechanism, username, password }, { ...nodeCrypto(), nonce: () => nonce });
}

function say(login: SaslExchange, token: string): string | null {
  const answer = login.next(Buffer.from(token));
  return answer === null ? null : Buffer.from(answer).toString();
}

describe('SCRAM-SHA-256', () => {
  const SERVER_FIRST = 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096';
  const open = () => {
    const login = exchange('SCRAM-SHA-256', 'rOprNGfwEbeRWgbNEkqO');
    return { login, first: Buffer.from(login.start()).toString() };
  };

  test('the example of RFC 7677', () => {
    const { login, first } = open();
    expect(first).toBe('n,,n=user,r=rOprNGfwEbeRWgbNEkqO');
    expect(say(login, SERVER_FIRST)).toBe(
      'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
    );
    expect(say(login, 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=')).toBeNull();
  });

  test.each([
    ['a signature of somebody who does not know the password', 'v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4='],
    ['a short signature', 'v=6rri'],
    ['no signature', 'e=other-error'],
  ])('refuses %s', (_name, token) => {
    const { login } = open();
    say(login, SERVER_FIRST);
    expect(() => say(login, token)).toThrow(expect.objectContaining({ name: 'SaslError' }));
  });

  test.each([
    ['the nonce of another login', SERVER_FIRST.replace('r=rOpr', 'r=XXXX')],
    ['a nonce that it has nothing added to', 'r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096'],
    ['too few iterations', SERVER_FIRST.replace('i=4096', 'i=4095')],
    ['iterations without end', SERVER_FIRST.replace('i=4096', 'i=1000001')],
    ['no salt', SERVER_FIRST.replace(',s=', ',t=')],
  ])('refuses %s', (_name, token) => {
    expect(() => say(open().login, token)).toThrow(expect.objectContaining({ name: 'SaslError' }));
  });

  test('names with commas and equals signs, and names that can be spelt in two ways', () => {
    const login = exchange('SCRAM-SHA-256', 'x', 'a=b,\u212b');
    expect(Buffer.from(login.start()).toString()).toBe('n,,n=a=3Db=2C\u00c5,r=x');
  });

  test('nonces are long, differ, and have no comma', () => {
    const [a, b] = [nodeCrypto().nonce(), nodeCrypto().nonce()];
    expect(a).toMatch(/^[A-Za-z0-9+/=]{24,}$/);
    expect(a).not.toBe(b);
  });
});

describe('DIGEST-MD5', () => {
  const CHALLENGE = 'realm="zk-sasl-md5",nonce="OA6MG9tEQGm2hh",charset=utf-8,algorithm=md5-sess';
  const md5 = (bytes: Buffer | string) => createHash('md5').update(bytes).digest();

  /** RFC 2831, 2.1.2.1, written down once more. */
  function response(username: Buffer, password: string, method: string): string {
    const secret = md5(Buffer.concat([username, Buffer.from(`:zk-sasl-md5:${password}`)]));
    const a1 = Buffer.concat([secret, Buffer.from(':OA6MG9tEQGm2hh:mine')]);
    const a2 = `${method}:zookeeper/zk-sasl-md5`;
    return md5(`${md5(a1).toString('hex')}:OA6MG9tEQGm2hh:00000001:mine:auth:${md5(a2).toString('hex')}`).toString(
      'hex',
    );
  }

  test('the response and the check of the server', () => {
    const login = exchange('DIGEST-MD5', 'mine', 'bob', 'secret');
    expect(login.start()).toHaveLength(0);
    expect(say(login, CHALLENGE)).toBe(
      'charset=utf-8,username="bob",realm="zk-sasl-md5",nonce="OA6MG9tEQGm2hh",nc=00000001,cnonce="mine",' +
        'digest-uri="zookeeper/zk-sasl-md5",maxbuf=65536,' +
        `response=${response(Buffer.from('bob'), 'secret', 'AUTHENTICATE')},qop=auth`,
    );
    expect(say(login, `rspauth=${response(Buffer.from('bob'), 'secret', '')}`)).toBeNull();
  });

  test('letters are hashed in Latin 1 where that has them, and quotation marks escaped', () => {
    const umlaut = say(exchange('DIGEST-MD5', 'mine', 'jörg', 'p'), CHALLENGE);
    expect(umlaut).toContain(`response=${response(Buffer.from('jörg', 'latin1'), 'p', 'AUTHENTICATE')}`);
    const greek = say(exchange('DIGEST-MD5', 'mine', 'ω', 'p'), CHALLENGE);
    expect(greek).toContain(`response=${response(Buffer.from('ω'), 'p', 'AUTHENTICATE')}`);
    expect(say(exchange('DIGEST-MD5', 'mine', 'a"\\'), CHALLENGE)).toContain('username="a\\"\\\\"');
  });

  test('refuses a server that does not know the password, or sends no nonce', () => {
    const login = exchange('DIGEST-MD5', 'mine', 'bob', 'secret');
    say(login, CHALLENGE);
    expect(() => say(login, 'rspauth=00000000000000000000000000000000')).toThrow('could not prove');
    expect(() => say(exchange('DIGEST-MD5', 'mine'), 'realm="zk-sasl-md5"')).toThrow('no nonce');
  });
});
