// What a program may assume about its session at a moment; the names that Curator has too mean what they mean there.
// Recipes hang on the exact meaning, so it stands here once:
//
//   CONNECTING    no server has been reached yet; requests wait
//   CONNECTED     the first connection stands; the session is alive
//   READ_ONLY     connected to a server without a quorum: reads may be stale, writes fail with NotReadOnly (E25)
//   SUSPENDED     the connection is gone and the session may or may not be alive: stop doing what needs a lock. Requests
//                 that were not sent yet wait
//   RECONNECTED   connected again. The session is the same, unless LOST or READ_ONLY came before
//   LOST          the session is gone, with its ephemeral nodes: the server said so, or nothing was heard from any
//                 server for 4/3 of the session timeout (E15). All requests have failed. A new session follows with
//                 RECONNECTED, unless `renewSession` is false. When the client's worker thread dies: LOST, then CLOSED
//   CLOSED        by close(), or for good after an error; nothing follows
//
// The client learns of a loss later than the server: between the server's expiry and LOST lies a SUSPENDED, never a
// CONNECTED. A process that was stopped (a suspended laptop, a debugger) learns of both only after it runs again.

import type { ZooKeeperError } from './errors.js';

export type ConnectionState =
  | 'CONNECTING'
  | 'CONNECTED'
  | 'READ_ONLY'
  | 'SUSPENDED'
  | 'RECONNECTED'
  | 'LOST'
  | 'CLOSED';

export interface StateChange {
  readonly state: ConnectionState;
  readonly previous: ConnectionState;
  /** The session at this moment; 0n when there is none. */
  readonly sessionId: bigint;
  /** Why the connection or the session was lost. */
  readonly cause: ZooKeeperError | undefined;
}
