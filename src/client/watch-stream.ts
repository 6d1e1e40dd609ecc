// A persistent watch as `for await`. The watch is known to the client from the first moment, so it is set again after
// every reconnect whether or not the server has confirmed it; a lost answer to the request is therefore no failure.

import { onAbort } from './abort.js';
import { AsyncQueue } from './async-queue.js';
import { ZooKeeperError } from './errors.js';
import type { WatchEvent } from './watches.js';

/** Events that may wait for a slow reader; more of them become one gap. */
const EVENTS_MAX = 10_000;

export interface WatchStreamHost {
  /** Starts to pass events to `watcher` and asks the server for them. Called again after a lost answer. */
  register(watcher: (event: WatchEvent) => void): Promise<void>;
  /** Stops both. Never fails. */
  unregister(watcher: (event: WatchEvent) => void): void;
}

/**
 * Events of one node, or of a whole subtree.
 *
 * ```ts
 * const events = client.watch('/config', { recursive: true });
 * for await (const event of events) {
 *   if (event.type === 'gap') await reloadEverything();
 *   else await reload(event.path);
 * }
 * ```
 *
 * A `gap` stands where events may be missing: after every reconnect, and when the reader was too slow. The stream ends
 * after break, return(), the signal, removeWatches (a last `removed` event) and client.close(). It is for one reader.
 */
export class WatchStream implements AsyncIterableIterator<WatchEvent> {
  /**
   * Resolves when the server has confirmed the watch: changes from then on are seen. Rejects if it refused, and with the
   * signal's reason.
   */
  readonly ready: Promise<void>;
  readonly #queue: AsyncQueue<WatchEvent>;

  /** @internal Made by client.watch(). */
  constructor(path: string, host: WatchStreamHost, signal: AbortSignal | undefined) {
    const watcher = (event: WatchEvent): void => {
      this.#queue.push(event);
      if (event.type === 'removed') this.#queue.end();
    };
    let abortReady: (reason: unknown) => void = () => {};
    let stopListening: () => void = () => {};
    const onEnd = () => {
      stopListening();
      host.unregister(watcher);
    };
    this.#queue = new AsyncQueue<WatchEvent>(EVENTS_MAX, onEnd, () => ({ type: 'gap', path, reason: 'overflow' }));
    this.ready = new Promise((resolve, reject) => {
      abortReady = reject;
      if (signal?.aborted !== true) this.#register(host, watcher).then(resolve, reject);
    });
    this.ready.catch((error) => this.#queue.end(error)); // also keeps an unread failure from being unhandled
    stopListening = onAbort(signal, () => {
      abortReady(signal?.reason);
      this.#queue.end(signal?.reason);
    });
  }

  /** Nothing more will arrive. */
  get isEnded(): boolean {
    return this.#queue.isEnded;
  }

  /** Ends the stream from outside; what has arrived can still be read. With an error, that is thrown last. */
  end(error?: unknown): void {
    this.#queue.end(error);
  }

  next(): Promise<IteratorResult<WatchEvent>> {
    return this.#queue.next();
  }

  return(): Promise<IteratorResult<WatchEvent>> {
    return this.#queue.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  async #register(host: WatchStreamHost, watcher: (event: WatchEvent) => void): Promise<void> {
    for (;;) {
      try {
        await host.register(watcher);
        return;
      } catch (error) {
        const isLost = ZooKeeperError.is(error, 'ConnectionLoss', 'SessionExpired', 'RequestTimeout');
        if (!isLost || this.#queue.isEnded) throw error;
      }
    }
  }
}
