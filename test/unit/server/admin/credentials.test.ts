/** Who may move the whole tree through the admin port. */
import type { Acl } from '../../../../protocol/client/records.js';
import { refusalOf } from '../../../../src/server/admin/credentials.js';
import { createAuthenticate, digestId } from '../../../../src/server/auth.js';

const authenticate = createAuthenticate({
  superDigest: digestId('admin:secret'),
  digestAlgorithm: 'SHA1',
  digestEnabled: true,
});
const OPEN: Acl[] = [{ perms: 31, id: { scheme: 'world', id: 'anyone' } }];
const bob = (perms: number): Acl => ({ perms, id: { scheme: 'digest', id: digestId('bob:pw') } });

const statusOf = (header: string | undefined, acl: readonly Acl[] = OPEN) =>
  refusalOf(header, authenticate, acl)?.status;

test('the superuser may, whatever the ACL', () => {
  expect(refusalOf('digest admin:secret', authenticate, OPEN)).toBeNull();
  expect(refusalOf('Digest  admin:secret ', authenticate, [])).toBeNull();
});

test('a user whom the ACL of the root names with all permissions may; with less, not', () => {
  expect(refusalOf('digest bob:pw', authenticate, [bob(31)])).toBeNull();
  expect(refusalOf('digest bob:pw', authenticate, [bob(1), bob(30)])).toBeNull();
  expect(statusOf('digest bob:pw', [bob(15)])).toBe(403);
  expect(statusOf('digest bob:guess', [bob(31)])).toBe(403);
});

test('an open root lets nobody in: anybody can make up a name', () => {
  expect(statusOf('digest eve:eve')).toBe(403);
});

test.each([undefined, '', 'digest', 'digest ', 'basic admin:secret', 'ip 127.0.0.1', 'super admin', 'digest a b'])(
  'a header of %p proves nothing',
  (header) => expect(statusOf(header)).toBe(401),
);
