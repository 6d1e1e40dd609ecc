// Up to N holders at a time. A permit is an ephemeral sequential node under `leases`; it is granted when it is among the
// first N. Only one at a time may ask, by a lock under `locks`: the others wait there, each for its predecessor, so that a
// permit that is given back wakes one process and not all. Who asks for several makes all their nodes before it lets
// the next one in, so nobody can come between them and no two wait for each other's.
//
// That no more than N are granted hangs on the numbers of the nodes alone: a process that wrongly believes to have the
// lock may wake once too often, and no more.

import type { Acl, Client, Data, WatchOptions } from '../client/index.js';
import { Contender, type ContenderInfo, contendersOf, type Queue } from './contender.js';
import { ensureDirectory } from './directory.js';
import { Hold } from './hold.js';
import { SEMAPHORE_LINE } from './layouts.js';
import { Lease } from './lease.js';
import { LeaseSet } from './lease-set.js';
import { Lock } from './lock.js';
import { inOrder } from './sequence.js';
import type { GuardOptions } from './session-guard.js';
import {
  type Change,
  orNull,
  PATIENT,
  persist,
  type WaitingOptions,
  watched,
  watchedData,
  withDeadline,
} from './waiting.js';

export interface SemaphoreOptions extends GuardOptions {
  /** Shown to others by holders(), for example the name of this process. */
  readonly data?: Data;
  /** Of the nodes it makes. Default OPEN_ACL. */
  readonly acl?: readonly Acl[];
}

export interface PermitOptions extends WaitingOptions {
  /** How many permits, all or none. Default 1. */
  readonly permits?: number;
}

/** Permits that are held, one lease each. */
export class Permits extends LeaseSet {
  /** The fencing token: higher than those of all who were given permits before. */
  readonly token: bigint;

  /** @internal Made by Semaphore. */
  constructor(leases: readonly Lease[]) {
    super(leases);
    this.token = leases[0].token;
  }
}

/**
 * ```ts
 * const semaphore = new Semaphore(client, '/semaphores/exports', 5);
 * await using permit = await semaphore.acquire({ timeoutMs: 60_000 });
 * await runExport({ signal: permit.signal });
 * ```
 *
 * Its nodes are those of Curator's InterProcessSemaphoreV2, so both can share a semaphore.
 *
 * What it cannot promise: that no more than N work at a time, where a holder works on after its session has gone: see
 * Lease. With several holders at once the token does not exclude one of them: it tells them apart. All have to name the
 * same N, unless it was set with setLimit().
 */
export class Semaphore {
  readonly #client: Client;
  readonly #path: string;
  readonly #limit: number;
  readonly #queue: Queue;
  readonly #turnstile: Lock;
  readonly #options: SemaphoreOptions;

  /**
   * @param path a node of its own for this semaphore; it is made when needed, and goes some time after the last use.
   * @param limit how many permits there are while setLimit() has not said otherwise, at least 1.
   */
  constructor(client: Client, path: string, limit: number, options: SemaphoreOptions = {}) {
    checkCount(limit, 'permits of a semaphore');
    this.#client = client;
    this.#path = path;
    this.#limit = limit;
    this.#options = options;
    this.#queue = {
      directory: `${path}/leases`,
      line: SEMAPHORE_LINE,
      kind: 'lease-',
      data: options.data,
      acl: options.acl,
    };
    this.#turnstile = new Lock(client, `${path}/locks`, options);
  }

  /**
   * Waits for the permits, in the order of asking. A session that is lost while waiting costs the place, not the call.
   * Rejects with the signal's reason, TimeoutError, ClientClosed, NoAuth, InvalidACL; nothing is left behind then.
   * More permits than there are wait for setLimit().
   */
  acquire(options: PermitOptions = {}): Promise<Permits> {
    const { permits = 1 } = options;
    checkCount(permits, 'permits');
    return withDeadline(this.#client, options, async (signal) => {
      for (;;) {
        const turn = await this.#turnstile.acquire({ signal });
        const held = await this.#take(permits, turn, signal, true);
        if (held !== null) return held;
      }
    });
  }

  /** The permits if so many are free and nobody else is just asking, else null. Rejects as acquire() does. */
  tryAcquire(options: PermitOptions = {}): Promise<Permits | null> {
    const { permits = 1 } = options;
    checkCount(permits, 'permits');
    return withDeadline(this.#client, options, async (signal) => {
      const turn = await this.#turnstile.tryAcquire({ signal });
      return turn === null ? null : await this.#take(permits, turn, signal, false);
    });
  }

  /** Runs `work` while holding the permits, and gives them back whatever comes of it. */
  async run<T>(work: (held: Permits) => Promise<T>, options: PermitOptions = {}): Promise<T> {
    await using held = await this.acquire(options);
    return await work(held);
  }

  /** Those who hold permits, and behind them whoever has its turn to wait for one. */
  holders(): Promise<ContenderInfo[]> {
    return contendersOf(this.#client, this.#queue);
  }

  /** How many permits there are. */
  async limit(): Promise<number> {
    const node = await orNull(persist(this.#client, () => this.#client.get(this.#limitPath, PATIENT)));
    return this.#limitOf(node?.data ?? null);
  }

  /** Changes it for everybody, from now on. Nobody loses a permit: when there are more than that, fewer are given. */
  async setLimit(limit: number): Promise<void> {
    checkCount(limit, 'permits of a semaphore');
    await ensureDirectory(this.#client, this.#limitPath, { acl: this.#options.acl, mode: 'persistent' });
    await persist(this.#client, () => this.#client.set(this.#limitPath, String(limit), PATIENT));
  }

  get #limitPath(): string {
    return `${this.#path}/limit`;
  }

  #limitOf(data: Buffer | null): number {
    const text = data?.toString() ?? '';
    return /^[1-9]\d*$/.test(text) ? Number(text) : this.#limit;
  }

  /**
   * Takes permits in one's turn, and lets the next one have his. Null when they are not to be had at once, or a node or
   * the session was lost on the way.
   */
  async #take(permits: number, turn: Lease, signal: AbortSignal | undefined, waits: boolean): Promise<Permits | null> {
    const client = this.#client;
    const entering = Array.from({ length: permits }, () => Contender.enter(client, this.#queue, signal));
    const entered = await Promise.allSettled(entering);
    const contenders = entered.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    let isGranted = false;
    try {
      for (const result of entered) if (result.status === 'rejected') throw result.reason;
      // From here on the lease of the turn keeps the session proven.
      for (;;) {
        const look = await this.#look(contenders, signal);
        try {
          isGranted = look.rank !== -1 && look.rank < look.limit;
          if (isGranted)
            return new Permits(contenders.map((contender) => new Lease(new Hold(contender, this.#options))));
          if (look.rank === -1 || !waits) return null;
          await Promise.race(look.changes.map((change) => change.wait(signal)));
        } finally {
          for (const change of look.changes) change.end();
        }
      }
    } finally {
      if (!isGranted) for (const contender of contenders) contender.abandon();
      turn.release().catch(() => {}); // not waited for: who gives up must not hang on a connection that is away
    }
  }

  /** Where the last of them stands, -1 when one is gone; and what may change that. */
  async #look(
    contenders: readonly Contender[],
    signal: AbortSignal | undefined,
  ): Promise<{ rank: number; limit: number; changes: Change[] }> {
    const client = this.#client;
    const { directory, line } = this.#queue;
    const leases = await watched(client, directory, (options) => client.children(directory, options), signal);
    const changes = leases === null ? [] : [leases.change];
    try {
      const limit = await this.#watchedLimit(signal);
      changes.push(limit.change);
      const names = inOrder(leases?.value ?? [], line.kinds).map(({ name }) => name);
      const ranks = contenders.map(({ isAlive, name }) => (isAlive ? names.indexOf(name) : -1));
      const rank = ranks.includes(-1) ? -1 : Math.max(...ranks);
      return { rank, limit: limit.value, changes };
    } catch (error) {
      for (const change of changes) change.end();
      throw error;
    }
  }

  async #watchedLimit(signal: AbortSignal | undefined): Promise<{ value: number; change: Change }> {
    const client = this.#client;
    for (;;) {
      const node = await watchedData(client, this.#limitPath, signal);
      if (node !== null) return { value: this.#limitOf(node.value.data), change: node.change };
      const isAbsent = async (options: WatchOptions) => (await client.exists(this.#limitPath, options)) === null;
      const none = await watched(client, this.#limitPath, isAbsent, signal);
      if (none?.value === true) return { value: this.#limit, change: none.change };
      none?.change.end();
    }
  }
}

function checkCount(count: number, what: string): void {
  if (!Number.isSafeInteger(count) || count < 1) throw new RangeError(`${what}: 1 or more, not ${count}`);
}
