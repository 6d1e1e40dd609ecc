/** The proofs of identity, as ZooKeeper takes them (E12, E44). */
import { createAuthenticate, digestId } from '../../../src/server/auth.js';

const bytes = (text: string) => new Uint8Array(Buffer.from(text));
const ADMIN = digestId('admin:secret');
const authenticate = createAuthenticate({ superDigest: ADMIN, digestAlgorithm: 'SHA1', digestEnabled: true });

test('a user and a password are the digest of both, which ZooKeeper writes alike', () => {
  expect(authenticate('digest', bytes('super:test'))).toEqual([
    { scheme: 'digest', id: 'super:D/InIHSb7yEEbrWz8b9l71RjZJU=' },
  ]);
});

test('a user without a password is one as well; nothing at all is not', () => {
  expect(authenticate('digest', bytes('bob'))).toEqual([{ scheme: 'digest', id: digestId('bob') }]);
  expect(digestId('bob')).toMatch(/^bob:[A-Za-z0-9+/]{27}=$/);
  expect(authenticate('digest', bytes(''))).toBeNull();
});

test('the administrator is super, and itself', () => {
  expect(authenticate('digest', bytes('admin:secret'))).toEqual([
    { scheme: 'super', id: '' },
    { scheme: 'digest', id: ADMIN },
  ]);
  expect(authenticate('digest', bytes('admin:guess'))).toHaveLength(1);
});

test('an address needs no proof, an unknown scheme has none, and digest can be switched off', () => {
  expect(authenticate('ip', bytes('10.0.0.1'))).toEqual([]);
  expect(authenticate('kerberos', bytes('a:b'))).toBeNull();
  const off = createAuthenticate({ superDigest: null, digestAlgorithm: 'SHA-256', digestEnabled: false });
  expect(off('digest', bytes('a:b'))).toBeNull();
});

test('a hash that does not exist is found out at the start', () => {
  expect(() => createAuthenticate({ superDigest: null, digestAlgorithm: 'SHA0', digestEnabled: true })).toThrow();
});
