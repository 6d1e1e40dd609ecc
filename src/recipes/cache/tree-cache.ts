// A subtree in memory: reads cost nothing, and go on when the service is away.

import type { Client } from '../../client/index.js';
import { abortable } from '../waiting.js';
import type { CachedNode, CacheUpdate } from './changes.js';
import { Mirror } from './mirror.js';

/**
 * ```ts
 * await using cache = new TreeCache(client, '/app');
 * await cache.ready();
 * cache.get('/app/limits')?.data;
 * for await (const { changes } of cache.updates()) for (const { type, path } of changes) console.log(type, path);
 * ```
 *
 * What get(), children() and entries() show is one state that the tree has had: with an effect all that was before it, and
 * never a child without its parent. It never goes back, and each change is told once. After a lost connection it finds
 * out what has changed and tells that as if nothing had happened; until then it shows the last state, and `ageMs` says how
 * old that is.
 *
 * What it cannot promise: that it shows what has just been written, by this client or another: changes arrive a moment
 * later. What changed and changed back while the connection was away, or while a reader of updates() was busy, is not told.
 * Under changes that outrun its reading it lags by some round trips, and then says `isSnapshot: false`. It holds all data in
 * memory, and leaves out nodes that may not be read, with all below them. Needs ZooKeeper 3.6 or newer.
 */
export class TreeCache implements AsyncDisposable {
  readonly #mirror: Mirror;

  /** @param path the uppermost node; it need not exist. */
  constructor(client: Client, path: string) {
    this.#mirror = new Mirror(client, path, true);
  }

  /** Resolves when all has been read once. Rejects with the signal's reason, ClientClosed, BadArguments, Unimplemented. */
  async ready(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    await abortable(this.#mirror.ready, options.signal);
  }

  /** How old this state may be, in milliseconds: how long ago a server was last heard that had it; Infinity before ready(). */
  get ageMs(): number {
    return this.#mirror.ageMs;
  }

  /** Whether it follows the tree at this moment; when not, it shows the last known state. */
  get isFresh(): boolean {
    return this.#mirror.isFresh;
  }

  /** Number of nodes. */
  get size(): number {
    return this.#mirror.nodes.size;
  }

  get(path: string): CachedNode | undefined {
    return this.#mirror.nodes.get(path);
  }

  /** Names of the node's children; none when it is not there. */
  children(path: string): string[] {
    return this.#mirror.children(path);
  }

  /** All nodes, in no particular order. */
  entries(): CachedNode[] {
    return [...this.#mirror.nodes.values()];
  }

  /** Calls back at each change of the state, when it has become visible; returns a function that ends it. */
  onUpdate(listener: (update: CacheUpdate) => void): () => void {
    return this.#mirror.onUpdate(listener);
  }

  /**
   * First the whole state, as added nodes, when it is there; then every change of it. A reader that is slow gets what
   * happened meanwhile in one. Ends with `break` and with close(); rejects with the signal's reason, ClientClosed.
   */
  updates(options: { readonly signal?: AbortSignal | undefined } = {}): AsyncGenerator<CacheUpdate, void, void> {
    return this.#mirror.updates(options.signal);
  }

  /** Stops following, and takes the watch away; the state stays, and grows older. */
  close(): Promise<void> {
    return this.#mirror.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
