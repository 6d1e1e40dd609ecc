// Bytes that all clients together may make the server hold. When they go beyond it, one of them has to go: who has held
// its part for the longest without giving any of it back, since it is the least likely to be about to. Whoever needs a
// lot, but moves, is spared.

export class Budget<Holder extends object> {
  private readonly bytesMax: number;
  /** In the order in which they began to hold something, or last gave a part of it back. */
  private readonly held = new Map<Holder, number>();
  private total = 0;

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  /** All that is held. */
  get bytes(): number {
    return this.total;
  }

  /**
   * So much is held by this one now. Returns who has to go, if that is too much together; it holds nothing any more as
   * far as the budget goes.
   */
  set(holder: Holder, bytes: number): Holder | null {
    const before = this.held.get(holder) ?? 0;
    this.total += bytes - before;
    if (bytes < before) this.held.delete(holder);
    if (bytes > 0) this.held.set(holder, bytes);
    if (this.total <= this.bytesMax) return null;
    for (const [stalest, itsBytes] of this.held) {
      this.held.delete(stalest);
      this.total -= itsBytes;
      return stalest;
    }
    return null;
  }
}
