// Says in time that something which hangs on the session must be given up. The client counts from when the last write or
// sync that was answered was *sent*; the leader counts from when it arrived, or later, so by the client's count nobody can
// have expired the session before. The guard aborts a margin earlier, whatever the reason for the silence: a lost
// connection, a server that hangs or has lost the leader, or a network that swallows packets. While the client's heartbeats,
// which the guard sends through the leader, are answered, the moment moves on and nothing happens.

import type { Client } from '../client/index.js';

/** Why a lease's signal aborted. */
export class LeaseEndedError extends Error {
  override readonly name = 'LeaseEndedError';
  constructor(
    /**
     * `released` by its holder; `unsafe`: no server has answered for so long that the session may soon expire;
     * `lost`: the session is gone, or the client closed; `deleted`: somebody has deleted its node.
     */
    readonly why: keyof typeof REASONS,
    path: string,
  ) {
    super(`${path} is not held any more: ${REASONS[why]}`);
  }
}

const REASONS = {
  released: 'it was released',
  unsafe: 'no server has answered for so long that the session may expire',
  lost: 'the session is lost',
  deleted: 'its node was deleted',
} as const;

export interface GuardOptions {
  /**
   * How long before the earliest possible expiry of the session the signal aborts: the time that the work needs to stop.
   * No more than half of the session timeout counts. Default: a tenth of it.
   */
  readonly marginMs?: number | undefined;
}

export class SessionGuard {
  readonly #controller = new AbortController();
  readonly #unguard: () => void;
  readonly #unsubscribe: () => void;
  #callOff: () => void = () => {};

  constructor(
    readonly client: Client,
    /** The session that must not be lost. */
    readonly sessionId: bigint,
    /** For the reason's text. */
    readonly path: string,
    readonly options: GuardOptions,
  ) {
    this.#unguard = client.guardSession();
    this.#unsubscribe = client.onState(({ state }) => {
      if (state === 'LOST' || state === 'CLOSED') this.end('lost');
    });
    this.#check();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether the session is certainly alive at this moment, also when a busy process has kept the timer waiting. */
  get isSafe(): boolean {
    return !this.signal.aborted && this.#safeForMs > 0;
  }

  /** Aborts the signal, once. */
  end(why: LeaseEndedError['why']): void {
    if (this.signal.aborted) return;
    this.#callOff();
    this.#unguard();
    this.#unsubscribe();
    this.#controller.abort(new LeaseEndedError(why, this.path));
  }

  get #safeForMs(): number {
    const { client, sessionId } = this;
    return client.session.id === sessionId ? client.sessionSafeForMs : 0;
  }

  #check(): void {
    const { client, sessionId, options } = this;
    const { timeoutMs } = client.session;
    const remainingMs = this.#safeForMs - Math.min(options.marginMs ?? timeoutMs / 10, timeoutMs / 2);
    if (client.session.id !== sessionId) this.end('lost');
    else if (remainingMs <= 0) this.end('unsafe');
    else this.#callOff = client.clock.after(remainingMs, () => this.#check());
  }
}
