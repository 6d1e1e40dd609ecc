// Mutual exclusion among processes: the first in the line holds the lock.

import type { Client } from '../client/index.js';
import { LOCK_KINDS, LOCK_LINE } from './layouts.js';
import { Lease } from './lease.js';
import { type LockOptions, QueuedLock } from './queued-lock.js';

/**
 * A fair lock: who came first has it first.
 *
 * ```ts
 * const lock = new Lock(client, '/locks/report');
 * await using held = await lock.acquire({ timeoutMs: 30_000 });
 * await writeReport({ signal: held.signal, fencingToken: held.token });
 * ```
 *
 * Re-entrant by choice only (LockOptions.reentrant): else every acquire is a contender of its own, also in one process.
 * Its nodes are those of Curator's InterProcessMutex or, with `layout: 'kazoo'`, those that kazoo's Lock goes by, so
 * either can share a lock with us.
 *
 * What it cannot promise: that nobody else works while this process believes to hold the lock. See Lease for how the
 * signal and the token deal with that.
 */
export class Lock extends QueuedLock {
  /** @param path a node of its own for this lock; it is made when needed, and goes some time after the last use. */
  constructor(client: Client, path: string, options: LockOptions = {}) {
    const kind = LOCK_KINDS[options.layout ?? 'curator'];
    super(client, { directory: path, line: LOCK_LINE, kind }, options, (hold) => new Lease(hold));
  }
}
