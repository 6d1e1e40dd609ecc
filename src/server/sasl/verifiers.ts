// What a server has to know of a user's password to check a login, without the password itself.
//
//   SCRAM-SHA-256   salt, iterations, and two keys: neither lets anybody log in who steals them (RFC 5802, 3)
//   DIGEST-MD5      MD5(user:realm:password): whoever steals it can log in by DIGEST-MD5, not by anything else (RFC 2831)
//
// A line of the credentials file holds one of them:
//
//   bob:SCRAM-SHA-256$16384:<salt>$<StoredKey>:<ServerKey>         base64
//   bob:DIGEST-MD5$zk-sasl-md5$<32 hexadecimal digits>

import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';

/** The one realm and digest-uri of ZooKeeper's DIGEST-MD5, whatever the server's name is. */
export const REALM = 'zk-sasl-md5';

/** RFC 7677 wants 4096 at least; the client does this work at each login, the server when the line is made. */
export const DEFAULT_ITERATIONS = 16_384;
export const ITERATIONS_MIN = 4096;
/** A client would not take more. */
export const ITERATIONS_MAX = 1_000_000;
const SALT_BYTES = 16;
export const KEY_BYTES = 32;
const MD5_BYTES = 16;

export interface ScramVerifier {
  readonly iterations: number;
  readonly salt: Buffer;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

/** One user's. A mechanism whose verifier is missing cannot be used. */
export interface Verifiers {
  readonly scram?: ScramVerifier | undefined;
  /** MD5(user:realm:password). */
  readonly digestMd5?: Buffer | undefined;
}

export const sha256 = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest();
export const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

export function scramVerifier(
  password: string,
  iterations = DEFAULT_ITERATIONS,
  salt: Buffer = randomBytes(SALT_BYTES),
): ScramVerifier {
  const salted = pbkdf2Sync(password.normalize('NFKC'), salt, iterations, KEY_BYTES, 'sha256');
  return { iterations, salt, storedKey: sha256(hmac(salted, 'Client Key')), serverKey: hmac(salted, 'Server Key') };
}

export function digestMd5Verifier(user: string, password: string): Buffer {
  const hash = createHash('md5');
  return hash.update(encoded(user)).update(`:${REALM}:`).update(encoded(password)).digest();
}

/** As RFC 2831, 2.1.2.1 wants it: one byte a character where that is possible, UTF-8 otherwise. */
function encoded(text: string): Buffer {
  return Buffer.from(text, [...text].every((character) => character <= '\u00ff') ? 'latin1' : 'utf8');
}

/** The lines of the credentials file for a user. Throws RangeError for a name that no line can hold. */
export function credentialLines(user: string, { scram, digestMd5 }: Verifiers): string[] {
  if (user === '' || /[:\s\p{Cc}]/u.test(user) || user.startsWith('#')) {
    throw new RangeError('the name of a user has no blank, no colon and no control character, and begins not with #');
  }
  const lines: string[] = [];
  if (scram !== undefined) {
    const { iterations, salt, storedKey, serverKey } = scram;
    const [a, b, c] = [salt, storedKey, serverKey].map((bytes) => bytes.toString('base64'));
    lines.push(`${user}:SCRAM-SHA-256$${iterations}:${a}$${b}:${c}`);
  }
  if (digestMd5 !== undefined) lines.push(`${user}:DIGEST-MD5$${REALM}$${digestMd5.toString('hex')}`);
  return lines;
}

/**
 * The lines of the credentials file for a user with this password; with `digestMd5` also one for clients that know no
 * SCRAM. Throws RangeError for a name that no line can hold.
 */
export function makeCredential(
  user: string,
  password: string,
  options: { readonly digestMd5?: boolean } = {},
): string[] {
  return credentialLines(user, {
    scram: scramVerifier(password),
    digestMd5: options.digestMd5 === true ? digestMd5Verifier(user, password) : undefined,
  });
}

const SCRAM_LINE = /^SCRAM-SHA-256\$(\d{1,7}):([A-Za-z0-9+/]+=*)\$([A-Za-z0-9+/]+=*):([A-Za-z0-9+/]+=*)$/;
const DIGEST_LINE = /^DIGEST-MD5\$([^$]*)\$([0-9a-fA-F]+)$/;

/** The user and the verifier of a line, or what is wrong with it, in words that quote nothing of it. */
export function parseCredentialLine(line: string): { readonly user: string; readonly verifiers: Verifiers } | string {
  const colon = line.indexOf(':');
  if (colon <= 0) return 'is not `user:verifier`';
  const user = line.slice(0, colon);
  const text = line.slice(colon + 1).trim();
  const scram = SCRAM_LINE.exec(text);
  if (scram !== null) {
    const [, count, ...parts] = scram;
    const iterations = Number(count);
    const [salt, storedKey, serverKey] = parts.map((part) => Buffer.from(part, 'base64')) as [Buffer, Buffer, Buffer];
    if (iterations < ITERATIONS_MIN || iterations > ITERATIONS_MAX)
      return `has iterations out of range (${iterations})`;
    if (storedKey.length !== KEY_BYTES || serverKey.length !== KEY_BYTES) return 'has keys of a wrong length';
    return { user, verifiers: { scram: { iterations, salt, storedKey, serverKey } } };
  }
  const digest = DIGEST_LINE.exec(text);
  if (digest === null) return 'holds neither a SCRAM-SHA-256 nor a DIGEST-MD5 verifier; passwords do not stand here';
  if (digest[1] !== REALM) return `is for another realm than ${REALM}`;
  const digestMd5 = Buffer.from(digest[2] as string, 'hex');
  return digestMd5.length === MD5_BYTES ? { user, verifiers: { digestMd5 } } : 'has a hash of a wrong length';
}
