// One value that many read and write. Its version says which write it is from, and a write can be made to depend on it.

import { type Acl, type Client, type Data, ZooKeeperError } from '../client/index.js';
import { NodeCache } from './cache/node-cache.js';
import { ensureDirectory } from './directory.js';
import { OnceWriter } from './once.js';
import { orNull, PATIENT, persist } from './waiting.js';

export interface SharedValueOptions {
  /** What it is where there is no node yet. Default: null. */
  readonly initial?: Data;
  /** Of the nodes it makes. Default OPEN_ACL. */
  readonly acl?: readonly Acl[] | undefined;
}

export interface Versioned {
  readonly data: Buffer | null;
  /** Counts the writes to the node. */
  readonly version: number;
  /** zxid of the write: rises also when the node is deleted and made again. */
  readonly zxid: bigint;
}

/**
 * ```ts
 * await using value = new SharedValue(client, '/values/colour', { initial: 'red' });
 * const { data, version } = await value.get();
 * const isMine = await value.compareAndSet(version, 'green');   // false when somebody else was faster
 * await value.update((now) => `${now} and blue`);                // tries until it was faster
 * ```
 *
 * A write whose answer is lost is found out about, and never made twice: a compareAndSet that succeeded does not answer
 * false because it meets its own effect. Only when the session is lost together with the answer nobody can know: the call
 * rejects, and the error's `maybeApplied` is true. Nodes hold the bytes as they are, as those of Curator's SharedValue do.
 *
 * What it cannot promise: that get() shows a write that another client has just made; sync() before it does. After the
 * node was deleted and made again, versions begin again.
 */
export class SharedValue implements AsyncDisposable {
  readonly #client: Client;
  readonly #path: string;
  readonly #options: SharedValueOptions;
  readonly #writer: OnceWriter;

  /** @param path the node; it is made when needed, and stays. Beside it `<path>-writers` is used. */
  constructor(client: Client, path: string, options: SharedValueOptions = {}) {
    this.#client = client;
    this.#path = path;
    this.#options = options;
    this.#writer = new OnceWriter(client, `${path}-writers`, options.acl);
  }

  /** As the server that we are connected to knows it. */
  async get(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<Versioned> {
    const client = this.#client;
    const { signal } = options;
    for (;;) {
      const node = await orNull(persist(client, () => client.get(this.#path, { ...PATIENT, signal }), signal));
      if (node !== null) return { data: node.data, version: node.stat.version, zxid: node.stat.mzxid };
      await this.#create(this.#options.initial ?? null);
    }
  }

  /** Writes, whatever was there. Rejects as described above, and with the signal's reason. */
  async set(data: Data, options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    while (!(await this.#write(-1, data, options.signal))) if (await this.#create(data)) return;
  }

  /** Writes if the value still has this version; returns whether it had. */
  async compareAndSet(
    version: number,
    data: Data,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<boolean> {
    return this.#write(version, data, options.signal);
  }

  /** Writes what `change` makes of the value, and calls it again when somebody else was faster. Returns what was written. */
  async update<D extends Data>(
    change: (now: Buffer | null) => D,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<D> {
    for (;;) {
      const { data, version } = await this.get(options);
      const next = change(data);
      if (await this.#write(version, next, options.signal)) return next;
    }
  }

  /**
   * The value now, and again after each change; of changes in quick succession the last. Null while there is no node.
   * Ends with `break`; rejects with the signal's reason, ClientClosed.
   */
  async *values(
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): AsyncGenerator<Versioned | null, void, void> {
    await using cache = new NodeCache(this.#client, this.#path);
    for await (const node of cache.values(options)) {
      yield node === undefined ? null : { data: node.data, version: node.stat.version, zxid: node.stat.mzxid };
    }
  }

  /** Takes away the nodes that it has used for writing; the value stays. */
  close(): Promise<void> {
    return this.#writer.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** False when the version is another, or the node is gone. */
  async #write(version: number, data: Data, signal: AbortSignal | undefined): Promise<boolean> {
    try {
      await this.#writer.commit((transaction) => transaction.set(this.#path, data, { version }), signal);
      return true;
    } catch (error) {
      if (ZooKeeperError.is(error, 'BadVersion', 'NoNode') && error.operationIndex === 1) return false;
      throw error;
    }
  }

  /** False when it is there already. */
  async #create(data: Data): Promise<boolean> {
    const client = this.#client;
    const { acl } = this.#options;
    const parent = this.#path.slice(0, this.#path.lastIndexOf('/'));
    if (parent !== '') await ensureDirectory(client, parent, { acl, mode: 'persistent' });
    try {
      await persist(client, () => client.create(this.#path, data, { ...PATIENT, acl }));
      return true;
    } catch (error) {
      if (!ZooKeeperError.is(error, 'NodeExists')) throw error;
      return false;
    }
  }
}
