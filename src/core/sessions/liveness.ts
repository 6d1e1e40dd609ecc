// Who has shown that it lives (E16). On the leader that moves a deadline (expiry.ts); on a learner it is only noted, and
// reported to the leader with the next answer to its ping.

export interface Liveness {
  /** The session's client was heard of. False when it is being closed: what it asks for is dropped (E14). */
  touch(id: number, nowMs: number, timeoutMs: number): boolean;
  /** A closeSession is on its way. */
  close(id: number): boolean;
  isClosing(id: number): boolean;
  /** The session is gone. */
  remove(id: number): void;
}

/** A learner's notes. */
export class HeardSessions implements Liveness {
  private heard = new Set<number>();
  private readonly closing = new Set<number>();

  touch(id: number): boolean {
    if (this.closing.has(id)) return false;
    this.heard.add(id);
    return true;
  }

  close(id: number): boolean {
    this.closing.add(id);
    return true;
  }

  isClosing(id: number): boolean {
    return this.closing.has(id);
  }

  remove(id: number): void {
    this.closing.delete(id);
    this.heard.delete(id);
  }

  /** Sessions heard of since the last call. */
  take(): readonly number[] {
    if (this.heard.size === 0) return [];
    const taken = [...this.heard];
    this.heard = new Set();
    return taken;
  }

  clear(): void {
    this.heard.clear();
    this.closing.clear();
  }
}
