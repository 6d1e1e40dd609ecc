// A number that many add to, each addition exactly once: a shared value whose writes depend on what was read.

import { type Acl, type Client, ZooKeeperError } from '../client/index.js';
import { SharedValue } from './shared-value.js';

export interface CounterOptions {
  /** Its value where there is no node yet. Default 0. */
  readonly initial?: bigint | number;
  /** Of the nodes it makes. Default OPEN_ACL. */
  readonly acl?: readonly Acl[] | undefined;
}

/**
 * ```ts
 * await using counter = new Counter(client, '/counters/orders');
 * const number = await counter.add(1);   // nobody else gets this number
 * ```
 *
 * An addition whose answer is lost is neither lost nor made twice. Only when the session is lost together with the answer
 * nobody can know: add() then rejects, and the error's `maybeApplied` is true. The node holds the number as text, as
 * kazoo's Counter does, so both can share one. (Curator's counters are binary.)
 *
 * What it cannot promise: numbers without gaps to those who lose theirs, or speed: each addition is a read and a write,
 * and of those who add at once all but one try again. When the node is deleted the counter begins again.
 */
export class Counter implements AsyncDisposable {
  readonly #path: string;
  readonly #initial: bigint;
  readonly #value: SharedValue;
  /** Additions of this object are made one after the other, or each would outrun the others. */
  #last: Promise<unknown> = Promise.resolve();

  /** @param path the node; it is made when needed, and stays. Beside it `<path>-writers` is used. */
  constructor(client: Client, path: string, options: CounterOptions = {}) {
    this.#path = path;
    this.#initial = BigInt(options.initial ?? 0);
    this.#value = new SharedValue(client, path, { initial: String(this.#initial), acl: options.acl });
  }

  /** The value as the server that we are connected to knows it. Rejects with DataInconsistency when it is no number. */
  async get(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<bigint> {
    return this.#parse((await this.#value.get(options)).data);
  }

  /**
   * Adds, and returns the sum. Rejects with the signal's reason, and then it may be made all the same; with an error that
   * says `maybeApplied`, see above; with DataInconsistency when the node holds no number.
   */
  add(delta: bigint | number, options: { readonly signal?: AbortSignal | undefined } = {}): Promise<bigint> {
    const addend = BigInt(delta);
    const adding = this.#last.then(() =>
      this.#value.update((now) => String(this.#parse(now) + addend), options).then(BigInt),
    );
    this.#last = adding.catch(() => {});
    return adding;
  }

  /** Takes away the nodes that it has used for writing; the number stays. */
  async close(): Promise<void> {
    await this.#last;
    await this.#value.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** A node that somebody made without data counts as one that has just begun, as it does for kazoo. */
  #parse(data: Buffer | null): bigint {
    if (data === null || data.length === 0) return this.#initial;
    const text = data.toString();
    if (/^-?\d+$/.test(text)) return BigInt(text);
    const shown = JSON.stringify(text.slice(0, 40));
    throw new ZooKeeperError('DataInconsistency', {
      operation: 'get',
      path: this.#path,
      text: `${shown} is no number`,
    });
  }
}
