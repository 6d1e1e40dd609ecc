// Mutual exclusion among processes: the first in the queue holds the lock.

import type { Acl, Client, Data } from '../client/index.js';
import { Contender, type ContenderInfo, contend, contendersOf, type Queue } from './contender.js';
import { Lease } from './lease.js';
import type { GuardOptions } from './session-guard.js';

export interface LockOptions extends GuardOptions {
  /** Shown to others by contenders(), for example the name of this process. */
  readonly data?: Data;
  /** Of the nodes it makes. Default OPEN_ACL. Contenders need the permissions to read each other. */
  readonly acl?: readonly Acl[];
}

/**
 * A fair lock: who came first has it first.
 *
 * ```ts
 * const lock = new Lock(client, '/locks/report');
 * await using held = await lock.acquire({ signal: AbortSignal.timeout(30_000) });
 * await writeReport({ signal: held.signal, fencingToken: held.token });
 * ```
 *
 * Not reentrant: every acquire is a contender of its own, also in one process. Its nodes are those of Curator's
 * InterProcessMutex, so both can share a lock.
 *
 * What it cannot promise: that nobody else works while this process believes to hold the lock. See Lease for how the
 * signal and the token deal with that.
 */
export class Lock {
  readonly #client: Client;
  readonly #queue: Queue;
  readonly #options: LockOptions;

  /** @param path a node of its own for this lock; it is made when needed, and goes some time after the last use. */
  constructor(client: Client, path: string, options: LockOptions = {}) {
    this.#client = client;
    this.#options = options;
    this.#queue = { directory: path, prefix: 'lock-', data: options.data, acl: options.acl };
  }

  /**
   * Waits for the lock. A session that is lost while waiting costs the place in the queue, not the call.
   * Rejects with the signal's reason, ClientClosed, NoAuth, InvalidACL; no contender is left behind then.
   */
  async acquire(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<Lease> {
    return new Lease(await contend(this.#client, this.#queue, 1, options.signal), this.#options);
  }

  /** The lock if it is free, else null, without waiting for others. Rejects as acquire() does. */
  async tryAcquire(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<Lease | null> {
    const contender = await Contender.enter(this.#client, this.#queue, options.signal);
    try {
      if (await contender.isFirst(options.signal)) return new Lease(contender, this.#options);
    } catch (error) {
      contender.abandon();
      throw error;
    }
    await contender.leave();
    return null;
  }

  /** Runs `work` while holding the lock, and releases it whatever comes of it. */
  async run<T>(work: (lease: Lease) => Promise<T>, options: { readonly signal?: AbortSignal } = {}): Promise<T> {
    await using lease = await this.acquire(options);
    return await work(lease);
  }

  /** The holder and then those who wait, in their order. A moment later it may be different. */
  contenders(): Promise<ContenderInfo[]> {
    return contendersOf(this.#client, this.#queue);
  }
}
