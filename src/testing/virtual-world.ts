// A world without a clock, a socket or a disk: everything that takes time is an entry in one queue, ordered by virtual
// time, and everything that is uncertain is drawn from one seed. So a run of minutes takes milliseconds, and the same
// seed gives the same run, event by event, which `traceHash` proves.
//
//   world ── queue of (time, action) ── VirtualServer: a real Replica with a VirtualDisk
//                                    ├─ VirtualClient: real frames over a VirtualSocket
//                                    └─ VirtualProcess: the SDK, and what is built on it
//
// Code with promises runs in it too: `pass` instead of `run` lets all promises settle after each event before the next
// one happens, so their order is that of the seed as well.
//
// There is no second implementation of the server in here: what runs is the code that runs in production.

import { assert } from '../std/assert.js';
import { Heap } from '../std/heap.js';
import { Random } from '../std/random.js';
import { Trace } from './trace.js';

export interface WorldOptions {
  /** Any safe integer. Default 1. */
  readonly seed?: number;
  /** Longest time that bytes take from one end to the other, in ms. Default 2. */
  readonly networkDelayMsMax?: number;
  /** Longest time that a write to a disk takes, in ms. Default 5. */
  readonly diskDelayMsMax?: number;
  /** Longest time from an input of a server to the turn that handles it, in ms. Default 0.5. */
  readonly turnDelayMsMax?: number;
  /** Where the wall clock stands at the start, in ms since 1970. Default: 2025-01-01. */
  readonly wallMs?: number;
}

interface Event {
  readonly timeMs: number;
  readonly order: number;
  readonly action: () => void;
}

const WALL_START_MS = 1_735_689_600_000;
const RUN_UNTIL_LIMIT_MS = 120_000;

export class VirtualWorld {
  readonly random: Random;
  readonly trace = new Trace();
  readonly networkDelayMsMax: number;
  readonly diskDelayMsMax: number;
  readonly turnDelayMsMax: number;
  private now = 0;
  private wallOffsetMs: number;
  private scheduled = 0;
  private isStirred = false;
  private readonly queue = new Heap<Event>((a, b) => a.timeMs - b.timeMs || a.order - b.order);

  constructor(options: WorldOptions = {}) {
    this.random = new Random(options.seed ?? 1);
    this.networkDelayMsMax = options.networkDelayMsMax ?? 2;
    this.diskDelayMsMax = options.diskDelayMsMax ?? 5;
    this.turnDelayMsMax = options.turnDelayMsMax ?? 0.5;
    this.wallOffsetMs = options.wallMs ?? WALL_START_MS;
  }

  /** Virtual ms since the start; only ever rises. */
  get nowMs(): number {
    return this.now;
  }

  /** When something is due next; undefined when nothing is. */
  get nextMs(): number | undefined {
    return this.queue.peek()?.timeMs;
  }

  /** What a wall clock would show; jumps with `jumpWallClock`. */
  get wallMs(): number {
    return Math.floor(this.wallOffsetMs + this.now);
  }

  /** Somebody sets the clock, forward or back. */
  jumpWallClock(byMs: number): void {
    this.wallOffsetMs += byMs;
  }

  /** Same seed, same actions: same hash. */
  get traceHash(): string {
    return this.trace.hash;
  }

  /** A time between 0 and `maxMs`, drawn from the seed. */
  delayUpTo(maxMs: number): number {
    return maxMs <= 0 ? 0 : (this.random.int(1000) / 1000) * maxMs;
  }

  /** Runs `action` when `delayMs` has passed; what is due at the same time runs in the order it was asked for. */
  after(delayMs: number, action: () => void): void {
    assert(delayMs >= 0, `an event ${-delayMs} ms ago`);
    this.queue.push({ timeMs: this.now + delayMs, order: this.scheduled++, action });
  }

  /** Lets `durationMs` pass. */
  run(durationMs: number): void {
    const untilMs = this.now + durationMs;
    for (let next = this.queue.peek(); next !== undefined && next.timeMs <= untilMs; next = this.queue.peek()) {
      this.step();
    }
    this.now = untilMs;
  }

  /**
   * Lets time pass until `isDone`, for at most `limitMs` of virtual time (default two minutes).
   * Throws an Error when it is not done by then: whatever was waited for will never come.
   */
  runUntil(isDone: () => boolean, what: string, limitMs = RUN_UNTIL_LIMIT_MS): void {
    const untilMs = this.now + limitMs;
    while (!isDone()) {
      const next = this.queue.peek();
      if (next === undefined || next.timeMs > untilMs) throw new Error(`${what}: not within ${limitMs} virtual ms`);
      this.step();
    }
  }

  /** Code with promises runs in this event: `pass` has to let them settle. */
  stir(): void {
    this.isStirred = true;
  }

  /** As run(), for code with promises. */
  async pass(durationMs: number): Promise<void> {
    const untilMs = this.now + durationMs;
    await settled();
    for (let next = this.queue.peek(); next !== undefined && next.timeMs <= untilMs; next = this.queue.peek()) {
      await this.stepAndSettle();
    }
    this.now = untilMs;
  }

  /** As runUntil(), for code with promises. */
  async passUntil(isDone: () => boolean, what: string, limitMs = RUN_UNTIL_LIMIT_MS): Promise<void> {
    const untilMs = this.now + limitMs;
    await settled();
    while (!isDone()) {
      const next = this.queue.peek();
      if (next === undefined || next.timeMs > untilMs) throw new Error(`${what}: not within ${limitMs} virtual ms`);
      await this.stepAndSettle();
    }
  }

  private async stepAndSettle(): Promise<void> {
    this.step();
    if (!this.isStirred) return;
    this.isStirred = false;
    await settled();
  }

  private step(): void {
    const event = this.queue.pop() as Event;
    this.now = event.timeMs;
    this.trace.number(event.timeMs);
    event.action();
  }
}

/** When nothing is left that a promise or a callback of nextTick has to do. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
