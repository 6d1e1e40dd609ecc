// An item in the hands of a taker.

import { type Client, type NodeData, type Stat, ZooKeeperError } from '../../client/index.js';
import { insist, REFUSED_PAUSE_MS } from '../insist.js';
import { type GuardOptions, LeaseEndedError, SessionGuard } from '../session-guard.js';
import { orNull, PATIENT, pause } from '../waiting.js';

/** Where an item and its claim are. */
export interface ItemPlace {
  readonly client: Client;
  readonly entryPath: string;
  readonly claimPath: string;
  readonly key: string;
}

/**
 * An item that was taken: this taker's alone, until it is acknowledged or released, or the session is lost. `signal` aborts
 * before any server could have expired the session, and at the end; its reason is a LeaseEndedError. What has not been
 * acknowledged by then goes to somebody else.
 */
export class QueueItem implements AsyncDisposable {
  /** As it was put; null for no data. */
  readonly data: Buffer | null;
  /** Its node. */
  readonly path: string;
  /** The fencing token of this delivery: higher than that of any earlier delivery of any item. */
  readonly token: bigint;
  /** When it was taken, by the leader's clock, in milliseconds since 1970. */
  readonly takenAtMs: number;
  readonly signal: AbortSignal;
  readonly #place: ItemPlace;
  readonly #guard: SessionGuard;
  #acked: Promise<void> | undefined;
  #released: Promise<void> | undefined;

  /** @internal Made by the queues. */
  constructor(place: ItemPlace, item: NodeData, claim: Stat, options: GuardOptions) {
    this.data = item.data;
    this.path = place.entryPath;
    this.token = claim.czxid;
    this.takenAtMs = claim.ctime;
    this.#place = place;
    this.#guard = new SessionGuard(place.client, claim.ephemeralOwner, place.claimPath, options);
    this.signal = this.#guard.signal;
  }

  /** What decided on its turn: the priority, or when it was due. */
  get key(): string {
    return this.#place.key;
  }

  /**
   * The work is done: the item goes. May be called again. Rejects with LeaseEndedError when the item is not this taker's
   * any more (then somebody else gets it, or has it), and with an error that says `maybeApplied` when the session was
   * lost with the answer and the item is still there.
   */
  ack(): Promise<void> {
    this.#acked ??=
      this.#released === undefined ? this.#ack() : Promise.reject(new LeaseEndedError('released', this.path));
    return this.#acked;
  }

  /** Not done: the item is free for others, at its place. Does nothing when ack() has succeeded. May be called again. */
  release(): Promise<void> {
    this.#released ??=
      this.#acked?.then(
        () => {},
        () => this.#release(),
      ) ?? this.#release();
    return this.#released;
  }

  /** Releases what was not acknowledged. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  async #ack(): Promise<void> {
    const { client, entryPath, claimPath } = this.#place;
    const { sessionId } = this.#guard;
    let doubt: ZooKeeperError | undefined;
    try {
      // A request of a session is never carried out in another one, so while ours is the same the claim is ours.
      while (client.session.id === sessionId) {
        try {
          await client.transaction().delete(claimPath).delete(entryPath).commit(PATIENT);
          return;
        } catch (error) {
          const isLost = ZooKeeperError.is(error, 'ConnectionLoss', 'SessionExpired');
          if (isLost && error.maybeApplied) doubt = error;
          if (isLost && client.state !== 'CLOSED') continue;
          if (ZooKeeperError.is(error) && error.retryable && !isLost) {
            await pause(client, REFUSED_PAUSE_MS);
            continue;
          }
          if (!ZooKeeperError.is(error, 'NoNode')) throw error;
          if (doubt === undefined || (await this.#isThere())) throw new LeaseEndedError('deleted', entryPath);
          return;
        }
      }
      if (doubt === undefined) throw new LeaseEndedError('lost', entryPath);
      if (await this.#isThere()) {
        const text = 'its answer was lost, and the session with it; the item is still there';
        throw new ZooKeeperError('SessionExpired', { operation: 'ack', path: entryPath, text, maybeApplied: true });
      }
    } finally {
      this.#guard.end('released');
    }
  }

  async #isThere(): Promise<boolean> {
    const { client, entryPath } = this.#place;
    return (await insist(client, () => client.exists(entryPath, PATIENT))) !== null;
  }

  async #release(): Promise<void> {
    const { client, claimPath } = this.#place;
    const { sessionId } = this.#guard;
    this.#guard.end('released');
    // Never in another session, where the claim may be another taker's; nor, when an answer was lost, without a look, since
    // the claim may be gone, and there may be another one in its place. While it is ours nobody but us can take it away.
    let isOurs = true;
    while (client.session.id === sessionId) {
      try {
        if (!isOurs) isOurs = (await client.exists(claimPath, PATIENT))?.czxid === this.token;
        if (isOurs) await orNull(client.delete(claimPath, PATIENT));
        return;
      } catch (error) {
        if (client.state === 'CLOSED' || ZooKeeperError.is(error, 'SessionExpired')) return;
        if (!ZooKeeperError.is(error) || !error.retryable) throw error;
        if (error.maybeApplied) isOurs = false;
        if (error.name !== 'ConnectionLoss') await pause(client, REFUSED_PAUSE_MS);
      }
    }
  }
}
