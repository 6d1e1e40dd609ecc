// One leader among many candidates: the first in the line. Others who only want to know the leader watch the leader's
// node, or the directory while it has none; candidates that come and go behind the leader disturb nobody.

import { type Acl, type Client, type Data, onAbort, type WatchOptions } from '../client/index.js';
import { type ContenderInfo, childrenOf, contend, contendersOf, type Queue } from './contender.js';
import { Hold } from './hold.js';
import { ELECTION_KINDS, ELECTION_LINE, type ElectionLayout } from './layouts.js';
import { Lease } from './lease.js';
import { inOrder } from './sequence.js';
import type { GuardOptions } from './session-guard.js';
import {
  abortable,
  type Change,
  orNull,
  PATIENT,
  persist,
  type WaitingOptions,
  watched,
  watchedData,
  withDeadline,
} from './waiting.js';

export interface ElectionOptions extends GuardOptions {
  /** What others learn of the leader, for example its address. */
  readonly data?: Data;
  /** Of the nodes it makes. Default OPEN_ACL. Candidates need the permission to read each other. */
  readonly acl?: readonly Acl[];
  /**
   * Whose names the nodes bear: those of Curator's LeaderLatch (`latch`) or LeaderSelector (`selector`), or of kazoo's
   * Election (`kazoo`). Default `latch`.
   */
  readonly layout?: ElectionLayout;
}

export interface LeadOptions {
  /** Ends the candidacy: the work is told, and when it has ended lead() resolves. */
  readonly signal?: AbortSignal | undefined;
  /** Whether to be a candidate again when the work has ended by itself. Default true. */
  readonly requeue?: boolean;
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
 * `lead` is the same as a selector: it does the work whenever this process leads, until it is told to stop.
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
    const kind = ELECTION_KINDS[options.layout ?? 'latch'];
    this.#queue = { directory: path, line: ELECTION_LINE, kind, data: options.data, acl: options.acl };
  }

  /**
   * Becomes a candidate and waits to be the leader. Rejects with the signal's reason, TimeoutError, ClientClosed, NoAuth,
   * InvalidACL; no candidate is left behind then.
   */
  campaign(options: WaitingOptions = {}): Promise<Leadership> {
    return withDeadline(this.#client, options, async (signal) => {
      return new Leadership(new Hold(await contend(this.#client, this.#queue, signal), this.#options));
    });
  }

  /**
   * Does `work` whenever this process leads. The leadership is resigned when the work has ended; then it stands again,
   * behind the others. `signal` tells the work to stop: the leadership is about to be lost, or lead() is to end.
   *
   * Resolves when `options.signal` has aborted and the work has ended, or after one term without `requeue`. Rejects with
   * what the work throws by itself, and as campaign() does; what it throws once its signal has aborted is taken for its
   * way to stop.
   */
  async lead(
    work: (leadership: Leadership, signal: AbortSignal) => Promise<void>,
    options: LeadOptions = {},
  ): Promise<void> {
    const { signal, requeue = true } = options;
    do {
      let leadership: Leadership;
      try {
        leadership = await this.campaign({ signal });
      } catch (error) {
        if (signal?.aborted) return;
        throw error;
      }
      await using term = leadership;
      await untilStopped(term.signal, signal, (stop) => work(term, stop));
    } while (requeue && !signal?.aborted);
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
    const { directory, line } = this.#queue;
    const children = await orNull(this.#client.children(directory, options));
    if (children === null) return (await this.#client.exists(directory, options)) === null;
    return inOrder(children, line.kinds).length === 0;
  }

  async #first(): Promise<string | undefined> {
    const { directory, line } = this.#queue;
    const first = inOrder(await childrenOf(this.#client, directory), line.kinds)[0];
    return first === undefined ? undefined : `${directory}/${first.name}`;
  }
}

/** Does `work` with a signal that aborts with the first of these; an error of the work after that is no error. */
async function untilStopped(
  lost: AbortSignal,
  stopped: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const controller = new AbortController();
  const ends = [lost, stopped].map((signal) => onAbort(signal, () => controller.abort(signal?.reason)));
  try {
    await work(controller.signal);
  } catch (error) {
    if (!controller.signal.aborted) throw error;
  } finally {
    for (const end of ends) end();
  }
}
