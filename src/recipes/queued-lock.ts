// What every lock is that has its turn by its place in a line: Lock, and either side of a ReadWriteLock.
//
// To enter again what one holds already needs to know who one is. A thread would tell; here it is the chain of calls: what
// runs inside run() of a re-entrant lock finds that lock's lease in an AsyncLocalStorage, and takes part in it.

import { AsyncLocalStorage } from 'node:async_hooks';
import { type Acl, type Client, type Data, ZooKeeperError } from '../client/index.js';
import { type ContenderInfo, contend, contendAtOnce, contendersOf, holdersOf, type Queue } from './contender.js';
import { Hold, REVOKE_REQUEST } from './hold.js';
import type { LockLayout } from './layouts.js';
import type { Lease } from './lease.js';
import type { GuardOptions } from './session-guard.js';
import { PATIENT, persist, type WaitingOptions, withDeadline } from './waiting.js';

export interface LockOptions extends GuardOptions {
  /** Shown to others by contenders(), for example the name of this process. */
  readonly data?: Data;
  /** Of the nodes it makes. Default OPEN_ACL. Contenders need the permissions to read each other. */
  readonly acl?: readonly Acl[] | undefined;
  /** Whose locks may share the path: `curator`: InterProcessMutex and the like; `kazoo`: Lock and the like. Default `curator`. */
  readonly layout?: LockLayout;
  /**
   * Whether acquire, tryAcquire and run inside run() of this very object share its lease instead of waiting for it. The
   * branches of a Promise.all inside it share it too. Default false: there each is a contender of its own.
   */
  readonly reentrant?: boolean;
}

/** What a MultiLock can be made of. */
export interface Lockable {
  /** By which a MultiLock puts its locks in order. */
  readonly path: string;
  readonly client: Client;
  acquire(options?: WaitingOptions): Promise<Lease>;
  tryAcquire(options?: WaitingOptions): Promise<Lease | null>;
}

/** `L` is what it gives to its holder. */
export class QueuedLock<L extends Lease = Lease> implements Lockable {
  readonly client: Client;
  readonly path: string;
  readonly #queue: Queue;
  readonly #options: LockOptions;
  readonly #makeLease: (hold: Hold) => L;
  readonly #entered: AsyncLocalStorage<Hold> | undefined;

  /** @internal See Lock and ReadWriteLock. */
  constructor(
    client: Client,
    place: Pick<Queue, 'directory' | 'line' | 'kind'>,
    options: LockOptions,
    makeLease: (hold: Hold) => L,
  ) {
    this.client = client;
    this.path = place.directory;
    this.#queue = { ...place, data: options.data, acl: options.acl };
    this.#options = options;
    this.#makeLease = makeLease;
    this.#entered = options.reentrant === true ? new AsyncLocalStorage() : undefined;
  }

  /**
   * Waits for the lock. A session that is lost while waiting costs the place in the queue, not the call.
   * Rejects with the signal's reason, TimeoutError, ClientClosed, NoAuth, InvalidACL; no contender is left behind then.
   */
  acquire(options: WaitingOptions = {}): Promise<L> {
    return withDeadline(this.client, options, async (signal) => this.#makeLease(await this.#hold(signal)));
  }

  /**
   * The lock if it is free, else null, without waiting for others; `timeoutMs` is for the answers of the server. Rejects
   * as acquire() does.
   */
  tryAcquire(options: WaitingOptions = {}): Promise<L | null> {
    return withDeadline(this.client, options, async (signal) => {
      const entered = this.#enteredHold();
      if (entered !== undefined) return this.#makeLease(entered);
      const contender = await contendAtOnce(this.client, this.#queue, signal);
      return contender === null ? null : this.#makeLease(new Hold(contender, this.#options));
    });
  }

  /** Runs `work` while holding the lock, and releases it whatever comes of it. */
  run<T>(work: (lease: L) => Promise<T>, options: WaitingOptions = {}): Promise<T> {
    const runWith = async (hold: Hold): Promise<T> => {
      await using lease = this.#makeLease(hold);
      return await work(lease);
    };
    return withDeadline(this.client, options, (signal) => this.#hold(signal)).then((hold) =>
      this.#entered === undefined ? runWith(hold) : this.#entered.run(hold, () => runWith(hold)),
    );
  }

  /** The holder, or holders, and then those who wait, in their order. A moment later it may be different. */
  contenders(): Promise<ContenderInfo[]> {
    return contendersOf(this.client, this.#queue);
  }

  /**
   * Asks those who hold the lock now to give it up: their leases' `revocation` aborts, and what they do about it is up to
   * them. Written into their nodes in place of their `data`, as Curator's Revoker does. Returns how many were asked.
   * Rejects with NoAuth.
   */
  async requestRevocation(): Promise<number> {
    const holders = await holdersOf(this.client, this.#queue);
    const asked = await Promise.all(holders.map((path) => this.#ask(path)));
    return asked.filter((wasThere) => wasThere).length;
  }

  async #ask(path: string): Promise<boolean> {
    try {
      await persist(this.client, () => this.client.set(path, REVOKE_REQUEST, PATIENT));
      return true;
    } catch (error) {
      if (ZooKeeperError.is(error, 'NoNode')) return false; // given up already
      throw error;
    }
  }

  async #hold(signal: AbortSignal | undefined): Promise<Hold> {
    return this.#enteredHold() ?? new Hold(await contend(this.client, this.#queue, signal), this.#options);
  }

  /** What the caller holds already, if anything. Throws LeaseEndedError when that has ended: it would wait for itself. */
  #enteredHold(): Hold | undefined {
    const entered = this.#entered?.getStore();
    entered?.guard.signal.throwIfAborted();
    return entered;
  }
}
