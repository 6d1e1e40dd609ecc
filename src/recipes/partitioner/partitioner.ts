// A number of partitions, split among the members that are there. Who should have which is computed by each member from
// the list of members; but that list reaches them at different moments, so what is owned is decided by a lock for each
// partition: its former owner holds it until he has let go, and its next one waits for it.

import type { Acl, Client } from '../../client/index.js';
import { GroupMembership } from '../group-membership.js';
import { insist } from '../insist.js';
import type { Lease } from '../lease.js';
import { Lock } from '../lock.js';
import type { GuardOptions } from '../session-guard.js';
import { abortable } from '../waiting.js';
import { assign } from './assignment.js';

export interface PartitionerOptions extends GuardOptions {
  /** How many there are, numbered from 0. All members have to name the same number. */
  readonly partitions: number;
  /** This member's name; one that joins with the name of another takes its place (see GroupMembership). */
  readonly id: string;
  /** Of the nodes it makes. Default OPEN_ACL. */
  readonly acl?: readonly Acl[] | undefined;
}

/** A partition that this member owns. */
export interface OwnedPartition {
  readonly index: number;
  /** The fencing token: higher than that of any owner before. */
  readonly token: bigint;
  /**
   * Aborts when it is to be handed over (its reason is a PartitionRevokedError), and before any server could have expired
   * the session (a LeaseEndedError).
   */
  readonly signal: AbortSignal;
}

/** The partition belongs to another member now, or this one is leaving. */
export class PartitionRevokedError extends Error {
  override readonly name = 'PartitionRevokedError';
  constructor(readonly index: number) {
    super(`partition ${index} is to be handed over`);
  }
}

/** What a member does about one partition, from the wish to own it until it has let go. */
interface Holding {
  readonly revoke: AbortController;
  readonly done: Promise<void>;
}

/**
 * ```ts
 * const partitioner = new Partitioner(client, '/partitions/orders', { partitions: 16, id: 'worker-1' });
 * await partitioner.run(
 *   async ({ index, token, signal }) => {
 *     while (!signal.aborted) await handleNextOrder(index, { fencingToken: token });
 *   },
 *   { signal: stopping },
 * );
 * ```
 *
 * Each partition has one owner at most, and the numbers that members own differ by 1 at most. When a member comes or goes
 * few partitions move. One that moves is handed over: the signal aborts, the work ends what it has begun, and only then
 * the next owner begins. So work has to return soon after its signal aborted; while it does not, nobody else gets the
 * partition.
 *
 * What it cannot promise: an owner at every moment; a partition has none while it is handed over, nor until the session
 * of an owner that died has expired. And what Lease says: that work which does not listen to the signal stops in time. Send
 * the token along.
 */
export class Partitioner {
  readonly #client: Client;
  readonly #path: string;
  readonly #options: PartitionerOptions;
  readonly #owned = new Map<number, OwnedPartition>();

  /** @param path a node of its own for these partitions; it is made when needed, and goes some time after the last use. */
  constructor(client: Client, path: string, options: PartitionerOptions) {
    const { partitions } = options;
    if (!Number.isInteger(partitions) || partitions < 1) throw new RangeError(`${partitions} partitions`);
    this.#client = client;
    this.#path = path;
    this.#options = options;
  }

  /** Numbers of the partitions that are owned at this moment. */
  get owned(): number[] {
    return [...this.#owned.keys()].sort((a, b) => a - b);
  }

  /**
   * Joins, and calls `work` for each partition that it comes to own; a partition whose work returns early stays owned.
   * When `signal` aborts, all work is asked to end, the partitions are let go, and the member leaves; then this resolves.
   * Rejects, after the same, with the first error of `work`, with NodeTakenError when another member has taken the id,
   * and with ClientClosed, NoAuth, InvalidACL.
   */
  async run(
    work: (partition: OwnedPartition) => Promise<void>,
    options: { readonly signal: AbortSignal },
  ): Promise<void> {
    const { acl, id, partitions } = this.#options;
    const stop = new AbortController();
    const stopping = AbortSignal.any([options.signal, stop.signal]);
    const group = new GroupMembership(this.#client, `${this.#path}/members`, { acl });
    const holdings = new Map<number, Holding>();
    let wanted: ReadonlySet<number> = new Set();
    const settle = (): void => {
      for (const [index, { revoke }] of holdings) {
        if (!wanted.has(index)) revoke.abort(new PartitionRevokedError(index));
      }
      for (const index of wanted) {
        if (holdings.has(index)) continue; // also one that is being let go: it is looked at again when that is done
        const revoke = new AbortController();
        const done = this.#hold(index, work, revoke.signal)
          .catch((error) => stop.abort(error))
          .finally(() => {
            holdings.delete(index);
            settle();
          });
        holdings.set(index, { revoke, done });
      }
    };
    try {
      await using me = await group.join(id, null, { signal: stopping });
      try {
        for await (const members of group.observe({ signal: AbortSignal.any([stopping, me.signal]) })) {
          const assigned = assign(
            members.map((member) => member.id),
            partitions,
          );
          wanted = new Set(assigned.get(id));
          settle();
        }
      } finally {
        wanted = new Set();
        settle();
        await Promise.all([...holdings.values()].map(({ done }) => done));
      }
    } catch (error) {
      if (stop.signal.aborted) throw stop.signal.reason;
      if (!options.signal.aborted) throw error;
    }
    if (stop.signal.aborted) throw stop.signal.reason;
  }

  /** Owns the partition, again when it was lost, until it is revoked. Rejects with the error of `work`. */
  async #hold(index: number, work: (partition: OwnedPartition) => Promise<void>, revoked: AbortSignal): Promise<void> {
    const { acl, marginMs } = this.#options;
    const lock = new Lock(this.#client, `${this.#path}/partitions/${index}`, { acl, marginMs });
    while (!revoked.aborted) {
      let lease: Lease;
      try {
        lease = await insist(this.#client, () => lock.acquire({ signal: revoked }), revoked);
      } catch (error) {
        if (revoked.aborted) return;
        throw error;
      }
      const signal = AbortSignal.any([lease.signal, revoked]);
      try {
        this.#owned.set(index, { index, token: lease.token, signal });
        await work({ index, token: lease.token, signal });
        await abortable(new Promise<never>(() => {}), signal);
      } catch (error) {
        if (!isAbort(error, signal)) throw error;
      } finally {
        this.#owned.delete(index);
        await lease.release();
      }
    }
  }
}

/** Whether this is how work says that it has obeyed the signal: with its reason, or as functions of Node do. */
function isAbort(error: unknown, signal: AbortSignal): boolean {
  if (!signal.aborted) return false;
  return error === signal.reason || (error instanceof Error && error.name === 'AbortError');
}
