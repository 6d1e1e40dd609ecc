// Waking somebody who waits in a loop. A ring that comes while nobody waits is kept for the next wait, so nothing that
// happens between a look and a wait is slept through.

import { onAbort } from '../client/index.js';
import { abortable } from './waiting.js';

/** For one waiter at a time. */
export class Bell {
  #hasRung = false;
  #wake: () => void = () => {};

  ring(): void {
    this.#hasRung = true;
    this.#wake();
  }

  /** Resolves at the next ring, or at once when there was one since the last wait. Rejects with the signal's reason. */
  async wait(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (!this.#hasRung) {
      const rung = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      await abortable(rung, signal);
    }
    this.#hasRung = false;
  }
}

/** A promise that something else settles once. */
export class Deferred<T = void> {
  readonly promise: Promise<T>;
  resolve: (value: T) => void = () => {};
  reject: (error: unknown) => void = () => {};

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.promise.catch(() => {}); // nobody has to look at it
  }
}

const OVER = new Error('another of the waits was over first');

/** Waits until the first of these is over, and gives the others up. Rejects as that one does, or as the signal says. */
export async function firstOf(
  signal: AbortSignal | undefined,
  ...waits: readonly ((signal: AbortSignal) => Promise<void>)[]
): Promise<void> {
  const over = new AbortController();
  const stopListening = onAbort(signal, () => over.abort(signal?.reason));
  try {
    await Promise.race(waits.map((wait) => wait(over.signal)));
  } finally {
    stopListening();
    over.abort(OVER);
  }
}
