// The secret that all servers of an ensemble know (quorum.auth.secret), and how two of them prove it to each other without
// showing it. Each side adds a fresh number to its introduction; a proof is a keyed hash over both introductions as they
// went over the wire, so it is good for these two servers, in these roles, and this once. The side that was dialled proves
// itself second: who merely connects learns nothing that he could guess against.
//
// The key is derived slowly, once a start. What follows on the link is not protected by it: against somebody who can read
// or change what is on the wire, only TLS helps.

import { createHmac, randomBytes, scryptSync, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ConfigError, checkSecret, type ServerConfig } from '../config/index.js';

export type Side = 'dialler' | 'dialled';

const SALT = 'zabra: the secret of an ensemble';
const KEY_BYTES = 32;
const NONCE_BYTES = 16;

export class PeerSecret {
  /** Others without a secret are turned away. */
  readonly isRequired: boolean;
  private readonly key: Buffer;

  constructor(secret: string, isRequired = true) {
    this.key = scryptSync(secret.normalize('NFKC'), SALT, KEY_BYTES);
    this.isRequired = isRequired;
  }

  /** What makes a proof good for one introduction only. */
  nonce(): string {
    return randomBytes(NONCE_BYTES).toString('hex');
  }

  /** `hello` and `welcome` as they were sent. */
  proof(side: Side, hello: string, welcome: string): string {
    return createHmac('sha256', this.key)
      .update(JSON.stringify([side, hello, welcome]))
      .digest('hex');
  }

  isProof(text: string, side: Side, hello: string, welcome: string): boolean {
    const expected = Buffer.from(this.proof(side, hello, welcome));
    const given = Buffer.from(text);
    return given.length === expected.length && timingSafeEqual(given, expected);
  }
}

/** Null when there is none. Throws ConfigError when its file cannot be read or holds too little. */
export function openPeerSecret(
  config: Pick<ServerConfig, 'quorumSecret' | 'quorumSecretPath' | 'quorumSecretRequired'>,
): PeerSecret | null {
  const { quorumSecret, quorumSecretPath, quorumSecretRequired } = config;
  const secret = quorumSecretPath === undefined ? quorumSecret : secretOf(quorumSecretPath);
  return secret === undefined ? null : new PeerSecret(secret, quorumSecretRequired);
}

function secretOf(file: string): string {
  const key = 'quorum.auth.secretPath';
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (error) {
    const problem = `${file} cannot be read (${(error as NodeJS.ErrnoException).code})`;
    throw new ConfigError({ key, problem, remedy: 'check the path and who may read it' });
  }
  checkSecret(text, key);
  return text;
}
