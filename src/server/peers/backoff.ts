// When to dial next. A link that had worked is made again at once, since a reset is how servers say "let us begin anew".
// Otherwise the pause doubles from 50 ms. Where nobody answers it stays short: only the higher number dials (E77), so a
// server that comes back has to wait until it is dialled, and with it an ensemble that has no quorum without it. Links
// that break as soon as they are made cost both sides more, and may slow down to 2 s.

const PAUSE_MS_MIN = 50;
const PAUSE_UNANSWERED_MS_MAX = 200;
const PAUSE_BROKEN_MS_MAX = 2000;
/** A link that lived so long counts as one that works: what broke it is no part of a series. */
const STEADY_MS = 1000;

export class Backoff {
  private failures = 0;
  private shortLinks = 0;

  /** An attempt came to nothing. Returns the ms to wait. */
  failed(): number {
    return pauseMs(this.failures++, PAUSE_UNANSWERED_MS_MAX);
  }

  /** A link broke after so many ms. Returns the ms to wait: 0 unless the one before it was short-lived as well. */
  broke(livedMs: number): number {
    this.failures = 0;
    if (livedMs >= STEADY_MS) this.shortLinks = 0;
    return this.shortLinks++ === 0 ? 0 : pauseMs(this.shortLinks - 2, PAUSE_BROKEN_MS_MAX);
  }
}

function pauseMs(doublings: number, maxMs: number): number {
  return Math.min(PAUSE_MS_MIN * 2 ** doublings, maxMs);
}
