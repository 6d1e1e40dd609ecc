// Small tools for waiting: for a promise that may be given up, for a node that changes, and through a lost connection.
// None of them sets a deadline: the caller's AbortSignal is the only one (AbortSignal.timeout makes one of a time).

import { type CallOptions, type Client, type Watcher, ZooKeeperError } from '../client/index.js';

/** For calls whose deadline is the caller's signal, or the end of the session. */
export const PATIENT: CallOptions = { timeoutMs: Number.POSITIVE_INFINITY };

/** Settles as `promise` does, unless the signal aborts first: then it rejects with the signal's reason. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/**
 * Repeats a call while its answer gets lost with the connection or the session. The repeated call waits for the next
 * connection, so this does not spin. For calls that may be made twice, also in a new session.
 */
export async function persist<T>(client: Client, call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call();
    } catch (error) {
      const isLost = ZooKeeperError.is(error, 'ConnectionLoss', 'SessionExpired');
      if (!isLost || client.state === 'CLOSED') throw error;
    }
  }
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
  readonly #end: (mayBeSet: boolean) => void;

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
    this.#end = (mayBeSet) => {
      unsubscribe();
      audience.members.delete(resolve);
      if (!mayBeSet && audience.members.size === 0 && audiences.get(path) === audience) audiences.delete(path);
    };
  }

  /** Waits for it, and ends. Rejects with the signal's reason. */
  async wait(signal: AbortSignal | undefined): Promise<void> {
    try {
      await abortable(this.#happened, signal);
    } finally {
      this.#end(true);
    }
  }

  /** Stops listening. `mayBeSet`: the client may know the watch, which then serves the next one who waits here. */
  end(mayBeSet: boolean): void {
    this.#end(mayBeSet);
  }
}

function createAudience(audiences: Map<string, Audience>, path: string): Audience {
  const audience: Audience = {
    members: new Set(),
    watch: () => {
      if (audiences.get(path) === audience) audiences.delete(path);
      for (const resolve of audience.members) resolve();
    },
  };
  audiences.set(path, audience);
  return audience;
}

/** What `read` found and the change that follows it, which the caller must wait for or end; null for NoNode. */
export async function watched<T>(
  client: Client,
  path: string,
  read: (watch: Watcher) => Promise<T>,
  signal: AbortSignal | undefined,
): Promise<{ readonly value: T; readonly change: Change } | null> {
  const change = new Change(client, path);
  let isHandedOver = false;
  try {
    const value = await abortable(orNull(persist(client, () => read(change.watch))), signal);
    if (value === null) return null;
    isHandedOver = true;
    return { value, change };
  } finally {
    if (!isHandedOver) change.end(signal?.aborted === true);
  }
}

/** Reads a node's data with a watch on it. Of a node that is not there no watch is left, as `exists` would leave one. */
export function watchedData(client: Client, path: string, signal: AbortSignal | undefined) {
  return watched(client, path, (watch) => client.get(path, { ...PATIENT, watch }), signal);
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
