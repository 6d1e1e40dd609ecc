// What a contender holds when its turn has come: exclusive, for as long as the session lives and nobody deletes its node.
// The session's side is the guard's business; here the node itself is watched too.

import type { Contender } from './contender.js';
import { type GuardOptions, SessionGuard } from './session-guard.js';
import { watchedData } from './waiting.js';

/**
 * A lock or a leadership that is held.
 *
 * `signal` aborts before any server could have expired the session, and at release; its reason is a LeaseEndedError. Give
 * it to the work that needs the lease. It cannot reach work that does not listen, nor a process that is stopped (a
 * debugger, a suspended machine, a long synchronous computation): when that runs on, somebody else may hold the lease.
 * Only the `token` is safe then: send it along with every write to the guarded thing, and let that refuse a token lower
 * than the highest it has seen.
 */
export class Lease implements AsyncDisposable {
  /** The fencing token: the zxid that created the node, higher than those of all holders before. */
  readonly token: bigint;
  /** The node behind it. */
  readonly path: string;
  readonly signal: AbortSignal;
  readonly #contender: Contender;
  readonly #guard: SessionGuard;
  #released: Promise<void> | undefined;

  /** @internal Made by the recipes. */
  constructor(contender: Contender, options: GuardOptions) {
    const { client, sessionId, path } = contender;
    this.#contender = contender;
    this.token = contender.token;
    this.path = path;
    this.#guard = new SessionGuard(client, sessionId, path, options);
    this.signal = this.#guard.signal;
    this.#watchNode().catch(() => {
      // Without the client there is nothing to watch, and the guard has seen that too.
    });
  }

  /** Asks the clock, not the timer: also right in a process that was too busy for the signal to abort in time. */
  get isHeld(): boolean {
    return this.#guard.isSafe;
  }

  /**
   * Gives it up, and aborts the signal. Resolves when the next one can have it: when the node is deleted, however long
   * the connection is away, or its session lost. May be called again.
   */
  release(): Promise<void> {
    this.#guard.end('released');
    this.#released ??= this.#contender.leave();
    return this.#released;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  async #watchNode(): Promise<void> {
    while (!this.signal.aborted) {
      const node = await watchedData(this.#contender.client, this.path, undefined);
      if (node === null) this.#guard.end('deleted');
      else await node.change.wait(undefined);
    }
  }
}
