// When something was last sent and heard, and what follows from it (E15): when to ping, when a silent connection counts
// as broken, when the session must be gone, and until when it cannot be. Everything in milliseconds of a monotonic clock.

/** Pings go out at least this often. */
const PING_INTERVAL_MAX_MS = 10_000;

export class VitalSigns {
  /** The session's timeout: the negotiated one, or before that the one we ask for. */
  timeoutMs: number;
  heardMs = 0;
  sentMs = 0;
  /** When the pings (or the connect request) were sent that are not answered yet; answers come in their order. */
  #pingsSentMs: number[] = [];
  /** When the newest packet was sent that is known to have arrived: the server counts from then or later. */
  #confirmedMs = 0;

  constructor(timeoutMs: number) {
    this.timeoutMs = timeoutMs;
  }

  /** A new connection stands and the connect request was sent, whose answer counts as that of a ping. */
  connecting(nowMs: number): void {
    this.#pingsSentMs = [];
    this.pingSent(nowMs);
  }

  pingSent(nowMs: number): void {
    this.sentMs = nowMs;
    this.#pingsSentMs.push(nowMs);
  }

  pingAnswered(): void {
    const sentMs = this.#pingsSentMs.shift();
    if (sentMs !== undefined) this.confirmed(sentMs);
  }

  /** A packet that was sent at this time has been answered. */
  confirmed(sentMs: number): void {
    if (sentMs > this.#confirmedMs) this.#confirmedMs = sentMs;
  }

  /** Half of the time after which silence counts, so that a second ping can still make it. */
  get pingDueMs(): number {
    return this.sentMs + Math.min(this.timeoutMs / 3, PING_INTERVAL_MAX_MS);
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
    return this.#confirmedMs + this.timeoutMs;
  }
}
