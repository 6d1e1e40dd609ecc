// When something was last sent and heard, and what follows from it (E15): when to send a heartbeat, when a silent connection
// counts as broken, when the session must be gone, and until when it cannot be. Everything in milliseconds of a monotonic
// clock.
//
// That a server answers shows that the connection stands. It does not show that the session does: a follower answers a
// ping by itself, also while it is cut off from the leader, who alone knows when a session expires. Proof is the answer to
// what went through the leader: a write, a sync, the opening of the session. The session is safe for its timeout from when
// the newest proof was sent, whatever else was answered since; where that matters (`isGuarded`) the heartbeat is a sync.

/** Heartbeats go out at least this often. */
const HEARTBEAT_INTERVAL_MAX_MS = 10_000;

export class VitalSigns {
  /** The session's timeout: the negotiated one, or before that the one we ask for. */
  timeoutMs: number;
  heardMs = 0;
  sentMs = 0;
  #connectingMs = 0;
  /** When a heartbeat was last sent on this connection. */
  #heartbeatMs = Number.NEGATIVE_INFINITY;
  /** When the newest proof was sent that has been answered: the leader counts from then or later. */
  #provenMs = 0;

  constructor(timeoutMs: number) {
    this.timeoutMs = timeoutMs;
  }

  /** A new connection stands and the connect request was sent. */
  connecting(nowMs: number): void {
    this.sentMs = nowMs;
    this.#connectingMs = nowMs;
    this.#heartbeatMs = Number.NEGATIVE_INFINITY; // one that was under way is lost
  }

  /** A server has opened a new session. */
  opened(): void {
    this.proven(this.#connectingMs);
  }

  /** A proof that was sent at this time has been answered. */
  proven(sentMs: number): void {
    if (sentMs > this.#provenMs) this.#provenMs = sentMs;
  }

  /** Half of the time after which silence counts, so that a second one can still make it. */
  heartbeatDueMs(isGuarded: boolean): number {
    const lastMs = isGuarded ? Math.max(this.#heartbeatMs, this.#provenMs) : this.sentMs;
    return lastMs + Math.min(this.timeoutMs / 3, HEARTBEAT_INTERVAL_MAX_MS);
  }

  heartbeatSent(nowMs: number): void {
    this.sentMs = nowMs;
    this.#heartbeatMs = nowMs;
  }

  /** Silence until here means that the connection is broken, and leaves a third of the timeout to find another one. */
  get silenceMs(): number {
    return this.heardMs + (this.timeoutMs * 2) / 3;
  }

  /** By our own clock the session is lost from here on. */
  get expiryMs(): number {
    return this.heardMs + (this.timeoutMs * 4) / 3;
  }

  /** No server can have expired the session before. */
  get safeUntilMs(): number {
    return this.#provenMs + this.timeoutMs;
  }
}
