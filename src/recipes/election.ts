// One leader among many candidates: the first in the queue. Others who only want to know the leader watch the leader's
// node, or the directory while it has none; candidates that come and go behind the leader disturb nobody.

import type { Acl, Client, Data, WatchOptions } from '../client/index.js';
import { type ContenderInfo, contend, contendersOf, type Queue } from './contender.js';
import { Lease } from './lease.js';
import { inOrder } from './sequence.js';
import type { GuardOptions } from './session-guard.js';
import { abortable, type Change, orNull, PATIENT, persist, watched, watchedData } from './waiting.js';

export interface ElectionOptions extends GuardOptions {
  /** What others learn of the leader, for example its address. */
  readonly data?: Data;
  /** Of the nodes it makes. Default OPEN_ACL. Candidates need the permission to read each other. */
  readonly acl?: readonly Acl[];
}

/** Leadership that is held: a Lease with the election's word for giving it up. */
export class Leadership extends Lease {
  /** Gives the leadership up; the next candidate has it when this resolves. */
  resign(): Promise<void> {
    return this.release();
  }
}

/**
 * ```ts
 * const election = new Election(client, '/election/scheduler', { data: 'host-1:8080' });
 * while (!stopping.aborted) {
 *   await using leadership = await election.campaign({ signal: stopping });
 *   await schedule({ signal: leadership.signal, fencingToken: leadership.token }); // until one of them aborts
 * }
 * ```
 *
 * Its nodes are those of Curator's LeaderLatch, so both can take part in one election.
 *
 * What it cannot promise: that at no moment two processes believe to lead. The signal makes it unlikely, and the token
 * harmless: see Lease. An observer may learn of a leader when that has already gone.
 */
export class Election {
  readonly #client: Client;
  readonly #queue: Queue;
  readonly #options: ElectionOptions;

  /** @param path a node of its own for this election; it is made when needed, and goes some time after the last use. */
  constructor(client: Client, path: string, options: ElectionOptions = {}) {
    this.#client = client;
    this.#options = options;
    this.#queue = { directory: path, prefix: 'latch-', data: options.data, acl: options.acl };
  }

  /**
   * Becomes a candidate and waits to be the leader. Rejects with the signal's reason, ClientClosed, NoAuth, InvalidACL;
   * no candidate is left behind then.
   */
  async campaign(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<Leadership> {
    return new Leadership(await contend(this.#client, this.#queue, 1, options.signal), this.#options);
  }

  /** The leader at this moment; null when nobody is a candidate. */
  async leader(): Promise<ContenderInfo | null> {
    for (;;) {
      const path = await this.#first();
      if (path === undefined) return null;
      const node = await orNull(persist(this.#client, () => this.#client.get(path, PATIENT)));
      if (node !== null) return { path, token: node.stat.czxid, data: node.data };
    }
  }

  /** Leader and candidates in their order. */
  candidates(): Promise<ContenderInfo[]> {
    return contendersOf(this.#client, this.#queue);
  }

  /**
   * The leader now, and again at every change of it or of its data; null while there is none. Leaders that held office
   * between two looks are left out. Goes on through lost connections and sessions; ends with `break`, and rejects with
   * the signal's reason, or ClientClosed.
   */
  async *observe(options: { readonly signal?: AbortSignal } = {}): AsyncGenerator<ContenderInfo | null, void, void> {
    const { signal } = options;
    let seen: string | undefined;
    for (;;) {
      const { leader, version, change } = await this.#look(signal);
      try {
        const key = leader === null ? '' : `${leader.token}/${version}`;
        if (key !== seen) yield leader;
        seen = key;
        await change.wait(signal);
      } finally {
        change.end();
      }
    }
  }

  /** The leader, and the change of the node that may bring another one. */
  async #look(
    signal: AbortSignal | undefined,
  ): Promise<{ leader: ContenderInfo | null; version: number; change: Change }> {
    const client = this.#client;
    const { directory } = this.#queue;
    for (;;) {
      const path = await abortable(this.#first(), signal);
      if (path !== undefined) {
        const node = await watchedData(client, path, signal);
        if (node === null) continue;
        const { data, stat } = node.value;
        return { leader: { path, token: stat.czxid, data }, version: stat.version, change: node.change };
      }
      const none = await watched(client, directory, (options) => this.#isEmpty(options), signal);
      if (none?.value === true) return { leader: null, version: 0, change: none.change };
      none?.change.end();
    }
  }

  /** Whether there is no candidate; then a watch tells of the first one, or of the directory that it will need. */
  async #isEmpty(options: WatchOptions): Promise<boolean> {
    const { directory, prefix } = this.#queue;
    const children = await orNull(this.#client.children(directory, options));
    if (children === null) return (await this.#client.exists(directory, options)) === null;
    return inOrder(children, prefix).length === 0;
  }

  async #first(): Promise<string | undefined> {
    const { directory, prefix } = this.#queue;
    const children = await orNull(persist(this.#client, () => this.#client.children(directory, PATIENT)));
    const first = inOrder(children ?? [], prefix)[0];
    return first === undefined ? undefined : `${directory}/${first.name}`;
  }
}
