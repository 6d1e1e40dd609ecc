// What is behind a lease: a contender whose turn has come, watched from two sides. The session's side is the guard's
// business; here the node itself is watched too, for somebody who deletes it, or asks for it back. One hold may have
// several leases, where its owner enters the same lock again; it is given up with the last of them.

import type { Contender } from './contender.js';
import { type GuardOptions, SessionGuard } from './session-guard.js';
import { watchedData } from './waiting.js';

/** What Curator's Revoker writes into a lock's node, and so do we: a request to give the lock up. */
export const REVOKE_REQUEST = '__REVOKE__';

export class Hold {
  readonly guard: SessionGuard;
  readonly #revocation = new AbortController();
  #leases = 0;
  #left: Promise<void> | undefined;

  constructor(
    readonly contender: Contender,
    options: GuardOptions,
  ) {
    const { client, sessionId, path } = contender;
    this.guard = new SessionGuard(client, sessionId, path, options);
    this.#watchNode().catch(() => {
      // Without the client there is nothing to watch, and the guard has seen that too.
    });
  }

  /** Aborts when somebody has asked the holder to give up. */
  get revocation(): AbortSignal {
    return this.#revocation.signal;
  }

  /** How many leases hang on it. */
  get leases(): number {
    return this.#leases;
  }

  lease(): void {
    this.#leases++;
  }

  /** Once for each lease. Resolves, for the last, when the node is gone or sure to go with its session. */
  async release(): Promise<void> {
    this.#leases--;
    if (this.#leases > 0) return;
    this.guard.end('released');
    this.#left ??= this.contender.leave();
    await this.#left;
  }

  async #watchNode(): Promise<void> {
    const { client, path } = this.contender;
    while (!this.guard.signal.aborted) {
      const node = await watchedData(client, path, undefined);
      if (node === null) {
        this.guard.end('deleted');
      } else {
        if (node.value.data?.toString() === REVOKE_REQUEST) this.#revocation.abort(new Error(`${path} is asked for`));
        await node.change.wait(undefined);
      }
    }
  }
}
