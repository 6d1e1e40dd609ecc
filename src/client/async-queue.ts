// From callbacks to `for await`: items wait in a bounded queue until somebody takes them.

import { Ring } from '../std/ring.js';

export class AsyncQueue<T> implements AsyncIterableIterator<T> {
  readonly #items: Ring<T>;
  readonly #takers: { resolve(result: IteratorResult<T>): void; reject(error: unknown): void }[] = [];
  readonly #onReturn: () => void;
  readonly #overflowed: (() => T) | undefined;
  #lost = false;
  #ended = false;
  #error: { error: unknown } | undefined;

  /**
   * @param lengthMax items that may wait; after that newer ones are dropped
   * @param onReturn called once when the queue ends, from either side
   * @param overflowed makes the item that stands where items were dropped
   */
  constructor(lengthMax: number, onReturn: () => void = () => {}, overflowed?: () => T) {
    this.#items = new Ring(lengthMax);
    this.#onReturn = onReturn;
    this.#overflowed = overflowed;
  }

  get isEnded(): boolean {
    return this.#ended;
  }

  push(item: T): void {
    if (this.#ended) return;
    const taker = this.#takers.shift();
    if (taker !== undefined) taker.resolve({ value: item, done: false });
    else if (this.#items.isFull || this.#lost) this.#lost = true;
    else this.#items.push(item);
  }

  /** Nothing follows; what waits can still be taken. With an error, that comes last. */
  end(error?: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    if (error !== undefined) this.#error = { error };
    this.#onReturn();
    for (const taker of this.#takers.splice(0)) this.#takeEnd().then(taker.resolve, taker.reject);
  }

  next(): Promise<IteratorResult<T>> {
    const item = this.#items.shift();
    if (item !== undefined) return Promise.resolve({ value: item, done: false });
    if (this.#lost) {
      this.#lost = false;
      if (this.#overflowed !== undefined) return Promise.resolve({ value: this.#overflowed(), done: false });
    }
    if (this.#ended) return this.#takeEnd();
    return new Promise((resolve, reject) => this.#takers.push({ resolve, reject }));
  }

  return(): Promise<IteratorResult<T>> {
    this.#items.clear();
    this.#lost = false;
    this.end();
    this.#error = undefined;
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #takeEnd(): Promise<IteratorResult<T>> {
    const failure = this.#error;
    this.#error = undefined;
    return failure === undefined ? Promise.resolve({ value: undefined, done: true }) : Promise.reject(failure.error);
  }
}
