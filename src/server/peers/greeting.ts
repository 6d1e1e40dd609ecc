// What two servers say before their first message, and its form on the wire:
//
//   the one that dials   hello →              → ready
//   the one it dialled           → welcome            → proven
//
// Either may answer `refused` with the reason as text instead. `hello` and `welcome` carry the same: who the sender is,
// whom it believes to speak to, and who it thinks the ensemble is. Where servers share a secret, both carry a number used
// once, `ready` and `proven` the proofs (secret.ts); without one there is no `proven`.
//
//   magic (8 bytes) | kind (1) | version of the peer protocol (2) | length of the body (2) | body, UTF-8
//
// This outer form, and `refused`, stay as they are in every version, so that servers of different releases can tell each
// other what is wrong. The body is JSON: it is short, rare, and read by people in packet captures.

import { PEER_PROTOCOL_VERSION } from '../../../protocol/peer/messages.js';
import { ENSEMBLE_NAME_LENGTH_MAX } from '../config/options-quorum.js';

/** One member of the ensemble, as all have to know it. */
export interface Membership {
  readonly id: number;
  readonly role: 'participant' | 'observer';
  readonly weight: number;
  readonly group: number | undefined;
}

export interface Hello {
  /** Name of the ensemble (ensemble.name). */
  readonly cluster: string;
  readonly sender: number;
  /** Who the sender believes is on the other side. */
  readonly recipient: number;
  /** Random, one for each process: a server that was restarted has another. */
  readonly incarnation: string;
  /** By rising id. */
  readonly members: readonly Membership[];
  /** Of a server with a secret: hexadecimal, another one each time. */
  readonly nonce?: string | undefined;
}

const KINDS = ['hello', 'welcome', 'ready', 'refused', 'proven'] as const;
export type GreetingKind = (typeof KINDS)[number];

export interface Greeting {
  readonly kind: GreetingKind;
  readonly version: number;
  readonly body: string;
}

/** Nothing longer is read before the two know each other. */
export const GREETING_BYTES_MAX = 4096;
const MAGIC = Buffer.from('ZABRA/p\n', 'latin1');
const HEADER_BYTES = MAGIC.length + 5;
const BODY_BYTES_MAX = GREETING_BYTES_MAX - HEADER_BYTES;
const REASON_LENGTH_MAX = 1000;
const INCARNATION = /^[0-9a-f]{8,64}$/;
const NONCE = /^[0-9a-f]{32,64}$/;

/** Throws RangeError when the body is too long. */
export function encodeGreeting(kind: GreetingKind, body: string, version = PEER_PROTOCOL_VERSION): Buffer {
  const text = Buffer.from(body, 'utf8');
  if (text.length > BODY_BYTES_MAX) throw new RangeError(`a greeting of ${text.length} bytes, ${BODY_BYTES_MAX} fit`);
  const bytes = Buffer.alloc(HEADER_BYTES + text.length);
  MAGIC.copy(bytes);
  bytes.writeUInt8(KINDS.indexOf(kind), MAGIC.length);
  bytes.writeUInt16BE(version, MAGIC.length + 1);
  bytes.writeUInt16BE(text.length, MAGIC.length + 3);
  text.copy(bytes, HEADER_BYTES);
  return bytes;
}

export function encodeRefusal(reason: string): Buffer {
  return encodeGreeting('refused', reason.slice(0, REASON_LENGTH_MAX));
}

/** A greeting with the place where it ends, 'more' while it is not complete, null for bytes that are none. */
export function decodeGreeting(bytes: Buffer): { readonly greeting: Greeting; readonly end: number } | 'more' | null {
  const known = Math.min(bytes.length, MAGIC.length);
  if (bytes.compare(MAGIC, 0, known, 0, known) !== 0) return null;
  if (bytes.length < HEADER_BYTES) return 'more';
  const kind = KINDS[bytes.readUInt8(MAGIC.length)];
  const version = bytes.readUInt16BE(MAGIC.length + 1);
  const length = bytes.readUInt16BE(MAGIC.length + 3);
  if (kind === undefined || length > BODY_BYTES_MAX) return null;
  const end = HEADER_BYTES + length;
  if (bytes.length < end) return 'more';
  return { greeting: { kind, version, body: bytes.toString('utf8', HEADER_BYTES, end) }, end };
}

/** The body of `hello` and `welcome`. A plain participant is its number alone, so that hundreds of members fit. */
export function helloBody({ cluster, sender, recipient, incarnation, members, nonce }: Hello): string {
  const list = members.map(({ id, role, weight, group }) =>
    role === 'participant' && weight === 1 && group === undefined
      ? id
      : [id, role === 'observer' ? 1 : 0, weight, ...(group === undefined ? [] : [group])],
  );
  return JSON.stringify({ cluster, sender, recipient, incarnation, members: list, nonce });
}

/** Null when it is none. */
export function parseHello(body: string): Hello | null {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) return null;
  const { cluster, sender, recipient, incarnation, members, nonce } = value as Record<string, unknown>;
  if (typeof cluster !== 'string' || cluster.length > ENSEMBLE_NAME_LENGTH_MAX) return null;
  if (!isCount(sender) || !isCount(recipient)) return null;
  if (typeof incarnation !== 'string' || !INCARNATION.test(incarnation) || !Array.isArray(members)) return null;
  if (nonce !== undefined && (typeof nonce !== 'string' || !NONCE.test(nonce))) return null;
  const list: Membership[] = [];
  for (const one of members) {
    const member = parseMember(one);
    if (member === null) return null;
    list.push(member);
  }
  return { cluster, sender, recipient, incarnation, members: list, ...(nonce === undefined ? {} : { nonce }) };
}

function parseMember(value: unknown): Membership | null {
  if (isCount(value)) return { id: value, role: 'participant', weight: 1, group: undefined };
  if (!Array.isArray(value) || value.length < 3 || value.length > 4 || !value.every(isCount)) return null;
  const [id, role, weight, group] = value;
  if (role > 1) return null;
  return { id, role: role === 1 ? 'observer' : 'participant', weight, group };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
