// Writes that happen exactly once although answers get lost. Each transaction begins with a write to a slot: an ephemeral
// node of this client, on the condition that it has the version that it is known to have. Repeated after a lost answer,
// the very same transaction either succeeds, and then the first one has not happened and never will, or it fails at the
// slot with BadVersion, and then the first one has happened. A slot serves one transaction at a time; there are as many as
// there were transactions at once.
//
// Only when the session is lost together with the answer, and the slot with it, nobody can tell any more: the error then
// says maybeApplied.

import { type Acl, type Client, type Stat, type Transaction, ZooKeeperError } from '../client/index.js';
import { Contender } from './contender.js';
import { REFUSED_PAUSE_MS } from './insist.js';
import type { Line } from './layouts.js';
import { PATIENT, pause } from './waiting.js';

const WRITERS: Line = { kinds: ['writer-'], bars: () => false };

interface Slot {
  readonly node: Contender;
  /** The version that the node has, unless a transaction is under way. */
  version: number;
}

export class OnceWriter {
  readonly #client: Client;
  readonly #directory: string;
  readonly #acl: readonly Acl[] | undefined;
  readonly #free: Slot[] = [];
  readonly #all = new Set<Slot>();
  #isClosed = false;

  /** @param directory where the slots are; it is made when needed. */
  constructor(client: Client, directory: string, acl?: readonly Acl[] | undefined) {
    this.#client = client;
    this.#directory = directory;
    this.#acl = acl;
  }

  /**
   * Carries out what `fill` puts into the transaction, which has one operation before. The results are those of `fill`'s
   * operations; null when it was found out later that it had happened. Rejects as Transaction.commit does: the
   * `operationIndex` of `fill`'s first is 1. After an abort by the signal it may happen all the same.
   */
  async commit<R extends readonly unknown[]>(
    fill: (transaction: Transaction<[Stat]>) => Transaction<[Stat, ...R]>,
    signal?: AbortSignal | undefined,
  ): Promise<R | null> {
    const client = this.#client;
    let slot = await this.#take(signal);
    let isInDoubt = false;
    for (;;) {
      try {
        const begun = client.transaction().set(slot.node.path, null, { version: slot.version });
        const [, ...results] = await fill(begun).commit({ ...PATIENT, signal });
        this.#giveBack(slot, slot.version + 1);
        return results;
      } catch (error) {
        if (!ZooKeeperError.is(error) || signal?.aborted === true) {
          this.#drop(slot); // its version is not known any more
          throw error;
        }
        if (error.operationIndex === 0 && (error.name === 'NoNode' || error.name === 'BadVersion')) {
          if (isInDoubt && error.name === 'BadVersion') {
            this.#giveBack(slot, slot.version + 1);
            return null;
          }
          this.#drop(slot);
          if (isInDoubt) throw inDoubt(error, 'SessionExpired');
          slot = await this.#take(signal);
        } else if (error.name === 'ConnectionLoss' || error.name === 'SessionExpired') {
          isInDoubt ||= error.maybeApplied;
          if (client.state === 'CLOSED') throw isInDoubt ? inDoubt(error, error.name) : error;
        } else if (isInDoubt && error.operationIndex === undefined) {
          // Refused as a whole, which says nothing of the first attempt.
          if (!error.retryable) throw inDoubt(error, error.name);
          await pause(client, REFUSED_PAUSE_MS, signal);
        } else {
          this.#giveBack(slot, slot.version);
          throw error;
        }
      }
    }
  }

  /** Takes the slots away. Nothing may be under way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#free.length = 0;
    const slots = [...this.#all];
    this.#all.clear();
    await Promise.all(slots.map(({ node }) => node.leave()));
  }

  async #take(signal: AbortSignal | undefined): Promise<Slot> {
    if (this.#isClosed) throw new ZooKeeperError('ClientClosed', { text: `${this.#directory} is closed` });
    for (let slot = this.#free.pop(); slot !== undefined; slot = this.#free.pop()) {
      if (slot.node.isAlive) return slot;
      this.#drop(slot);
    }
    const queue = { directory: this.#directory, line: WRITERS, kind: WRITERS.kinds[0], acl: this.#acl };
    const slot = { node: await Contender.enter(this.#client, queue, signal), version: 0 };
    this.#all.add(slot);
    return slot;
  }

  #giveBack(slot: Slot, version: number): void {
    slot.version = version;
    if (this.#isClosed) this.#drop(slot);
    else this.#free.push(slot);
  }

  #drop(slot: Slot): void {
    this.#all.delete(slot);
    slot.node.abandon();
  }
}

function inDoubt(cause: ZooKeeperError, name: ZooKeeperError['name']): ZooKeeperError {
  const { operation, path } = cause;
  const text = 'its answer was lost, and the session with it';
  return new ZooKeeperError(name, { operation, path, text, maybeApplied: true, cause });
}
