/**
 * Requests at a steady pace, whatever the server does: which are due, and when each of them was. A server that stops for
 * a second delays all requests of that second, also those that could not be sent because the window was full; counting
 * from when they were due makes that visible.
 */
export class Schedule {
  private readonly dueMs: Float64Array;
  private due = 0;
  private answered = 0;
  private skipped = 0;

  /** @param backlogMax requests that may be due and not yet answered; what comes due beyond that is given up */
  constructor(
    private readonly startMs: number,
    private readonly perSec: number,
    private readonly backlogMax: number,
  ) {
    this.dueMs = new Float64Array(backlogMax);
  }

  /** Returns how many have come due since the start and were not given up. */
  advance(nowMs: number): number {
    const planned = Math.floor(((nowMs - this.startMs) * this.perSec) / 1000);
    // A full backlog postpones the rest of the plan: it goes on at the same pace when there is room.
    const target = Math.min(planned - this.skipped, this.answered + this.backlogMax);
    this.skipped = planned - target;
    for (; this.due < target; this.due++) this.dueMs[this.due % this.backlogMax] = nowMs;
    return this.due;
  }

  /** The next one was answered; returns when it was due. */
  answer(): number {
    return this.dueMs[this.answered++ % this.backlogMax];
  }

  /** How many were given up because the server was too slow for the pace. */
  get givenUp(): number {
    return this.skipped;
  }
}
