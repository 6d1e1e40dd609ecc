// Trying again, when that can help and does no harm. Whether it can help the error says (`retryable`); whether it does
// harm only the caller knows: a write whose answer was lost may have happened (`maybeApplied`), and is repeated only when
// he says that twice is as good as once. How long to wait in between is a policy, a function of numbers; time comes from
// the client's clock, so that a test turns it.

import { onAbort } from './abort.js';
import type { Clock } from './clock.js';
import { ZooKeeperError } from './errors.js';

/** How long to wait before trying again. */
export interface RetryPolicy {
  /**
   * Milliseconds to wait after `failures` attempts (1 or more), the first of which began `elapsedMs` ago; null to give up.
   */
  delayMs(failures: number, elapsedMs: number): number | null;
}

export interface BackoffOptions {
  /** Before the second attempt; doubles with each one. Default 50. */
  readonly firstMs?: number;
  /** Default 2000. */
  readonly longestMs?: number;
  /** Attempts, the first included. Default: no limit. */
  readonly attemptsMax?: number;
  /** No attempt begins later than this after the first. Default 30 000. */
  readonly elapsedMaxMs?: number;
  /** 0 ≤ random() < 1, for the jitter. Default Math.random. */
  readonly random?: () => number;
}

/** Waits twice as long each time, and of that between half and all, so that many clients do not come back at once. */
export function exponentialBackoff(options: BackoffOptions = {}): RetryPolicy {
  const { firstMs = 50, longestMs = 2000, attemptsMax = Number.POSITIVE_INFINITY, elapsedMaxMs = 30_000 } = options;
  const { random = Math.random } = options;
  return {
    delayMs(failures, elapsedMs) {
      const delayMs = Math.min(longestMs, firstMs * 2 ** Math.min(failures - 1, 32)) * (0.5 + random() / 2);
      return failures >= attemptsMax || elapsedMs + delayMs > elapsedMaxMs ? null : delayMs;
    },
  };
}

export interface RetryOptions {
  /** Default exponentialBackoff(). */
  readonly policy?: RetryPolicy;
  /**
   * Carrying it out twice is as good as once, as with an unconditional set: then it is also repeated when an earlier attempt
   * may have been applied. Default false.
   */
  readonly idempotent?: boolean;
  /** Also try again with the next session when this one was lost; not for ephemeral nodes and locks. Default false. */
  readonly acrossSessions?: boolean;
  /** Gives up while it waits: rejects with the signal's reason. Hand it to the calls as well. */
  readonly signal?: AbortSignal | undefined;
}

/** Runs `work` until it succeeds, fails with what a repetition does not help, or the policy gives up: then its last error. */
export async function retry<T>(
  clock: Clock,
  work: (attempt: number) => Promise<T>,
  options: RetryOptions = {},
): Promise<T> {
  const { policy = exponentialBackoff(), signal } = options;
  const startMs = clock.nowMs();
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted();
    try {
      return await work(attempt);
    } catch (error) {
      if (!mayBeRepeated(error, options)) throw error;
      const delayMs = policy.delayMs(attempt, clock.nowMs() - startMs);
      if (delayMs === null) throw error;
      await pause(clock, delayMs, signal);
    }
  }
}

function mayBeRepeated(error: unknown, { idempotent = false, acrossSessions = false }: RetryOptions): boolean {
  if (!ZooKeeperError.is(error) || (error.maybeApplied && !idempotent)) return false;
  return error.retryable || (acrossSessions && error.name === 'SessionExpired');
}

function pause(clock: Clock, delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const callOff = clock.after(delayMs, () => {
      stopListening();
      resolve();
    });
    const stopListening = onAbort(signal, () => {
      callOff();
      reject(signal?.reason);
    });
  });
}
