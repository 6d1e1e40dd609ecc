// Keeps the log readable when the same thing goes wrong again and again: each kind of record is written once a minute at
// most. How many were left out stands behind the next one of its kind or, where `sum` is called, in a line of its own.

import type { LogFields, Logger } from './logging.js';

const QUIET_MS = 60_000;

interface Kind {
  toldMs: number;
  leftOut: number;
  lastMessage: string;
}

export class RareWarnings {
  private readonly logger: Logger;
  private readonly nowMs: () => number;
  private readonly kinds = new Map<string, Kind>();

  /** `nowMs`: a clock that never goes back. */
  constructor(logger: Logger, nowMs: () => number = () => performance.now()) {
    this.logger = logger;
    this.nowMs = nowMs;
  }

  /** `kind` must be one of few: it is remembered. */
  warn(kind: string, message: string, fields: LogFields = {}): void {
    const nowMs = this.nowMs();
    const known = this.kinds.get(kind);
    if (known !== undefined && nowMs - known.toldMs < QUIET_MS) {
      known.leftOut++;
      known.lastMessage = message;
      return;
    }
    const leftOut = known?.leftOut ?? 0;
    this.kinds.set(kind, { toldMs: nowMs, leftOut: 0, lastMessage: message });
    this.logger.warn(leftOut === 0 ? message : `${message} (and ${leftOut} like it, not logged)`, fields);
  }

  /** Tells how many were left out of the kinds whose minute is over; to be called now and then, and at the end. */
  sum(isEnd = false): void {
    const nowMs = this.nowMs();
    for (const known of this.kinds.values()) {
      const { leftOut, lastMessage, toldMs } = known;
      if (leftOut === 0 || (!isEnd && nowMs - toldMs < QUIET_MS)) continue;
      this.logger.warn(`${leftOut} more like this, not logged; the last: ${lastMessage}`);
      known.toldMs = nowMs;
      known.leftOut = 0;
    }
  }
}
