// Logging in with a name and a password that never crosses the wire: SCRAM-SHA-256 (RFC 5802, 7677), or DIGEST-MD5 (RFC
// 2831) as real ZooKeeper has it. Bytes in, bytes out: an exchange answers one token of the server after the other, and
// ends when the server, too, has proved that it knows the password. Hashes and nonces come from outside.

import type { SaslCrypto } from './sasl-crypto.js';

export interface SaslOptions {
  /**
   * `SCRAM-SHA-256` with Zabra's servers; real ZooKeeper knows `DIGEST-MD5` only. Nobody who listens learns the password
   * from either, but MD5 lets him try guesses fast: use TLS with it.
   */
  readonly mechanism: 'SCRAM-SHA-256' | 'DIGEST-MD5';
  readonly username: string;
  readonly password: string;
}

/** One login. Each method throws SaslError when the server says what it must not. */
export interface SaslExchange {
  /** The client's first token. */
  start(): Uint8Array;
  /** The answer to a token of the server; null when that was the last one, and both sides are satisfied. */
  next(token: Uint8Array): Uint8Array | null;
}

export class SaslError extends Error {
  override readonly name = 'SaslError';
}

/** Bounds on what a server may make us compute, and on how little protects the password. */
const ITERATIONS_MIN = 4096;
const ITERATIONS_MAX = 1_000_000;
/** Client channel binding flag "n" and no other identity; and the same in base64. */
const GS2_HEADER = 'n,,';
const GS2_HEADER_BASE64 = 'biws';
/** The digest-uri of ZooKeeper: these words, whatever the host is. */
const DIGEST_URI = 'zookeeper/zk-sasl-md5';

export function saslExchange(options: SaslOptions, crypto: SaslCrypto): SaslExchange {
  return options.mechanism === 'DIGEST-MD5' ? new DigestMd5(options, crypto) : new Scram(options, crypto);
}

class Scram implements SaslExchange {
  readonly #crypto: SaslCrypto;
  readonly #password: string;
  readonly #nonce: string;
  readonly #firstBare: string;
  /** Once the server has sent its challenge: the signature that proves that it knows the password. */
  #serverSignature: Uint8Array | undefined;

  constructor({ username, password }: SaslOptions, crypto: SaslCrypto) {
    this.#crypto = crypto;
    this.#password = password.normalize('NFKC');
    this.#nonce = crypto.nonce();
    const name = username.normalize('NFKC').replaceAll('=', '=3D').replaceAll(',', '=2C');
    this.#firstBare = `n=${name},r=${this.#nonce}`;
  }

  start(): Uint8Array {
    return Buffer.from(GS2_HEADER + this.#firstBare);
  }

  next(token: Uint8Array): Uint8Array | null {
    const text = Buffer.from(token).toString();
    if (this.#serverSignature === undefined) return this.#prove(text);
    const signature = Buffer.from(attribute(text, 'v'), 'base64');
    if (!this.#crypto.isEqual(signature, this.#serverSignature)) {
      throw new SaslError('the server could not prove that it knows the password');
    }
    return null;
  }

  #prove(serverFirst: string): Uint8Array {
    const { hmac, hash, derive } = this.#crypto;
    const nonces = attribute(serverFirst, 'r');
    const iterations = Number(attribute(serverFirst, 'i'));
    if (!nonces.startsWith(this.#nonce) || nonces.length === this.#nonce.length) {
      throw new SaslError('the server answered another login');
    }
    if (!Number.isInteger(iterations) || iterations < ITERATIONS_MIN || iterations > ITERATIONS_MAX) {
      throw new SaslError(
        `the server asks for ${iterations} iterations, ${ITERATIONS_MIN} to ${ITERATIONS_MAX} are taken`,
      );
    }
    const salted = derive(this.#password, Buffer.from(attribute(serverFirst, 's'), 'base64'), iterations);
    const withoutProof = `c=${GS2_HEADER_BASE64},r=${nonces}`;
    const message = `${this.#firstBare},${serverFirst},${withoutProof}`;
    const clientKey = hmac(salted, 'Client Key');
    const clientSignature = hmac(hash('sha256', clientKey), message);
    this.#serverSignature = hmac(hmac(salted, 'Server Key'), message);
    const proof = clientKey.map((byte, i) => byte ^ clientSignature[i]);
    return Buffer.from(`${withoutProof},p=${Buffer.from(proof).toString('base64')}`);
  }
}

/** The value of `name=value` in a list with commas. */
function attribute(text: string, name: string): string {
  const found = text.split(',').find((part) => part.startsWith(`${name}=`));
  if (found === undefined) throw new SaslError(`the server's token has no ${name}=`);
  return found.slice(name.length + 1);
}

class DigestMd5 implements SaslExchange {
  readonly #crypto: SaslCrypto;
  readonly #options: SaslOptions;
  /** Once we have answered the challenge: what the server has to answer. */
  #expected: string | undefined;

  constructor(options: SaslOptions, crypto: SaslCrypto) {
    this.#options = options;
    this.#crypto = crypto;
  }

  start(): Uint8Array {
    return new Uint8Array(0);
  }

  next(token: Uint8Array): Uint8Array | null {
    const directives = parseDirectives(Buffer.from(token).toString());
    if (this.#expected === undefined) return this.#respond(directives);
    if (directives.get('rspauth') !== this.#expected) {
      throw new SaslError('the server could not prove that it knows the password');
    }
    return null;
  }

  #respond(challenge: ReadonlyMap<string, string>): Uint8Array {
    const { username, password } = this.#options;
    const nonce = challenge.get('nonce');
    if (nonce === undefined) throw new SaslError("the server's challenge has no nonce");
    const realm = challenge.get('realm') ?? '';
    const cnonce = this.#crypto.nonce();
    const md5 = (...parts: (string | Uint8Array)[]) =>
      this.#crypto.hash(
        'md5',
        Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part))),
      );
    const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
    const secret = md5(hashed(username), ':', hashed(realm), ':', hashed(password));
    const key = hex(md5(secret, `:${nonce}:${cnonce}`));
    const digest = (method: string) =>
      hex(md5(`${key}:${nonce}:00000001:${cnonce}:auth:${hex(md5(`${method}:${DIGEST_URI}`))}`));
    this.#expected = digest('');
    return Buffer.from(
      [
        'charset=utf-8',
        `username=${quoted(username)}`,
        `realm=${quoted(realm)}`,
        `nonce=${quoted(nonce)}`,
        'nc=00000001',
        `cnonce=${quoted(cnonce)}`,
        `digest-uri=${quoted(DIGEST_URI)}`,
        'maxbuf=65536',
        `response=${digest('AUTHENTICATE')}`,
        'qop=auth',
      ].join(','),
    );
  }
}

/** In ISO 8859-1 where that can hold it (RFC 2831, 2.1.2.1). */
function hashed(text: string): Uint8Array {
  const isLatin1 = [...text].every((character) => character <= '\u00ff');
  return Buffer.from(text, isLatin1 ? 'latin1' : 'utf8');
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/** `name=value` and `name="value"`, with commas between. */
function parseDirectives(text: string): Map<string, string> {
  const pattern = /([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^,"\s]*))/g;
  return new Map(
    [...text.matchAll(pattern)].map(([, name, inQuotes, plain]) => [name, inQuotes?.replace(/\\(.)/g, '$1') ?? plain]),
  );
}
