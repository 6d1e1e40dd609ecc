/** Broadcast, seen from the leader: batches in, acknowledgements in, commits out, in plain values. */
import { COUNTER_MAX, EPOCH_LIMIT, makeZxid } from '../../../../protocol/ids.js';
import { type Batch, lastZxid } from '../../../../protocol/peer/entries.js';
import { Leader } from '../../../../src/core/zab/leader.js';
import { Quorum } from '../../../../src/core/zab/quorum.js';
import { AssertionFailure } from '../../../../src/std/assert.js';

const EPOCH = 3;
const zxid = (counter: number) => makeZxid(EPOCH, counter);
const three = () => new Leader(EPOCH, Quorum.majority([1, 2, 3]));
const alone = () => new Leader(EPOCH, Quorum.majority([1]));

function batch(firstZxid: number, length: number): Batch {
  const column = new Array<number>(length).fill(0);
  return {
    firstZxid,
    timeMs: 1,
    rules: 1,
    flags: 0,
    operations: column,
    sessions: column,
    cxids: column,
    callers: column,
    requestEnds: column,
    identityLists: [[]],
    requests: new Uint8Array(0),
  };
}

function propose(leader: Leader, ...lengths: number[]): Batch[] {
  return lengths.map((length) => {
    const one = batch(leader.nextZxid, length);
    leader.propose(one);
    return one;
  });
}

test('the first entry of an epoch has counter 1, and zxids have no gaps (E85)', () => {
  const leader = three();
  expect(leader.nextZxid).toBe(zxid(1));
  const [a, b] = propose(leader, 3, 2);
  expect([a.firstZxid, lastZxid(a), b.firstZxid, lastZxid(b)]).toEqual([zxid(1), zxid(3), zxid(4), zxid(5)]);
  expect([leader.entriesInEpoch, leader.batchesInFlight]).toEqual([5, 2]);
});

test('a batch is committed when a quorum has all of it, the leader counting only with what its disk reported (E86)', () => {
  const leader = three();
  const [a] = propose(leader, 3);
  expect(leader.committable()).toEqual([]);
  leader.acknowledged(2, zxid(3));
  expect(leader.committable()).toEqual([]);
  leader.acknowledged(1, zxid(2));
  expect(leader.committable()).toEqual([]);
  leader.acknowledged(1, zxid(3));
  expect(leader.committable()).toEqual([a]);
  expect(leader.committable()).toEqual([]);
  expect(leader.batchesInFlight).toBe(0);
});

test('commits are in order, whatever order acknowledgements come in, and cumulative', () => {
  const leader = three();
  const [a, b, c] = propose(leader, 1, 1, 1);
  leader.acknowledged(3, zxid(3));
  leader.acknowledged(2, zxid(2));
  expect(leader.committable()).toEqual([a, b]);
  leader.acknowledged(2, zxid(1)); // late, and behind what it said before
  expect(leader.committable()).toEqual([]);
  leader.acknowledged(1, zxid(3));
  expect(leader.committable()).toEqual([c]);
});

test('observers and strangers do not make a quorum', () => {
  const leader = three();
  propose(leader, 1);
  leader.acknowledged(9, zxid(1));
  leader.acknowledged(8, zxid(1));
  expect(leader.committable()).toEqual([]);
});

test('what was never proposed cannot be acknowledged', () => {
  const leader = three();
  propose(leader, 2);
  expect(() => leader.acknowledged(2, zxid(3))).toThrow(AssertionFailure);
});

test('a batch that is not the next one, is empty or leaves its epoch is refused', () => {
  const leader = three();
  expect(() => leader.propose(batch(zxid(2), 1))).toThrow(AssertionFailure);
  expect(() => leader.propose(batch(zxid(1), 0))).toThrow(AssertionFailure);
  expect(() => leader.propose({ ...batch(zxid(1), 0), operations: { length: COUNTER_MAX + 1 } as number[] })).toThrow(
    AssertionFailure,
  );
});

describe('withdraw: an ensemble of one takes back what its disk refused', () => {
  test('from that batch on, and the zxids are given out again', () => {
    const leader = alone();
    const [a, b, c] = propose(leader, 2, 3, 1);
    leader.acknowledged(1, lastZxid(a));
    expect(leader.committable()).toEqual([a]);
    expect(leader.withdraw(b.firstZxid)).toEqual([b, c]);
    expect([leader.nextZxid, leader.batchesInFlight]).toEqual([b.firstZxid, 0]);
    const [again] = propose(leader, 1);
    expect(again.firstZxid).toBe(b.firstZxid);
  });

  test('nothing when nothing is there', () => {
    const leader = alone();
    propose(leader, 2);
    expect(leader.withdraw(zxid(3))).toEqual([]);
    expect(leader.nextZxid).toBe(zxid(3));
  });

  test('never when others may have it', () => {
    const leader = three();
    propose(leader, 1);
    expect(() => leader.withdraw(zxid(1))).toThrow(AssertionFailure);
  });
});

test('the next epoch is above all that was accepted, until there is none left (E79)', () => {
  expect(Leader.nextEpoch(0)).toBe(1);
  expect(Leader.nextEpoch(EPOCH_LIMIT - 2)).toBe(EPOCH_LIMIT - 1);
  expect(() => Leader.nextEpoch(EPOCH_LIMIT - 1)).toThrow(RangeError);
});
