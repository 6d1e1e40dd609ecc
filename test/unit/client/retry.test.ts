// Which errors are worth another attempt, how long it waits in between, and that nothing is left behind.

import type { Clock } from '../../../src/client/clock.js';
import { ZooKeeperError } from '../../../src/client/index.js';
import { exponentialBackoff, type RetryOptions, retry } from '../../../src/client/retry.js';

/** Rings at once, and keeps a record of the waits. */
class TurnedClock implements Clock {
  readonly waitsMs: number[] = [];
  calledOff = 0;
  isStopped = false;
  #nowMs = 0;

  nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, ring: () => void): () => void {
    this.waitsMs.push(delayMs);
    if (!this.isStopped) {
      queueMicrotask(() => {
        this.#nowMs += delayMs;
        ring();
      });
    }
    return () => {
      this.calledOff++;
    };
  }
}

const LOST = new ZooKeeperError('ConnectionLoss');
const LOST_WRITE = new ZooKeeperError('ConnectionLoss', { maybeApplied: true });
const EXPIRED = new ZooKeeperError('SessionExpired');
const policy = exponentialBackoff({ random: () => 0.99 });

/** Fails with each of the errors in turn, then succeeds; tells how often it was called. */
async function attempts(errors: readonly unknown[], options: RetryOptions = {}, clock = new TurnedClock()) {
  let calls = 0;
  const outcome = await retry(
    clock,
    async (attempt) => {
      calls++;
      expect(attempt).toBe(calls);
      if (calls <= errors.length) throw errors[calls - 1];
      return 'done';
    },
    { policy, ...options },
  ).catch((error) => error);
  return { calls, outcome };
}

test.each<[string, unknown, RetryOptions, boolean]>([
  ['a lost read', LOST, {}, true],
  ['a busy server', new ZooKeeperError('ThrottledOp'), {}, true],
  ['a write that may have been applied', LOST_WRITE, {}, false],
  ['the same, when twice is as good as once', LOST_WRITE, { idempotent: true }, true],
  ['a node that is not there', new ZooKeeperError('NoNode'), { idempotent: true }, false],
  ['an error of the program', new TypeError('x'), { idempotent: true }, false],
  ['a lost session', EXPIRED, {}, false],
  ['a lost session, when the next one will do', EXPIRED, { acrossSessions: true }, true],
  ['a closed client', new ZooKeeperError('ClientClosed'), { acrossSessions: true, idempotent: true }, false],
])('%s', async (_name, error, options, isRepeated) => {
  expect(await attempts([error], options)).toEqual(
    isRepeated ? { calls: 2, outcome: 'done' } : { calls: 1, outcome: error },
  );
});

test('waits twice as long each time, with jitter, up to a bound', async () => {
  const clock = new TurnedClock();
  const random = [0, 0.5, 0.999_999];
  const jittered = exponentialBackoff({ firstMs: 100, longestMs: 300, random: () => random.shift() ?? 0 });
  await attempts([LOST, LOST, LOST, LOST], { policy: jittered }, clock);
  expect(clock.waitsMs.map(Math.round)).toEqual([50, 150, 300, 150]);
});

test('gives up with the last error: after so many attempts, or when it would begin too late', async () => {
  const last = new ZooKeeperError('NotReadOnly');
  const three = exponentialBackoff({ attemptsMax: 3 });
  expect(await attempts([LOST, LOST, last, LOST], { policy: three })).toEqual({ calls: 3, outcome: last });
  const clock = new TurnedClock();
  const second = exponentialBackoff({ firstMs: 400, elapsedMaxMs: 1000, random: () => 0.999_999 });
  expect((await attempts([LOST, LOST, LOST], { policy: second }, clock)).outcome).toBe(LOST);
  expect(clock.waitsMs.map(Math.round)).toEqual([400]); // 800 more would be after 1000
});

test('an abort ends the wait at once, takes the timer away, and no further attempt is made', async () => {
  const clock = new TurnedClock();
  clock.isStopped = true;
  const controller = new AbortController();
  const running = attempts([LOST, LOST], { signal: controller.signal }, clock);
  await new Promise(setImmediate);
  controller.abort(new Error('enough'));
  expect(await running).toEqual({ calls: 1, outcome: new Error('enough') });
  expect(clock.calledOff).toBe(1);
  expect((await attempts([], { signal: controller.signal })).calls).toBe(0);
});
