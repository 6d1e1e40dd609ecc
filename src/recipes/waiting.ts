// Small tools for waiting: for a promise that may be given up, for a node that changes, and through a lost connection.
// What ends a wait is always an AbortSignal: a caller's `timeoutMs` is made one at the door.

import {
  type CallOptions,
  type Client,
  onAbort,
  type Watcher,
  type WatchOptions,
  ZooKeeperError,
} from '../client/index.js';

/** For calls whose deadline is the caller's signal, or the end of the session. */
export const PATIENT: CallOptions = { timeoutMs: Number.POSITIVE_INFINITY };

/** How long a recipe may wait. */
export interface WaitingOptions {
  /** Ends the wait, which then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Ends the wait after so long, with a DOMException named TimeoutError. Default: never. */
  readonly timeoutMs?: number | undefined;
}

/** Does `work` with a signal that aborts when the caller's does, or when the time is over. */
export async function withDeadline<T>(
  client: Client,
  options: WaitingOptions,
  work: (signal: AbortSignal | undefined) => Promise<T>,
): Promise<T> {
  const { signal, timeoutMs } = options;
  if (timeoutMs === undefined) return work(signal);
  const controller = new AbortController();
  const timeIsUp = () => controller.abort(new DOMException(`not within ${timeoutMs} ms`, 'TimeoutError'));
  const callOff = client.clock.after(timeoutMs, timeIsUp);
  const done = onAbort(signal, () => controller.abort(signal?.reason));
  try {
    return await work(controller.signal);
  } finally {
    callOff();
    done();
  }
}

/** Settles as `promise` does, unless the signal aborts first: then it rejects with the signal's reason. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const done = onAbort(signal, () => reject(signal.reason));
    promise.then(resolve, reject).finally(done);
  });
}

/**
 * Repeats a call while its answer gets lost with the connection or the session. The repeated call waits for the next
 * connection, so this does not spin. For calls that may be made twice, also in a new session. `signal` is the one that
 * the call is given up by, if any.
 */
export async function persist<T>(client: Client, call: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      const isLost = ZooKeeperError.is(error, 'ConnectionLoss', 'SessionExpired');
      if (!isLost || client.state === 'CLOSED' || signal?.aborted) throw error;
    }
  }
}

/** Waits for so long, by the client's clock. Rejects with the signal's reason, and leaves no timer behind then. */
export async function pause(client: Client, delayMs: number, signal?: AbortSignal): Promise<void> {
  let callOff: () => void = () => {};
  const over = new Promise<void>((resolve) => {
    callOff = client.clock.after(delayMs, resolve);
  });
  await abortable(over, signal).finally(callOff);
}

/** The value of a call, or null when its node is not there. */
export async function orNull<T>(call: Promise<T>): Promise<T | null> {
  try {
    return await call;
  } catch (error) {
    if (ZooKeeperError.is(error, 'NoNode')) return null;
    throw error;
  }
}

/** Those who wait for a change of one path. The client knows them all by one function. */
interface Audience {
  readonly watch: Watcher;
  readonly members: Set<() => void>;
  /** The client knows the watch, so it stays, and serves whoever waits here next. */
  isSet: boolean;
}

const AUDIENCES = new WeakMap<Client, Map<string, Audience>>();

/**
 * The next event of a path as a promise. It resolves also when the session is lost or the client closes, since then nobody
 * would call: after it, read again.
 *
 * All changes of a client and path share one watch function, and whoever gives up only stops listening. To take the watch
 * away on the server could hit somebody who is just setting it; to leave a function behind each time would pile them up
 * in a program that tries again and again for a lock that is held long.
 */
export class Change {
  readonly watch: Watcher;
  readonly #happened: Promise<void>;
  readonly #audience: Audience;
  readonly #end: () => void;

  constructor(client: Client, path: string) {
    const audiences = AUDIENCES.get(client) ?? new Map<string, Audience>();
    AUDIENCES.set(client, audiences);
    const audience = audiences.get(path) ?? createAudience(audiences, path);
    let resolve: () => void = () => {};
    this.#happened = new Promise((settle) => {
      resolve = settle;
    });
    audience.members.add(resolve);
    const unsubscribe = client.onState(({ state }) => {
      if (state === 'LOST' || state === 'CLOSED') resolve();
    });
    this.watch = audience.watch;
    this.#audience = audience;
    this.#end = () => {
      unsubscribe();
      resolve();
      audience.members.delete(resolve);
      if (!audience.isSet && audience.members.size === 0 && audiences.get(path) === audience) audiences.delete(path);
    };
  }

  /** The read that carries the watch was answered with success. */
  set(): void {
    this.#audience.isSet = true;
  }

  /** Waits for it, and ends. Rejects with the signal's reason. */
  async wait(signal: AbortSignal | undefined): Promise<void> {
    try {
      await abortable(this.#happened, signal);
    } finally {
      this.#end();
    }
  }

  /** Stops listening; whoever still waits for it is let go. */
  end(): void {
    this.#end();
  }
}

function createAudience(audiences: Map<string, Audience>, path: string): Audience {
  const audience: Audience = {
    members: new Set(),
    isSet: false,
    watch: () => {
      if (audiences.get(path) === audience) audiences.delete(path);
      for (const resolve of audience.members) resolve();
    },
  };
  audiences.set(path, audience);
  return audience;
}

/**
 * What `read` found and the change that follows it, which the caller must wait for or end; null for NoNode. The read is
 * given up with the signal, and then sets no watch.
 */
export async function watched<T>(
  client: Client,
  path: string,
  read: (options: WatchOptions) => Promise<T>,
  signal: AbortSignal | undefined,
): Promise<{ readonly value: T; readonly change: Change } | null> {
  const change = new Change(client, path);
  let isHandedOver = false;
  try {
    const value = await orNull(persist(client, () => read({ ...PATIENT, signal, watch: change.watch }), signal));
    if (value === null) return null;
    change.set();
    isHandedOver = true;
    return { value, change };
  } finally {
    if (!isHandedOver) change.end();
  }
}

/** Reads a node's data with a watch on it. Of a node that is not there no watch is left, as `exists` would leave one. */
export function watchedData(client: Client, path: string, signal: AbortSignal | undefined) {
  return watched(client, path, (options) => client.get(path, options), signal);
}

/**
 * Waits until the node is deleted or changed, or the session is lost. False, at once, when the node is not there.
 * Rejects with the signal's reason.
 */
export async function nodeChanged(client: Client, path: string, signal: AbortSignal | undefined): Promise<boolean> {
  const node = await watchedData(client, path, signal);
  await node?.change.wait(signal);
  return node !== null;
}
