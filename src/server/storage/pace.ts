/**
 * How much of the time background work gets: after each piece of work it rests in proportion to what the piece took, so
 * that its share of the time stays the same whether the disk is fast or slow.
 */
export class Pace {
  private dueMs = Number.NEGATIVE_INFINITY;

  /** `share` of the time at most, above 0 and up to 1. */
  constructor(private readonly share: number) {}

  /** A piece of work took from `startMs` to `endMs`. Pieces that follow each other without rest add up. */
  worked(startMs: number, endMs: number): void {
    const restMs = (endMs - startMs) * (1 / this.share - 1);
    this.dueMs = Math.max(this.dueMs, endMs) + restMs;
  }

  /** How long the next piece has to wait; 0 when it is due. */
  waitMs(nowMs: number): number {
    return Math.max(0, this.dueMs - nowMs);
  }
}
