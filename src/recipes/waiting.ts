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

/**
 * A one-shot watch as a promise. It resolves at the first event, and also when the session is lost or the client closes,
 * since then nobody would call: after it, read again.
 */
export class Change {
  readonly watch: Watcher;
  readonly happened: Promise<void>;
  readonly #client: Client;
  readonly #unsubscribe: () => void;

  constructor(client: Client) {
    this.#client = client;
    let resolve: () => void = () => {};
    this.happened = new Promise((settle) => {
      resolve = settle;
    });
    this.watch = () => resolve();
    this.#unsubscribe = client.onState(({ state }) => {
      if (state === 'LOST' || state === 'CLOSED') resolve();
    });
  }

  /** Ends it; with a path, the watch there is taken away as well, which nobody needs to wait for. */
  end(path?: string): void {
    this.#unsubscribe();
    if (path === undefined) return;
    this.#client.removeWatches(path, { watch: this.watch, local: true }).catch(() => {
      // It has fired, was never set, or goes with the connection.
    });
  }
}

/**
 * Waits until the node is deleted or changed, or the session is lost. False, at once, when the node is not there.
 * Rejects with the signal's reason.
 */
export async function nodeChanged(client: Client, path: string, signal: AbortSignal | undefined): Promise<boolean> {
  const change = new Change(client);
  let watched: string | undefined = path;
  try {
    // get and not exists: of a node that is gone, exists would leave a watch behind.
    const read = persist(client, () => client.get(path, { ...PATIENT, watch: change.watch }));
    const isThere = (await abortable(orNull(read), signal)) !== null;
    if (isThere) await abortable(change.happened, signal);
    watched = undefined;
    return isThere;
  } finally {
    change.end(watched);
  }
}
