// Addresses of the `ip` scheme: `address` or `address/bits`, IPv4 and IPv6 (E45). An ACL's expression is parsed once,
// when the list is interned; the caller's address is parsed when such an entry has to be compared with it.

export interface Network {
  /** 4 or 16 bytes. */
  readonly address: readonly number[];
  /** How many leading bits must be equal. */
  readonly bits: number;
}

const V4_BYTES = 4;
const V6_GROUPS = 8;
/** ::ffff:a.b.c.d is how a socket that serves both families shows an IPv4 client. */
const MAPPED_PREFIX = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

/** Null when the expression is not valid, which makes the ACL invalid (E43). */
export function parseNetwork(expression: string): Network | null {
  const slash = expression.indexOf('/');
  const address = parseAddress(slash < 0 ? expression : expression.slice(0, slash));
  if (address === null) return null;
  const bitsMax = address.length * 8;
  if (slash < 0) return { address, bits: bitsMax };
  const text = expression.slice(slash + 1);
  if (!/^\+?[0-9]{1,9}$/.test(text)) return null;
  const bits = Number(text);
  return bits <= bitsMax ? { address, bits } : null;
}

/** Whether an address lies in the network; never across families. */
export function isInNetwork(network: Network, addressText: string): boolean {
  const address = parseAddress(addressText);
  if (address === null || address.length !== network.address.length) return false;
  for (let i = 0, bitsLeft = network.bits; bitsLeft > 0; i++, bitsLeft -= 8) {
    const mask = bitsLeft >= 8 ? 0xff : 0xff & ~(0xff >> bitsLeft);
    if (((address[i] ^ network.address[i]) & mask) !== 0) return false;
  }
  return true;
}

/** The bytes of an address, an IPv4-mapped one as the IPv4 address it stands for; null when it is none. */
function parseAddress(text: string): number[] | null {
  if (!text.includes(':')) return parseV4(text);
  const bytes = parseV6(text);
  if (bytes === null) return null;
  return MAPPED_PREFIX.every((byte, i) => bytes[i] === byte) ? bytes.slice(MAPPED_PREFIX.length) : bytes;
}

function parseV4(text: string): number[] | null {
  const parts = text.split('.');
  if (parts.length !== V4_BYTES) return null;
  const bytes: number[] = [];
  for (const part of parts) {
    if (!/^\+?[0-9]{1,9}$/.test(part) || Number(part) > 255) return null;
    bytes.push(Number(part));
  }
  return bytes;
}

function parseV6(text: string): number[] | null {
  const zone = text.indexOf('%');
  const halves = (zone < 0 ? text : text.slice(0, zone)).split('::');
  if (halves.length > 2) return null;
  const head = parseGroups(halves[0]);
  const tail = halves.length === 2 ? parseGroups(halves[1]) : [];
  if (head === null || tail === null) return null;
  const missing = V6_GROUPS - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return null;
  const groups = [...head, ...new Array<number>(missing).fill(0), ...tail];
  return groups.flatMap((group) => [group >> 8, group & 0xff]);
}

/** The 16-bit groups between colons; the last one may be an IPv4 address, which counts as two. */
function parseGroups(text: string): number[] | null {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [i, part] of parts.entries()) {
    if (i === parts.length - 1 && part.includes('.')) {
      const v4 = parseV4(part);
      if (v4 === null) return null;
      groups.push((v4[0] << 8) | v4[1], (v4[2] << 8) | v4[3]);
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(Number.parseInt(part, 16));
    else return null;
  }
  return groups;
}
