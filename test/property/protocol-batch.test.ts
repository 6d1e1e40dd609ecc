/** The batch as bytes: what was encoded comes back, and nothing else is taken for a batch. */
import fc from 'fast-check';
import { ProtocolError } from '../../protocol/errors.js';
import { decodeBatch, encodeBatch } from '../../protocol/peer/codec.js';
import {
  type Batch,
  BatchBuilder,
  batchLength,
  type Identity,
  lastZxid,
  RULES_VERSION,
} from '../../protocol/peer/entries.js';

const safe = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const identity = fc.record({ scheme: fc.string({ maxLength: 5 }), id: fc.string({ unit: 'binary', maxLength: 8 }) });
const callers: fc.Arbitrary<Identity[][]> = fc.array(fc.array(identity, { maxLength: 3 }), {
  minLength: 1,
  maxLength: 3,
});
const entry = fc.record({
  operation: fc.integer({ min: -11, max: 107 }),
  session: safe,
  cxid: fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }),
  caller: fc.nat(2),
  request: fc.uint8Array({ maxLength: 30 }),
});
type EntryOf = typeof entry extends fc.Arbitrary<infer E> ? E : never;

function build(
  entries: readonly EntryOf[],
  identities: readonly Identity[][],
  firstZxid: number,
  timeMs: number,
): Batch {
  const builder = new BatchBuilder(3);
  for (const { operation, session, cxid, caller, request } of entries) {
    const padded = new Uint8Array([9, ...request, 9]); // only the middle belongs to the entry
    builder.add(operation, session, cxid, identities[caller % identities.length], padded, 1, 1 + request.length);
  }
  return builder.close(firstZxid, timeMs);
}

const batch = fc
  .tuple(fc.array(entry, { minLength: 1, maxLength: 12 }), callers, fc.integer({ min: 1, max: 2 ** 52 }), safe)
  .map(([entries, identities, firstZxid, timeMs]) => ({
    entries,
    built: build(entries, identities, firstZxid, timeMs),
  }));

test('a batch comes back as it was, with every request where it was put', () => {
  fc.assert(
    fc.property(batch, ({ entries, built }) => {
      const decoded = decodeBatch(encodeBatch(built));
      expect({ ...decoded, requests: new Uint8Array(decoded.requests) }).toEqual(built);
      expect([batchLength(decoded), lastZxid(decoded)]).toEqual([entries.length, built.firstZxid + entries.length - 1]);
      let start = 0;
      decoded.requestEnds.forEach((end, i) => {
        expect(new Uint8Array(decoded.requests.subarray(start, end))).toEqual(entries[i].request);
        start = end;
      });
    }),
  );
});

test('a batch cut off anywhere is none', () => {
  fc.assert(
    fc.property(batch, ({ built }) => {
      const bytes = encodeBatch(built);
      for (let end = 0; end < bytes.length; end++) {
        expect(() => decodeBatch(bytes.subarray(0, end))).toThrow(ProtocolError);
      }
    }),
    { numRuns: 20 },
  );
});

test('a batch with a byte changed is another batch or none, never a crash', () => {
  fc.assert(
    fc.property(batch, fc.nat(), fc.integer({ min: 1, max: 255 }), ({ built }, at, difference) => {
      const bytes = encodeBatch(built);
      bytes[at % bytes.length] ^= difference;
      expectBatchOrRefusal(bytes);
    }),
    { numRuns: 1000 },
  );
});

test('garbage is no batch, also when it claims to be endless', () => {
  const claims = [
    [0xdd, 0xff, 0xff, 0xff, 0xff],
    [0xdf, 0xff, 0xff, 0xff, 0xff],
    [0xc6, 0xff, 0xff, 0xff, 0xff],
    [0xdb, 0xff, 0xff, 0xff, 0xff],
    [0x9b, 0xdd, 0x7f, 0xff, 0xff, 0xff],
    [],
  ];
  for (const claim of claims) expect(() => decodeBatch(new Uint8Array(claim))).toThrow(ProtocolError);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => expectBatchOrRefusal(bytes)),
    { numRuns: 1000 },
  );
});

test('rules that this version does not know are refused', () => {
  const built = build([{ operation: 1, session: 1, cxid: 1, caller: 0, request: new Uint8Array(1) }], [[]], 5, 1);
  expect(() => decodeBatch(encodeBatch({ ...built, rules: RULES_VERSION + 1 }))).toThrow(ProtocolError);
  const broken: Partial<Batch>[] = [
    { firstZxid: 0 },
    { firstZxid: 2 ** 53 },
    { timeMs: 0.5 },
    { operations: [] },
    { operations: [1, 1] },
    { sessions: [Number.NaN] },
    { requestEnds: [2] },
    { requestEnds: [-1] },
    { callers: [1] },
    { callers: [-1] },
  ];
  for (const fields of broken) expect(() => decodeBatch(encodeBatch({ ...built, ...fields }))).toThrow(ProtocolError);
});

function expectBatchOrRefusal(bytes: Uint8Array): void {
  try {
    const decoded = decodeBatch(bytes);
    expect(decoded.requestEnds.at(-1)).toBe(decoded.requests.length);
  } catch (error) {
    expect(error).toBeInstanceOf(ProtocolError);
  }
}
