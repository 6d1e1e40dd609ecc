/** The leader: a new epoch, a quorum that follows, broadcast (E79–E87). Server 1 of three; its log ends at 3:5. */
import { COUNTER_MAX } from '../../../../protocol/ids.js';
import { Leader } from '../../../../src/core/zab/leader.js';
import { AssertionFailure } from '../../../../src/std/assert.js';
import { batchAt, OPTIONS, TestServer, z } from './fixture.js';
import { LeaderFixture, type Place } from './leader-fixture.js';

describe('a new epoch', () => {
  test('is above all that a quorum has ever accepted, and is asked for when there is one (E79)', () => {
    const one = new LeaderFixture();
    expect(one.take()).toEqual([]);
    one.follow(2, 6);
    expect(one.take()).toEqual(['epochs 7/3', 'to 2: newEpoch 7']);
    one.follow(3, 5);
    expect(one.take()).toEqual(['to 3: newEpoch 7']);
  });

  test('counts those who asked before this server knew that it leads', () => {
    const server = new TestServer({ acceptedEpoch: 3 });
    const asking = { type: 'follow', acceptedEpoch: 4, isObserver: false, isVoting: true } as const;
    new Leader(server, 0).start(new Map([[3, asking]]));
    expect(server.take()).toEqual(['epochs 5/3', 'to 3: newEpoch 5']);
  });

  test.each([
    ['an observer', 4, { isObserver: true }],
    ['a stranger', 9, {}],
    ['a voter that lost its disk', 2, { isVoting: false }],
  ])('%s makes no quorum', (_, from, kind) => {
    const one = new LeaderFixture();
    one.follow(from, 3, kind);
    expect(one.take()).toEqual([]);
  });

  test('is used when a quorum has it on disk, this server among them', () => {
    const one = new LeaderFixture();
    one.follow(2);
    one.follow(3);
    one.take();
    one.accept(2);
    one.accept(3);
    expect(one.take()).toEqual([]);
    one.storeEpochs();
    expect(one.take()).toEqual(['epochs 4/4', 'to 2: newLeader 4', 'to 3: newLeader 4']);
  });

  test('is not accepted by who had accepted it before, nor by who answers to another one (E79)', () => {
    const one = new LeaderFixture();
    one.follow(2);
    one.storeEpochs();
    one.accept(2, { counts: false });
    one.hear(2, {
      type: 'epochAccepted',
      epoch: 3,
      currentEpoch: 3,
      ends: [z(3, 5)],
      counts: true,
    });
    one.take();
    one.follow(3);
    expect(one.take()).toEqual(['to 3: newEpoch 4']);
    one.accept(3);
    expect(one.take('epochs')).toEqual(['epochs 4/4']);
  });

  test.each<[string, Place, string[]]>([
    ['a newer epoch', { currentEpoch: 4, ends: [z(3, 1)] }, ['steps down']],
    ['a longer log', { ends: [z(3, 6)] }, ['steps down']],
    ['a longer log of an older epoch', { currentEpoch: 2, ends: [z(3, 6)] }, []],
    ['as much', {}, []],
  ])('a follower has %s (E80)', (_, place, expected) => {
    const one = new LeaderFixture();
    one.follow(2);
    one.take();
    one.accept(2, place);
    expect(one.take('steps')).toEqual(expected);
  });

  test('an observer, or one that lost its disk, cannot know more', () => {
    const one = new LeaderFixture();
    one.follow(2);
    one.follow(3, 3, { isVoting: false });
    one.follow(4, 3, { isObserver: true });
    for (const id of [3, 4]) one.accept(id, { ends: [z(3, 9)] });
    expect(one.take('steps')).toEqual([]);
  });
});

describe('establishing', () => {
  function synchronising(): LeaderFixture {
    const one = new LeaderFixture();
    one.follow(2);
    one.accept(2);
    one.storeEpochs();
    one.take();
    return one;
  }

  test('a quorum has stored the history and behind it the epoch: then all of it is committed (E85)', () => {
    const one = synchronising();
    one.hear(2, { type: 'newLeaderStored', epoch: 4 });
    expect(one.take()).toEqual([]);
    one.storeEpochs();
    const history = [1, 2, 3, 4, 5].map((counter) => `execute 3:${counter}-3:${counter}`);
    expect(one.take()).toEqual([...history, 'established', 'serves leader', 'to 2: upToDate 3:5']);
    expect([one.leader.isLeading, one.leader.nextZxid]).toEqual([true, z(4, 1)]);
  });

  test('history of earlier epochs is not committed by counting who has it', () => {
    const one = synchronising();
    one.storeEpochs();
    one.follow(3);
    one.accept(3);
    for (const id of [2, 3]) one.ack(id, z(3, 5));
    expect(one.take('execute', 'serves')).toEqual([]);
  });

  test('a quorum of others is none while its own disk does not have the epoch', () => {
    const one = synchronising();
    one.follow(3);
    one.accept(3);
    for (const id of [2, 3]) one.hear(id, { type: 'newLeaderStored', epoch: 4 });
    expect(one.take('serves')).toEqual([]);
    one.storeEpochs();
    expect(one.take('serves')).toEqual(['serves leader']);
  });

  test('the word of a learner on another epoch says nothing', () => {
    const one = synchronising();
    one.storeEpochs();
    one.hear(2, { type: 'newLeaderStored', epoch: 3 });
    expect(one.take('serves')).toEqual([]);
  });

  test('observers make no quorum', () => {
    const one = synchronising();
    one.storeEpochs();
    one.follow(4, 3, { isObserver: true });
    one.accept(4);
    one.hear(4, { type: 'newLeaderStored', epoch: 4 });
    expect(one.take('serves')).toEqual([]);
  });

  test('what is in the way for too long ends it', () => {
    const one = synchronising();
    one.wait(OPTIONS.initLimitMs, [2]);
    expect(one.take('steps')).toEqual([]);
    one.wait(10, [2]);
    expect(one.take('steps')).toEqual(['steps down']);
  });

  test('whoever voted for it asks at once, or does not at all', () => {
    const one = new LeaderFixture();
    one.wait(OPTIONS.pingMs * 2);
    expect(one.take('steps')).toEqual([]);
    one.wait(10);
    expect(one.take('steps')).toEqual(['steps down']);
  });

  test('without a link to a quorum it waits for nobody', () => {
    const one = synchronising();
    one.server.connected.delete(3);
    one.leader.disconnected(3);
    expect(one.take('steps')).toEqual([]);
    one.server.connected.delete(2);
    one.leader.disconnected(2);
    expect(one.take('steps')).toEqual(['steps down']);
  });
});

describe('broadcast', () => {
  test('a batch goes to the own disk and to all learners; the first of an epoch has counter 1 (E85)', () => {
    const one = LeaderFixture.leading();
    one.propose(3);
    one.propose(2);
    expect(one.take()).toEqual([
      'append 4:1-4:3',
      'to 2,3: propose 4:1 4:3',
      'append 4:4-4:5',
      'to 2,3: propose 4:4 4:5',
    ]);
  });

  test('committed when a quorum has stored it, this server counting with what its disk reported (E86)', () => {
    const one = LeaderFixture.leading();
    one.propose(3);
    one.ack(2, z(4, 3));
    expect(one.take('execute')).toEqual([]);
    one.leader.stored(z(4, 3));
    expect(one.take('execute')).toEqual(['execute 4:1-4:3']);
    one.ack(3, z(4, 3));
    expect(one.take('execute')).toEqual([]);
  });

  test('a quorum of others is none while its own disk does not have it: the tree is never ahead of the log', () => {
    const one = LeaderFixture.leading();
    one.propose();
    one.ack(2, z(4, 1));
    one.ack(3, z(4, 1));
    expect(one.take('execute')).toEqual([]);
    one.leader.stored(z(4, 1));
    expect(one.take('execute')).toEqual(['execute 4:1-4:1']);
  });

  test('commits are in order, whatever order the words come in, and told once a turn', () => {
    const one = LeaderFixture.leading();
    for (let i = 0; i < 3; i++) one.propose();
    one.ack(3, z(4, 3));
    one.leader.stored(z(4, 2));
    one.ack(2, z(4, 1)); // behind what others said
    expect(one.take('execute')).toEqual(['execute 4:1-4:1', 'execute 4:2-4:2']);
    one.leader.announceCommit();
    one.leader.announceCommit();
    expect(one.take()).toEqual(['to 2,3: commit 4:2']);
  });

  test('observers and strangers do not count', () => {
    const one = LeaderFixture.leading();
    one.follow(4, 3, { isObserver: true });
    one.accept(4);
    one.hear(4, { type: 'newLeaderStored', epoch: 4 });
    one.propose();
    one.leader.stored(z(4, 1));
    for (const id of [4, 9]) one.ack(id, z(4, 1));
    expect(one.take('execute')).toEqual([]);
  });

  test.each([
    ['follows as an observer though it is a voter', { isObserver: true }, true],
    ['has not stored the epoch', {}, false],
  ])('one that %s does not count', (_, kind, hasStored) => {
    const one = LeaderFixture.leading([2]);
    one.follow(3, 3, kind);
    one.accept(3);
    if (hasStored) one.hear(3, { type: 'newLeaderStored', epoch: 4 });
    one.propose();
    one.leader.stored(z(4, 1));
    one.ack(3, z(4, 1));
    expect(one.take('execute')).toEqual([]);
    one.ack(2, z(4, 1));
    expect(one.take('execute')).toEqual(['execute 4:1-4:1']);
  });

  test('who acknowledges what it was not sent is dropped, and not counted', () => {
    const one = LeaderFixture.leading();
    one.propose();
    one.leader.stored(z(4, 1));
    one.ack(2, z(4, 2));
    expect(one.take('execute', 'reset')).toEqual(['reset 2']);
  });

  test('who is gone no longer counts', () => {
    const one = LeaderFixture.leading();
    one.propose();
    one.ack(2, z(4, 1));
    one.leader.disconnected(2);
    one.leader.stored(z(4, 1));
    expect(one.take('execute')).toEqual([]);
  });

  test('a batch that is not the next one, is empty or leaves its epoch is refused', () => {
    const { leader } = LeaderFixture.leading();
    const bytes = new Uint8Array(1);
    expect(() => leader.propose(batchAt(z(4, 2)), bytes)).toThrow(AssertionFailure);
    expect(() => leader.propose(batchAt(z(4, 1), 0), bytes)).toThrow(AssertionFailure);
    const endless = { ...batchAt(z(4, 1)), operations: { length: COUNTER_MAX + 1 } as number[] };
    expect(() => leader.propose(endless, bytes)).toThrow(AssertionFailure);
    expect(() => new LeaderFixture().leader.propose(batchAt(z(4, 1)), bytes)).toThrow(AssertionFailure);
  });
});

describe('withdraw: an ensemble of one takes back what its disk refused', () => {
  function alone(): LeaderFixture {
    const one = new LeaderFixture({ options: { voters: [{ id: 1, weight: 1, group: 0 }] } });
    one.storeEpochs();
    one.storeEpochs();
    expect(one.take('epochs', 'serves')).toEqual(['epochs 4/3', 'epochs 4/4', 'serves leader']);
    return one;
  }

  test('from that batch on, and the zxids are given out again', () => {
    const one = alone();
    for (const length of [2, 3, 1]) one.propose(length);
    one.leader.stored(z(4, 2));
    expect(one.take('execute')).toEqual(['execute 4:1-4:2']);
    expect(one.leader.withdraw(z(4, 3)).map(({ firstZxid }) => firstZxid)).toEqual([z(4, 3), z(4, 6)]);
    expect([one.leader.nextZxid, one.server.history.pending]).toEqual([z(4, 3), 0]);
    one.propose();
    expect(one.take('append')).toEqual(['append 4:3-4:3']);
  });

  test('nothing when nothing is there', () => {
    const one = alone();
    one.propose(2);
    expect(one.leader.withdraw(z(4, 3))).toEqual([]);
    expect(one.leader.nextZxid).toBe(z(4, 3));
  });

  test('never when others may have it', () => {
    const one = LeaderFixture.leading();
    one.propose();
    expect(() => one.leader.withdraw(z(4, 1))).toThrow(AssertionFailure);
  });
});

test('its time is over: everybody who follows is told, and the log is its own again', () => {
  const one = LeaderFixture.leading();
  one.leader.close('over');
  expect(one.take()).toEqual(['reset 2', 'reset 3']);
});
