/**
 * The longest times in which something that should happen all the time did not happen. Only the few longest are kept,
 * with when they were, so that millions of marks cost nothing and a gap can be laid beside what a server did meanwhile.
 */
export interface Gap {
  readonly fromMs: number;
  readonly toMs: number;
}

export function lengthMs({ fromMs, toMs }: Gap): number {
  return toMs - fromMs;
}

export class GapTracker {
  /** The longest first. */
  private readonly kept: Gap[] = [];
  private lastMs: number;

  /**
   * @param startMs from when on it should happen
   * @param keep how many gaps are remembered
   */
  constructor(
    startMs: number,
    private readonly keep = 1,
  ) {
    this.lastMs = startMs;
  }

  /** It happened, or the time in which it should is over. Times must not go back. */
  mark(nowMs: number): void {
    const gap = { fromMs: this.lastMs, toMs: nowMs };
    this.lastMs = nowMs;
    const { kept, keep } = this;
    if (kept.length === keep && lengthMs(gap) <= lengthMs(kept[keep - 1])) return;
    const at = kept.findIndex((other) => lengthMs(other) < lengthMs(gap));
    kept.splice(at < 0 ? kept.length : at, 0, gap);
    kept.length = Math.min(kept.length, keep);
  }

  /** The longest first. */
  get longest(): readonly Gap[] {
    return this.kept;
  }

  /** 0 when nothing was marked. */
  get longestMs(): number {
    return this.kept.length === 0 ? 0 : lengthMs(this.kept[0]);
  }
}
