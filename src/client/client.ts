// The client as users see it: one method an operation, each a thin translation between the caller's words (paths below
// the chroot, plain options, Stat with numbers) and the wire's records. What happens to a request is the session
// machine's business; this file holds no state of the session.

import { operations as op } from '../../protocol/client/operations.js';
import type * as R from '../../protocol/client/records.js';
import { Caller, faultOf, refused, registration } from './caller.js';
import { Chroot } from './chroot.js';
import type { Clock } from './clock.js';
import { hostText } from './connect-string.js';
import {
  aclOf,
  childrenOf,
  dataOf,
  namesOf,
  statOf,
  statOrNull,
  toBytes,
  toNothing,
  toPath,
  toPathWatch,
  toStat,
  toWireAcl,
} from './convert.js';
import { ZooKeeperError } from './errors.js';
import type { ResolvedOptions } from './options.js';
import { withParents } from './parents.js';
import { createProtected, protectedPath } from './protected-create.js';
import { type RetryOptions, retry } from './retry.js';
import type { Session, SessionEvents } from './session.js';
import { StateFeed } from './state-feed.js';
import type { ConnectionState, StateChange } from './states.js';
import type { Surroundings } from './surroundings.js';
import { type Read, type ReadResult, Transaction, toReadPart, toReadResult } from './transaction.js';
import {
  type Acl,
  type CallOptions,
  type CreatedNode,
  type CreateOptions,
  type Data,
  type NodeData,
  type NodeKind,
  nodeKind,
  OPEN_ACL,
  type ReconfigOptions,
  type RemoveWatchesOptions,
  type Stat,
  type VersionOptions,
  type WatchOptions,
} from './types.js';
import { waitFor } from './wait.js';
import type { WatchStream } from './watch-stream.js';
import type { Watcher, WatchType } from './watches.js';
import { Watching } from './watching.js';

const CONFIG_NODE = '/zookeeper/config';
const UNHURRIED: CallOptions = { timeoutMs: Number.POSITIVE_INFINITY };

/**
 * A session with a ZooKeeper ensemble. Made by `connect()` or `createClient()`.
 *
 * Calls may be made at any time: while there is no connection they wait for the next one, until their deadline. All
 * calls of a client are sent, and answered, in the order they were made, whether or not one awaits each.
 */
export class Client {
  readonly #options: ResolvedOptions;
  readonly #surroundings: Pick<Surroundings, 'clock' | 'uniqueId'>;
  readonly #session: Session;
  readonly #chroot: Chroot;
  readonly #caller: Caller;
  readonly #watching: Watching;
  readonly #states = new StateFeed();

  /** @internal */
  constructor(
    options: ResolvedOptions,
    surroundings: Pick<Surroundings, 'clock' | 'uniqueId'>,
    openSession: (events: SessionEvents) => Session,
  ) {
    this.#options = options;
    this.#surroundings = surroundings;
    this.#chroot = new Chroot(options.chroot);
    this.#session = openSession({
      toClientPath: (path) => this.#chroot.toClient(path),
      stateChanged: (change) => this.#onState(change),
    });
    this.#caller = new Caller(this.#session, this.#chroot, this.clock, options.requestTimeoutMs);
    this.#watching = new Watching(this.#caller);
  }

  // --- the session

  get state(): ConnectionState {
    return this.#session.state;
  }

  /** The session, to be resumed by another client with the option `session`; its id is 0n while there is none. */
  get session(): { id: bigint; password: Uint8Array; timeoutMs: number } {
    return this.#session.session;
  }

  /** The newest zxid that the client has seen in an answer. */
  get lastZxid(): bigint {
    return this.#session.lastZxid;
  }

  /** The server connected to, or tried last, as host:port. */
  get server(): string | undefined {
    const { host } = this.#session;
    return host === undefined ? undefined : hostText(host);
  }

  /** The time by which this client measures: monotonic. What hangs on its session has to go by the same. */
  get clock(): Clock {
    return this.#surroundings.clock;
  }

  /**
   * How much longer, in milliseconds, no server can have expired the session: counted from when the last write or sync was
   * sent that has been answered. 0 or less when it may be gone. See guardSession().
   */
  get sessionSafeForMs(): number {
    const safeUntilMs = this.#session.sessionSafeUntilMs;
    return safeUntilMs === 0 ? 0 : safeUntilMs - this.clock.nowMs();
  }

  /** How long ago, in milliseconds, a server was last heard: what the client knows may be so old. */
  get silentForMs(): number {
    return this.clock.nowMs() - this.#session.heardMs;
  }

  /**
   * For as long as something is held that must not outlive the session, as a lock: until the returned function is called,
   * the client's heartbeats go through the leader, so that `sessionSafeForMs` stays above 0 while all is well. What is held
   * must be given up before it reaches 0. Begin with a sync(), if nothing was written just before.
   */
  guardSession(): () => void {
    return this.#session.guardSession();
  }

  /** Calls `listener` at every change of state from now on; returns a function that ends it. */
  onState(listener: (change: StateChange) => void): () => void {
    return this.#states.listen(listener);
  }

  /** Changes of state from now on, as `for await`; ends after CLOSED. */
  states(): AsyncIterableIterator<StateChange> {
    const queue = this.#states.iterate();
    if (this.state === 'CLOSED') queue.end();
    return queue;
  }

  /**
   * Resolves when there is a connection: at once when there is one already.
   * Rejects with ConnectionLoss after `timeoutMs` (default: `connectTimeoutMs`), or when the client closes.
   */
  connected(options: CallOptions = {}): Promise<void> {
    const { signal, timeoutMs = this.#options.connectTimeoutMs } = options;
    const session = this.#session;
    const timeoutError = () => {
      const cause = session.lastCause;
      const reason = cause === undefined ? '' : `; ${cause.message.replace(/ \(\w+\)$/, '')}`;
      const text = `no server took the session within ${timeoutMs} ms${reason}`;
      return new ZooKeeperError('ConnectionLoss', { operation: 'connect', text, cause });
    };
    return waitFor({ clock: this.clock, signal, timeoutMs, timeoutError }, (settle) => {
      if (isConnected(this.state)) settle(null);
      if (this.state === 'CLOSED') settle(session.closedBy);
      return this.onState(({ state }) => {
        if (isConnected(state)) settle(null);
        else if (state === 'CLOSED') settle(session.closedBy);
      });
    });
  }

  /**
   * Ends the session, with its ephemeral nodes; calls made before are still carried out. Without a server it gives up
   * after `closeTimeoutMs`, and the session expires by itself. Never fails, and may be called again.
   * With `keepSession` only the connection is dropped, so that another client can take the session up.
   */
  close(options: { readonly keepSession?: boolean } = {}): Promise<void> {
    return new Promise((resolve) => {
      if (this.state === 'CLOSED') return resolve();
      const unsubscribe = this.onState(({ state }) => {
        if (state !== 'CLOSED') return;
        unsubscribe();
        resolve();
      });
      this.#session.close(this.#options.closeTimeoutMs, options.keepSession ?? false);
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Adds an identity, now and after every reconnect. Rejects with AuthFailed when the server refuses it; the connection
   * is then renewed without it.
   */
  addAuth(scheme: string, auth: Data, options: CallOptions = {}): Promise<void> {
    const { signal, timeoutMs = this.#options.requestTimeoutMs } = options;
    const timeoutError = () => new ZooKeeperError('RequestTimeout', { operation: 'addAuth' });
    return waitFor({ clock: this.clock, signal, timeoutMs, timeoutError }, (settle) => {
      this.#session.addCredential({ scheme, auth: toBytes(auth) ?? new Uint8Array(0) }, settle);
      return undefined;
    });
  }

  /** The identities that the server knows this connection by. */
  whoAmI(options: CallOptions = {}): Promise<{ scheme: string; id: string }[]> {
    return this.#caller.call(op.whoAmI, undefined, { method: 'whoAmI', path: null }, options, ({ clientInfo }) =>
      clientInfo.map(({ authScheme, user }) => ({ scheme: authScheme, id: user })),
    );
  }

  // --- writes

  /**
   * Creates a node and returns its path, which for a sequential one has the number, and its Stat.
   *
   * ```ts
   * const { path, stat } = await client.create('/jobs/job-', 'payload', { sequential: true, ephemeral: true });
   * ```
   *
   * Rejects with NodeExists, NoNode (the parent), NoChildrenForEphemerals, NoAuth, InvalidACL, QuotaExceeded.
   */
  create(path: string, data?: Data, options: CreateOptions = {}): Promise<CreatedNode> {
    const { parents, ...own } = options;
    if (parents === true) {
      const { acl, signal, timeoutMs } = options;
      const createParent = (parent: string) => this.create(parent, null, { acl, signal, timeoutMs });
      return withParents(path, () => this.create(path, data, own), createParent);
    }
    const kind = nodeKind(options);
    if (typeof kind === 'string') return refused('create', path, kind);
    if (options.protected !== true) return this.#create(path, data, kind, options);
    const fault = faultOf(path, kind.sequential);
    if (fault !== null) return refused('create', path, fault);
    const untilMs = this.clock.nowMs() + (options.timeoutMs ?? this.#options.requestTimeoutMs);
    const hurried = (): CallOptions => ({ signal: options.signal, timeoutMs: untilMs - this.clock.nowMs() });
    const { acl } = options;
    return createProtected(protectedPath(path, this.#surroundings.uniqueId()), {
      callersPath: path,
      create: (unique) => this.#create(unique, data, kind, { ...hurried(), acl }, path),
      sync: (parent) => this.sync(parent, hurried()),
      children: (parent) => this.children(parent, hurried()),
      exists: (found) => this.exists(found, hurried()),
      unhurried: {
        sync: (parent) => this.sync(parent, UNHURRIED),
        children: (parent) => this.children(parent, UNHURRIED),
        exists: (found) => this.exists(found, UNHURRIED),
        delete: (found) => this.delete(found, UNHURRIED),
        isClosed: () => this.state === 'CLOSED',
        signal: undefined,
      },
      signal: options.signal,
    });
  }

  /** Deletes a node without children. Rejects with NoNode, NotEmpty, BadVersion, NoAuth. */
  delete(path: string, options: VersionOptions = {}): Promise<void> {
    return this.#caller.onPath(
      op.delete,
      'delete',
      path,
      options,
      (server) => ({ path: server, version: options.version ?? -1 }),
      toNothing,
    );
  }

  /** Replaces a node's data. Rejects with NoNode, BadVersion, NoAuth, QuotaExceeded. */
  set(path: string, data: Data, options: VersionOptions = {}): Promise<Stat> {
    return this.#caller.onPath(
      op.setData,
      'set',
      path,
      options,
      (server) => ({
        path: server,
        data: toBytes(data),
        version: options.version ?? -1,
      }),
      statOf,
    );
  }

  /** Replaces a node's ACL; `version` is the Stat's `aversion`. Rejects with NoNode, InvalidACL, BadVersion, NoAuth. */
  setAcl(path: string, acl: readonly Acl[], options: VersionOptions = {}): Promise<Stat> {
    return this.#caller.onPath(
      op.setACL,
      'setAcl',
      path,
      options,
      (server) => ({
        path: server,
        acl: toWireAcl(acl),
        version: options.version ?? -1,
      }),
      statOf,
    );
  }

  /** Writes that happen together or not at all: see Transaction. */
  transaction(): Transaction {
    return new Transaction({
      toServer: (method, path, sequential) => this.#caller.toServer(method, path, sequential),
      toClient: (path) => this.#chroot.toClient(path),
      send: (parts, convert, options) =>
        this.#caller.call(op.multi, parts, { method: 'transaction', path: null }, options, convert),
    });
  }

  /** Changes the ensemble; returns its new configuration. Needs `reconfigEnabled` and rights on /zookeeper/config. */
  reconfig(options: ReconfigOptions): Promise<NodeData> {
    const body = {
      joiningServers: (options.joining ?? []).join(','),
      leavingServers: (options.leaving ?? []).join(','),
      newMembers: (options.members ?? []).join(','),
      curConfigId: options.fromConfig ?? -1n,
    };
    return this.#caller.call(op.reconfig, body, { method: 'reconfig', path: null }, options, dataOf);
  }

  // --- reads

  /** The node's data and Stat. Rejects with NoNode, NoAuth. */
  get(path: string, options: WatchOptions = {}): Promise<NodeData> {
    return this.#caller.onPath(op.getData, 'get', path, options, toPathWatch, dataOf, 'data');
  }

  /** The node's Stat, or null when there is no such node. A watch works in both cases. */
  exists(path: string, options: WatchOptions = {}): Promise<Stat | null> {
    return this.#caller.onPath(op.exists, 'exists', path, options, toPathWatch, statOrNull, 'exist', (error) =>
      ZooKeeperError.is(error, 'NoNode') ? { value: null } : undefined,
    );
  }

  /** The names of the children, in no particular order; with `withStat` also the parent's Stat. */
  children(path: string, options?: WatchOptions & { readonly withStat?: false }): Promise<string[]>;
  children(
    path: string,
    options: WatchOptions & { readonly withStat: true },
  ): Promise<{ children: string[]; stat: Stat }>;
  children(
    path: string,
    options: WatchOptions & { readonly withStat?: boolean } = {},
  ): Promise<string[] | { children: string[]; stat: Stat }> {
    if (options.withStat === true) {
      return this.#caller.onPath(op.getChildren2, 'children', path, options, toPathWatch, childrenOf, 'child');
    }
    return this.#caller.onPath(op.getChildren, 'children', path, options, toPathWatch, namesOf, 'child');
  }

  getAcl(path: string, options: CallOptions = {}): Promise<{ acl: Acl[]; stat: Stat }> {
    return this.#caller.onPath(op.getACL, 'getAcl', path, options, toPath, aclOf);
  }

  /** How many nodes are below this one, at all depths. */
  allChildrenNumber(path: string, options: CallOptions = {}): Promise<number> {
    return this.#caller.onPath(
      op.getAllChildrenNumber,
      'allChildrenNumber',
      path,
      options,
      toPath,
      ({ totalNumber }) => totalNumber,
    );
  }

  /** The ephemeral nodes of this session whose path starts with `prefix`. Default: all. */
  ephemerals(prefix = '/', options: CallOptions = {}): Promise<string[]> {
    // The server compares text (E37): /app would also give /apple, which is not below the chroot /app.
    return this.#caller.onPath(
      op.getEphemerals,
      'ephemerals',
      prefix,
      options,
      (server) => ({ prefixPath: server }),
      ({ ephemerals }) =>
        ephemerals.filter((path) => this.#chroot.contains(path)).map((path) => this.#chroot.toClient(path)),
    );
  }

  /** Waits until the server has caught up: a read after it sees every write that was finished before. */
  sync(path = '/', options: CallOptions = {}): Promise<void> {
    return this.#caller.onPath(op.sync, 'sync', path, options, toPath, toNothing);
  }

  /** Several reads of one state. Each succeeds or fails alone; the results stand in the order of the reads. */
  multiRead<const Reads extends readonly Read[]>(
    reads: Reads,
    options: CallOptions = {},
  ): Promise<{ [I in keyof Reads]: ReadResult<Reads[I]> }> {
    type Results = { [I in keyof Reads]: ReadResult<Reads[I]> };
    try {
      const parts = reads.map((read) => toReadPart(read, (method, path) => this.#caller.toServer(method, path)));
      return this.#caller.call(
        op.multiRead,
        parts,
        { method: 'multiRead', path: null },
        options,
        (results) => results.map((result, i) => toReadResult(result, reads[i])) as unknown as Results,
      );
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** The ensemble's configuration: the content of /zookeeper/config, whatever the chroot. */
  getConfig(options: WatchOptions = {}): Promise<NodeData> {
    const watch = registration('data', CONFIG_NODE, options.watch);
    const body = { path: CONFIG_NODE, watch: watch !== undefined };
    return this.#caller.call(op.getData, body, { method: 'getConfig', path: CONFIG_NODE, watch }, options, dataOf);
  }

  // --- watches

  /**
   * Events of a node (its data, its existence, its list of children) or, with `recursive`, of it and all below (where
   * changes of a list of children show as created and deleted). See WatchStream.
   */
  watch(path: string, options: { readonly recursive?: boolean; readonly signal?: AbortSignal } = {}): WatchStream {
    return this.#watching.stream(path, options.recursive ?? false, options.signal);
  }

  /** As watch(), with a callback: it gets all events until removeWatches, gaps among them. */
  addWatch(path: string, watch: Watcher, options: CallOptions & { readonly recursive?: boolean } = {}): Promise<void> {
    return this.#watching.add(path, watch, options);
  }

  /** Takes watches away; each gets a last event `removed`. Rejects with NoWatcher when there are none. */
  removeWatches(path: string, options: RemoveWatchesOptions = {}): Promise<void> {
    return this.#watching.remove(path, options);
  }

  /** Whether the server has a watch of this client on the path. */
  checkWatches(path: string, type: WatchType = 'any', options: CallOptions = {}): Promise<boolean> {
    return this.#watching.check(path, type, options);
  }

  /**
   * Runs `work` again and again until it succeeds, fails with what a repetition does not help, or the policy gives up. A
   * write that may have been applied is repeated only when it is `idempotent`.
   *
   * ```ts
   * await client.retry(() => client.set('/status', 'up'), { idempotent: true });
   * ```
   */
  retry<T>(work: (attempt: number) => Promise<T>, options: RetryOptions = {}): Promise<T> {
    return retry(this.clock, work, options);
  }

  // --- inside

  /** `callersPath`, where it is another one, is for errors. */
  #create(
    path: string,
    data: Data | undefined,
    kind: NodeKind,
    options: CreateOptions,
    callersPath = path,
  ): Promise<CreatedNode> {
    const fault = faultOf(path, kind.sequential);
    if (fault !== null) return refused('create', path, fault);
    const body = {
      path: this.#chroot.toServer(path),
      data: toBytes(data),
      acl: toWireAcl(options.acl ?? OPEN_ACL),
      flags: kind.flags,
    };
    const convert = (created: { path: string; stat: R.Stat }): CreatedNode => ({
      path: this.#chroot.toClient(created.path),
      stat: toStat(created.stat),
    });
    const details = { method: 'create', path: callersPath };
    if (kind.operation === 'createTTL') {
      return this.#caller.call(op.createTTL, { ...body, ttl: BigInt(kind.ttlMs) }, details, options, convert);
    }
    return this.#caller.call(op[kind.operation], body, details, options, convert);
  }

  #onState(change: StateChange): void {
    if (change.state === 'CLOSED') this.#watching.end(change.cause);
    this.#states.tell(change);
  }
}

function isConnected(state: ConnectionState): boolean {
  return state === 'CONNECTED' || state === 'RECONNECTED' || state === 'READ_ONLY';
}
