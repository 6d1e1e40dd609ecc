// Changes of a client's state, for those who listen: callbacks and `for await`.

import { AsyncQueue } from './async-queue.js';
import { callBack } from './callback.js';
import type { StateChange } from './states.js';

const STATE_CHANGES_MAX = 1000;

export class StateFeed {
  readonly #listeners = new Set<(change: StateChange) => void>();

  /** Returns a function that ends it. */
  listen(listener: (change: StateChange) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Ends after CLOSED. */
  iterate(): AsyncQueue<StateChange> {
    const unsubscribe = this.listen((change) => {
      queue.push(change);
      if (change.state === 'CLOSED') queue.end();
    });
    const queue = new AsyncQueue<StateChange>(STATE_CHANGES_MAX, unsubscribe);
    return queue;
  }

  /** A listener that throws disturbs nobody. */
  tell(change: StateChange): void {
    for (const listener of [...this.#listeners]) callBack(listener, change);
  }
}
