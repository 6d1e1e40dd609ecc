// When a session has been silent for its timeout it is expired: never earlier, at most one tick later (E17). Only the
// leader does this, and time is whatever monotonic clock its caller reads, in ms.
//
// A deadline is rounded up to a whole tick, and all sessions with the same one share a bucket; a heap knows the next
// bucket. A touch only notes the later deadline on the session and leaves it in the bucket where it lies. When that
// bucket falls due, sessions with a later deadline move on to theirs. So a touch, which comes with every packet (E16),
// is one look-up and one store, and a session changes buckets about once per timeout however busy it is.
//
// Expiry is two steps: the session is marked as closing, so that no touch revives it while the closeSession is on its
// way through the log; when that is applied the session is removed. If the leader falls in between, the next one
// tracks all sessions afresh with their full timeouts (E18).

import { assert } from '../../std/assert.js';
import { Heap } from '../../std/heap.js';

interface Tracked {
  /** The first tick at which the session may expire. */
  deadlineTick: number;
  /** The bucket it lies in: at or before the deadline. NONE once the session is closing. */
  bucketTick: number;
}

const NONE = -1;

export class SessionExpiry {
  readonly #tickMs: number;
  readonly #tracked = new Map<number, Tracked>();
  /** Session ids by tick; every tick in here is in the heap once, and a bucket stays until it is due, empty or not. */
  readonly #buckets = new Map<number, Set<number>>();
  readonly #ticks = new Heap<number>((a, b) => a - b);

  /** Throws AssertionFailure unless `tickMs` is positive. */
  constructor(tickMs: number) {
    assert(tickMs > 0, `tick of ${tickMs} ms`);
    this.#tickMs = tickMs;
  }

  /** Sessions tracked, closing ones among them. */
  get size(): number {
    return this.#tracked.size;
  }

  /** When to call `expire` next, or undefined while there is nothing to wait for. May come a little early. */
  get nextMs(): number | undefined {
    const tick = this.#ticks.peek();
    return tick === undefined ? undefined : tick * this.#tickMs;
  }

  isTracked(id: number): boolean {
    return this.#tracked.has(id);
  }

  /** Starts to watch a session. Throws AssertionFailure when it is tracked already. */
  track(id: number, nowMs: number, timeoutMs: number): void {
    assert(!this.#tracked.has(id), `session ${id} is tracked already`);
    const deadlineTick = this.#deadlineTick(nowMs, timeoutMs);
    this.#tracked.set(id, { deadlineTick, bucketTick: deadlineTick });
    this.#bucket(deadlineTick).add(id);
  }

  /** A leader begins its term: forgets everything and gives each session its full timeout from now (E18). */
  restart(sessions: Iterable<{ readonly id: number; readonly timeoutMs: number }>, nowMs: number): void {
    this.#tracked.clear();
    this.#buckets.clear();
    this.#ticks.clear();
    for (const { id, timeoutMs } of sessions) this.track(id, nowMs, timeoutMs);
  }

  /**
   * The session gave a sign of life: it lives for `timeoutMs` from now, which may differ from the timeout it was
   * created with. False when it is unknown or closing, and the request that came with it must be refused.
   */
  touch(id: number, nowMs: number, timeoutMs: number): boolean {
    const tracked = this.#tracked.get(id);
    if (tracked === undefined || tracked.bucketTick === NONE) return false;
    tracked.deadlineTick = this.#deadlineTick(nowMs, timeoutMs);
    if (tracked.deadlineTick < tracked.bucketTick) this.#move(id, tracked); // a shorter timeout than before
    return true;
  }

  /** The session's closeSession is on its way: it can neither be touched nor expire. False when unknown or closing. */
  close(id: number): boolean {
    const tracked = this.#tracked.get(id);
    if (tracked === undefined || tracked.bucketTick === NONE) return false;
    this.#buckets.get(tracked.bucketTick)?.delete(id);
    tracked.bucketTick = NONE;
    return true;
  }

  isClosing(id: number): boolean {
    return this.#tracked.get(id)?.bucketTick === NONE;
  }

  /** The session is gone. */
  remove(id: number): void {
    this.close(id);
    this.#tracked.delete(id);
  }

  /** The sessions that have been silent too long, earliest deadline first. They are closing from now on. */
  expire(nowMs: number): number[] {
    const due: number[] = [];
    const nowTick = Math.floor(nowMs / this.#tickMs);
    for (let tick = this.#ticks.peek(); tick !== undefined && tick <= nowTick; tick = this.#ticks.peek()) {
      const bucket = this.#buckets.get(tick)!;
      this.#ticks.pop();
      this.#buckets.delete(tick);
      for (const id of bucket) {
        const tracked = this.#tracked.get(id)!;
        if (tracked.deadlineTick > tick) {
          tracked.bucketTick = tracked.deadlineTick;
          this.#bucket(tracked.deadlineTick).add(id);
        } else {
          tracked.bucketTick = NONE;
          due.push(id);
        }
      }
    }
    return due;
  }

  /** Deadlines in ascending order, each with the sessions that expire then unless touched, for `dump`. */
  deadlines(): [deadlineMs: number, ids: number[]][] {
    const byTick = new Map<number, number[]>();
    for (const [id, { deadlineTick, bucketTick }] of this.#tracked) {
      if (bucketTick === NONE) continue;
      const ids = byTick.get(deadlineTick);
      if (ids === undefined) byTick.set(deadlineTick, [id]);
      else ids.push(id);
    }
    return [...byTick].sort(([a], [b]) => a - b).map(([tick, ids]) => [tick * this.#tickMs, ids]);
  }

  #deadlineTick(nowMs: number, timeoutMs: number): number {
    return Math.ceil((nowMs + timeoutMs) / this.#tickMs);
  }

  #move(id: number, tracked: Tracked): void {
    this.#buckets.get(tracked.bucketTick)?.delete(id);
    tracked.bucketTick = tracked.deadlineTick;
    this.#bucket(tracked.deadlineTick).add(id);
  }

  #bucket(tick: number): Set<number> {
    let bucket = this.#buckets.get(tick);
    if (bucket === undefined) {
      bucket = new Set();
      this.#buckets.set(tick, bucket);
      this.#ticks.push(tick);
    }
    return bucket;
  }
}
