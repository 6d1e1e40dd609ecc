/**
 * When the WAL is worth being copied into the database file. A copy holds up commits, and for how long depends on the
 * disk, on where the pages go and on who else writes: measured 5 ms for 1000 pages of a log alone, 15 to 40 ms for pages of
 * a checkpoint with three servers on one disk. So how many pages are enough follows from what the last copies took.
 * Small copies have their price too: each has fsyncs of its own, dear on a slow disk, which are allowed for.
 */

/** Bounds of how many pages are worth a copy while groups are being committed. */
export const WAL_PAGES_LEAST = 100;
export const WAL_PAGES_MOST = 1000;
/** In an idle moment so many are. */
const WAL_PAGES_IDLE = 100;
/** How long a copy should hold up commits, beyond its two fsyncs. */
const COPY_MS = 5;

export class WalCopies {
  /** Pages written since the last copy; an estimate. */
  pages = 0;
  private aim = WAL_PAGES_LEAST;
  private enough = WAL_PAGES_LEAST;

  /** `random` gives numbers in [0, 1): servers that write the same log must not all stop at the same moment for a copy. */
  constructor(private readonly random: () => number = Math.random) {}

  isDue(isIdle: boolean): boolean {
    return this.pages >= (isIdle ? WAL_PAGES_IDLE : this.enough);
  }

  /** All pages so far were copied, which took `ms`; the last group took `syncMs`. */
  copied(ms: number, syncMs: number): void {
    if (this.pages >= WAL_PAGES_LEAST) {
      const wanted = this.pages * ((COPY_MS + 2 * syncMs) / Math.max(ms, 0.1));
      this.aim = Math.min(WAL_PAGES_MOST, Math.max(WAL_PAGES_LEAST, (this.aim + wanted) / 2));
    }
    this.enough = Math.round(this.aim * (0.75 + this.random() / 2));
    this.pages = 0;
  }
}
