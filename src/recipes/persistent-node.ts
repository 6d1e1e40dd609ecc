// An ephemeral node that is there for as long as its owner wants it: made again after the session was lost, and when
// somebody deletes it, with the data that it is to have.
//
//   look, with a watch ──▶ none? create ──▶ look
//         │                ours? data as wished? else set ──▶ wait for a change, or a wish
//         │                of a session before? replaced in one transaction ──▶ look
//         └─────────────── somebody else's? taken over at the beginning if that is wanted, else waited for
//
// Every step may lose its answer: the next look finds out what has happened.

import {
  type Acl,
  type Client,
  type Data,
  type NodeData,
  ZooKeeperError,
  type ZooKeeperErrorName,
} from '../client/index.js';
import { Bell, Deferred, firstOf } from './bell.js';
import { ensureDirectory } from './directory.js';
import { insist, REFUSED_PAUSE_MS } from './insist.js';
import { abortable, orNull, PATIENT, pause, watchedData } from './waiting.js';

export interface PersistentNodeOptions {
  readonly data?: Data;
  /** Of the node and of parents that it makes. Default OPEN_ACL. */
  readonly acl?: readonly Acl[] | undefined;
  /**
   * What to do when the node is there already and belongs to another session: false waits until it has gone, true takes
   * its place at once, and its former owner, if that is a PersistentNode and alive, ends with NodeTakenError. A node of
   * this client's own earlier sessions is always replaced. Default false.
   */
  readonly takeOver?: boolean | undefined;
}

/** Another session has taken the place of a node that was ours. */
export class NodeTakenError extends Error {
  override readonly name = 'NodeTakenError';
  constructor(
    readonly path: string,
    /** The session that has it now. */
    readonly owner: bigint,
  ) {
    super(`${path} was taken over by another session, 0x${BigInt.asUintN(64, owner).toString(16)}`);
  }
}

/**
 * ```ts
 * await using node = new PersistentNode(client, '/workers/w1', { data: 'idle' });
 * await node.ready();
 * await node.set('busy');
 * ```
 *
 * What it cannot promise: that the node is there at every moment. Between the end of a session, or a deletion by somebody
 * else, and the next connection it is not. Where one and only one may act, use a Lock or an Election.
 */
export class PersistentNode implements AsyncDisposable {
  readonly path: string;
  /** Aborts when the node is given up for good: closed, or taken over, or refused by the server. Its reason says why. */
  readonly signal: AbortSignal;

  readonly #client: Client;
  readonly #options: PersistentNodeOptions;
  readonly #ending = new AbortController();
  readonly #bell = new Bell();
  readonly #unsubscribe: () => void;
  readonly #running: Promise<void>;
  /** Of this client, as far as they are known. */
  readonly #sessions = new Set<bigint>();
  /** The data that the node is to have, and the promise that it has. */
  #wish: { readonly data: Data; readonly granted: Deferred };
  #token = 0n;
  #hasHeld = false;
  /** The last wish that the node was given. */
  #granted: { readonly data: Data } | undefined;

  constructor(client: Client, path: string, options: PersistentNodeOptions = {}) {
    this.#client = client;
    this.path = path;
    this.#options = options;
    this.signal = this.#ending.signal;
    this.#wish = { data: options.data ?? null, granted: new Deferred() };
    this.#remember(client.session.id);
    this.#unsubscribe = client.onState(({ sessionId }) => this.#remember(sessionId));
    this.#running = this.#run();
  }

  /** Resolves when the node is there with its data. Rejects with the signal's reason, or that of the end of the node. */
  ready(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    return abortable(this.#wish.granted.promise, options.signal);
  }

  /** The zxid that created the node, when it was last seen; rises with each re-creation. 0n before ready(). */
  get token(): bigint {
    return this.#token;
  }

  /** What it is to hold. */
  get data(): Data {
    return this.#wish.data;
  }

  /**
   * Changes the data, now and for later re-creations. Resolves when a server has it; a later set() overtakes this one.
   * (What others write into the node stays until then.) Rejects with the signal's reason, or that of the node's end.
   */
  async set(data: Data, options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    this.signal.throwIfAborted();
    const { granted } = this.#wish;
    this.#wish = { data, granted: new Deferred() };
    this.#wish.granted.promise.then(granted.resolve, granted.reject);
    this.#bell.ring();
    await this.ready(options);
  }

  /** Deletes the node. Resolves when it is gone, or its session. May be called again. */
  async close(): Promise<void> {
    this.#end(new ZooKeeperError('ClientClosed', { path: this.path, text: 'the node was given up' }));
    await this.#running;
    const client = this.#client;
    const sessionId = client.session.id;
    const sessionOver = new Deferred();
    const unsubscribe = client.onState(({ state }) => {
      if (state === 'LOST' || state === 'CLOSED') sessionOver.resolve();
    });
    try {
      if (client.state !== 'CLOSED' && sessionId !== 0n) await Promise.race([this.#delete(), sessionOver.promise]);
    } finally {
      unsubscribe();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Only a node of our own: it may be another's by now. */
  async #delete(): Promise<void> {
    const client = this.#client;
    try {
      const stat = await insist(client, () => client.exists(this.path, PATIENT));
      if (stat === null || !this.#sessions.has(stat.ephemeralOwner)) return;
      await orNull(insist(client, () => client.delete(this.path, { ...PATIENT, version: stat.version })));
    } catch (error) {
      if (ZooKeeperError.is(error, 'BadVersion')) return this.#delete();
      if (client.state !== 'CLOSED') throw error;
    }
  }

  #remember(sessionId: bigint): void {
    if (sessionId !== 0n) this.#sessions.add(sessionId);
  }

  #end(reason: unknown): void {
    if (this.signal.aborted) return;
    this.#unsubscribe();
    this.#ending.abort(reason);
    this.#wish.granted.reject(reason);
  }

  async #run(): Promise<void> {
    try {
      for (;;) await this.#look();
    } catch (error) {
      this.#end(error);
    }
  }

  async #look(): Promise<void> {
    const { signal, path } = this;
    const node = await insist(this.#client, () => watchedData(this.#client, path, signal), signal);
    if (node === null) {
      await this.#attempt(() => this.#create(), 'NodeExists');
      return;
    }
    const { value, change } = node;
    try {
      const { ephemeralOwner: owner } = value.stat;
      if (owner === 0n) throw new ZooKeeperError('NodeExists', { path, text: 'there is a node that is not ephemeral' });
      if (owner === this.#client.session.id) {
        if (!(await this.#attempt(() => this.#grant(value), 'NoNode', 'BadVersion'))) return;
      } else if (this.#sessions.has(owner) || (this.#options.takeOver === true && !this.#hasHeld)) {
        await this.#attempt(() => this.#replace(value), 'NoNode', 'BadVersion', 'NodeExists');
        return;
      } else if (this.#options.takeOver === true) {
        throw new NodeTakenError(path, owner);
      }
      await firstOf(
        signal,
        (over) => change.wait(over),
        (over) => this.#bell.wait(over),
      );
    } finally {
      change.end();
    }
  }

  /**
   * False when the node has to be looked at again: the answer was lost, the server refused for the moment, or others
   * were faster, which gives these errors.
   */
  async #attempt(step: () => Promise<void>, ...outrun: ZooKeeperErrorName[]): Promise<boolean> {
    try {
      await step();
      return true;
    } catch (error) {
      const isLost = ZooKeeperError.is(error, 'ConnectionLoss', 'SessionExpired', ...outrun);
      const isRefused = !isLost && ZooKeeperError.is(error) && error.retryable;
      if (!(isLost || isRefused) || this.signal.aborted || this.#client.state === 'CLOSED') throw error;
      if (isRefused) await pause(this.#client, REFUSED_PAUSE_MS, this.signal);
      return false;
    }
  }

  async #create(): Promise<void> {
    const { signal } = this;
    const { acl } = this.#options;
    const { data } = this.#wish;
    try {
      await this.#client.create(this.path, data, { ...PATIENT, mode: 'ephemeral', acl, signal });
      this.#hasHeld = true;
    } catch (error) {
      const parent = this.path.slice(0, this.path.lastIndexOf('/'));
      if (!ZooKeeperError.is(error, 'NoNode') || parent === '') throw error;
      await ensureDirectory(this.#client, parent, { acl });
    }
  }

  /** In one step, so that nobody sees the node missing. */
  async #replace(found: NodeData): Promise<void> {
    const { signal } = this;
    const { acl } = this.#options;
    await this.#client
      .transaction()
      .delete(this.path, { version: found.stat.version })
      .create(this.path, this.#wish.data, { mode: 'ephemeral', acl })
      .commit({ ...PATIENT, signal });
    this.#hasHeld = true;
  }

  /** The node is ours: gives it the data that it is to have, if it is a new one or a new wish. */
  async #grant({ data, stat }: NodeData): Promise<void> {
    const { signal } = this;
    const wish = this.#wish;
    this.#hasHeld = true;
    if (this.#token === stat.czxid && wish === this.#granted) return;
    if (!isSame(data, wish.data)) {
      await this.#client.set(this.path, wish.data, { ...PATIENT, version: stat.version, signal });
    }
    this.#token = stat.czxid;
    this.#granted = wish;
    wish.granted.resolve();
  }
}

function isSame(held: Buffer | null, wanted: Data): boolean {
  if (held === null || wanted === null) return held === wanted;
  return held.equals(typeof wanted === 'string' ? Buffer.from(wanted) : wanted);
}
