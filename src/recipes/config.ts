// Configuration in a node: read through the user's schema, followed, and kept when the service is away or when somebody
// writes nonsense.

import type { Acl, Client } from '../client/index.js';
import { NodeCache } from './cache/node-cache.js';
import type { Schema } from './discovery/instance.js';
import { SharedValue } from './shared-value.js';

export interface ConfigOptions<T> {
  /** Turns what was read into a T, or throws. */
  readonly schema: Schema<T>;
  /** The value as long as there is no node, or none that could ever be read. Default: ready() rejects then. */
  readonly fallback?: T | undefined;
  /** Default: JSON.parse. */
  readonly decode?: ((text: string) => unknown) | undefined;
  /** Default: JSON.stringify with an indent of 2. */
  readonly encode?: ((value: T) => string) | undefined;
  /** Called for each content that is refused. It is not applied; the last good value stays. */
  readonly onRefused?: ((error: ConfigError) => void) | undefined;
  /** Of the nodes it makes. Default OPEN_ACL. */
  readonly acl?: readonly Acl[] | undefined;
}

export interface ConfigValue<T> {
  readonly value: T;
  /** Counts the writes to the node; -1 for the fallback. */
  readonly version: number;
  /** zxid of the write: rises also when the node is deleted and made again; 0n for the fallback. */
  readonly zxid: bigint;
}

/** Why the node's content is not the value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  constructor(
    readonly path: string,
    /** `missing`: there is no node, or nothing in it. `refused`: the schema, or JSON, says no; see `cause`. */
    readonly why: 'missing' | 'refused',
    /** Of the node, when it was refused. */
    readonly version?: number,
    cause?: unknown,
  ) {
    const text = why === 'missing' ? 'there is none' : `version ${version} was refused: ${String(cause)}`;
    super(`configuration ${path}: ${text}`, { cause });
  }
}

/**
 * ```ts
 * const schema = z.object({ ratePerSecond: z.number().positive() });   // or anything with parse(unknown)
 * await using config = new Config(client, '/config/api', { schema, fallback: { ratePerSecond: 10 } });
 * await config.ready();
 * config.current.value.ratePerSecond;
 * for await (const { value, version } of config.values({ signal })) apply(value);
 *
 * await config.update((now) => ({ ...now, ratePerSecond: 20 }));       // checked by the schema before it is written
 * ```
 *
 * `current` is the last good value: it stays when the node is deleted, when its content is refused (`error` says why), and
 * while no server can be reached (`ageMs` says for how long).
 *
 * What it cannot promise: that all who follow apply a value at the same moment, or see every one: of changes in quick
 * succession the last is seen. Only the present version is kept.
 */
export class Config<T> implements AsyncDisposable {
  readonly #path: string;
  readonly #options: ConfigOptions<T>;
  readonly #cache: NodeCache;
  readonly #shared: SharedValue;
  #current: ConfigValue<T> | undefined;
  #error: ConfigError | undefined;

  /** @param path the node; it is made by the first write, and stays. Beside it `<path>-writers` is used by writers. */
  constructor(client: Client, path: string, options: ConfigOptions<T>) {
    this.#path = path;
    this.#options = options;
    if (options.fallback !== undefined) this.#current = { value: options.fallback, version: -1, zxid: 0n };
    this.#error = new ConfigError(path, 'missing');
    this.#shared = new SharedValue(client, path, { acl: options.acl });
    this.#cache = new NodeCache(client, path);
    this.#cache.onUpdate(() => this.#apply());
  }

  /**
   * Resolves when the node has been read once and there is a value. Rejects with ConfigError when it was read and there
   * is none; with the signal's reason, ClientClosed.
   */
  async ready(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    await this.#cache.ready(options);
    if (this.#current === undefined) throw this.#error;
  }

  /** The last good value. Throws ConfigError when there never was one. */
  get current(): ConfigValue<T> {
    if (this.#current === undefined) throw this.#error;
    return this.#current;
  }

  /** Why the node's present content is not the value; undefined when it is. */
  get error(): ConfigError | undefined {
    return this.#error;
  }

  /** How old what was seen of the node may be, in milliseconds: see TreeCache; Infinity before ready(). */
  get ageMs(): number {
    return this.#cache.ageMs;
  }

  /** The value now, if there is one, and again after each change. Ends with `break` and close(); rejects with the signal's reason. */
  async *values(
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): AsyncGenerator<ConfigValue<T>, void, void> {
    let seen: ConfigValue<T> | undefined;
    for await (const _ of this.#cache.values(options)) {
      const current = this.#current;
      if (current !== undefined && current !== seen) yield current;
      seen = current;
    }
  }

  /** Writes a value that the schema accepts. Rejects with the schema's error, the signal's reason, and as SharedValue.set. */
  async set(value: T, options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    await this.#shared.set(this.#encode(value), options);
  }

  /**
   * Writes what `change` makes of the node's value, and calls it again when somebody else was faster. Where the node's
   * value is missing or refused it gets the last good one. Returns what was written. Rejects as set().
   */
  async update(change: (now: T) => T, options: { readonly signal?: AbortSignal | undefined } = {}): Promise<T> {
    await this.ready(options);
    let written = this.current.value;
    await this.#shared.update((data) => {
      written = change(this.#decodeOr(data, this.current.value));
      return this.#encode(written);
    }, options);
    return written;
  }

  /** Stops following; `current` stays. */
  async close(): Promise<void> {
    await Promise.all([this.#cache.close(), this.#shared.close()]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #apply(): void {
    const node = this.#cache.node;
    if (node === undefined || node.data === null || node.data.length === 0) {
      this.#error = new ConfigError(this.#path, 'missing');
      return;
    }
    const { version, mzxid: zxid } = node.stat;
    try {
      this.#current = { value: this.#decode(node.data), version, zxid };
      this.#error = undefined;
    } catch (error) {
      this.#error = new ConfigError(this.#path, 'refused', version, error);
      this.#options.onRefused?.(this.#error);
    }
  }

  #decode(data: Buffer): T {
    const { decode = JSON.parse, schema } = this.#options;
    return schema.parse(decode(data.toString()));
  }

  #decodeOr(data: Buffer | null, fallback: T): T {
    if (data === null || data.length === 0) return fallback;
    try {
      return this.#decode(data);
    } catch {
      return fallback;
    }
  }

  /** What is written is read back by the schema first: nobody may write what nobody could read. */
  #encode(value: T): string {
    const { encode = (given: T) => JSON.stringify(given, null, 2) } = this.#options;
    const text = encode(value);
    this.#decode(Buffer.from(text));
    return text;
  }
}
