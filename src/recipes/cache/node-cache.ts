// One node in memory.

import type { Client } from '../../client/index.js';
import { abortable } from '../waiting.js';
import type { CachedNode } from './changes.js';
import { Mirror } from './mirror.js';

/**
 * ```ts
 * await using cache = new NodeCache(client, '/app/limits');
 * await cache.ready();
 * cache.node?.data;                               // the last known data; undefined when there is no such node
 * for await (const node of cache.values()) apply(node?.data ?? null);
 * ```
 *
 * What it cannot promise: to show every value. Of changes in quick succession, or while the connection was away, the last
 * one is seen. See TreeCache for the rest.
 */
export class NodeCache implements AsyncDisposable {
  readonly #mirror: Mirror;
  readonly #path: string;

  /** @param path the node; it need not exist. */
  constructor(client: Client, path: string) {
    this.#path = path;
    this.#mirror = new Mirror(client, path, false);
  }

  /** Resolves when it has been read once. Rejects with the signal's reason, ClientClosed, BadArguments, Unimplemented. */
  async ready(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    await abortable(this.#mirror.ready, options.signal);
  }

  /** As it was last known. */
  get node(): CachedNode | undefined {
    return this.#mirror.nodes.get(this.#path);
  }

  /** How old that may be, in milliseconds: see TreeCache; Infinity before ready(). */
  get ageMs(): number {
    return this.#mirror.ageMs;
  }

  /** Whether it follows the node at this moment. */
  get isFresh(): boolean {
    return this.#mirror.isFresh;
  }

  /** Calls back at each change; returns a function that ends it. */
  onUpdate(listener: (node: CachedNode | undefined) => void): () => void {
    return this.#mirror.onUpdate(() => listener(this.node));
  }

  /**
   * The node as it is, and again after each change; undefined while there is none. Ends with `break` and with close();
   * rejects with the signal's reason, ClientClosed.
   */
  async *values(
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): AsyncGenerator<CachedNode | undefined, void, void> {
    for await (const _ of this.#mirror.updates(options.signal)) yield this.node;
  }

  /** Stops following; the node stays as it was last known. */
  close(): Promise<void> {
    return this.#mirror.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
