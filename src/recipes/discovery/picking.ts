// Which of several instances to use.

import { ranked } from '../hashing.js';
import type { ServiceInstance } from './instance.js';

/**
 * `round-robin`: one after the other. `random`: any. `sticky`: the same for the same key, as long as it is there.
 * `least-loaded`: the one with the least work of this view under way (see ServiceView.use), among those the one that
 * reports the lowest load, among those one after the other.
 */
export type PickPolicy = 'round-robin' | 'random' | 'sticky' | 'least-loaded';

export class Picker {
  readonly #random: () => number;
  /** How many times each instance is in use. */
  readonly #inUse = new Map<string, number>();
  #last = '';

  /** @param random from 0 to less than 1. */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** `instances` are sorted by id. Undefined when there is none. */
  pick<M>(instances: readonly ServiceInstance<M>[], policy: PickPolicy, key: string): ServiceInstance<M> | undefined {
    if (policy === 'random') return instances[Math.floor(this.#random() * instances.length)];
    if (policy === 'sticky') {
      const ids = instances.map(({ id }) => id);
      const [first] = ranked(key, ids);
      return instances.find(({ id }) => id === first);
    }
    const candidates = policy === 'round-robin' ? instances : this.#leastLoaded(instances);
    const next = candidates.find(({ id }) => id > this.#last) ?? candidates[0];
    if (next !== undefined) this.#last = next.id;
    return next;
  }

  /** Counts one more use; returns a function that counts it off. */
  use(id: string): () => void {
    this.#inUse.set(id, this.#usesOf(id) + 1);
    return () => {
      const left = this.#usesOf(id) - 1;
      if (left > 0) this.#inUse.set(id, left);
      else this.#inUse.delete(id);
    };
  }

  #usesOf(id: string): number {
    return this.#inUse.get(id) ?? 0;
  }

  #leastLoaded<M>(instances: readonly ServiceInstance<M>[]): ServiceInstance<M>[] {
    const leastUsed = lowest(instances, ({ id }) => this.#usesOf(id));
    return lowest(leastUsed, ({ load }) => load);
  }
}

function lowest<T>(items: readonly T[], measure: (item: T) => number): T[] {
  const measures = items.map(measure);
  const least = Math.min(...measures);
  return items.filter((_, i) => measures[i] === least);
}
