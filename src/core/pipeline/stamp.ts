// Requests become entries of the log here: each takes its place in the open batch, which gets its zxids and its time
// when it is closed. Whatever arrives in one turn of the event loop, from however many clients, goes into one batch.

import type { Identity } from '../../../protocol/peer/entries.js';
import { BatchBuilder, BatchFlag } from '../../../protocol/peer/entries.js';
import type { ReplicaOptions } from '../io.js';
import { limits } from '../limits.js';

/** What the server itself asks for has no caller. */
export const NO_CALLER: readonly Identity[] = [];

export class OpenBatch extends BatchBuilder {
  constructor({ enforceQuota, skipAcl }: Pick<ReplicaOptions, 'enforceQuota' | 'skipAcl'>) {
    super((enforceQuota ? BatchFlag.enforceQuota : 0) | (skipAcl ? BatchFlag.skipAcl : 0));
  }

  /** Must be closed before anything else is added. */
  get isFull(): boolean {
    return this.length >= limits.batchEntriesMax || this.bytes >= limits.batchBytesMax;
  }
}
