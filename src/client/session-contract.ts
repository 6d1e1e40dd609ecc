// What goes into a session and what comes out of it; and the table of its phases. The code between is session-machine.ts.

import type { Random } from '../std/random.js';
import type { Host } from './connect-string.js';
import type { SaslExchange } from './sasl.js';
import type { GivenSession } from './session-identity.js';
import type { StateChange } from './states.js';
import type { WatchEvent, Watcher } from './watches.js';

export type Phase = 'idle' | 'waiting' | 'dialing' | 'handshaking' | 'loggingIn' | 'connected' | 'readOnly' | 'closed';

/** Every step a session can take; any other is a fault of the program. */
export const TRANSITIONS: { readonly [P in Phase]: readonly Phase[] } = {
  idle: ['waiting', 'closed'],
  waiting: ['dialing', 'closed'],
  dialing: ['handshaking', 'waiting', 'closed'],
  handshaking: ['loggingIn', 'connected', 'readOnly', 'waiting', 'closed'],
  loggingIn: ['connected', 'readOnly', 'waiting', 'closed'],
  connected: ['waiting', 'closed'],
  readOnly: ['waiting', 'closed'],
  closed: [],
};

export interface SessionOptions {
  readonly hosts: readonly Host[];
  readonly sessionTimeoutMs: number;
  readonly readOnly: boolean;
  /** A session to go on with instead of a new one. When it is gone, the machine closes with SessionExpired. */
  readonly session: GivenSession | undefined;
  /** Whether a lost session is followed by a new one. */
  readonly renewSession: boolean;
  /** A login for each connection; undefined without SASL. */
  readonly login: (() => SaslExchange) | undefined;
  readonly requestsMax: number;
  readonly requestBytesMax: number;
  readonly replyBytesMax: number;
  readonly random: Random;
}

/** What the machine wants from the world. None of these may call back into the machine before it returns, but notify. */
export interface SessionOutput {
  /** Open a connection, then say opened() or disconnected(). */
  dial(host: Host): void;
  /** Drop the connection, or the attempt, and say no more about it. */
  hangUp(): void;
  /** takeBytes() has something to give. */
  wantsToWrite(): void;
  stateChanged(change: StateChange): void;
  notify(watcher: Watcher, event: WatchEvent): void;
  /** Ask a server whether it takes writes, then say probed(). */
  probe(host: Host): void;
}
