/** A learner, with plain messages of a leader that is not there (E81, E83). Server 1; its leader is server 2. */
import type { PeerMessage } from '../../../../protocol/peer/messages.js';
import { Learner } from '../../../../src/core/zab/learner.js';
import { OPTIONS, proposal, type ServerSetup, TestServer, z } from './fixture.js';

const HEADER = new Uint8Array(1);

class Fixture {
  readonly server: TestServer;
  readonly learner: Learner;

  /** Its log ends at 3:5, of which it has executed all up to 3:`executed`. */
  constructor(setup: ServerSetup = {}, executed = 5) {
    this.server = new TestServer({ acceptedEpoch: 3, ...setup }).has(3, 5);
    const { history, machine } = this.server;
    history.executeUpTo(z(3, executed), (batch) => machine.execute(batch));
    this.learner = new Learner(2, this.server);
    this.learner.ask();
    this.take();
  }

  /** It has accepted epoch 4. */
  synchronising(): this {
    this.hear({ type: 'newEpoch', epoch: 4 });
    this.storeEpochs();
    this.take();
    return this;
  }

  /** It follows in epoch 4. */
  following(): this {
    this.synchronising();
    this.hear({ type: 'newLeader', epoch: 4 });
    this.storeEpochs();
    this.hear({ type: 'upToDate', zxid: z(3, 5) });
    this.take();
    return this;
  }

  take(...beginnings: readonly string[]): string[] {
    return this.server.take(...beginnings);
  }

  hear(message: PeerMessage): void {
    this.learner.handle(message);
  }

  storeEpochs(): void {
    this.learner.epochsStored(this.server.acceptedEpoch, this.server.currentEpoch);
  }

  store(zxid: number): void {
    this.server.storedZxid = zxid;
    this.learner.stored(zxid);
  }

  /** With the digest of the state at `zxid`, unless said otherwise. */
  commit(zxid: number, digestLow = zxid % 2 ** 32): void {
    this.hear({ type: 'commit', zxid, digestHigh: Math.floor(zxid / 2 ** 32), digestLow });
  }
}

test('it asks with what it has promised', () => {
  const server = new TestServer({ acceptedEpoch: 3, isObserver: true });
  new Learner(2, server).ask();
  expect(server.take()).toEqual(['to 2: follow 3 isObserver isVoting']);
});

describe('the epoch', () => {
  test('is stored before it is answered, and the answer says where the log and the tree end (E79)', () => {
    const one = new Fixture({ currentEpoch: 2 }, 4);
    one.hear({ type: 'newEpoch', epoch: 4 });
    expect(one.take()).toEqual(['epochs 4/2']);
    one.storeEpochs();
    expect(one.take()).toEqual(['to 2: epochAccepted 4 2 [3:5,3:4] counts']);
  });

  test('accepted before: stored and answered again, but it does not count', () => {
    const one = new Fixture();
    one.hear({ type: 'newEpoch', epoch: 3 });
    one.storeEpochs();
    expect(one.take()).toEqual(['epochs 3/3', 'to 2: epochAccepted 3 3 [3:5]']);
  });

  test('an older one is refused, and nothing is stored', () => {
    const one = new Fixture();
    one.hear({ type: 'newEpoch', epoch: 2 });
    expect(one.take()).toEqual(['leaves']);
  });

  test('what the disk says of an earlier promise is no answer', () => {
    const one = new Fixture();
    one.hear({ type: 'newEpoch', epoch: 5 });
    one.take();
    one.learner.epochsStored(4, 3);
    expect(one.take()).toEqual([]);
  });
});

describe('synchronisation', () => {
  test('the disk gets history, then the epoch, and the leader hears of each when it is there (E83)', () => {
    const one = new Fixture().synchronising();
    one.hear(proposal(z(3, 6), 2));
    one.hear({ type: 'newLeader', epoch: 4 });
    one.hear(proposal(z(4, 1)));
    expect(one.take()).toEqual(['append 3:6-3:7', 'epochs 4/4', 'append 4:1-4:1']);
    one.store(z(3, 7));
    one.storeEpochs();
    one.store(z(4, 1));
    expect(one.take()).toEqual(['to 2: ack 3:7', 'to 2: newLeaderStored 4', 'to 2: ack 4:1']);
  });

  test.each([
    ['a gap', z(3, 7)],
    ['the same again', z(3, 5)],
    ['the middle of a later epoch', z(4, 2)],
    ['an earlier epoch', z(2, 1)],
  ])('%s in the stream ends it', (_, zxid) => {
    const one = new Fixture().synchronising();
    one.hear(proposal(zxid));
    expect(one.take()).toEqual(['leaves']);
    expect(one.server.history.lastZxid).toBe(z(3, 5));
  });

  test('a batch under another zxid ends it', () => {
    const one = new Fixture().synchronising();
    one.hear({ ...proposal(z(3, 7)), firstZxid: z(3, 6) });
    one.hear({ ...proposal(z(3, 6)), lastZxid: z(3, 7) });
    expect(one.take()).toEqual(['leaves', 'leaves']);
  });

  test.each([
    ['one that was not accepted', { type: 'newLeader', epoch: 5 }],
    ['an older one', { type: 'newLeader', epoch: 3 }],
  ] as const)('the epoch to adopt is %s: it leaves', (_, message) => {
    const one = new Fixture().synchronising();
    one.hear(message);
    expect(one.take()).toEqual(['leaves']);
  });

  test('it does not serve before the epoch is stored', () => {
    const one = new Fixture().synchronising();
    one.hear({ type: 'newLeader', epoch: 4 });
    one.take();
    one.hear({ type: 'upToDate', zxid: z(3, 5) });
    expect(one.take()).toEqual(['leaves']);
  });
});

describe('truncation', () => {
  test('the tail goes from memory and disk; the leader hears when it is gone (E81)', () => {
    const one = new Fixture({}, 3).synchronising();
    one.hear({ type: 'truncate', afterZxid: z(3, 4) });
    expect(one.take()).toEqual(['truncate 3:4']);
    expect(one.server.history.lastZxid).toBe(z(3, 4));
    one.learner.truncated(z(3, 4));
    expect(one.take()).toEqual(['to 2: truncated 3:4']);
    one.hear(proposal(z(3, 5)));
    expect(one.take()).toEqual(['append 3:5-3:5']);
  });

  test.each([
    ['what was executed', z(3, 2)],
    ['a place that is not the end of a batch', z(2, 9)],
    ['a place beyond its log', z(3, 6)],
  ])('%s is not cut', (_, afterZxid) => {
    const one = new Fixture({}, 3).synchronising();
    one.hear({ type: 'truncate', afterZxid });
    expect(one.take()).toEqual(['leaves']);
  });

  test('nothing may come before the cut is done', () => {
    for (const early of [proposal(z(3, 5)), { type: 'newLeader', epoch: 4 } as const]) {
      const one = new Fixture({}, 3).synchronising();
      one.hear({ type: 'truncate', afterZxid: z(3, 4) });
      one.take();
      one.hear(early);
      expect(one.take()).toEqual(['leaves']);
    }
  });
});

describe('a full copy', () => {
  const pages = (...numbers: number[]) => numbers.map((page) => ({ page, bytes: HEADER }));

  function copied(): Fixture {
    const one = new Fixture().synchronising();
    one.hear({ type: 'snapshot', zxid: z(3, 9), header: HEADER });
    one.hear({ type: 'snapshotPages', pages: pages(1, 2) });
    one.hear({ type: 'snapshotPages', pages: pages(3) });
    expect(one.take()).toEqual([
      'beginCopy 3:9',
      'copyPages 1,2',
      'to 2: snapshotTaken',
      'copyPages 3',
      'to 2: snapshotTaken',
    ]);
    return one;
  }

  test('the stream goes on once it is whole and on disk, not before', () => {
    const one = copied();
    one.learner.copyStored(z(3, 9));
    expect(one.take()).toEqual([]); // it is not whole
    one.hear({ type: 'snapshotEnd' });
    expect(one.take()).toEqual(['endCopy']);
    one.learner.copyStored(z(3, 8));
    expect(one.take()).toEqual([]); // a checkpoint of another time
    one.learner.copyStored(z(3, 9));
    expect(one.take()).toEqual(['to 2: snapshotTaken']);
    one.server.history.reset(z(3, 9));
    one.hear(proposal(z(3, 10)));
    expect(one.take()).toEqual(['append 3:10-3:10']);
  });

  test.each<[string, PeerMessage]>([
    ['a batch', proposal(z(3, 6))],
    ['the epoch', { type: 'newLeader', epoch: 4 }],
  ])('%s in the middle of it ends it', (_, message) => {
    const one = copied();
    one.hear(message);
    expect(one.take()).toEqual(['leaves']);
  });

  test('one that is not usable ends it', () => {
    const one = copied();
    one.server.notebook.copyFault = 'another digest';
    one.hear({ type: 'snapshotEnd' });
    expect(one.take()).toEqual(['endCopy', 'leaves']);
  });

  test('what belongs to no copy ends it', () => {
    for (const message of [{ type: 'snapshotPages', pages: pages(1) } as const, { type: 'snapshotEnd' } as const]) {
      const one = new Fixture().synchronising();
      one.hear(message);
      expect(one.take()).toEqual(['leaves']);
    }
  });

  test('a server that is up to date takes none', () => {
    const one = new Fixture().following();
    one.hear({ type: 'snapshot', zxid: z(3, 9), header: HEADER });
    expect(one.take()).toEqual(['leaves']);
  });

  test('half of one is given up with the leader, a whole one on its way to disk is not', () => {
    const half = copied();
    half.learner.close();
    expect(half.take()).toEqual(['abandonCopy']);
    const whole = copied();
    whole.hear({ type: 'snapshotEnd' });
    whole.server.notebook.isCopyStoring = true;
    whole.take();
    whole.learner.close();
    expect(whole.take()).toEqual([]);
  });
});

describe('commits', () => {
  test('nothing is executed before it is both committed and on its own disk', () => {
    const one = new Fixture().following();
    for (const counter of [1, 2]) one.hear(proposal(z(4, counter)));
    one.store(z(4, 1));
    expect(one.take('execute')).toEqual([]);
    one.commit(z(4, 2));
    expect(one.take('execute')).toEqual(['execute 4:1-4:1']);
    one.store(z(4, 2));
    expect(one.take('execute')).toEqual(['execute 4:2-4:2']);
  });

  test('it serves once the leader says so, with everything that was committed then', () => {
    const one = new Fixture({}, 3).synchronising();
    one.hear({ type: 'newLeader', epoch: 4 });
    one.storeEpochs();
    one.take();
    expect(one.learner.isFollowing).toBe(false);
    one.hear({ type: 'upToDate', zxid: z(3, 5) });
    expect(one.take()).toEqual(['execute 3:4-3:4', 'execute 3:5-3:5', 'serves learner']);
  });

  test('a commit that is older than the last is nothing', () => {
    const one = new Fixture().following();
    one.commit(z(3, 4), 99);
    expect(one.take()).toEqual([]);
  });

  test('the tree has another digest than the leader had at that zxid: nothing more comes of it (E98)', () => {
    const one = new Fixture().following();
    for (const counter of [1, 2, 3]) one.hear(proposal(z(4, counter)));
    one.commit(z(4, 1));
    one.commit(z(4, 2), 77);
    one.commit(z(4, 3));
    expect(one.take('diverged')).toEqual([]);
    one.store(z(4, 3));
    expect(one.take('execute', 'diverged')).toEqual(['execute 4:1-4:1', 'execute 4:2-4:2', 'diverged']);
  });

  test('digests are compared where they were taken, also when the disk is behind', () => {
    const one = new Fixture().following();
    for (const counter of [1, 2, 3]) {
      one.hear(proposal(z(4, counter)));
      one.commit(z(4, counter));
    }
    one.store(z(4, 2));
    one.store(z(4, 3));
    expect(one.take('diverged')).toEqual([]);
  });
});

describe('liveness (E89)', () => {
  test('a ping is answered with the sessions heard of (E16)', () => {
    const one = new Fixture().following();
    one.server.notebook.sessions = [7];
    one.hear({ type: 'ping', round: 3 });
    expect(one.take()).toEqual(['to 2: pong 3']);
    expect(one.server.notebook.sessions).toEqual([]);
  });

  test.each([
    ['before it follows', new Fixture().synchronising(), OPTIONS.initLimitMs],
    ['when it follows', new Fixture().following(), OPTIONS.syncLimitMs],
  ])('silence %s: it leaves, but not before its time', (_, one, limitMs) => {
    one.server.notebook.nowMs = 5000;
    one.hear({ type: 'ping', round: 1 });
    one.take();
    one.server.notebook.nowMs = 5000 + limitMs;
    one.learner.tick();
    expect(one.take()).toEqual([]);
    one.server.notebook.nowMs++;
    one.learner.tick();
    expect(one.take()).toEqual(['leaves']);
  });
});

test('a new epoch of the same leader: it goes on serving meanwhile (E90)', () => {
  const one = new Fixture().following();
  one.hear({ type: 'newEpoch', epoch: 5 });
  one.storeEpochs();
  one.hear({ type: 'newLeader', epoch: 5 });
  one.storeEpochs();
  expect(one.take()).toEqual([
    'epochs 5/4',
    'to 2: epochAccepted 5 4 [3:5] counts',
    'epochs 5/5',
    'to 2: newLeaderStored 5',
  ]);
  expect(one.learner.isFollowing).toBe(true);
  one.hear(proposal(z(5, 1)));
  one.commit(z(5, 1));
  one.store(z(5, 1));
  expect(one.take()).toEqual(['append 5:1-5:1', 'to 2: ack 5:1', 'execute 5:1-5:1']);
});
