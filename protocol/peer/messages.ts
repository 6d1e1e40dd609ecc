// What servers say to each other. One table names every message and its fields; the types, the encoder and the checks of
// the decoder come from it. A message travels as one msgpack array: its number in the table, then its fields in order.
//
//   election   vote
//   joining    follow → newEpoch → epochAccepted → truncate/truncated, snapshot…, propose… → newLeader → newLeaderStored
//              → upToDate
//   broadcast  propose → ack → commit
//   sessions   forward, revalidate → revalidated, moved, sync → synced
//   liveness   ping → pong
//
// Between two servers messages arrive in the order they were sent, or the link breaks and nothing more arrives: who
// leaves a leader, or drops a learner, breaks the link, so that no message of an earlier time can be taken for a new one.

import { Packr } from 'msgpackr';
import { ProtocolError } from '../errors.js';
import { EPOCH_LIMIT, epochOf } from '../ids.js';

/** Spoken by this release; servers of another version do not understand each other (design decision 2). */
export const PEER_PROTOCOL_VERSION = 1;

/** Largest message, in bytes: a batch, or a chunk of a snapshot, with room to spare. */
export const PEER_MESSAGE_BYTES_MAX = 64 * 1024 * 1024;

/** In a vote: no server at all. Ids of servers are below it (E6). */
export const NOBODY = 255;

interface FieldTypes {
  /** A safe integer, not negative. */
  number: number;
  zxid: number;
  /** Below EPOCH_LIMIT, with room for the one after it. */
  epoch: number;
  flag: boolean;
  bytes: Uint8Array;
  /** Session ids. */
  ids: readonly number[];
  /** One for each of the ids before it. */
  flags: readonly boolean[];
  state: VoterState;
  pages: readonly PeerPage[];
}

/** What a server does at the moment, as its vote says (E76); `established`: it leads, and a quorum follows. */
export type VoterState = (typeof VOTER_STATES)[number];
const VOTER_STATES = ['looking', 'following', 'observing', 'leading', 'established'] as const;

/** A page of a checkpoint. */
export interface PeerPage {
  readonly page: number;
  readonly bytes: Uint8Array;
}

type Shape = Readonly<Record<string, keyof FieldTypes>>;

/** Every message; its place in here is its number on the wire. */
const shapes = {
  /** Whom the sender wants to lead, or follows (E73–E76): `leader` with the epoch and the last zxid it has. */
  vote: { round: 'number', leader: 'number', epoch: 'epoch', zxid: 'zxid', state: 'state' },

  /** A learner asks its leader to be led (FOLLOWERINFO, E79). `isVoting` is false for one that lost its disk. */
  follow: { acceptedEpoch: 'epoch', isObserver: 'flag', isVoting: 'flag' },
  /** The leader's epoch (LEADERINFO): to be stored as accepted before it is answered. */
  newEpoch: { epoch: 'epoch' },
  /**
   * ACKEPOCH: it is stored. `ends`: of the learner's log, one for each epoch that it has entries of, newest first, and
   * last how far it has executed. `counts` is false for one that had accepted the epoch before (E79).
   */
  epochAccepted: {
    epoch: 'epoch',
    currentEpoch: 'epoch',
    ends: 'ids',
    counts: 'flag',
  },
  /** What the learner has after this zxid is not part of history (TRUNC, E81). */
  truncate: { afterZxid: 'zxid' },
  /** It is removed; the end of its log is now this. */
  truncated: { lastZxid: 'zxid' },
  /** A full copy follows: the checkpoint at `zxid` with its header (SNAP, E81). */
  snapshot: { zxid: 'zxid', header: 'bytes' },
  snapshotPages: { pages: 'pages' },
  snapshotEnd: {},
  /** A chunk of pages was taken in, or all of it is on the learner's disk: go on. */
  snapshotTaken: {},
  /** All of earlier epochs was sent (NEWLEADER, E83): to be stored as current epoch, behind that history. */
  newLeader: { epoch: 'epoch' },
  newLeaderStored: { epoch: 'epoch' },
  /** The leader leads, and everything up to `zxid` is committed (E85): serve clients. */
  upToDate: { zxid: 'zxid' },

  /** A batch: history that the learner lacks, or a new proposal (E86). */
  propose: { firstZxid: 'zxid', lastZxid: 'zxid', batch: 'bytes' },
  /** Everything up to here is on the sender's disk (E87). */
  ack: { zxid: 'zxid' },
  /** Everything up to here is committed; the digest of the tree there. */
  commit: { zxid: 'zxid', digestHigh: 'number', digestLow: 'number' },

  /** Writes of the sender's clients, as a batch whose zxids mean nothing. */
  forward: { batch: 'bytes' },
  /** Clients want to resume these sessions at the sender (E4, E19). */
  revalidate: { sessions: 'ids', timeoutsMs: 'ids' },
  /** Which of them live. Their clients may be answered when everything up to `zxid` was executed. */
  revalidated: { sessions: 'ids', alive: 'flags', zxid: 'zxid' },
  /** The session is another server's now: its old connection is to be closed (E19). */
  moved: { session: 'number' },
  /** The sender's clients want to read what is committed now: `sessions` ask, with syncs up to `id`, which rises. */
  sync: { id: 'number', sessions: 'ids' },
  /** All up to `id`: the leader still led after they were asked, and had proposed no more than `zxid` (E70). */
  synced: { id: 'number', zxid: 'zxid' },

  ping: { round: 'number' },
  /** `sessions` have been heard of since the last one (E16). */
  pong: { round: 'number', sessions: 'ids' },
} as const satisfies Record<string, Shape>;

export type PeerMessageType = keyof typeof shapes;

type MessageOf<Type extends PeerMessageType> = { readonly type: Type } & {
  readonly [Field in keyof (typeof shapes)[Type]]: (typeof shapes)[Type][Field] extends keyof FieldTypes
    ? FieldTypes[(typeof shapes)[Type][Field]]
    : never;
};

export type PeerMessage = { [Type in PeerMessageType]: MessageOf<Type> }[PeerMessageType];

/** One kind of message: `PeerMessageOf<'vote'>`. */
export type PeerMessageOf<Type extends PeerMessageType> = Extract<PeerMessage, { readonly type: Type }>;

const packr = new Packr({ useRecords: false, int64AsType: 'number' });
const TYPES = Object.keys(shapes) as PeerMessageType[];
const NUMBERS = new Map(TYPES.map((type, index) => [type, index]));
const FIELDS = TYPES.map((type) => Object.entries(shapes[type]) as [string, keyof FieldTypes][]);

export function encodePeerMessage(message: PeerMessage): Uint8Array {
  const number = NUMBERS.get(message.type) as number;
  const packed: unknown[] = [number];
  for (const [name, type] of FIELDS[number]) {
    const value = (message as unknown as Record<string, unknown>)[name];
    packed.push(type === 'pages' ? (value as readonly PeerPage[]).map(({ page, bytes }) => [page, bytes]) : value);
  }
  return packr.pack(packed);
}

/** Throws ProtocolError when the bytes are no message, or a field is not what it has to be. */
export function decodePeerMessage(bytes: Uint8Array): PeerMessage {
  let packed: unknown;
  try {
    packed = packr.unpack(bytes);
  } catch (error) {
    throw new ProtocolError(`a message that is not msgpack: ${(error as Error).message}`, 0);
  }
  if (!Array.isArray(packed) || !Number.isInteger(packed[0]) || TYPES[packed[0]] === undefined) {
    throw new ProtocolError('a message of an unknown kind', 0);
  }
  const type = TYPES[packed[0]];
  const fields = FIELDS[packed[0]];
  if (packed.length !== fields.length + 1) throw new ProtocolError(`a message ${type} of ${packed.length} parts`, 0);
  const message: Record<string, unknown> = { type };
  fields.forEach(([name, kind], index) => {
    const value = packed[index + 1];
    if (!CHECKS[kind](value)) throw new ProtocolError(`a message ${type} whose ${name} is none`, 0);
    message[name] =
      kind === 'pages' ? (value as [number, Uint8Array][]).map(([page, of]) => ({ page, bytes: of })) : value;
  });
  return message as unknown as PeerMessage;
}

const isNumber = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const isBytes = (value: unknown): boolean => value instanceof Uint8Array;

const CHECKS: Readonly<Record<keyof FieldTypes, (value: unknown) => boolean>> = {
  number: isNumber,
  zxid: (value) => isNumber(value) && epochOf(value as number) < EPOCH_LIMIT,
  epoch: (value) => isNumber(value) && (value as number) < EPOCH_LIMIT - 1,
  flag: (value) => typeof value === 'boolean',
  bytes: isBytes,
  ids: (value) => Array.isArray(value) && value.every(isNumber),
  flags: (value) => Array.isArray(value) && value.every((one) => typeof one === 'boolean'),
  state: (value) => VOTER_STATES.includes(value as VoterState),
  pages: (value) =>
    Array.isArray(value) && value.every((one) => Array.isArray(one) && isNumber(one[0]) && isBytes(one[1])),
};
