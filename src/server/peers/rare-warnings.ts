// Keeps the log readable when the same thing goes wrong again and again: each kind of record is written once a minute at
// most, and the next one of its kind says how many were left out.

import type { LogFields, Logger } from '../logging.js';

const QUIET_MS = 60_000;

export class RareWarnings {
  private readonly logger: Logger;
  private readonly nowMs: () => number;
  private readonly kinds = new Map<string, { toldMs: number; leftOut: number }>();

  /** `nowMs`: a clock that never goes back. */
  constructor(logger: Logger, nowMs: () => number = () => performance.now()) {
    this.logger = logger;
    this.nowMs = nowMs;
  }

  /** `kind` must be one of few: it is remembered. */
  warn(kind: string, message: string, fields: LogFields): void {
    const nowMs = this.nowMs();
    const known = this.kinds.get(kind);
    if (known !== undefined && nowMs - known.toldMs < QUIET_MS) {
      known.leftOut++;
      return;
    }
    const leftOut = known?.leftOut ?? 0;
    this.kinds.set(kind, { toldMs: nowMs, leftOut: 0 });
    this.logger.warn(leftOut === 0 ? message : `${message} (and ${leftOut} like it, not logged)`, fields);
  }
}
