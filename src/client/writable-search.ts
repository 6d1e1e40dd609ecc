// While connected to a server that serves reads only: when to ask the next one whether it takes writes (E25). The pauses
// in between double, since a quorum may be away for long.

const INTERVAL_MIN_MS = 100;
const INTERVAL_MAX_MS = 60_000;

export class WritableSearch {
  /** When to ask next; Infinity while nobody searches. */
  dueMs = Number.POSITIVE_INFINITY;
  #intervalMs = INTERVAL_MIN_MS;

  begin(nowMs: number): void {
    this.#intervalMs = INTERVAL_MIN_MS;
    this.dueMs = nowMs + this.#intervalMs;
  }

  asked(nowMs: number): void {
    this.#intervalMs = Math.min(2 * this.#intervalMs, INTERVAL_MAX_MS);
    this.dueMs = nowMs + this.#intervalMs;
  }

  end(): void {
    this.dueMs = Number.POSITIVE_INFINITY;
  }
}
