// A session as the client sees it, whichever thread its socket and its heartbeats live in: in this one (driver.ts), or in
// a worker of its own (worker-session.ts), where a blocked event loop does not stop them.

import type { Host } from './connect-string.js';
import type { ZooKeeperError } from './errors.js';
import type { Credential } from './handshake.js';
import type { Request } from './requests.js';
import type { ConnectionState, StateChange } from './states.js';
import type { Watcher, WatchKind, WatchRegistration, WatchRegistry } from './watches.js';

export interface SessionEvents {
  /** Takes the chroot off a server's path. */
  toClientPath(path: string): string;
  stateChanged(change: StateChange): void;
}

export interface Session {
  readonly state: ConnectionState;
  /** Its id is 0n while there is no session. */
  readonly session: { id: bigint; password: Uint8Array; timeoutMs: number };
  readonly lastZxid: bigint;
  /** The server connected to, or tried last. */
  readonly host: Host | undefined;
  /** Why the last attempt or connection ended. */
  readonly lastCause: ZooKeeperError | undefined;
  /** Why it closed; undefined before. */
  readonly closedBy: ZooKeeperError | undefined;
  /**
   * No server can have expired the session before this time of the client's clock; 0 when there is no session. It moves on
   * with answers to writes and syncs, and by itself while the session is guarded.
   */
  readonly sessionSafeUntilMs: number;
  /** When a packet of a server last arrived, by the client's clock; before the first, when the session was begun. */
  readonly heardMs: number;
  /** Who waits for what, to be asked only: use addWatch and removeWatches to change it. */
  readonly watches: Pick<WatchRegistry, 'has' | 'hasOther'>;

  /** Takes a request, or fails it at once when the client is closed or full. */
  submit(request: Request): void;
  /** Settles a request before its answer, because the caller wants no more of it. */
  giveUp(request: Request, error: unknown): void;
  /** Whether a request is under way whose reply will register such a watch. */
  isWatchPending(path: string, kinds: readonly WatchKind[], isMeant?: (watcher: Watcher) => boolean): boolean;
  /** From now on the watcher hears of its events, and the watch is set again after every reconnect. */
  addWatch(registration: WatchRegistration): void;
  /** Takes away one watcher, or all, of these kinds; returns who was there. */
  removeWatches(path: string, kinds: readonly WatchKind[], watcher?: Watcher): Set<Watcher>;
  /** Sends a credential now and after every connect; `settle` is called once with the server's verdict. */
  addCredential(credential: Credential, settle: (error: ZooKeeperError | null) => void): void;
  /** Until the returned function is called, heartbeats go through the leader and prove that the session lives. */
  guardSession(): () => void;
  /** Ends the session within `timeoutMs`; with `keepSession` only its connection. */
  close(timeoutMs: number, keepSession: boolean): void;
}
