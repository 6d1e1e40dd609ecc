// Many readers or one writer. Both stand in one line: a reader waits for the nearest writer ahead, a writer for whoever is
// ahead. So a writer is not starved: readers that come after it wait for it. When a writer leaves, the readers behind it
// and before the next writer are woken together, since they all have their turn; nobody else is.

import type { Client } from '../client/index.js';
import { Hold } from './hold.js';
import { READ_KINDS, READ_WRITE_LINE, WRITE_KINDS } from './layouts.js';
import { Lease } from './lease.js';
import { type LockOptions, QueuedLock } from './queued-lock.js';
import { type GuardOptions, LeaseEndedError } from './session-guard.js';

/**
 * ```ts
 * const lock = new ReadWriteLock(client, '/locks/catalogue');
 * await lock.read.run(async ({ signal }) => show(await load({ signal })));   // many at a time
 * await using writing = await lock.write.acquire({ timeoutMs: 5000 });       // nobody else
 * await save({ token: writing.token });
 * await using reading = await writing.downgrade();                           // others may read now, none has written
 * ```
 *
 * `read` and `write` have the methods of Lock. Its nodes are those of Curator's InterProcessReadWriteLock or, with
 * `layout: 'kazoo'`, those that kazoo's ReadLock and WriteLock go by.
 *
 * What it cannot promise: an upgrade. Who asks for the write lock while holding the read lock waits for itself, for ever.
 * And see Lease.
 */
export class ReadWriteLock {
  readonly read: QueuedLock;
  readonly write: QueuedLock<WriteLease>;

  /** @param path a node of its own for this lock; it is made when needed, and goes some time after the last use. */
  constructor(client: Client, path: string, options: LockOptions = {}) {
    const layout = options.layout ?? 'curator';
    const place = (kind: string) => ({ directory: path, line: READ_WRITE_LINE, kind });
    const readKind = READ_KINDS[layout];
    this.read = new QueuedLock(client, place(readKind), options, (hold) => new Lease(hold));
    const makeWriteLease = (hold: Hold) => new WriteLease(hold, readKind, options);
    this.write = new QueuedLock(client, place(WRITE_KINDS[layout]), options, makeWriteLease);
  }
}

/** A write lock that is held. */
export class WriteLease extends Lease {
  readonly #hold: Hold;
  readonly #readKind: string;
  readonly #options: GuardOptions;

  /** @internal Made by ReadWriteLock. */
  constructor(hold: Hold, readKind: string, options: GuardOptions) {
    super(hold);
    this.#hold = hold;
    this.#readKind = readKind;
    this.#options = options;
  }

  /**
   * Becomes a reader: in one step this lease ends and the returned one is held, in the same place of the line and with
   * the same token, so that no writer comes between. Rejects with a LeaseEndedError when it is held no more, an Error
   * when it was entered again, ClientClosed.
   */
  async downgrade(): Promise<Lease> {
    const { contender, guard, leases } = this.#hold;
    guard.signal.throwIfAborted();
    if (leases > 1) throw new Error(`${this.path} was entered again: only its last lease can be downgraded`);
    guard.end('released');
    try {
      const reader = await contender.become(this.#readKind);
      if (reader !== null) return new Lease(new Hold(reader, this.#options));
    } catch (error) {
      contender.abandon();
      throw error;
    }
    throw new LeaseEndedError(contender.isAlive ? 'deleted' : 'lost', this.path);
  }
}
