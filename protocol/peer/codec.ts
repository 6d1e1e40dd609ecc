// A batch as bytes: what is written to the log, sent to learners and read back. msgpackr's only home.

import { Packr } from 'msgpackr';
import { ProtocolError } from '../errors.js';
import { EPOCH_LIMIT, epochOf } from '../ids.js';
import type { Batch, Identity } from './entries.js';
import { RULES_VERSION } from './entries.js';

const packr = new Packr({ useRecords: false, int64AsType: 'number' });

type Packed = [
  firstZxid: number,
  timeMs: number,
  rules: number,
  flags: number,
  operations: number[],
  sessions: number[],
  cxids: number[],
  callers: number[],
  requestEnds: number[],
  identityLists: [scheme: string, id: string][][],
  requests: Uint8Array,
];

export function encodeBatch(batch: Batch): Uint8Array {
  const packed: Packed = [
    batch.firstZxid,
    batch.timeMs,
    batch.rules,
    batch.flags,
    batch.operations as number[],
    batch.sessions as number[],
    batch.cxids as number[],
    batch.callers as number[],
    batch.requestEnds as number[],
    batch.identityLists.map((list) => list.map(({ scheme, id }) => [scheme, id])),
    batch.requests,
  ];
  return packr.pack(packed);
}

/** Throws ProtocolError when the bytes are not a batch, or one of rules this version does not know. */
export function decodeBatch(bytes: Uint8Array): Batch {
  let packed: Packed;
  try {
    packed = packr.unpack(bytes) as Packed;
  } catch (error) {
    throw new ProtocolError(`a batch that is not msgpack: ${(error as Error).message}`, 0);
  }
  const fault = batchFault(packed);
  if (fault !== null) throw new ProtocolError(`a batch with ${fault}`, 0);
  const [firstZxid, timeMs, rules, flags, operations, sessions, cxids, callers, requestEnds, lists, requests] = packed;
  const identityLists = lists.map((list) => list.map(([scheme, id]): Identity => ({ scheme, id })));
  return {
    firstZxid,
    timeMs,
    rules,
    flags,
    operations,
    sessions,
    cxids,
    callers,
    requestEnds,
    identityLists,
    requests,
  };
}

/** What keeps `packed` from being a batch, or null. */
function batchFault(packed: unknown): string | null {
  if (!Array.isArray(packed) || packed.length !== 11) return 'the wrong number of columns';
  const [firstZxid, timeMs, rules, flags, operations, sessions, cxids, callers, requestEnds, lists, requests] = packed;
  if (!isSafe(firstZxid) || firstZxid < 1 || epochOf(firstZxid) >= EPOCH_LIMIT) return 'a zxid out of range';
  if (!isSafe(timeMs)) return 'no time';
  if (!isSafe(rules) || rules < 1) return 'no version of rules';
  if (rules > RULES_VERSION) return `rules of version ${rules}, this is ${RULES_VERSION}`;
  if (!isSafe(flags)) return 'no flags';
  const count = Array.isArray(operations) ? operations.length : 0;
  if (count === 0) return 'no entries';
  for (const column of [operations, sessions, cxids, callers, requestEnds]) {
    if (!Array.isArray(column) || column.length !== count || !column.every(isSafe)) return 'a column of another length';
  }
  if (!(requests instanceof Uint8Array)) return 'no request bytes';
  let end = 0;
  for (const next of requestEnds as number[]) {
    if (next < end) return 'request bounds that go backwards';
    end = next;
  }
  if (end !== requests.length) return 'request bounds that do not match the bytes';
  if (!Array.isArray(lists) || !lists.every(isIdentityList)) return 'identities of another shape';
  if ((callers as number[]).some((index) => index < 0 || index >= lists.length)) return 'a caller that is not listed';
  return null;
}

function isSafe(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function isIdentityList(list: unknown): boolean {
  return (
    Array.isArray(list) &&
    list.every((pair) => Array.isArray(pair) && typeof pair[0] === 'string' && typeof pair[1] === 'string')
  );
}
