// The hashes and the randomness that a login takes, from Node.

import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto';

const NONCE_BYTES = 24;
const KEY_BYTES = 32;

export interface SaslCrypto {
  /** Random text without a comma, another one each time. */
  nonce(): string;
  hash(algorithm: 'md5' | 'sha256', bytes: Uint8Array): Uint8Array;
  /** HMAC-SHA-256. */
  hmac(key: Uint8Array, message: string): Uint8Array;
  /** PBKDF2 with HMAC-SHA-256, to 32 bytes. */
  derive(password: string, salt: Uint8Array, iterations: number): Uint8Array;
  /** In constant time. */
  isEqual(a: Uint8Array, b: Uint8Array): boolean;
}

/** Remembers the last derivation, which is what takes its time, so that reconnects do not repeat it. */
export function nodeCrypto(): SaslCrypto {
  let last:
    | { readonly password: string; readonly salt: string; readonly iterations: number; key: Uint8Array }
    | undefined;
  return {
    nonce: () => randomBytes(NONCE_BYTES).toString('base64'),
    hash: (algorithm, bytes) => createHash(algorithm).update(bytes).digest(),
    hmac: (key, message) => createHmac('sha256', key).update(message).digest(),
    derive: (password, saltBytes, iterations) => {
      const salt = Buffer.from(saltBytes).toString('base64');
      if (last?.password !== password || last.salt !== salt || last.iterations !== iterations) {
        last = { password, salt, iterations, key: pbkdf2Sync(password, saltBytes, iterations, KEY_BYTES, 'sha256') };
      }
      return last.key;
    },
    isEqual: (a, b) => a.length === b.length && timingSafeEqual(a, b),
  };
}
