/** The leader and learners that are late, slow or silent, and from one epoch to the next with them (E81, E89, E90). */
import { EPOCH_LIMIT } from '../../../../protocol/ids.js';
import { Leader } from '../../../../src/core/zab/leader.js';
import { AssertionFailure } from '../../../../src/std/assert.js';
import { batchAt, OPTIONS, stored, z } from './fixture.js';
import { LeaderFixture } from './leader-fixture.js';

const MIB = 1_048_576;

describe('learners that come late', () => {
  test('get the history, the epoch, and all that was proposed meanwhile; then the live stream', () => {
    const one = LeaderFixture.leading([2]);
    for (let i = 0; i < 2; i++) one.propose();
    one.leader.stored(z(4, 2));
    one.ack(2, z(4, 2));
    one.take();
    one.follow(3);
    expect(one.take()).toEqual(['to 3: newEpoch 4']);
    one.accept(3, { ends: [z(3, 4)] });
    expect(one.take()).toEqual([
      'to 3: commit 4:2',
      'to 3: propose 3:5 3:5',
      'to 3: newLeader 4',
      'to 3: propose 4:1 4:1',
      'to 3: propose 4:2 4:2',
    ]);
    one.propose();
    expect(one.take('to')).toEqual(['to 2,3: propose 4:3 4:3']);
  });

  test('serve clients when they have what was committed when they had stored the epoch', () => {
    const one = LeaderFixture.leading([2]);
    for (let i = 0; i < 2; i++) one.propose();
    one.leader.stored(z(4, 2));
    one.ack(2, z(4, 2));
    one.follow(3);
    one.accept(3);
    one.hear(3, { type: 'newLeaderStored', epoch: 4 });
    one.propose();
    one.take();
    one.ack(3, z(4, 1));
    expect(one.take('to 3: upToDate')).toEqual([]);
    one.ack(3, z(4, 2));
    expect(one.take('to 3: upToDate')).toEqual(['to 3: upToDate 4:2']);
    one.ack(3, z(4, 3));
    expect(one.take('to 3: upToDate')).toEqual([]);
  });

  test('one that has accepted a later epoch waits for the next, which is beyond that (E79)', () => {
    const one = LeaderFixture.leading([2]);
    expect(one.leader.isEpochOver).toBe(false);
    one.follow(3, 7);
    expect(one.take()).toEqual([]);
    expect([one.leader.isEpochOver, one.leader.upcomingZxid]).toEqual([true, z(8, 1)]);
    one.leader.openNextEpoch();
    expect(one.take()).toEqual(['epochs 8/4', 'to 2,3: newEpoch 8']);
  });

  test('one that comes again begins from the beginning', () => {
    const one = LeaderFixture.leading();
    one.propose();
    one.ack(3, z(4, 1));
    one.follow(3, 4);
    one.leader.stored(z(4, 1));
    expect(one.take('execute', 'to 3')).toEqual(['to 3: newEpoch 4']);
  });
});

test('only so many full copies are made at a time; who waits for one gets it when another is done', () => {
  const one = LeaderFixture.leading([2], { options: { historyBytesMax: 0, snapshotsMax: 1, observers: [4] } });
  for (const [id, isObserver] of [
    [3, false],
    [4, true],
  ] as const) {
    one.follow(id, 3, { isObserver });
    one.accept(id, { ends: [0] });
  }
  const readers = one.take('findLogEnd').map((line) => Number(/#(\d+)/.exec(line)?.[1]));
  for (const reader of readers) one.leader.logEndFound(reader, null);
  expect(one.take('openSnapshot')).toEqual([`openSnapshot #${readers[0]}`]);
  one.leader.tick();
  one.leader.logEndFound(readers[1], null);
  expect(one.take('openSnapshot')).toEqual([]);
  one.leader.disconnected(3);
  one.leader.tick();
  one.leader.logEndFound(readers[1], null);
  expect(one.take('openSnapshot')).toEqual([`openSnapshot #${readers[1]}`]);
});

describe('a slow learner', () => {
  test('leaves the live stream and is fed from disk, and nobody waits for it', () => {
    const one = LeaderFixture.leading([2, 3], { options: { historyBytesMax: 0 } });
    one.propose(1, 9 * MIB); // more than a window holds
    one.ack(2, z(4, 1));
    one.leader.stored(z(4, 1));
    one.take();
    one.propose();
    expect(one.take('to')).toEqual(['to 2: propose 4:2 4:2']);
    one.ack(2, z(4, 2));
    one.leader.stored(z(4, 2));
    expect(one.take('execute')).toEqual(['execute 4:2-4:2']);
    one.ack(3, z(4, 1));
    const [asked] = one.take('readLog');
    expect(asked).toMatch(/^readLog #\d+ 4:1$/);
    one.leader.logRead(Number(/#(\d+)/.exec(asked)?.[1]), [stored(batchAt(z(4, 2)))]);
    expect(one.take('to')).toEqual(['to 3: propose 4:2 4:2']);
    one.propose();
    expect(one.take('to')).toEqual(['to 2,3: propose 4:3 4:3']);
  });

  test('is fed from memory as far as that reaches', () => {
    const one = LeaderFixture.leading([2, 3], { options: { historyBytesMax: 100 * MIB } });
    one.propose(1, 9 * MIB);
    one.ack(2, z(4, 1));
    one.propose();
    one.ack(2, z(4, 2));
    one.leader.stored(z(4, 2));
    one.take();
    one.ack(3, z(4, 1));
    expect(one.take()).toEqual(['to 3: propose 4:2 4:2']);
  });

  test('keeps the log that it will need, until it needs it no more', () => {
    const one = LeaderFixture.leading([2, 3], { options: { historyBytesMax: 0 } });
    one.propose(1, 9 * MIB);
    one.ack(2, z(4, 1));
    one.propose();
    one.ack(2, z(4, 2));
    one.leader.stored(z(4, 2));
    one.ack(3, z(4, 1));
    one.leader.tick();
    const [reading, kept] = one.take('readLog', 'keepLog');
    expect(kept).toBe('keepLog 4:1');
    one.leader.logRead(Number(/#(\d+)/.exec(reading)?.[1]), [stored(batchAt(z(4, 2)))]);
    one.leader.tick();
    expect(one.take('keepLog')).toEqual(['keepLog Infinity']);
  });

  test('is dropped when it has not stored in time what it was sent, though it answers (E89)', () => {
    const one = LeaderFixture.leading();
    one.propose();
    one.ack(2, z(4, 1));
    one.wait(OPTIONS.syncLimitMs, [2, 3]);
    expect(one.take('reset')).toEqual([]);
    one.wait(10, [2, 3]);
    expect(one.take('reset')).toEqual(['reset 3']);
  });
});

describe('liveness (E89)', () => {
  test('a silent learner is dropped', () => {
    const one = LeaderFixture.leading();
    one.wait(OPTIONS.syncLimitMs, [2]);
    expect(one.take('reset')).toEqual([]);
    one.wait(10, [2]);
    expect(one.take('reset', 'steps')).toEqual(['reset 3']);
  });

  test('it steps down when its quorum is gone and does not come back at once', () => {
    const one = LeaderFixture.leading();
    for (const id of [2, 3]) one.leader.disconnected(id);
    one.wait(OPTIONS.pingMs * 2 + 10);
    expect(one.take('steps')).toEqual([]);
    one.wait(10);
    expect(one.take('steps')).toEqual(['steps down']);
  });

  test('a quorum that comes back in time is one', () => {
    const one = LeaderFixture.leading();
    for (const id of [2, 3]) one.leader.disconnected(id);
    one.wait(OPTIONS.pingMs);
    one.follow(2, 4);
    one.accept(2, { currentEpoch: 4 });
    one.hear(2, { type: 'newLeaderStored', epoch: 4 });
    one.wait(OPTIONS.pingMs * 4, [2]);
    expect(one.take('steps')).toEqual([]);
  });

  test('a ping that a quorum has answered proves that it still leads, and so do those before', () => {
    const one = LeaderFixture.leading([2, 3], {
      options: { voters: [1, 2, 3, 4, 5].map((id) => ({ id, weight: 1, group: 0 })) },
    });
    const [first, second] = [one.leader.ping(), one.leader.ping()];
    expect(one.take()).toEqual([`to 2,3: ping ${first}`, `to 2,3: ping ${second}`]);
    one.hear(2, { type: 'pong', round: second, sessions: [7, 8] });
    expect(one.take()).toEqual(['heard 2: 7,8']);
    one.hear(3, { type: 'pong', round: first, sessions: [] });
    expect(one.take('confirmed')).toEqual([`confirmed ${first}`]);
    one.hear(3, { type: 'pong', round: second, sessions: [] });
    expect(one.take('confirmed')).toEqual([`confirmed ${second}`]);
  });

  test('pings go out in time by themselves', () => {
    const one = LeaderFixture.leading();
    one.wait(OPTIONS.pingMs * 3, [2, 3]);
    expect(one.take('to').filter((line) => line.includes('ping'))).toHaveLength(3);
  });
});

describe('the next epoch (E90)', () => {
  const shortEpoch = () => LeaderFixture.leading([2, 3], { options: { epochEntriesMax: 2 } });

  test('is opened with the same learners, who go on serving', () => {
    const one = shortEpoch();
    one.propose(2);
    expect([one.leader.isEpochOver, one.leader.upcomingZxid]).toEqual([true, z(5, 1)]);
    expect(() => one.leader.openNextEpoch()).toThrow(AssertionFailure); // not all of it is committed
    for (const id of [2, 3]) one.ack(id, z(4, 2));
    one.leader.stored(z(4, 2));
    one.take();
    one.leader.openNextEpoch();
    expect(one.take()).toEqual(['epochs 5/4', 'to 2,3: newEpoch 5']);
    one.leader.ping(); // whom their clients were heard of is asked all the time
    expect(one.take()).toEqual(['to 2,3: ping 1']);
    one.storeEpochs();
    for (const id of [2, 3]) one.accept(id, { currentEpoch: 4, ends: [z(4, 2)] });
    expect(one.take()).toEqual(['epochs 5/5', 'to 2: newLeader 5', 'to 3: newLeader 5']);
    one.storeEpochs();
    one.hear(2, { type: 'newLeaderStored', epoch: 5 });
    expect(one.take()).toEqual([]); // nothing to serve anew, nobody to welcome again
    one.propose();
    expect(one.take()).toEqual(['append 5:1-5:1', 'to 2,3: propose 5:1 5:1']);
  });

  test('the word of the old one does not count for it', () => {
    const one = shortEpoch();
    one.propose(2);
    for (const id of [2, 3]) one.ack(id, z(4, 2));
    one.leader.stored(z(4, 2));
    one.leader.openNextEpoch();
    one.storeEpochs();
    for (const id of [2, 3]) one.accept(id, { currentEpoch: 4, ends: [z(4, 2)] });
    one.storeEpochs();
    expect(one.leader.isLeading).toBe(false);
    one.hear(2, { type: 'newLeaderStored', epoch: 4 });
    expect(one.leader.isLeading).toBe(false);
  });

  test('drops who is in the middle of being synchronised', () => {
    const one = LeaderFixture.leading([2], { options: { epochEntriesMax: 2 } });
    one.propose(2);
    one.ack(2, z(4, 2));
    one.leader.stored(z(4, 2));
    one.follow(3);
    one.accept(3, { ends: [z(3, 7), z(3, 3)] }); // has to cut its log first
    one.take();
    one.leader.openNextEpoch();
    expect(one.take('reset', 'to')).toEqual(['reset 3', 'to 2: newEpoch 5']);
  });

  test('is above all that was accepted, until there is none left (E79)', () => {
    expect(Leader.nextEpoch(0)).toBe(1);
    expect(Leader.nextEpoch(EPOCH_LIMIT - 2)).toBe(EPOCH_LIMIT - 1);
    expect(() => Leader.nextEpoch(EPOCH_LIMIT - 1)).toThrow(RangeError);
  });
});
