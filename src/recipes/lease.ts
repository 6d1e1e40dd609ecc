// What the user has of something that is held: its token, its signal, and the way to give it up.

import type { Hold } from './hold.js';

/**
 * A lock, a permit or a leadership that is held.
 *
 * `signal` aborts before any server could have expired the session, and at release; its reason is a LeaseEndedError. Give
 * it to the work that needs the lease. It cannot reach work that does not listen, nor a process that is stopped (a
 * debugger, a suspended machine, a long synchronous computation): when that runs on, somebody else may hold the lease.
 * Only the `token` is safe then: send it along with every write to the guarded thing, and let that refuse a token lower
 * than the highest it has seen (see fencing.ts for how).
 *
 * Release it also after the signal has aborted: when the session survives after all, so does the node, and nobody else
 * gets the lock before it is gone.
 */
export class Lease implements AsyncDisposable {
  /** The fencing token: the zxid that created the node, higher than those of all holders before. */
  readonly token: bigint;
  /** The node behind it. */
  readonly path: string;
  readonly signal: AbortSignal;
  /**
   * Aborts when somebody has asked for it with requestRevocation(). A request only: it is held until it is released. One
   * that was made before this lease was given is seen a moment later.
   */
  readonly revocation: AbortSignal;
  readonly #hold: Hold;
  #released: Promise<void> | undefined;

  /** @internal Made by the recipes. */
  constructor(hold: Hold) {
    this.#hold = hold;
    this.token = hold.contender.token;
    this.path = hold.contender.path;
    this.signal = hold.guard.signal;
    this.revocation = hold.revocation;
    hold.lease();
  }

  /** Asks the clock, not the timer: also right in a process that was too busy for the signal to abort in time. */
  get isHeld(): boolean {
    return this.#released === undefined && this.#hold.guard.isSafe;
  }

  /**
   * Gives it up, and aborts the signal. Resolves when the next one can have it: when the node is deleted or, while no
   * server can be reached, when the session is lost. May be called again. What was entered again (see LockOptions.reentrant)
   * is given up with the last of its leases.
   */
  release(): Promise<void> {
    this.#released ??= this.#hold.release();
    return this.#released;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }
}
