// The name that a certificate gives its owner, written as Java's X500Principal.getName() writes it: that text is the
// id of scheme x509 in ACLs (E45), so ACLs that were made by ZooKeeper's users have to match it letter by letter. It is
// RFC 2253 with Java's habits: last part first, `=` and `#` escaped everywhere, types without a short name as numbers
// with their value in hexadecimal.

import { children, type DerValue, expectTag, oidText, readDer, Tag } from './der.js';

const KEYWORDS: ReadonlyMap<string, string> = new Map([
  ['2.5.4.3', 'CN'],
  ['2.5.4.6', 'C'],
  ['2.5.4.7', 'L'],
  ['2.5.4.8', 'ST'],
  ['2.5.4.9', 'STREET'],
  ['2.5.4.10', 'O'],
  ['2.5.4.11', 'OU'],
  ['0.9.2342.19200300.100.1.1', 'UID'],
  ['0.9.2342.19200300.100.1.25', 'DC'],
]);
const TEXT_TAGS: ReadonlySet<number> = new Set([
  Tag.utf8String,
  Tag.printableString,
  Tag.teletexString,
  Tag.ia5String,
  Tag.generalString,
  Tag.universalString,
  Tag.bmpString,
]);
/** In front of the subject: serial number, algorithm, issuer, validity; and before them, from v2 on, the version. */
const FIELDS_BEFORE_SUBJECT = 4;

/** `CN=alice,OU=dev,O=Example`; '' for a certificate without a subject. Throws DerError for what is no certificate. */
export function subjectName(certificate: Uint8Array): string {
  const [signedPart] = children(expectTag(readDer(certificate), Tag.sequence));
  const fields = children(expectTag(signedPart, Tag.sequence));
  const hasVersion = fields[0]?.tag === Tag.explicit0;
  return nameText(expectTag(fields[FIELDS_BEFORE_SUBJECT + (hasVersion ? 1 : 0)], Tag.sequence));
}

function nameText(name: DerValue): string {
  const parts = children(name).map((part) => children(part).map(attributeText).join('+'));
  return parts.reverse().join(',');
}

function attributeText(attribute: DerValue): string {
  const [type, value] = children(attribute);
  const oid = oidText(type);
  const keyword = KEYWORDS.get(oid);
  if (value === undefined) return `${keyword ?? oid}=`;
  if (keyword === undefined || !TEXT_TAGS.has(value.tag)) {
    return `${keyword ?? oid}=#${Buffer.from(value.whole).toString('hex')}`;
  }
  return `${keyword}=${escaped(Buffer.from(value.content).toString('utf8'))}`;
}

function escaped(text: string): string {
  return text
    .replace(/[,=+<>#;"\\]/g, '\\$&')
    .replaceAll('\0', '\\00')
    .replace(/^[ \r]+|[ \r]+$/g, (blanks) => blanks.replace(/[ \r]/g, '\\$&'));
}
