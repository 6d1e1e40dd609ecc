/**
 * The clients' side of both mechanisms, written from the RFCs alone and checked against their examples, so that server
 * and test do not share a misunderstanding.
 */
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';

const md5 = (...parts: (string | Buffer)[]): Buffer => {
  const hash = createHash('md5');
  for (const part of parts) hash.update(part);
  return hash.digest();
};
const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/** 2.1.2.1: what fits into ISO 8859-1 is hashed in it, although it is sent as UTF-8. */
const octets = (text: string): Buffer => Buffer.from(text, /^[\0-\xff]*$/.test(text) ? 'latin1' : 'utf8');

/** Values of name=value or name="value" between commas; none of those in use here has a comma or a quote in it. */
export function fieldsOf(text: string): Record<string, string> {
  const pairs = text.split(',').map((part) => {
    const at = part.indexOf('=');
    return [part.slice(0, at), part.slice(at + 1).replace(/^"(.*)"$/, '$1')];
  });
  return Object.fromEntries(pairs);
}

export interface DigestLogin {
  readonly user: string;
  readonly password: string;
  readonly realm?: string;
  readonly uri?: string;
  readonly cnonce?: string;
  readonly nonce: string;
  readonly authzid?: string;
}

/** The `response` of RFC 2831, or its `rspauth` when `method` is empty. */
export function digestResponse(login: DigestLogin, method = 'AUTHENTICATE'): string {
  const { user, password, realm = 'zk-sasl-md5', uri = 'zookeeper/zk-sasl-md5', cnonce = 'fresh', nonce } = login;
  const secret = md5(octets(user), `:${realm}:`, octets(password));
  const a1 = md5(secret, `:${nonce}:${cnonce}${login.authzid === undefined ? '' : `:${login.authzid}`}`).toString(
    'hex',
  );
  const a2 = md5(`${method}:${uri}`).toString('hex');
  return md5(`${a1}:${nonce}:00000001:${cnonce}:auth:${a2}`).toString('hex');
}

/** The second token of a client. */
export function digestToken(login: DigestLogin, changes: Record<string, string> = {}): string {
  const { user, realm = 'zk-sasl-md5', uri = 'zookeeper/zk-sasl-md5', cnonce = 'fresh', nonce, authzid } = login;
  const fields = {
    charset: 'utf-8',
    username: `"${user}"`,
    realm: `"${realm}"`,
    nonce: `"${nonce}"`,
    nc: '00000001',
    cnonce: `"${cnonce}"`,
    'digest-uri': `"${uri}"`,
    maxbuf: '65536',
    response: digestResponse(login),
    qop: 'auth',
    ...(authzid === undefined ? {} : { authzid: `"${authzid}"` }),
    ...changes,
  };
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${value}`)
    .join(',');
}

export interface ScramLogin {
  readonly user: string;
  readonly password: string;
  readonly nonce?: string;
  readonly header?: string;
}

export function scramFirst({ user, nonce = 'client-nonce', header = 'n,,' }: ScramLogin): string {
  return `${header}n=${user},r=${nonce}`;
}

/** The last token of a client, and the signature it has to hear. */
export function scramFinal(login: ScramLogin, answer: string): { token: string; signature: string } {
  const { password, header = 'n,,' } = login;
  const { r = '', s = '', i = '0' } = fieldsOf(answer);
  const salted = pbkdf2Sync(password, Buffer.from(s, 'base64'), Number(i), 32, 'sha256');
  const clientKey = hmac(salted, 'Client Key');
  const withoutProof = `c=${Buffer.from(header).toString('base64')},r=${r}`;
  const messages = `${scramFirst(login).slice(header.length)},${answer},${withoutProof}`;
  const signature = hmac(createHash('sha256').update(clientKey).digest(), messages);
  const proof = clientKey.map((byte, at) => byte ^ (signature[at] as number));
  return {
    token: `${withoutProof},p=${Buffer.from(proof).toString('base64')}`,
    signature: hmac(hmac(salted, 'Server Key'), messages).toString('base64'),
  };
}
