// The expected texts are those of Java 17's X500Principal.getName() for the same subjects.

import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { certificateIdentities } from '../../../../src/server/auth.js';
import { DerError } from '../../../../src/server/tls/der.js';
import { subjectName } from '../../../../src/server/tls/distinguished-name.js';
import { Authority, whyNoOpenSsl } from '../../../helpers/certificates.js';
import { removeDirectory, temporaryDirectory } from '../../../helpers/processes.js';

const noOpenSsl = whyNoOpenSsl();

test('garbage is no certificate', () => {
  for (const bytes of [[], [0x30], [0x30, 0x80], [0x30, 0x03, 0x30, 0x05, 0x00], [0x04, 0x01, 0x00]]) {
    expect(() => subjectName(Uint8Array.from(bytes))).toThrow(DerError);
  }
});

(noOpenSsl === undefined ? describe : describe.skip)(`subjects${noOpenSsl ? ` (${noOpenSsl})` : ''}`, () => {
  const directory = temporaryDirectory('zabra-names');
  const authority = noOpenSsl === undefined ? new Authority(directory, 'ca') : undefined;
  afterAll(() => removeDirectory(directory));

  function issued(subject: string): Uint8Array {
    return new X509Certificate(readFileSync(authority!.issue('one', { subject }))).raw;
  }

  test.each([
    ['the order is turned round', '/O=Example/OU=dev/CN=alice', 'CN=alice,OU=dev,O=Example'],
    ['special characters are escaped', '/O=a, b\\+c/CN=x=y#z', 'CN=x\\=y\\#z,O=a\\, b\\+c'],
    ['quotes, angles, backslash', '/CN=a"b<c>d;e\\\\f', 'CN=a\\"b\\<c\\>d\\;e\\\\f'],
    ['blanks at the ends', '/CN= a b ', 'CN=\\ a b\\ '],
    ['letters of any script', '/CN=Zoë 動物', 'CN=Zoë 動物'],
    ['a part of two values', '/O=Example/OU=a+CN=b', 'CN=b+OU=a,O=Example'],
    ['types with short names', '/C=DE/ST=x/L=y/street=z/DC=d/UID=u', 'UID=u,DC=d,STREET=z,L=y,ST=x,C=DE'],
    [
      'types without',
      '/emailAddress=a@b.c/serialNumber=7/CN=x',
      'CN=x,2.5.4.5=#130137,1.2.840.113549.1.9.1=#16056140622e63',
    ],
  ])('%s', (_what, subject, expected) => {
    expect(subjectName(issued(subject))).toBe(expected);
  });

  test('an identity, and with the right name the superuser', () => {
    const raw = issued('/O=Example/CN=admin');
    const identity = { scheme: 'x509', id: 'CN=admin,O=Example' };
    expect(certificateIdentities(raw, null)).toEqual([identity]);
    expect(certificateIdentities(raw, 'CN=Admin,O=Example')).toEqual([identity]);
    expect(certificateIdentities(raw, 'CN=admin,O=Example')).toEqual([{ scheme: 'super', id: '' }, identity]);
    expect(certificateIdentities(undefined, '')).toEqual([]);
  });
});
