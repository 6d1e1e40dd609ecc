/** The open batch: what it copies, what it stamps, when it is full. */
import { BatchFlag, type Identity } from '../../../../protocol/peer/entries.js';
import { limits } from '../../../../src/core/limits.js';
import { OpenBatch } from '../../../../src/core/pipeline/stamp.js';

const OPTIONS = { enforceQuota: true, skipAcl: false };
const ANN: readonly Identity[] = [{ scheme: 'digest', id: 'ann' }];

test('requests are copied, callers listed once, and time and flags stamped', () => {
  const open = new OpenBatch(OPTIONS);
  const frame = new Uint8Array([1, 2, 3, 4]);
  open.add(5, 77, 1, ANN, frame, 1, 3);
  open.add(2, 78, 9, ANN, frame, 0, 0);
  frame.fill(0);
  expect(open.length).toBe(2);
  expect(open.close(100, 5000)).toMatchObject({
    firstZxid: 100,
    timeMs: 5000,
    flags: BatchFlag.enforceQuota,
    operations: [5, 2],
    sessions: [77, 78],
    cxids: [1, 9],
    callers: [0, 0],
    requestEnds: [2, 2],
    identityLists: [ANN],
    requests: new Uint8Array([2, 3]),
  });
  expect([open.length, open.isFull]).toEqual([0, false]);
});

test('each option is a flag of its own', () => {
  const flags = (enforceQuota: boolean, skipAcl: boolean) => {
    const open = new OpenBatch({ enforceQuota, skipAcl });
    open.add(1, 1, 1, ANN, new Uint8Array(0), 0, 0);
    return open.close(1, 1).flags;
  };
  expect([flags(false, false), flags(true, false), flags(false, true), flags(true, true)]).toEqual([0, 1, 2, 3]);
});

test('full by entries or by bytes', () => {
  const byEntries = new OpenBatch(OPTIONS);
  for (let i = 0; i < limits.batchEntriesMax; i++) {
    expect(byEntries.isFull).toBe(false);
    byEntries.add(1, 1, i, ANN, new Uint8Array(0), 0, 0);
  }
  expect(byEntries.isFull).toBe(true);
  const byBytes = new OpenBatch(OPTIONS);
  byBytes.add(1, 1, 1, ANN, new Uint8Array(limits.batchBytesMax), 0, limits.batchBytesMax);
  expect(byBytes.isFull).toBe(true);
});
