// The instances of one service, kept in memory.

import type { Client } from '../../client/index.js';
import { TreeCache } from '../cache/tree-cache.js';
import { decodeInstance, type Schema, type ServiceInstance } from './instance.js';
import { Picker, type PickPolicy } from './picking.js';

export interface ServiceViewOptions<M> {
  /** What metadata has to be; an instance that it refuses is left out, see `refused`. Default: anything. */
  readonly schema?: Schema<M> | undefined;
  /** Default `round-robin`. */
  readonly policy?: PickPolicy | undefined;
  /** From 0 to less than 1, for the policy `random`. Default Math.random. */
  readonly random?: (() => number) | undefined;
}

export interface PickOptions<M> {
  /** Default: that of the view. */
  readonly policy?: PickPolicy | undefined;
  /** For `sticky`: whose calls go to one instance. Default ''. */
  readonly key?: string | undefined;
  /** Which instances will do, beside being up. Default: all. */
  readonly accept?: ((instance: ServiceInstance<M>) => boolean) | undefined;
  /** How old the list may be, in milliseconds. Default: any age. */
  readonly ageMsMax?: number | undefined;
}

/** There is no instance to pick, or none that is known recently enough. */
export class NoInstanceError extends Error {
  override readonly name = 'NoInstanceError';
  constructor(
    readonly service: string,
    /** How old the list was, in milliseconds. */
    readonly ageMs: number,
    text: string,
  ) {
    super(`no instance of ${service}: ${text}`);
  }
}

/**
 * The instances of a service as they were last known. When no server can be reached the list stays as it was, and `ageMs`
 * says how old it is: a list of an hour ago is mostly right, and no list is of no use at all.
 */
export class ServiceView<M = unknown> implements AsyncDisposable {
  readonly #name: string;
  readonly #path: string;
  readonly #options: ServiceViewOptions<M>;
  readonly #cache: TreeCache;
  readonly #picker: Picker;
  /** Made at the first use after a change. */
  #read: { readonly instances: ServiceInstance<M>[]; readonly refused: Map<string, unknown> } | undefined;

  /** @internal Made by ServiceDiscovery. */
  constructor(client: Client, path: string, name: string, options: ServiceViewOptions<M>) {
    this.#name = name;
    this.#path = path;
    this.#options = options;
    this.#picker = new Picker(options.random ?? Math.random);
    this.#cache = new TreeCache(client, path);
    this.#cache.onUpdate(() => {
      this.#read = undefined;
    });
  }

  /** Resolves when the list has been read once. Rejects with the signal's reason, ClientClosed. */
  ready(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    return this.#cache.ready(options);
  }

  /** All that are registered, up or down, by id. */
  get instances(): readonly ServiceInstance<M>[] {
    return this.#look().instances;
  }

  /** Ids whose node does not hold an instance, or not one with the right metadata, and what is wrong with it. */
  get refused(): ReadonlyMap<string, unknown> {
    return this.#look().refused;
  }

  /** How old the list may be, in milliseconds: see TreeCache; Infinity before ready(). */
  get ageMs(): number {
    return this.#cache.ageMs;
  }

  /** Whether it follows the service at this moment. */
  get isFresh(): boolean {
    return this.#cache.isFresh;
  }

  /** An instance that is up. Throws NoInstanceError. */
  pick(options: PickOptions<M> = {}): ServiceInstance<M> {
    const { policy = this.#options.policy ?? 'round-robin', key = '', accept, ageMsMax } = options;
    const { ageMs } = this;
    const fail = (text: string) => new NoInstanceError(this.#name, ageMs, text);
    if (ageMs === Number.POSITIVE_INFINITY) throw fail('the list has not been read yet');
    if (ageMsMax !== undefined && ageMs > ageMsMax) {
      throw fail(`the list is ${Math.round(ageMs)} ms old, and may be ${ageMsMax}`);
    }
    const { instances } = this;
    const fit = instances.filter((instance) => instance.health === 'up' && (accept?.(instance) ?? true));
    const picked = this.#picker.pick(fit, policy, key);
    if (picked === undefined) throw fail(`of ${instances.length} that are registered none is up and fits`);
    return picked;
  }

  /** Does `work` with an instance, and counts that for the policy `least-loaded`. Rejects with NoInstanceError, or as `work`. */
  async use<T>(work: (instance: ServiceInstance<M>) => Promise<T>, options: PickOptions<M> = {}): Promise<T> {
    const instance = this.pick(options);
    const done = this.#picker.use(instance.id);
    try {
      return await work(instance);
    } finally {
      done();
    }
  }

  /** The list now, and again after each change. Ends with `break` and close(); rejects with the signal's reason. */
  async *values(
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): AsyncGenerator<readonly ServiceInstance<M>[], void, void> {
    for await (const _ of this.#cache.updates(options)) yield this.instances;
  }

  /** Stops following; the list stays, and grows older. */
  close(): Promise<void> {
    return this.#cache.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #look() {
    if (this.#read !== undefined) return this.#read;
    const instances: ServiceInstance<M>[] = [];
    const refused = new Map<string, unknown>();
    for (const id of this.#cache.children(this.#path).sort()) {
      const node = this.#cache.get(`${this.#path}/${id}`);
      try {
        instances.push(decodeInstance(node?.data ?? null, this.#options.schema));
      } catch (error) {
        refused.set(id, error);
      }
    }
    this.#read = { instances, refused };
    return this.#read;
  }
}
