// Work for later: an item is taken when it is due.
//
// When that is, is said by one clock, the leader's, which stamps every write. Those who put and take never use their own
// wall clocks, which may differ by minutes: each learns from the stamps of its own writes how the leader's clock stands to
// its own monotonic one. Who takes an item looks at the stamp of its claim as well: had the item not been due by that, it
// is given back and waited for.

import type { Client, Data } from '../../client/index.js';
import { abortable, PATIENT, pause, persist, type WaitingOptions, withDeadline } from '../waiting.js';
import type { QueueItem } from './item.js';
import { type Choice, type Chooser, type Entry, EntryLine, type QueueOptions } from './line.js';

/** After so long the leader may be another one, with another clock. */
const CLOCK_VALID_MS = 60_000;
/** After so long an item that is not due is looked at again: no timer can be set for weeks. */
const LOOK_MS_MAX = 86_400_000;
/** 10^15 ms since 1970 are the year 33658. */
const DUE_DIGITS = 15;

/**
 * ```ts
 * await using queue = new DelayQueue(client, '/queues/reminders');
 * await queue.put('call ann', { delayMs: 60_000 });
 * const item = await queue.take({ signal });   // a minute later
 * ```
 *
 * As Queue in all else: at least once, one taker at a time, in the order of being due.
 *
 * What it cannot promise: to be on time. An item is taken when it is due or later, by the clock of the ensemble's leader;
 * when another leader's clock is ahead, it comes that much early.
 */
export class DelayQueue implements AsyncDisposable {
  readonly #line: EntryLine;
  readonly #clock: LeaderClock;

  /** @param path a node of its own for this queue; it is made when needed, and stays. */
  constructor(client: Client, path: string, options: QueueOptions = {}) {
    this.#line = new EntryLine(client, path, options);
    this.#clock = new LeaderClock(client, async () => {
      await this.#line.make();
      return this.#line.entriesPath;
    });
  }

  /** Puts an item that is due after `delayMs` (default 0). Rejects as Queue.put, and with a RangeError. */
  async put(data: Data, options: WaitingOptions & { readonly delayMs?: number | undefined } = {}): Promise<void> {
    const { delayMs = 0 } = options;
    if (!(delayMs >= 0 && Number.isFinite(delayMs))) throw new RangeError(`a delay of ${delayMs} ms`);
    await withDeadline(this.#line.client, options, async (signal) => {
      const dueMs = Math.ceil((await abortable(this.#clock.nowMs(), signal)) + delayMs);
      await this.#line.put([{ key: `due-${String(dueMs).padStart(DUE_DIGITS, '0')}`, data }], signal);
    });
  }

  /** The next item that is due, when there is one. See Queue.take. */
  take(options: WaitingOptions = {}): Promise<QueueItem> {
    return withDeadline(this.#line.client, options, async (signal) => {
      for (;;) {
        const item = await this.#ifDue(await this.#line.take(await this.#chooser(signal), signal));
        if (item !== null) return item;
      }
    });
  }

  /** The next item that is due, or null. */
  tryTake(options: WaitingOptions = {}): Promise<QueueItem | null> {
    return withDeadline(this.#line.client, options, async (signal) => {
      for (;;) {
        const taken = await this.#line.tryTake(await this.#chooser(signal), signal);
        const item = taken === null ? null : await this.#ifDue(taken);
        if (taken === null || item !== null) return item;
      }
    });
  }

  /** How many items there are, due or not, those that are taken and not acknowledged included. */
  length(): Promise<number> {
    return this.#line.length();
  }

  /** Takes away the nodes that it has used for putting; the items stay. */
  close(): Promise<void> {
    return this.#line.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Gives the item back when it is not due by the stamp of its claim; what is known of the clock is better then. */
  async #ifDue(item: QueueItem): Promise<QueueItem | null> {
    this.#clock.learn(item.takenAtMs);
    if (item.takenAtMs >= dueOf(item.key)) return item;
    await item.release();
    return null;
  }

  /** Chooses by the time at each call. */
  async #chooser(signal: AbortSignal | undefined): Promise<Chooser> {
    const { clock } = this.#line.client;
    const offsetMs = (await abortable(this.#clock.nowMs(), signal)) - clock.nowMs();
    return (free) => this.#choose(free, clock.nowMs() + offsetMs);
  }

  #choose(free: readonly Entry[], nowMs: number): Choice {
    const entry = free.find(({ key }) => key.startsWith('due-'));
    if (entry === undefined) return {};
    const remainingMs = dueOf(entry.key) - nowMs;
    if (remainingMs <= 0) return { entry };
    return { wait: (signal) => pause(this.#line.client, Math.min(remainingMs, LOOK_MS_MAX), signal) };
  }
}

function dueOf(key: string): number {
  return Number(key.slice('due-'.length));
}

/** The leader's wall clock, as the stamps of our writes have shown it. */
class LeaderClock {
  readonly #client: Client;
  readonly #path: () => Promise<string>;
  #offsetMs = 0;
  #learntAtMs = Number.NEGATIVE_INFINITY;

  /** @param path a node to write to, for a stamp. */
  constructor(client: Client, path: () => Promise<string>) {
    this.#client = client;
    this.#path = path;
  }

  /** Milliseconds since 1970; behind by the way of an answer, so what is due by it is due. */
  async nowMs(): Promise<number> {
    const ownMs = this.#client.clock.nowMs();
    if (ownMs - this.#learntAtMs > CLOCK_VALID_MS) {
      const path = await this.#path();
      const stat = await persist(this.#client, () => this.#client.set(path, null, PATIENT));
      this.learn(stat.mtime);
    }
    return this.#client.clock.nowMs() + this.#offsetMs;
  }

  /** The leader's clock showed this a moment ago. */
  learn(leaderMs: number): void {
    this.#learntAtMs = this.#client.clock.nowMs();
    this.#offsetMs = leaderMs - this.#learntAtMs;
  }
}
