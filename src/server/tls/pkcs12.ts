// A key store of type PKCS12, as keytool and openssl make it (RFC 7292): keys and certificates in bags, the bags in
// boxes, most boxes encrypted. Node can load one too, but not one without a key, which is what a trust store is, and it
// would trust every certificate that lies beside a key. So it is taken apart here, and handed on as PEM.
//
// Decrypted is what the tools of the last years write (PBES2) and what older ones do (SHA-1 with three-key DES, and no
// encryption). The 40-bit RC2 of the oldest is refused, as OpenSSL does. The MAC is what tells a wrong password.

import {
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  type KeyObject,
  pbkdf2Sync,
  timingSafeEqual,
  X509Certificate,
} from 'node:crypto';
import { children, type DerError, type DerValue, expectTag, integerValue, oidText, readDer, Tag } from './der.js';

export interface KeyStoreContents {
  readonly keys: readonly KeyObject[];
  readonly certificates: readonly X509Certificate[];
}

/** What is wrong with a PKCS12 file: a phrase that follows its name. Also thrown, as DerError, for garbage. */
export class Pkcs12Error extends Error {
  override readonly name: string = 'Pkcs12Error';
}

export class WrongPasswordError extends Pkcs12Error {
  override readonly name = 'WrongPasswordError';
}

/** What may be thrown by readPkcs12. */
export type Pkcs12Failure = Pkcs12Error | DerError;

const Oid = {
  data: '1.2.840.113549.1.7.1',
  encryptedData: '1.2.840.113549.1.7.6',
  keyBag: '1.2.840.113549.1.12.10.1.1',
  shroudedKeyBag: '1.2.840.113549.1.12.10.1.2',
  certificateBag: '1.2.840.113549.1.12.10.1.3',
  x509Certificate: '1.2.840.113549.1.9.22.1',
  pbes2: '1.2.840.113549.1.5.13',
  pbkdf2: '1.2.840.113549.1.5.12',
  sha1TripleDes: '1.2.840.113549.1.12.1.3',
} as const;

const HASHES: ReadonlyMap<string, string> = new Map([
  ['1.3.14.3.2.26', 'sha1'],
  ['2.16.840.1.101.3.4.2.1', 'sha256'],
  ['2.16.840.1.101.3.4.2.2', 'sha384'],
  ['2.16.840.1.101.3.4.2.3', 'sha512'],
]);
const HMACS: ReadonlyMap<string, string> = new Map([
  ['1.2.840.113549.2.7', 'sha1'],
  ['1.2.840.113549.2.9', 'sha256'],
  ['1.2.840.113549.2.10', 'sha384'],
  ['1.2.840.113549.2.11', 'sha512'],
]);
const CIPHERS: ReadonlyMap<string, { readonly name: string; readonly keyBytes: number }> = new Map([
  ['2.16.840.1.101.3.4.1.2', { name: 'aes-128-cbc', keyBytes: 16 }],
  ['2.16.840.1.101.3.4.1.22', { name: 'aes-192-cbc', keyBytes: 24 }],
  ['2.16.840.1.101.3.4.1.42', { name: 'aes-256-cbc', keyBytes: 32 }],
  ['1.2.840.113549.3.7', { name: 'des-ede3-cbc', keyBytes: 24 }],
]);
/** What the bytes are derived for (RFC 7292, B.3). */
const Purpose = { key: 1, iv: 2, mac: 3 } as const;
const DES_KEY_BYTES = 24;
const DES_IV_BYTES = 8;
/** More would be a denial of service by one's own file. */
const ITERATIONS_MAX = 10_000_000;

/** Everything in a file. Throws WrongPasswordError, Pkcs12Error for what is not understood, DerError for garbage. */
export function readPkcs12(bytes: Uint8Array, password: string): KeyStoreContents {
  const [, content, mac] = children(expectTag(readDer(bytes), Tag.sequence));
  const boxes = octets(contentOf(expectTag(content, Tag.sequence), Oid.data));
  if (mac !== undefined) checkMac(mac, boxes, password);
  const keys: KeyObject[] = [];
  const certificates: X509Certificate[] = [];
  for (const box of children(expectTag(readDer(boxes), Tag.sequence))) {
    for (const bag of children(expectTag(readDer(openBox(box, password)), Tag.sequence))) {
      const [type, value] = children(expectTag(bag, Tag.sequence));
      const inner = readDer(expectTag(value, Tag.explicit0).content);
      switch (oidText(type)) {
        case Oid.keyBag:
        case Oid.shroudedKeyBag:
          keys.push(privateKey(inner.whole, password));
          break;
        case Oid.certificateBag:
          certificates.push(...certificatesOf(inner));
          break;
      }
    }
  }
  return { keys, certificates };
}

/** Of a ContentInfo: what is inside of its [0]. */
function contentOf(info: DerValue, oid: string): DerValue {
  const [type, content] = children(info);
  const found = oidText(type);
  if (found !== oid) throw new Pkcs12Error(`is protected in a way that is not understood (${found})`);
  return readDer(expectTag(content, Tag.explicit0).content);
}

function octets(value: DerValue | undefined): Uint8Array {
  return expectTag(value, Tag.octetString).content;
}

function openBox(box: DerValue, password: string): Uint8Array {
  const [type] = children(expectTag(box, Tag.sequence));
  if (oidText(type) === Oid.data) return octets(contentOf(box, Oid.data));
  const [, encrypted] = children(contentOf(box, Oid.encryptedData));
  const [, algorithm, content] = children(expectTag(encrypted, Tag.sequence));
  return decrypt(expectTag(algorithm, Tag.sequence), expectTag(content, Tag.implicit0).content, password);
}

function decrypt(algorithm: DerValue, content: Uint8Array, password: string): Uint8Array {
  const [type, parameters] = children(algorithm);
  const oid = oidText(type);
  const { cipher, key, iv } = oid === Oid.pbes2 ? pbes2(parameters, password) : pbes1(oid, parameters, password);
  try {
    const decipher = createDecipheriv(cipher, key, iv);
    return Buffer.concat([decipher.update(content), decipher.final()]);
  } catch {
    throw new WrongPasswordError('cannot be decrypted with this password');
  }
}

interface Unlocking {
  readonly cipher: string;
  readonly key: Uint8Array;
  readonly iv: Uint8Array;
}

function pbes2(parameters: DerValue | undefined, password: string): Unlocking {
  const [derivation, scheme] = children(expectTag(parameters, Tag.sequence));
  const [derivationType, derivationParameters] = children(expectTag(derivation, Tag.sequence));
  const [cipherType, iv] = children(expectTag(scheme, Tag.sequence));
  const cipher = CIPHERS.get(oidText(cipherType));
  if (oidText(derivationType) !== Oid.pbkdf2 || cipher === undefined) throw oldFashioned(oidText(cipherType));
  const [salt, count, ...rest] = children(expectTag(derivationParameters, Tag.sequence));
  // Between them may stand the length of the key, which follows from the cipher.
  const hmacField = rest.find(({ tag }) => tag === Tag.sequence);
  const hmac = hmacField === undefined ? 'sha1' : HMACS.get(oidText(children(hmacField)[0]));
  if (hmac === undefined) throw oldFashioned('its hash');
  const key = pbkdf2Sync(password, octets(salt), iterations(count), cipher.keyBytes, hmac);
  return { cipher: cipher.name, key, iv: octets(iv) };
}

function pbes1(oid: string, parameters: DerValue | undefined, password: string): Unlocking {
  if (oid !== Oid.sha1TripleDes) throw oldFashioned(oid);
  const [salt, count] = children(expectTag(parameters, Tag.sequence));
  const derive = (purpose: number, length: number) =>
    deriveBytes('sha1', password, octets(salt), iterations(count), purpose, length);
  return {
    cipher: 'des-ede3-cbc',
    key: derive(Purpose.key, DES_KEY_BYTES),
    iv: derive(Purpose.iv, DES_IV_BYTES),
  };
}

function oldFashioned(algorithm: string): Pkcs12Error {
  return new Pkcs12Error(`is encrypted by an algorithm that is not offered (${algorithm})`);
}

function iterations(value: DerValue | undefined): number {
  const count = integerValue(value);
  if (count < 1 || count > ITERATIONS_MAX) throw new Pkcs12Error(`asks for ${count} iterations`);
  return count;
}

function checkMac(mac: DerValue, content: Uint8Array, password: string): void {
  const [digestInfo, salt, count] = children(expectTag(mac, Tag.sequence));
  const [algorithm, expected] = children(expectTag(digestInfo, Tag.sequence));
  const hash = HASHES.get(oidText(children(expectTag(algorithm, Tag.sequence))[0]));
  if (hash === undefined) throw oldFashioned('its MAC');
  const times = count === undefined ? 1 : iterations(count);
  const length = createHash(hash).digest().length;
  const key = deriveBytes(hash, password, octets(salt), times, Purpose.mac, length);
  const found = createHmac(hash, key).update(content).digest();
  const wanted = octets(expected);
  if (found.length !== wanted.length || !timingSafeEqual(found, wanted)) {
    throw new WrongPasswordError('does not open with this password');
  }
}

/** The key derivation of PKCS12 (RFC 7292, B.2): numbers of `blockBytes` each, counted up by what was hashed last. */
function deriveBytes(
  hash: string,
  password: string,
  salt: Uint8Array,
  times: number,
  purpose: number,
  length: number,
): Uint8Array {
  const blockBytes = hash === 'sha384' || hash === 'sha512' ? 128 : 64;
  const diversifier = new Uint8Array(blockBytes).fill(purpose);
  const blocks = Buffer.concat([filled(salt, blockBytes), filled(bmpPassword(password), blockBytes)]);
  const parts: Buffer[] = [];
  for (let have = 0; have < length; ) {
    let digest = createHash(hash).update(diversifier).update(blocks).digest();
    for (let i = 1; i < times; i++) digest = createHash(hash).update(digest).digest();
    parts.push(digest);
    have += digest.length;
    const addend = filled(digest, blockBytes).subarray(0, blockBytes);
    for (let start = 0; start < blocks.length; start += blockBytes) {
      let carry = 1;
      for (let i = blockBytes - 1; i >= 0; i--) {
        carry += blocks[start + i]! + addend[i]!;
        blocks[start + i] = carry & 0xff;
        carry >>= 8;
      }
    }
  }
  return Buffer.concat(parts).subarray(0, length);
}

/** Repeated until a whole number of blocks is full. */
function filled(bytes: Uint8Array, blockBytes: number): Buffer {
  const size = Math.ceil(bytes.length / blockBytes) * blockBytes;
  return bytes.length === 0 ? Buffer.alloc(0) : Buffer.alloc(size, bytes);
}

/** Two bytes a character, the high one first, and a zero at the end. */
function bmpPassword(password: string): Uint8Array {
  return Buffer.from(`${password}\0`, 'utf16le').swap16();
}

function privateKey(der: Uint8Array, password: string): KeyObject {
  try {
    return createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8', passphrase: password });
  } catch {
    throw new WrongPasswordError('has a private key that does not open with this password');
  }
}

/** One, or none when it is not an X.509 certificate. */
function certificatesOf(bag: DerValue): X509Certificate[] {
  const [type, value] = children(expectTag(bag, Tag.sequence));
  if (oidText(type) !== Oid.x509Certificate) return [];
  return [new X509Certificate(Buffer.from(octets(readDer(expectTag(value, Tag.explicit0).content))))];
}
