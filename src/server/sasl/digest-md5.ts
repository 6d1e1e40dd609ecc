// A login by DIGEST-MD5 (RFC 2831), the server's side, as ZooKeeper's Java server speaks it; Java, C and Python clients of
// ZooKeeper know no other mechanism with passwords. The RFC has been withdrawn (RFC 6331): MD5, no protection of what
// follows, and verifiers that are as good as passwords. It is here for those clients; over TLS it does no harm.
//
//   (nothing)                                →
//                                            ←  realm, nonce, charset, algorithm
//   username, realm, nonce, cnonce, nc, …    →
//   digest-uri, response, qop                ←  rspauth

import { createHash, timingSafeEqual } from 'node:crypto';
import type { SaslExchange } from '../../core/io.js';
import type { MechanismContext } from './mechanism.js';
import { REALM } from './verifiers.js';

const DIGEST_URI = `zookeeper/${REALM}`;
/** Of its nonce, which is used for one login only. */
const FIRST_COUNT = '00000001';
const RESPONSE = /^[0-9a-f]{32}$/;
const DIRECTIVE = /\s*([a-z0-9-]+)\s*=\s*(?:"((?:[^"\\]|\\[\s\S])*)"|([^\s",]+))\s*(?:,|$)/y;

export function digestMd5Exchange({ findUser, nonce, serverSecret }: MechanismContext): SaslExchange {
  let isChallenged = false;

  return (token) => {
    if (!isChallenged) {
      isChallenged = true;
      if (token.length > 0) return null;
      const challenge = `realm="${REALM}",nonce="${nonce}",charset=utf-8,algorithm=md5-sess`;
      return { token: Buffer.from(challenge), identities: null };
    }
    // One character a byte: what is hashed is hashed as it came.
    const sent = parseDirectives(Buffer.from(token).toString('latin1'));
    if (sent === null) return null;
    const user = decode(sent.get('username'), sent.get('charset'));
    const authzid = sent.get('authzid');
    const uri = sent.get('digest-uri') ?? '';
    const cnonce = sent.get('cnonce') ?? '';
    const response = sent.get('response') ?? '';
    const isMeantForUs =
      sent.get('realm') === REALM &&
      sent.get('nonce') === nonce &&
      sent.get('nc') === FIRST_COUNT &&
      (sent.get('qop') ?? 'auth') === 'auth' &&
      (authzid === undefined || authzid === sent.get('username')) &&
      uri.toLowerCase() === DIGEST_URI;
    if (!isMeantForUs || user === null || cnonce === '' || !RESPONSE.test(response)) return null;
    const verifier = findUser(user)?.digestMd5;
    const tail = `:${nonce}:${cnonce}${authzid === undefined ? '' : `:${authzid}`}`;
    const a1 = md5(verifier ?? serverSecret, Buffer.from(tail, 'latin1')).toString('hex');
    const responseTo = (a2: string): string => {
      const hashed = md5(Buffer.from(a2, 'latin1')).toString('hex');
      return md5(Buffer.from(`${a1}:${nonce}:${FIRST_COUNT}:${cnonce}:auth:${hashed}`, 'latin1')).toString('hex');
    };
    const isProven = timingSafeEqual(Buffer.from(response), Buffer.from(responseTo(`AUTHENTICATE:${uri}`)));
    if (!isProven || verifier === undefined) return null;
    return { token: Buffer.from(`rspauth=${responseTo(`:${uri}`)}`), identities: [{ scheme: 'sasl', id: user }] };
  };
}

function md5(...parts: readonly Buffer[]): Buffer {
  const hash = createHash('md5');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** Null for a text that is none; a name that comes twice is none either. */
function parseDirectives(text: string): Map<string, string> | null {
  const found = new Map<string, string>();
  DIRECTIVE.lastIndex = 0;
  while (DIRECTIVE.lastIndex < text.length) {
    const [, name, quoted, plain] = DIRECTIVE.exec(text) ?? [];
    if (name === undefined || found.has(name)) return null;
    found.set(name, quoted === undefined ? (plain as string) : quoted.replace(/\\([\s\S])/g, '$1'));
  }
  return found;
}

function decode(name: string | undefined, charset: string | undefined): string | null {
  if (name === undefined || name === '') return null;
  return charset?.toLowerCase() === 'utf-8' ? Buffer.from(name, 'latin1').toString('utf8') : name;
}
