// Who may use the admin commands that give away or replace the whole tree. As in ZooKeeper they take a header
// `Authorization: <scheme> <credentials>`, such as `digest root:secret`, and ask for all permissions on the root node.
//
// One thing is stricter: an entry of the root's ACL for world:anyone does not count. It stands there by default, and
// anybody can make up a user and a password; with it, whoever reaches the port would be an administrator.

import { Perms } from '../../../protocol/client/constants.js';
import type { Acl } from '../../../protocol/client/records.js';
import type { Identity } from '../../../protocol/peer/entries.js';
import type { Authenticate } from '../../core/io.js';

export interface Refusal {
  readonly status: 401 | 403;
  readonly error: string;
}

/** Null: the caller may. `rootAcl` is that of the node `/`. */
export function refusalOf(
  authorization: string | undefined,
  authenticate: Authenticate,
  rootAcl: readonly Acl[],
): Refusal | null {
  if (authorization === undefined) {
    return { status: 401, error: 'a header is needed, such as Authorization: digest user:password' };
  }
  const [scheme = '', credentials = '', ...rest] = authorization.trim().split(/ +/);
  // `digest` by name only: addresses prove nothing here, where a proxy may stand in between.
  const identities =
    rest.length > 0 || scheme.toLowerCase() !== 'digest'
      ? null
      : authenticate('digest', new Uint8Array(Buffer.from(credentials)));
  if (identities === null || identities.length === 0) {
    return { status: 401, error: 'the header Authorization proves nothing: it should be digest user:password' };
  }
  if (identities.some(({ scheme: proven }) => proven === 'super')) return null;
  const granted = permsOf(identities, rootAcl);
  if (granted === Perms.all) return null;
  return {
    status: 403,
    error:
      'only the superuser (DigestAuthenticationProvider.superDigest), or a user whom the ACL of / names with all ' +
      'permissions, may do this',
  };
}

function permsOf(identities: readonly Identity[], acl: readonly Acl[]): number {
  let granted = 0;
  for (const { perms, id } of acl) {
    if (identities.some(({ scheme, id: name }) => scheme === id.scheme && name === id.id)) granted |= perms;
  }
  return granted & Perms.all;
}
