// A gate: closed while its node exists. Everybody who waits is released at once, so here all watch the same node.

import { type Acl, type Client, type Data, ZooKeeperError } from '../client/index.js';
import { ensureDirectory } from './directory.js';
import { nodeChanged, orNull, PATIENT, persist, type WaitingOptions, withDeadline } from './waiting.js';

export interface BarrierOptions {
  /** Content of the gate's node. */
  readonly data?: Data;
  /** Of the nodes it makes. Default OPEN_ACL. */
  readonly acl?: readonly Acl[];
}

/**
 * ```ts
 * const barrier = new Barrier(client, '/barriers/migration');
 * await barrier.close();             // one process
 * await barrier.wait();              // many others, until …
 * await barrier.open();
 * ```
 *
 * The node outlives whoever closed it: a barrier whose owner has died stays closed until somebody opens it.
 *
 * What it cannot promise: that it is still open when wait() returns; somebody may have closed it again. One that is opened
 * and closed again quickly may not be noticed by all who wait.
 */
export class Barrier {
  readonly #client: Client;
  readonly #path: string;
  readonly #options: BarrierOptions;

  /** @param path the node that is the gate. */
  constructor(client: Client, path: string, options: BarrierOptions = {}) {
    this.#client = client;
    this.#path = path;
    this.#options = options;
  }

  /** Closes it, if it is open. Returns the fencing token of this closing: the zxid of the creation of its node. */
  async close(): Promise<bigint> {
    const { data, acl } = this.#options;
    for (;;) {
      try {
        return (await persist(this.#client, () => this.#client.create(this.#path, data, { ...PATIENT, acl }))).stat
          .czxid;
      } catch (error) {
        const parent = this.#path.slice(0, this.#path.lastIndexOf('/'));
        if (ZooKeeperError.is(error, 'NoNode') && parent !== '') {
          await ensureDirectory(this.#client, parent, { acl, mode: 'persistent' });
        } else if (!ZooKeeperError.is(error, 'NodeExists')) throw error;
      }
      const stat = await persist(this.#client, () => this.#client.exists(this.#path, PATIENT));
      if (stat !== null) return stat.czxid;
    }
  }

  /** Opens it for all. Returns whether it was closed. */
  async open(): Promise<boolean> {
    const deleted = persist(this.#client, () => this.#client.delete(this.#path, PATIENT));
    return (await orNull(deleted.then(() => true))) ?? false;
  }

  async isClosed(): Promise<boolean> {
    return (await this.#client.exists(this.#path)) !== null;
  }

  /** Waits until it is open. Rejects with the signal's reason, TimeoutError, or ClientClosed. */
  wait(options: WaitingOptions = {}): Promise<void> {
    return withDeadline(this.#client, options, async (signal) => {
      signal?.throwIfAborted();
      while (await nodeChanged(this.#client, this.#path, signal));
    });
  }
}
