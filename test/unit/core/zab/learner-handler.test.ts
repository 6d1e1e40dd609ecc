/** The leader's side of one learner: which way it is synchronised, from where, and how much is on its way (E81, E89). */
import { COUNTER_MAX } from '../../../../protocol/ids.js';
import { History } from '../../../../src/core/zab/history.js';
import { type HandlerContext, LearnerHandler } from '../../../../src/core/zab/learner-handler.js';
import { batchAt, Notebook, stored, z } from './fixture.js';

const MIB = 1_048_576;
const PAGE = { page: 1, bytes: new Uint8Array(1) };

/** The leader of epoch 4. In memory it has 3:6 to 3:8 and 4:1; its disk has more. */
class Fixture implements HandlerContext {
  readonly notebook = new Notebook();
  readonly surroundings = this.notebook;
  readonly history = new History(1_000_000);
  readonly inheritedZxid = z(3, 8);
  readonly epoch = 4;
  checkpointZxid = z(3, 6);
  copies = 1;
  readonly handler: LearnerHandler;

  /** `ends`: of the learner's log. */
  constructor(...ends: readonly number[]) {
    this.history.reset(z(3, 5));
    for (const zxid of [z(3, 6), z(3, 7), z(3, 8), z(4, 1)]) {
      const { bytes } = stored(batchAt(zxid));
      this.history.append(batchAt(zxid), bytes);
    }
    this.handler = new LearnerHandler(2, false, true, this);
    this.handler.ends = ends;
  }

  nextReader(): number {
    return 7;
  }
  mayCopy(): boolean {
    return this.copies > 0;
  }
  drop(): void {
    this.notebook.write('drop');
  }
  announceTo(): void {
    this.notebook.write('announce');
  }

  take(): string[] {
    return this.notebook.take();
  }

  synchronise(): this {
    this.handler.synchronise();
    return this;
  }
}

const log = (...zxids: number[]) => zxids.map((zxid) => stored(batchAt(zxid)));
const STREAM = ['to 2: propose 3:7 3:7', 'to 2: propose 3:8 3:8', 'to 2: newLeader 4', 'to 2: propose 4:1 4:1'];

describe('from memory', () => {
  test('what it lacks: history, the epoch behind it, and then the entries of this epoch', () => {
    const one = new Fixture(z(3, 6)).synchronise();
    expect(one.take()).toEqual(['announce', ...STREAM]);
    expect(one.handler.isAbreast).toBe(true);
  });

  test('a learner that has all of the history gets the epoch at once', () => {
    const one = new Fixture(z(3, 8)).synchronise();
    expect(one.take()).toEqual(['announce', 'to 2: newLeader 4', 'to 2: propose 4:1 4:1']);
  });

  test('a server that lost its disk gets the epoch, and its say with it, behind all that it may have acknowledged', () => {
    const one = new Fixture(z(3, 6));
    one.handler.isVoting = false;
    one.synchronise();
    const [first, second, epoch, last] = STREAM;
    expect(one.take()).toEqual(['announce', first, second, last, epoch]);
  });

  test('nothing is sent before what is too much is cut', () => {
    const one = new Fixture(z(3, 9), z(3, 6)).synchronise();
    expect(one.take()).toEqual(['to 2: truncate 3:8']);
    one.handler.pump();
    expect(one.take()).toEqual([]);
    one.handler.truncated(z(3, 8));
    expect(one.take()).toEqual(['announce', 'to 2: newLeader 4', 'to 2: propose 4:1 4:1']);
  });

  test('a learner that cuts elsewhere, or unasked, is dropped', () => {
    const one = new Fixture(z(3, 9), z(3, 6)).synchronise();
    one.take();
    one.handler.truncated(z(3, 7));
    expect(one.take()).toEqual(['drop']);
    const other = new Fixture(z(3, 8)).synchronise();
    other.take();
    other.handler.truncated(z(4, 1));
    expect(other.take()).toEqual(['drop']);
  });
});

describe('from disk', () => {
  test('the end of its log is there: from that on, memory takes over where it begins', () => {
    const one = new Fixture(z(3, 4)).synchronise();
    expect([one.take(), one.handler.keepAfter]).toEqual([['findLogEnd #7 3:4'], z(3, 4)]);
    one.handler.logEndFound(z(3, 4));
    expect(one.take()).toEqual(['announce', 'readLog #7 3:4']);
    one.handler.logRead(log(z(3, 5), z(3, 6)));
    expect(one.take()).toEqual(['to 2: propose 3:5 3:5', 'to 2: propose 3:6 3:6', ...STREAM]);
    expect(one.handler.keepAfter).toBe(Number.POSITIVE_INFINITY);
  });

  test('epochs that nobody else has heard of are cut, down to the newest one that is there', () => {
    const one = new Fixture(z(2, 40), z(1, 30), z(1, 10)).synchronise();
    expect([one.take(), one.handler.keepAfter]).toEqual([['findLogEnd #7 2:40'], z(1, 10)]);
    one.handler.logEndFound(z(1, 20)); // nothing of epoch 2
    expect(one.take()).toEqual(['findLogEnd #7 1:30']);
    one.handler.logEndFound(z(1, 20));
    expect(one.take()).toEqual(['to 2: truncate 1:20']);
    expect(one.handler.keepAfter).toBe(z(1, 20));
  });

  test('an answer that comes when nothing is looked for is ignored', () => {
    const one = new Fixture(z(3, 6)).synchronise();
    one.take();
    one.handler.logEndFound(null);
    expect(one.take()).toEqual([]);
  });

  test('the epoch comes between earlier history and its own entries, wherever they are read from', () => {
    const one = new Fixture(z(3, 4)).synchronise();
    one.history.reset(z(4, 1)); // nothing is in memory any more
    one.handler.logEndFound(z(3, 4));
    one.take();
    one.handler.logRead(log(z(3, 8), z(4, 1)));
    expect(one.take()).toEqual(['to 2: propose 3:8 3:8', 'to 2: newLeader 4', 'to 2: propose 4:1 4:1']);
  });

  test('a batch that it has already is not sent again', () => {
    const one = new Fixture(z(3, 4)).synchronise();
    one.handler.logEndFound(z(3, 4));
    one.take();
    one.handler.logRead(log(z(3, 4), z(3, 5)));
    expect(one.take()[0]).toBe('to 2: propose 3:5 3:5');
  });

  test('the log does not reach back any more, in the middle of it: dropped, to begin anew', () => {
    const one = new Fixture(z(3, 4)).synchronise();
    one.handler.logEndFound(z(3, 4));
    one.take();
    one.handler.logRead([]);
    expect(one.take()).toEqual(['drop']);
  });

  test('what was not asked for is ignored', () => {
    const one = new Fixture(z(3, 8)).synchronise();
    one.take();
    one.handler.logRead([]);
    expect(one.take()).toEqual([]);
  });

  test('an empty learner is sent all there ever was, if all of it is in the log', () => {
    const one = new Fixture(0).synchronise();
    expect(one.take()).toEqual(['findLogEnd #7 0']);
    one.handler.logEndFound(0);
    expect(one.take()).toEqual(['announce', 'readLog #7 0']);
    one.handler.logRead(log(z(1, 1)));
    expect(one.take()).toEqual(['to 2: propose 1:1 1:1', 'readLog #7 1:1']);
  });
});

describe('a full copy', () => {
  /** For an empty learner, that has not been begun if there are too many already. */
  function empty(copies = 1): Fixture {
    const one = new Fixture(0);
    one.copies = copies;
    one.synchronise();
    one.handler.logEndFound(null);
    expect(one.take()).toEqual(copies > 0 ? ['findLogEnd #7 0', 'openSnapshot #7'] : ['findLogEnd #7 0']);
    return one;
  }

  test('when the log does not reach back to it, chunk by chunk, then what came behind it', () => {
    const one = empty();
    one.handler.snapshotOpened(z(3, 6), new Uint8Array(1));
    expect(one.take()).toEqual(['to 2: snapshot 3:6', 'readSnapshot #7']);
    one.handler.snapshotRead([PAGE]);
    expect(one.take()).toEqual(['to 2: snapshotPages']);
    one.handler.snapshotTaken();
    expect(one.take()).toEqual(['readSnapshot #7']);
    one.handler.snapshotRead([]);
    expect(one.take()).toEqual(['closeSnapshot #7', 'to 2: snapshotEnd']);
    expect(one.handler.keepAfter).toBe(z(3, 6));
    one.handler.snapshotTaken(); // all of it is on its disk
    expect(one.take()).toEqual(['announce', ...STREAM]);
  });

  test('when no end of it is known here', () => {
    const one = new Fixture(z(5, 1), z(2, 7)).synchronise();
    expect(one.take()).toEqual(['findLogEnd #7 2:7']);
    one.handler.logEndFound(z(1, 3));
    expect(one.take()).toEqual(['openSnapshot #7']);
  });

  test('is not begun where there is no checkpoint: a learner of another ensemble is dropped', () => {
    const one = new Fixture(z(5, 1), z(2, 7));
    one.checkpointZxid = 0;
    one.synchronise();
    one.handler.logEndFound(z(1, 3));
    expect(one.take()).toEqual(['findLogEnd #7 2:7', 'drop']);
  });

  test('waits when there are too many already', () => {
    const one = empty(0);
    expect(one.handler.phase).toBe('accepted');
    one.copies = 1;
    one.synchronise();
    one.handler.logEndFound(null);
    expect([one.take(), one.handler.phase]).toEqual([['findLogEnd #7 0', 'openSnapshot #7'], 'copying']);
  });

  test('is closed when the learner goes, once', () => {
    const one = empty();
    one.handler.snapshotOpened(z(3, 6), new Uint8Array(1));
    one.take();
    one.handler.close();
    one.handler.close();
    expect(one.take()).toEqual(['closeSnapshot #7']);
  });
});

describe('what is on its way is limited', () => {
  const sent = (one: Fixture) => one.take().filter((line) => line.includes('propose')).length;

  function fill(one: Fixture, batches: number, byteCount: number): void {
    for (let i = 0; i < batches; i++) {
      one.history.append(batchAt(one.history.lastZxid + 1), new Uint8Array(byteCount));
    }
    one.handler.pump();
  }

  test('to 8 MiB', () => {
    const one = new Fixture(z(4, 1)).synchronise();
    fill(one, 12, MIB);
    expect(sent(one)).toBe(8);
    expect(one.handler.isAbreast).toBe(false);
    one.handler.acknowledged(z(4, 4));
    expect(sent(one)).toBe(3);
    one.handler.acknowledged(z(4, 4)); // the same again frees nothing
    expect(sent(one)).toBe(0);
    one.handler.acknowledged(z(4, 13));
    expect([sent(one), one.handler.isAbreast]).toEqual([1, true]);
  });

  test('to 1024 batches', () => {
    const one = new Fixture(z(4, 1)).synchronise();
    fill(one, 1100, 1);
    expect(sent(one)).toBe(1024);
    one.handler.acknowledged(z(4, 101));
    expect(sent(one)).toBe(76);
  });

  test('a batch above all limits goes alone', () => {
    const one = new Fixture(z(4, 1)).synchronise();
    fill(one, 2, 20 * MIB);
    expect(sent(one)).toBe(1);
    one.handler.acknowledged(z(4, 2));
    expect(sent(one)).toBe(1);
  });

  test('the oldest of it tells how long the learner has had for it', () => {
    const one = new Fixture(z(4, 1)).synchronise();
    expect(one.handler.waitingSinceMs).toBe(undefined);
    for (const nowMs of [10, 20]) {
      one.notebook.nowMs = nowMs;
      fill(one, 1, 1);
    }
    expect(one.handler.waitingSinceMs).toBe(10);
    one.handler.acknowledged(z(4, 2));
    expect(one.handler.waitingSinceMs).toBe(20);
    one.handler.acknowledged(z(4, COUNTER_MAX));
    expect(one.handler.waitingSinceMs).toBe(undefined);
  });
});

test('a server that lost its disk has a say again when it has stored this epoch', () => {
  const one = new Fixture(0);
  const handler = new LearnerHandler(2, false, false, one);
  expect([handler.isVoting, handler.isJoined]).toEqual([false, false]);
  handler.stored(0);
  expect([handler.isVoting, handler.isJoined]).toEqual([true, true]);
  handler.beginEpoch();
  expect([handler.isVoting, handler.isJoined]).toEqual([true, false]);
});
