// Several locks as one: all of them or none. They are taken one after the other in the order of their paths, the same for
// everybody, so that two who want the same locks cannot wait for each other.

import type { Lease } from './lease.js';
import { LeaseSet } from './lease-set.js';
import type { Lockable } from './queued-lock.js';
import { type WaitingOptions, withDeadline } from './waiting.js';

/** All locks of a MultiLock, held. */
export class MultiLease extends LeaseSet {
  /**
   * The fencing tokens by the paths of their locks. What is guarded by one lock must be shown that lock's token: tokens
   * of different locks say nothing about each other.
   */
  readonly tokens: ReadonlyMap<string, bigint>;

  /** @internal Made by MultiLock. */
  constructor(locks: readonly Lockable[], leases: readonly Lease[]) {
    super(leases);
    this.tokens = new Map(locks.map(({ path }, i) => [path, leases[i].token]));
  }
}

/**
 * ```ts
 * const both = new MultiLock([new Lock(client, '/accounts/7'), new Lock(client, '/accounts/9')]);
 * await using held = await both.acquire({ timeoutMs: 10_000 });
 * await transfer({ signal: held.signal, from: held.tokens.get('/accounts/7'), to: held.tokens.get('/accounts/9') });
 * ```
 *
 * What it cannot promise: that others get one of the locks while it waits for another; it holds what it has. And a
 * deadlock is only excluded among those who take all their locks in this order: take no further lock while holding one.
 */
export class MultiLock {
  readonly #locks: readonly Lockable[];

  /** @param locks with paths all different; those of a ReadWriteLock will do too. At least one. */
  constructor(locks: readonly Lockable[]) {
    if (locks.length === 0) throw new RangeError('a MultiLock needs a lock');
    this.#locks = [...locks].sort((a, b) => (a.path < b.path ? -1 : 1));
    const twice = this.#locks.find(({ path }, i) => path === this.#locks[i + 1]?.path);
    if (twice !== undefined) throw new RangeError(`${twice.path} is there twice: it would wait for itself`);
  }

  /**
   * Waits for all. When one of those it has already is lost meanwhile it begins again. Rejects as Lock.acquire does,
   * and then holds none.
   */
  acquire(options: WaitingOptions = {}): Promise<MultiLease> {
    return withDeadline(this.#locks[0].client, options, async (signal) => {
      for (;;) {
        const held = await this.#take((lock) => lock.acquire({ signal }));
        if (held !== null) return held;
      }
    });
  }

  /** All locks if all are free, else null and none. Rejects as acquire() does. */
  tryAcquire(options: WaitingOptions = {}): Promise<MultiLease | null> {
    return withDeadline(this.#locks[0].client, options, (signal) => this.#take((lock) => lock.tryAcquire({ signal })));
  }

  /** Runs `work` while holding all, and releases them whatever comes of it. */
  async run<T>(work: (lease: MultiLease) => Promise<T>, options: WaitingOptions = {}): Promise<T> {
    await using held = await this.acquire(options);
    return await work(held);
  }

  /** Null, and none is held, when one is not to be had or one was lost on the way. */
  async #take(takeOne: (lock: Lockable) => Promise<Lease | null>): Promise<MultiLease | null> {
    const leases: Lease[] = [];
    let isComplete = false;
    try {
      for (const lock of this.#locks) {
        const lease = await takeOne(lock);
        if (lease === null) return null;
        leases.push(lease);
      }
      const held = new MultiLease(this.#locks, leases);
      isComplete = held.isHeld;
      return isComplete ? held : null;
    } finally {
      // Not waited for: who gives up must not hang on a connection that is away. Their own calls see to it.
      if (!isComplete) for (const lease of leases) lease.release().catch(() => {});
    }
  }
}
