// Who a client is (E12, E44, E45). The core knows identities only; the cryptography behind them is here. Every client
// has its ip from the start; `digest` proves a user by name and password; the administrator's digest adds `super`. Who
// comes over TLS with a certificate that was verified is `x509` from the start, and `super` when it is the
// administrator's.

import { createHash, timingSafeEqual } from 'node:crypto';
import type { Identity } from '../../protocol/peer/entries.js';
import type { Authenticate } from '../core/io.js';
import type { EnsembleAuth } from './ensemble-auth.js';
import { subjectName } from './tls/distinguished-name.js';

export interface AuthOptions {
  /** `user:base64` of the administrator (DigestAuthenticationProvider.superDigest); null: there is none. */
  readonly superDigest: string | null;
  /** Hash of the digest scheme as Java names it, e.g. SHA1 or SHA-256 (DigestAuthenticationProvider.digestAlg). */
  readonly digestAlgorithm: string;
  readonly digestEnabled: boolean;
  /** The names of this ensemble; without it the scheme `ensemble` is not offered. */
  readonly ensemble?: EnsembleAuth;
}

/** Passes every ACL. */
export const SUPERUSER: Identity = { scheme: 'super', id: '' };

/**
 * `user:password` → `user:base64(hash(user:password))`, the id that stands in ACLs (E44). As in ZooKeeper, a user
 * without a password is one as well.
 */
export function digestId(credentials: string, algorithm = 'SHA1'): string {
  const user = credentials.split(':', 1)[0];
  return `${user}:${createHash(nodeHash(algorithm)).update(credentials).digest('base64')}`;
}

/** Java's and OpenSSL's names differ only in hyphens: SHA-1, SHA1 and sha1 are one. */
function nodeHash(algorithm: string): string {
  return algorithm.toLowerCase().replace(/^sha-/, 'sha');
}

/** Throws an Error when the hash is unknown: better at start than at the first client. */
export function createAuthenticate(options: AuthOptions): Authenticate {
  createHash(nodeHash(options.digestAlgorithm));
  return (scheme, credentials) => {
    if (scheme === 'ip') return []; // whatever it says, the address is known
    if (scheme === 'ensemble') return options.ensemble?.check(credentials) ?? null;
    if (scheme !== 'digest' || !options.digestEnabled) return null;
    const text = Buffer.from(credentials).toString('utf8');
    if (text === '') return null;
    const id = digestId(text, options.digestAlgorithm);
    const isSuper = options.superDigest !== null && isEqual(id, options.superDigest);
    return isSuper ? [SUPERUSER, { scheme, id }] : [{ scheme, id }];
  };
}

/**
 * What a verified certificate (DER; undefined when there is none) proves: its subject as Java writes it, and `super` when
 * that is `superUser` letter by letter (X509AuthenticationProvider.superUser). A certificate without a subject proves
 * nothing.
 */
export function certificateIdentities(certificate: Uint8Array | undefined, superUser: string | null): Identity[] {
  const id = certificate === undefined ? '' : subjectName(certificate);
  if (id === '') return [];
  const identity = { scheme: 'x509', id };
  return id === superUser ? [SUPERUSER, identity] : [identity];
}

function isEqual(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}
