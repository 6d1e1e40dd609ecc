// Counters that `srvr`, `mntr` and the metrics show. Latency is the time from a request's arrival to its reply.

export class Stats {
  received = 0;
  sent = 0;
  reads = 0;
  writes = 0;
  latencyMinMs = 0;
  latencyMaxMs = 0;
  private latencyTotalMs = 0;
  private answered = 0;
  connectionsRefused = 0;
  sessionsExpired = 0;
  authFailures = 0;
  /** Connections that had to wait because too much was under way. */
  throttleWaits = 0;
  /** Requests refused after such a wait, and for a limit of their session; writes of own clients for want of memory. */
  throttledRequests = 0;
  limitedRequests = 0;
  memoryRefusals = 0;
  /** Connections given up because too much had come of requests that were not whole. */
  tornRequestsDropped = 0;
  lastProposalBytes = -1;
  minProposalBytes = -1;
  maxProposalBytes = -1;

  get latencyAvgMs(): number {
    return this.answered === 0 ? 0 : this.latencyTotalMs / this.answered;
  }

  answeredAfter(latencyMs: number): void {
    if (this.answered === 0 || latencyMs < this.latencyMinMs) this.latencyMinMs = latencyMs;
    if (latencyMs > this.latencyMaxMs) this.latencyMaxMs = latencyMs;
    this.latencyTotalMs += latencyMs;
    this.answered++;
  }

  proposed(bytes: number): void {
    this.lastProposalBytes = bytes;
    if (this.minProposalBytes < 0 || bytes < this.minProposalBytes) this.minProposalBytes = bytes;
    if (bytes > this.maxProposalBytes) this.maxProposalBytes = bytes;
  }

  /** What `srst` does. */
  reset(): void {
    this.received = 0;
    this.sent = 0;
    this.latencyMinMs = 0;
    this.latencyMaxMs = 0;
    this.latencyTotalMs = 0;
    this.answered = 0;
  }
}
