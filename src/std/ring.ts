// A queue whose length has a stated bound, for whatever waits on the hot path: an unbounded queue only hides that
// somebody is too slow. Items live in one array used as a circle; it starts small and doubles on demand, so pushing and
// shifting allocate nothing per item. The array's length is a power of two, which makes the wrap-around a bit mask.

import { assert } from './assert.js';

const CAPACITY_INITIAL = 8;
const LENGTH_LIMIT = 2 ** 30;

/** First in, first out, holding at most `lengthMax` items (1 … 2^30). */
export class Ring<T> {
  readonly lengthMax: number;
  #slots: (T | undefined)[];
  #mask: number;
  #head = 0;
  #length = 0;

  /** Throws AssertionFailure when `lengthMax` is not an integer in its range. */
  constructor(lengthMax: number) {
    assert(Number.isInteger(lengthMax) && lengthMax >= 1 && lengthMax <= LENGTH_LIMIT, `ring of ${lengthMax} items`);
    this.lengthMax = lengthMax;
    this.#slots = new Array<T | undefined>(CAPACITY_INITIAL).fill(undefined);
    this.#mask = CAPACITY_INITIAL - 1;
  }

  get length(): number {
    return this.#length;
  }

  get isFull(): boolean {
    return this.#length === this.lengthMax;
  }

  /** Appends an item. Throws AssertionFailure when the ring is full: ask `isFull` before. */
  push(item: T): void {
    assert(!this.isFull, `ring is full with ${this.lengthMax} items`);
    if (this.#length === this.#slots.length) this.#grow();
    this.#slots[(this.#head + this.#length) & this.#mask] = item;
    this.#length++;
  }

  /** Takes the oldest item away, or returns undefined when there is none. */
  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const item = this.#slots[this.#head];
    this.#slots[this.#head] = undefined; // or the ring would keep a finished item alive
    this.#head = (this.#head + 1) & this.#mask;
    this.#length--;
    return item;
  }

  /** The oldest item, which stays, or undefined when there is none. */
  peek(): T | undefined {
    return this.#length === 0 ? undefined : this.#slots[this.#head];
  }

  /** The item at `index`, counted from the oldest (0), or undefined outside of the ring. */
  at(index: number): T | undefined {
    return index >= 0 && index < this.#length ? this.#slots[(this.#head + index) & this.#mask] : undefined;
  }

  /** Drops all items, and the memory a long queue has taken. */
  clear(): void {
    this.#slots = new Array<T | undefined>(CAPACITY_INITIAL).fill(undefined);
    this.#mask = CAPACITY_INITIAL - 1;
    this.#head = 0;
    this.#length = 0;
  }

  #grow(): void {
    const grown = new Array<T | undefined>(this.#slots.length * 2).fill(undefined);
    for (let i = 0; i < this.#length; i++) grown[i] = this.#slots[(this.#head + i) & this.#mask];
    this.#slots = grown;
    this.#mask = grown.length - 1;
    this.#head = 0;
  }
}
