// Where the instances of services are: each registers an ephemeral node with its address, which goes when it does.

import { randomUUID } from 'node:crypto';
import type { Acl, Client } from '../../client/index.js';
import { PersistentNode } from '../persistent-node.js';
import { orNull } from '../waiting.js';
import { encodeInstance, type Health, type ServiceInstance } from './instance.js';
import { ServiceView, type ServiceViewOptions } from './service-view.js';

export interface ServiceDiscoveryOptions {
  /** Of the nodes it makes. Default OPEN_ACL. */
  readonly acl?: readonly Acl[] | undefined;
}

/** What an instance says of itself. */
export interface Registrant<M = unknown> {
  readonly name: string;
  readonly address: string;
  readonly port?: number | undefined;
  readonly sslPort?: number | undefined;
  /** Unique within the service. One that registers under the id of another takes its place. Default: random. */
  readonly id?: string | undefined;
  /** Anything that JSON can hold. Default null. */
  readonly metadata?: M | undefined;
  /** Default `up`. */
  readonly health?: Health | undefined;
  /** Default 0. */
  readonly load?: number | undefined;
}

/**
 * ```ts
 * const discovery = new ServiceDiscovery(client, '/services');
 * await using _ = await discovery.register({ name: 'api', address: '10.0.0.7', port: 8080, metadata: { zone: 'a' } });
 *
 * await using api = await discovery.watch('api');
 * const { address, port } = api.pick();
 * await api.use(({ address, port }) => call(address, port), { policy: 'least-loaded' });
 * ```
 *
 * A registration outlives lost sessions and deletions by others: it is made again, with what it said last. Layout and
 * content of the nodes are those of Curator's ServiceDiscovery with its JSON serializer.
 *
 * What it cannot promise: that an instance in the list answers. One that died stays until its session expires, and health
 * is what the instance says of itself; be ready to pick another.
 */
export class ServiceDiscovery {
  readonly #client: Client;
  readonly #path: string;
  readonly #options: ServiceDiscoveryOptions;

  /** @param path the node that all services are under; it is made when needed. */
  constructor(client: Client, path: string, options: ServiceDiscoveryOptions = {}) {
    this.#client = client;
    this.#path = path;
    this.#options = options;
  }

  /**
   * Registers an instance; returns when others can see it. `await using`, or close(), takes it away. Rejects with the
   * signal's reason, a RangeError for a name or id that cannot be one, NoAuth, ClientClosed.
   */
  async register<M>(
    registrant: Registrant<M>,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<Registration<M>> {
    const { name, address, port = null, sslPort = null, health = 'up', load = 0, id = randomUUID() } = registrant;
    for (const text of [name, id]) {
      if (text === '' || text.includes('/')) throw new RangeError(`${JSON.stringify(text)} cannot be a name or an id`);
    }
    const metadata = registrant.metadata ?? null;
    const instance = { name, id, address, port, sslPort, health, load, metadata: metadata as M };
    const node = new PersistentNode(this.#client, `${this.#path}/${name}/${id}`, {
      data: encodeInstance(instance),
      acl: this.#options.acl,
      takeOver: true,
    });
    try {
      await node.ready(options);
    } catch (error) {
      node.close().catch(() => {});
      throw error;
    }
    return new Registration(node, instance);
  }

  /** The instances of a service, from now on; returns when the list has been read. Rejects with the signal's reason. */
  async watch<M = unknown>(
    name: string,
    options: ServiceViewOptions<M> & { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<ServiceView<M>> {
    const view = new ServiceView<M>(this.#client, `${this.#path}/${name}`, name, options);
    try {
      await view.ready(options);
      return view;
    } catch (error) {
      await view.close();
      throw error;
    }
  }

  /** Names of the services that are, or were a while ago, there. */
  async services(): Promise<string[]> {
    return ((await orNull(this.#client.children(this.#path))) ?? []).sort();
  }
}

/** An instance that is registered, until it is closed. */
export class Registration<M = unknown> implements AsyncDisposable {
  readonly #node: PersistentNode;
  #instance: ServiceInstance<M>;

  /** @internal Made by ServiceDiscovery. */
  constructor(node: PersistentNode, instance: ServiceInstance<M>) {
    this.#node = node;
    this.#instance = instance;
  }

  get instance(): ServiceInstance<M> {
    return this.#instance;
  }

  /** Aborts when the registration has ended; with a NodeTakenError when another instance has taken its id. */
  get signal(): AbortSignal {
    return this.#node.signal;
  }

  /** Says something new, now and when it has to be registered again. Rejects with the signal's reason, or that of its end. */
  async update(
    news: Partial<Pick<ServiceInstance<M>, 'metadata' | 'health' | 'load'>>,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<void> {
    this.#instance = { ...this.#instance, ...news };
    await this.#node.set(encodeInstance(this.#instance), options);
  }

  /** Takes the registration away. Resolves when that is done, or the session is over. May be called again. */
  close(): Promise<void> {
    return this.#node.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
