// What is due first, without keeping everything sorted: a binary heap in one array. The children of slot i are the
// slots 2i + 1 and 2i + 2, and a parent is never greater than its children, so the least item is always in slot 0.
// Items that compare equal come out in no particular order; a caller that needs one puts it into the comparator.

/** A min-heap under `compare`, which is negative when its first argument has to come out first. */
export class Heap<T> {
  readonly #items: T[] = [];
  readonly #compare: (a: T, b: T) => number;

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  get length(): number {
    return this.#items.length;
  }

  push(item: T): void {
    this.#items.push(item);
    this.#rise(this.#items.length - 1, item);
  }

  /** The least item, which stays, or undefined when there is none. */
  peek(): T | undefined {
    return this.#items[0];
  }

  /** Takes the least item away, or returns undefined when there is none. */
  pop(): T | undefined {
    const least = this.#items[0];
    const last = this.#items.pop();
    if (last !== undefined && this.#items.length > 0) this.#sink(last);
    return least;
  }

  clear(): void {
    this.#items.length = 0;
  }

  #rise(from: number, item: T): void {
    let slot = from;
    while (slot > 0) {
      const parent = (slot - 1) >> 1;
      if (this.#compare(item, this.#items[parent]) >= 0) break;
      this.#items[slot] = this.#items[parent];
      slot = parent;
    }
    this.#items[slot] = item;
  }

  /** Puts `item` in the place of the one that left slot 0, and lets it sink to where it belongs. */
  #sink(item: T): void {
    const { length } = this.#items;
    let slot = 0;
    for (;;) {
      let child = 2 * slot + 1;
      if (child >= length) break;
      if (child + 1 < length && this.#compare(this.#items[child + 1], this.#items[child]) < 0) child++;
      if (this.#compare(item, this.#items[child]) <= 0) break;
      this.#items[slot] = this.#items[child];
      slot = child;
    }
    this.#items[slot] = item;
  }
}
