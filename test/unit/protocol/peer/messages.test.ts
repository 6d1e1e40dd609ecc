/** Messages between servers: every kind there and back, and nothing taken for one that is none. */
import fc from 'fast-check';
import { Packr } from 'msgpackr';
import { ProtocolError } from '../../../../protocol/errors.js';
import { EPOCH_LIMIT, makeZxid } from '../../../../protocol/ids.js';
import { decodePeerMessage, encodePeerMessage, type PeerMessage } from '../../../../protocol/peer/messages.js';

const number = fc.maxSafeNat();
const zxid = fc.maxSafeNat().filter((value) => value < makeZxid(EPOCH_LIMIT - 1, 0));
const epoch = fc.nat({ max: EPOCH_LIMIT - 2 });
const flag = fc.boolean();
const bytes = fc.uint8Array({ maxLength: 50 });
const ids = fc.array(number, { maxLength: 5 });
const flags = fc.array(flag, { maxLength: 5 });
const state = fc.constantFrom('looking', 'following', 'observing', 'leading', 'established');
const pages = fc.array(fc.record({ page: number, bytes }), { maxLength: 5 });

/** The table of messages, written down once more, in the order of their numbers on the wire. */
const KINDS = {
  vote: { round: number, leader: number, epoch, zxid, state },
  follow: { acceptedEpoch: epoch, isObserver: flag, isVoting: flag },
  newEpoch: { epoch },
  epochAccepted: { epoch, currentEpoch: epoch, ends: ids, counts: flag },
  truncate: { afterZxid: zxid },
  truncated: { lastZxid: zxid },
  snapshot: { zxid, header: bytes },
  snapshotPages: { pages },
  snapshotEnd: {},
  snapshotTaken: {},
  newLeader: { epoch },
  newLeaderStored: { epoch },
  upToDate: { zxid },
  propose: { firstZxid: zxid, lastZxid: zxid, batch: bytes },
  ack: { zxid },
  commit: { zxid, digestHigh: number, digestLow: number },
  forward: { batch: bytes },
  revalidate: { sessions: ids, timeoutsMs: ids },
  revalidated: { sessions: ids, alive: flags, zxid },
  moved: { session: number },
  sync: { id: number, sessions: ids },
  synced: { id: number, zxid },
  ping: { round: number },
  pong: { round: number, sessions: ids },
} as const satisfies Record<PeerMessage['type'], Record<string, unknown>>;

type Kind = keyof typeof KINDS;
const TYPES = Object.keys(KINDS) as Kind[];

function messageOf(type: Kind): fc.Arbitrary<PeerMessage> {
  return fc.record({ type: fc.constant(type), ...KINDS[type] }) as unknown as fc.Arbitrary<PeerMessage>;
}

const packr = new Packr({ useRecords: false, int64AsType: 'number' });
const decodeParts = (...parts: readonly unknown[]) => decodePeerMessage(packr.pack(parts));

describe.each(TYPES.map((type, index) => [type, index] as const))('%s', (type, index) => {
  test('there and back, under its number', () => {
    fc.assert(
      fc.property(messageOf(type), (message) => {
        const encoded = encodePeerMessage(message);
        expect((packr.unpack(encoded) as unknown[])[0]).toBe(index);
        expect(plain(decodePeerMessage(encoded))).toEqual(plain(message));
      }),
      { numRuns: 30 },
    );
  });

  test('a field too few or too many is refused', () => {
    fc.assert(
      fc.property(messageOf(type), (message) => {
        const parts = packr.unpack(encodePeerMessage(message)) as unknown[];
        expect(() => decodeParts(...parts, 0)).toThrow(ProtocolError);
        if (parts.length > 1) expect(() => decodeParts(...parts.slice(0, -1))).toThrow(ProtocolError);
      }),
      { numRuns: 10 },
    );
  });

  test('each field is checked', () => {
    const [message] = fc.sample(messageOf(type), 1);
    const parts = packr.unpack(encodePeerMessage(message)) as unknown[];
    Object.values(KINDS[type]).forEach((arbitrary, field) => {
      for (const wrong of WRONG.get(arbitrary) ?? []) {
        const changed = parts.with(field + 1, wrong);
        expect(() => decodeParts(...changed)).toThrow(ProtocolError);
      }
    });
  });
});

/** For each kind of field what it cannot be. */
const WRONG = new Map<unknown, readonly unknown[]>([
  [number, [-1, 1.5, 2 ** 53, null, '1', true, [1], NaN]],
  [epoch, [-1, 0.5, EPOCH_LIMIT - 1, EPOCH_LIMIT, null, '1', false]],
  [zxid, [-1, 0.5, EPOCH_LIMIT * 2 ** 32, null, '1', false]],
  [flag, [0, 1, null, 'true']],
  [bytes, ['text', null, [1, 2], 7]],
  [ids, [null, 7, ['1'], [-1], [1, 0.5], new Uint8Array(2)]],
  [flags, [null, true, [1], ['true'], [true, null]]],
  [state, [null, 0, 'Looking', '', ['looking']]],
  [pages, [null, 7, [7], [[1]], [[1, 'x']], [[-1, new Uint8Array(1)]], [['1', new Uint8Array(1)]]]],
]);

test.each([
  ['no array', 7],
  ['nothing in it', []],
  ['a number beyond the table', [TYPES.length]],
  ['a negative number', [-1]],
  ['a fraction', [0.5]],
  ['a name instead of a number', ['ping', 1]],
  ['no number', [null]],
])('%s is no message', (_, packed) => {
  expect(() => decodePeerMessage(packr.pack(packed))).toThrow(ProtocolError);
});

test('bytes that are not msgpack, or end too early, are refused with a ProtocolError and nothing else', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (noise) => {
      try {
        decodePeerMessage(noise);
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError);
      }
    }),
  );
  const whole = encodePeerMessage({ type: 'commit', zxid: makeZxid(3, 7), digestHigh: 70_000, digestLow: 1 });
  for (let length = 0; length < whole.length; length++) {
    expect(() => decodePeerMessage(whole.subarray(0, length))).toThrow(ProtocolError);
  }
});

/** Bytes as arrays: a Buffer and a Uint8Array with the same content are the same. */
function plain(value: unknown): unknown {
  if (ArrayBuffer.isView(value)) return [...(value as Uint8Array)];
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, plain(part)]));
}
