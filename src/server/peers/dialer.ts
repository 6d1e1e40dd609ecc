// Dials one peer, again and again, one attempt at a time. What an attempt is comes from outside; this only decides when.

import { Backoff } from './backoff.js';

/** Tries to make a link; resolves with whether there is one now. Never rejects. */
export type Attempt = () => Promise<boolean>;

export class Dialer {
  private readonly attempt: Attempt;
  private readonly backoff = new Backoff();
  private timer: NodeJS.Timeout | undefined;
  private isDialing = false;
  private isStopped = false;

  constructor(attempt: Attempt) {
    this.attempt = attempt;
  }

  start(): void {
    this.dialIn(0);
  }

  /** The link that an attempt made is gone, after so many ms. */
  linkBroke(livedMs: number): void {
    this.dialIn(this.backoff.broke(livedMs));
  }

  /** No further attempts; one under way is the caller's to end. */
  stop(): void {
    this.isStopped = true;
    clearTimeout(this.timer);
  }

  private dialIn(pauseMs: number): void {
    if (this.isStopped) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.dial(), pauseMs);
  }

  private async dial(): Promise<void> {
    if (this.isDialing) return;
    this.isDialing = true;
    const isLinked = await this.attempt();
    this.isDialing = false;
    if (!isLinked) this.dialIn(this.backoff.failed());
  }
}
