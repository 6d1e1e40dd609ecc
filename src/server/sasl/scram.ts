// A login by SCRAM-SHA-256 (RFC 5802, RFC 7677), the server's side. The password crosses the wire in no form, the server
// does not have it, and the client learns that the server has its verifier: nobody can pose as the other.
//
//   n,,n=<user>,r=<nonce>                  →
//                                          ←  r=<both nonces>,s=<salt>,i=<iterations>
//   c=<header>,r=<both nonces>,p=<proof>   →
//                                          ←  v=<signature>
//
// Channel binding is not offered, nor is acting for another user. Somebody unknown is asked for a proof all the same, with
// a salt that is always his, so that the names of users cannot be found out.

import { timingSafeEqual } from 'node:crypto';
import type { SaslExchange } from '../../core/io.js';
import type { MechanismContext } from './mechanism.js';
import { DEFAULT_ITERATIONS, hmac, KEY_BYTES, type ScramVerifier, sha256 } from './verifiers.js';

const FIRST = /^([ny],,)(n=([^,]+),r=([\x21-\x2b\x2d-\x7e]{1,256}))$/;
const FINAL = /^(c=([A-Za-z0-9+/=]+),r=([\x21-\x2b\x2d-\x7e]+)),p=([A-Za-z0-9+/]{43}=)$/;
const SALT_BYTES = 16;

/** Whether a first token begins such a login. */
export function beginsScram(token: Buffer): boolean {
  return token[1] === 0x2c && (token[0] === 0x6e || token[0] === 0x79);
}

export function scramExchange({ findUser, nonce, serverSecret }: MechanismContext): SaslExchange {
  let expected: { readonly header: string; readonly nonces: string; readonly messages: string } | null = null;
  let user = '';
  let verifier: ScramVerifier | undefined;

  const first = (text: string) => {
    const [, header, bare, name, clientNonce] = FIRST.exec(text) ?? [];
    const decoded = name === undefined ? null : decodeName(name);
    if (header === undefined || bare === undefined || decoded === null) return null;
    user = decoded;
    verifier = findUser(user)?.scram;
    const salt = verifier?.salt ?? hmac(serverSecret, user).subarray(0, SALT_BYTES);
    const nonces = `${clientNonce}${nonce}`;
    const answer = `r=${nonces},s=${salt.toString('base64')},i=${verifier?.iterations ?? DEFAULT_ITERATIONS}`;
    expected = { header, nonces, messages: `${bare},${answer}` };
    return { token: Buffer.from(answer), identities: null };
  };

  const final = (text: string, { header, nonces, messages }: NonNullable<typeof expected>) => {
    const [, withoutProof, binding, sentNonces, proof] = FINAL.exec(text) ?? [];
    if (binding === undefined || proof === undefined) return null;
    if (binding !== Buffer.from(header).toString('base64') || sentNonces !== nonces) return null;
    const { storedKey, serverKey } = verifier ?? { storedKey: serverSecret, serverKey: serverSecret };
    const all = `${messages},${withoutProof}`;
    const signature = hmac(storedKey, all);
    const clientKey = Buffer.from(proof, 'base64');
    for (let i = 0; i < KEY_BYTES; i++) clientKey[i] = (clientKey[i] as number) ^ (signature[i] as number);
    if (!timingSafeEqual(sha256(clientKey), storedKey) || verifier === undefined) return null;
    return {
      token: Buffer.from(`v=${hmac(serverKey, all).toString('base64')}`),
      identities: [{ scheme: 'sasl', id: user }],
    };
  };

  return (token) => {
    const text = Buffer.from(token).toString('utf8');
    return expected === null ? first(text) : final(text, expected);
  };
}

/** A comma is written =2C, an equals sign =3D; null for any other use of it. */
function decodeName(name: string): string | null {
  if (/=(?!2C|3D)/.test(name)) return null;
  return name.replaceAll('=2C', ',').replaceAll('=3D', '=').normalize('NFKC');
}
