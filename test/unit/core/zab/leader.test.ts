/** The leader, with plain messages from learners that are not there (E79–E90). Server 1 of three; its log ends at 3:5. */
import { COUNTER_MAX, EPOCH_LIMIT } from '../../../../protocol/ids.js';
import type { PeerMessage } from '../../../../protocol/peer/messages.js';
import { Leader } from '../../../../src/core/zab/leader.js';
import { AssertionFailure } from '../../../../src/std/assert.js';
import { batchAt, OPTIONS, type ServerSetup, stored, TestServer, z } from './fixture.js';

const MIB = 1_048_576;

interface Place {
  readonly currentEpoch?: number;
  /** Of its log. */
  readonly ends?: readonly number[];
  readonly counts?: boolean;
}

class Fixture {
  readonly server: TestServer;
  readonly leader: Leader;

  constructor(setup: ServerSetup = {}) {
    this.server = new TestServer({ acceptedEpoch: 3, ...setup }).has(3, 5);
    this.leader = new Leader(this.server, this.server.storedZxid);
    this.leader.start(new Map());
  }

  /** Leads epoch 4 with these learners, which have all it has. */
  static leading(learners: readonly number[] = [2, 3], setup: ServerSetup = {}): Fixture {
    const one = new Fixture(setup);
    for (const id of learners) one.follow(id);
    for (const id of learners) one.accept(id);
    one.storeEpochs();
    one.storeEpochs();
    for (const id of learners) one.hear(id, { type: 'newLeaderStored', epoch: 4 });
    one.take();
    return one;
  }

  take(...beginnings: readonly string[]): string[] {
    return this.server.take(...beginnings);
  }

  hear(from: number, message: PeerMessage): void {
    this.leader.handle(from, message);
  }

  follow(from: number, acceptedEpoch = 3, kind: { isObserver?: boolean; isVoting?: boolean } = {}): void {
    this.hear(from, { type: 'follow', acceptedEpoch, isObserver: false, isVoting: true, ...kind });
  }

  /** It has stored the leader's epoch; and where it stands. */
  accept(from: number, place: Place = {}): void {
    const all = { currentEpoch: 3, ends: [z(3, 5)], counts: true, ...place };
    this.hear(from, { type: 'epochAccepted', epoch: this.leader.epoch, ...all });
  }

  /** The leader's disk has the epochs it was asked to store last. */
  storeEpochs(): void {
    this.leader.epochsStored(this.server.acceptedEpoch, this.server.currentEpoch);
  }

  propose(length = 1, byteCount = 1): void {
    this.leader.propose(batchAt(this.leader.nextZxid, length), new Uint8Array(byteCount));
  }

  ack(from: number, zxid: number): void {
    this.hear(from, { type: 'ack', zxid });
  }

  /** Time passes, and these learners answer every ping. */
  wait(durationMs: number, alive: readonly number[] = []): void {
    const { notebook } = this.server;
    for (const endMs = notebook.nowMs + durationMs; notebook.nowMs < endMs; ) {
      notebook.nowMs += 10;
      for (const id of alive) this.hear(id, { type: 'pong', round: 0, sessions: [] });
      this.leader.tick();
    }
  }
}

describe('a new epoch', () => {
  test('is above all that a quorum has ever accepted, and is asked for when there is one (E79)', () => {
    const one = new Fixture();
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
    const one = new Fixture();
    one.follow(from, 3, kind);
    expect(one.take()).toEqual([]);
  });

  test('is used when a quorum has it on disk, this server among them', () => {
    const one = new Fixture();
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
    const one = new Fixture();
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
    const one = new Fixture();
    one.follow(2);
    one.take();
    one.accept(2, place);
    expect(one.take('steps')).toEqual(expected);
  });

  test('an observer, or one that lost its disk, cannot know more', () => {
    const one = new Fixture();
    one.follow(2);
    one.follow(3, 3, { isVoting: false });
    one.follow(4, 3, { isObserver: true });
    for (const id of [3, 4]) one.accept(id, { ends: [z(3, 9)] });
    expect(one.take('steps')).toEqual([]);
  });
});

describe('establishing', () => {
  function synchronising(): Fixture {
    const one = new Fixture();
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
    const one = new Fixture();
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
    const one = Fixture.leading();
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
    const one = Fixture.leading();
    one.propose(3);
    one.ack(2, z(4, 3));
    expect(one.take('execute')).toEqual([]);
    one.leader.stored(z(4, 3));
    expect(one.take('execute')).toEqual(['execute 4:1-4:3']);
    one.ack(3, z(4, 3));
    expect(one.take('execute')).toEqual([]);
  });

  test('a quorum of others is none while its own disk does not have it: the tree is never ahead of the log', () => {
    const one = Fixture.leading();
    one.propose();
    one.ack(2, z(4, 1));
    one.ack(3, z(4, 1));
    expect(one.take('execute')).toEqual([]);
    one.leader.stored(z(4, 1));
    expect(one.take('execute')).toEqual(['execute 4:1-4:1']);
  });

  test('commits are in order, whatever order the words come in, and told once a turn', () => {
    const one = Fixture.leading();
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
    const one = Fixture.leading();
    one.follow(4, 3, { isObserver: true });
    one.accept(4);
    one.hear(4, { type: 'newLeaderStored', epoch: 4 });
    one.propose();
    one.leader.stored(z(4, 1));
    for (const id of [4, 9]) one.ack(id, z(4, 1));
    expect(one.take('execute')).toEqual([]);
  });

  test('who acknowledges what it was not sent is dropped, and not counted', () => {
    const one = Fixture.leading();
    one.propose();
    one.leader.stored(z(4, 1));
    one.ack(2, z(4, 2));
    expect(one.take('execute', 'reset')).toEqual(['reset 2']);
  });

  test('who is gone no longer counts', () => {
    const one = Fixture.leading();
    one.propose();
    one.ack(2, z(4, 1));
    one.leader.disconnected(2);
    one.leader.stored(z(4, 1));
    expect(one.take('execute')).toEqual([]);
  });

  test('a batch that is not the next one, is empty or leaves its epoch is refused', () => {
    const { leader } = Fixture.leading();
    const bytes = new Uint8Array(1);
    expect(() => leader.propose(batchAt(z(4, 2)), bytes)).toThrow(AssertionFailure);
    expect(() => leader.propose(batchAt(z(4, 1), 0), bytes)).toThrow(AssertionFailure);
    const endless = { ...batchAt(z(4, 1)), operations: { length: COUNTER_MAX + 1 } as number[] };
    expect(() => leader.propose(endless, bytes)).toThrow(AssertionFailure);
    expect(() => new Fixture().leader.propose(batchAt(z(4, 1)), bytes)).toThrow(AssertionFailure);
  });
});

describe('learners that come late', () => {
  test('get the history, the epoch, and all that was proposed meanwhile; then the live stream', () => {
    const one = Fixture.leading([2]);
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
    const one = Fixture.leading([2]);
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
    const one = Fixture.leading([2]);
    expect(one.leader.isEpochOver).toBe(false);
    one.follow(3, 7);
    expect(one.take()).toEqual([]);
    expect([one.leader.isEpochOver, one.leader.upcomingZxid]).toEqual([true, z(8, 1)]);
    one.leader.openNextEpoch();
    expect(one.take()).toEqual(['epochs 8/4', 'to 2,3: newEpoch 8']);
  });

  test('one that comes again begins from the beginning', () => {
    const one = Fixture.leading();
    one.propose();
    one.ack(3, z(4, 1));
    one.follow(3, 4);
    one.leader.stored(z(4, 1));
    expect(one.take('execute', 'to 3')).toEqual(['to 3: newEpoch 4']);
  });
});

describe('a slow learner', () => {
  test('leaves the live stream and is fed from disk, and nobody waits for it', () => {
    const one = Fixture.leading([2, 3], { options: { historyBytesMax: 0 } });
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
    const one = Fixture.leading([2, 3], { options: { historyBytesMax: 100 * MIB } });
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
    const one = Fixture.leading([2, 3], { options: { historyBytesMax: 0 } });
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
    const one = Fixture.leading();
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
    const one = Fixture.leading();
    one.wait(OPTIONS.syncLimitMs, [2]);
    expect(one.take('reset')).toEqual([]);
    one.wait(10, [2]);
    expect(one.take('reset', 'steps')).toEqual(['reset 3']);
  });

  test('it steps down when its quorum is gone and does not come back at once', () => {
    const one = Fixture.leading();
    for (const id of [2, 3]) one.leader.disconnected(id);
    one.wait(OPTIONS.pingMs * 2 + 10);
    expect(one.take('steps')).toEqual([]);
    one.wait(10);
    expect(one.take('steps')).toEqual(['steps down']);
  });

  test('a quorum that comes back in time is one', () => {
    const one = Fixture.leading();
    for (const id of [2, 3]) one.leader.disconnected(id);
    one.wait(OPTIONS.pingMs);
    one.follow(2, 4);
    one.accept(2, { currentEpoch: 4 });
    one.hear(2, { type: 'newLeaderStored', epoch: 4 });
    one.wait(OPTIONS.pingMs * 4, [2]);
    expect(one.take('steps')).toEqual([]);
  });

  test('a ping that a quorum has answered proves that it still leads, and so do those before', () => {
    const one = Fixture.leading([2, 3], {
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
    const one = Fixture.leading();
    one.wait(OPTIONS.pingMs * 3, [2, 3]);
    expect(one.take('to').filter((line) => line.includes('ping'))).toHaveLength(3);
  });
});

describe('the next epoch (E90)', () => {
  const shortEpoch = () => Fixture.leading([2, 3], { options: { epochEntriesMax: 2 } });

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
    const one = Fixture.leading([2], { options: { epochEntriesMax: 2 } });
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

describe('withdraw: an ensemble of one takes back what its disk refused', () => {
  function alone(): Fixture {
    const one = new Fixture({ options: { voters: [{ id: 1, weight: 1, group: 0 }] } });
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
    const one = Fixture.leading();
    one.propose();
    expect(() => one.leader.withdraw(z(4, 1))).toThrow(AssertionFailure);
  });
});

test('its time is over: everybody who follows is told, and the log is its own again', () => {
  const one = Fixture.leading();
  one.leader.close('over');
  expect(one.take()).toEqual(['reset 2', 'reset 3']);
});
