// A client's connection as the core sees it: who it is, which session it carries, what it waits for and what is to be
// sent to it. The socket belongs to the server around the core.

import { JuteWriter } from '../../../protocol/jute/writer.js';
import type { Identity } from '../../../protocol/peer/entries.js';
import { assert } from '../../std/assert.js';
import type { SaslExchange } from '../io.js';
import type { Watcher } from '../ops/operation.js';
import { createLane } from './lanes.js';

export type ConnectionState =
  /** Nothing but a connect request is expected. */
  | 'greeting'
  /** The session is being opened or resumed; what the client sends meanwhile is held (E3, E7). */
  | 'opening'
  | 'open'
  /** The last reply is on its way; nothing is read any more. */
  | 'closing'
  | 'closed';

const TRANSITIONS: Readonly<Record<ConnectionState, readonly ConnectionState[]>> = {
  greeting: ['opening', 'closing', 'closed'],
  opening: ['open', 'closing', 'closed'],
  open: ['closing', 'closed'],
  closing: ['closed'],
  closed: [],
};

export class Connection implements Watcher {
  readonly id: number;
  /** Remote address as `cons` shows it, and the bare ip for the identity every client has (E45). */
  readonly address: string;
  readonly port: number;
  identities: readonly Identity[];
  /** A login that has begun and is not done. */
  sasl: SaslExchange | null = null;
  session = 0;
  timeoutMs = 0;
  password: Uint8Array = new Uint8Array(0);
  /** The client sent the readOnly byte and gets it back (E2). */
  echoReadOnly = false;
  readonly lane = createLane();
  /** Writes and syncs in the lane. */
  pendingWrites = 0;
  /** Request bytes of these writes. */
  pendingBytes = 0;
  pendingSyncs = 0;
  /** Ephemeral nodes that these writes are to create. */
  pendingEphemerals = 0;
  /** Bytes of the frames in the lane. */
  laneBytes = 0;
  /** Whole frames, with their lengths, that came while the connection was paused; in order. */
  held: Uint8Array[] = [];
  heldBytes = 0;
  /** Replies and events not yet given to the socket. Whoever flushes it empties it. */
  readonly output = new JuteWriter();
  /** A flush effect for this turn exists already. */
  flushing = false;
  /** Its requests wait: see back-pressure.ts. */
  paused = false;
  /** The output went beyond outputPauseBytes, and the client has not taken it yet. */
  isFull = false;
  /** How many requests in the lane wait for that. */
  parked = 0;
  /** Some of what is in the lane waits: kept by fair-share.ts. */
  waits = false;
  /** Since when it has had to wait because too much is under way, of its own or of all; -1: it has not. */
  throttledSinceMs = -1;
  /** It has waited for too long: what it asks is refused. */
  refuses = false;
  /** A limit of its session was reached, and the log has a line about it. */
  toldOfLimit = false;

  // What `cons` and `stat` show.
  readonly establishedMs: number;
  received = 0;
  sent = 0;
  lastOperation = 0;
  lastXid = 0;
  lastResponseMs = 0;
  lastLatencyMs = 0;
  /** -1 until something was answered. */
  latencyMinMs = -1;
  latencyMaxMs = 0;
  private latencyTotalMs = 0;
  private answered = 0;

  private currentState: ConnectionState = 'greeting';

  constructor(id: number, address: string, port: number, establishedMs: number) {
    this.id = id;
    this.address = address;
    this.port = port;
    this.establishedMs = establishedMs;
    this.identities = [{ scheme: 'ip', id: address }];
  }

  get state(): ConnectionState {
    return this.currentState;
  }

  become(next: ConnectionState): void {
    assert(
      TRANSITIONS[this.currentState].includes(next),
      `a connection cannot go from ${this.currentState} to ${next}`,
    );
    this.currentState = next;
  }

  get latencyAvgMs(): number {
    return this.answered === 0 ? 0 : this.latencyTotalMs / this.answered;
  }

  answeredAfter(latencyMs: number, nowMs: number): void {
    this.lastResponseMs = nowMs;
    this.lastLatencyMs = latencyMs;
    this.latencyTotalMs += latencyMs;
    this.answered++;
    if (latencyMs > this.latencyMaxMs) this.latencyMaxMs = latencyMs;
    if (this.latencyMinMs < 0 || latencyMs < this.latencyMinMs) this.latencyMinMs = latencyMs;
  }

  /** What `crst` does. */
  resetStatistics(): void {
    this.received = 0;
    this.sent = 0;
    this.lastLatencyMs = 0;
    this.latencyMinMs = -1;
    this.latencyMaxMs = 0;
    this.latencyTotalMs = 0;
    this.answered = 0;
  }

  get isGone(): boolean {
    return this.currentState === 'closing' || this.currentState === 'closed';
  }
}
