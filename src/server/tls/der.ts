// Just enough of DER, the encoding of certificates and key stores, to walk through both: tag, length, content. What is
// read lies on the operator's disk or has been verified by OpenSSL already; a length that does not fit is refused all
// the same.

export interface DerValue {
  /** The whole first byte: class, constructed or not, number. */
  readonly tag: number;
  /** Without tag and length. */
  readonly content: Uint8Array;
  /** With them. */
  readonly whole: Uint8Array;
}

export const Tag = {
  integer: 0x02,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  generalString: 0x1b,
  universalString: 0x1c,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
  /** Context-specific 0, constructed: an explicit [0]. */
  explicit0: 0xa0,
  /** Context-specific 0, primitive: an implicit [0] in place of a string. */
  implicit0: 0x80,
} as const;

/** Bytes that are no DER, or not what was expected there. */
export class DerError extends Error {
  override readonly name = 'DerError';
}

const LENGTH_BYTES_MAX = 4;

/** The value at an offset. Throws DerError. */
export function readDer(bytes: Uint8Array, offset = 0): DerValue {
  const tag = bytes[offset];
  const first = bytes[offset + 1];
  if (tag === undefined || first === undefined) throw new DerError('ends early');
  let start = offset + 2;
  let length = first;
  if (first >= 0x80) {
    const count = first - 0x80;
    // 0x80 alone is BER's indefinite length.
    if (count === 0 || count > LENGTH_BYTES_MAX) throw new DerError('has a length that is not DER');
    length = 0;
    for (let i = 0; i < count; i++) length = length * 256 + (bytes[start + i] ?? 0);
    start += count;
  }
  const end = start + length;
  if (end > bytes.length) throw new DerError('ends early');
  return { tag, content: bytes.subarray(start, end), whole: bytes.subarray(offset, end) };
}

/** The values inside of a sequence or set. Throws DerError. */
export function children({ content }: DerValue): DerValue[] {
  const found: DerValue[] = [];
  for (let offset = 0; offset < content.length; ) {
    const child = readDer(content, offset);
    found.push(child);
    offset += child.whole.length;
  }
  return found;
}

/** The value, if it has this tag. Throws DerError for another one or none. */
export function expectTag(value: DerValue | undefined, tag: number): DerValue {
  if (value?.tag !== tag) throw new DerError(`has tag ${value?.tag ?? 'none'} where ${tag} belongs`);
  return value;
}

/** `1.2.840.113549.1.7.1` */
export function oidText(value: DerValue | undefined): string {
  const { content } = expectTag(value, Tag.oid);
  const arcs: bigint[] = [];
  let arc = 0n;
  for (const byte of content) {
    arc = (arc << 7n) | BigInt(byte & 0x7f);
    if (byte >= 0x80) continue;
    arcs.push(arc);
    arc = 0n;
  }
  const head = arcs[0] ?? 0n;
  const first = head < 40n ? 0n : head < 80n ? 1n : 2n;
  return [first, head - first * 40n, ...arcs.slice(1)].join('.');
}

/** A small number, such as a count of iterations. Throws DerError for one above 2^31. */
export function integerValue(value: DerValue | undefined): number {
  const { content } = expectTag(value, Tag.integer);
  let number = 0;
  for (const byte of content) number = number * 256 + byte;
  if (number >= 2 ** 31) throw new DerError('has a number that is too great');
  return number;
}
