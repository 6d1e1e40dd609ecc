// Requests become entries of the log here: each takes its place in the open batch, which gets its zxids and its time
// when it is closed. Whatever arrives in one turn of the event loop, from however many clients, goes into one batch.

import type { Batch, Identity } from '../../../protocol/peer/entries.js';
import { BatchBuilder, BatchFlag } from '../../../protocol/peer/entries.js';
import type { ReplicaOptions } from '../io.js';
import { limits } from '../limits.js';

/** What the server itself asks for has no caller. */
export const NO_CALLER: readonly Identity[] = [];

export class OpenBatch {
  private readonly builder = new BatchBuilder();
  private readonly flags: number;

  constructor(options: Pick<ReplicaOptions, 'enforceQuota' | 'skipAcl'>) {
    this.flags = (options.enforceQuota ? BatchFlag.enforceQuota : 0) | (options.skipAcl ? BatchFlag.skipAcl : 0);
  }

  get length(): number {
    return this.builder.length;
  }

  /** Must be closed before anything else is added. */
  get isFull(): boolean {
    return this.builder.length >= limits.batchEntriesMax || this.builder.bytes >= limits.batchBytesMax;
  }

  add(
    operation: number,
    session: number,
    cxid: number,
    caller: readonly Identity[],
    request: Uint8Array,
    start: number,
    end: number,
  ): void {
    this.builder.add(operation, session, cxid, caller, request, start, end);
  }

  /** The batch; an empty one is open afterwards. */
  close(firstZxid: number, wallMs: number): Batch {
    return this.builder.close(firstZxid, wallMs, this.flags);
  }
}
