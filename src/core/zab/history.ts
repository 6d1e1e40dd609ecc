// The end of the log, in memory: batches that are logged and perhaps not committed, and behind them some that are
// executed already, for learners that were away for a moment. What is older is on disk only.
//
//        start                executed                 last
//   disk │ kept for learners    │ logged, to be committed │
//
// A batch is never cut, so every point at which histories may part is the end of a batch (design decision 3).

import { counterOf, epochOf } from '../../../protocol/ids.js';
import type { Batch } from '../../../protocol/peer/entries.js';
import { lastZxid } from '../../../protocol/peer/entries.js';
import { assert } from '../../std/assert.js';

export interface LoggedBatch {
  readonly batch: Batch;
  /** The same as it stands in the log. */
  readonly bytes: Uint8Array;
}

/** Forgotten batches at the front of the array, and their bytes, before it is cut: until then they take up memory. */
const COMPACT_AT = 1024;
const COMPACT_AT_BYTES = 1_048_576;

export class History {
  private items: LoggedBatch[] = [];
  /** Index of the oldest batch that is kept, and of the oldest one that is not executed. */
  private first = 0;
  private due = 0;
  private startZxid = 0;
  private endZxid = 0;
  private executedBytes = 0;
  private forgottenBytes = 0;
  private readonly bytesMax: number;

  /** `bytesMax`: of executed batches; 0 keeps none. */
  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  /** End of the log; 0 when it is empty. */
  get lastZxid(): number {
    return this.endZxid;
  }

  /** Everything after this zxid is here. */
  get start(): number {
    return this.startZxid;
  }

  /** Batches that are logged and not executed. */
  get pending(): number {
    return this.items.length - this.due;
  }

  /** Everything up to `zxid` is on disk and executed, nothing is kept. */
  reset(zxid: number): void {
    this.items = [];
    this.first = 0;
    this.due = 0;
    this.executedBytes = 0;
    this.forgottenBytes = 0;
    this.startZxid = zxid;
    this.endZxid = zxid;
  }

  /** Whether a batch that begins with this zxid may come next: the one after the last, or the first of a later epoch. */
  continuesWith(firstZxid: number): boolean {
    if (epochOf(firstZxid) === epochOf(this.endZxid)) return firstZxid === this.endZxid + 1;
    return firstZxid > this.endZxid && counterOf(firstZxid) === 1;
  }

  append(batch: Batch, bytes: Uint8Array): void {
    assert(this.continuesWith(batch.firstZxid), `batch ${batch.firstZxid} after ${this.endZxid}`);
    this.items.push({ batch, bytes });
    this.endZxid = lastZxid(batch);
  }

  /** Takes back what was logged after `zxid`, the end of a batch; what was executed never is. */
  truncateAfter(zxid: number): LoggedBatch[] {
    const index = this.indexAfter(zxid);
    assert(index !== null && index >= this.due, `history cannot be cut after ${zxid}`);
    this.endZxid = zxid;
    return this.items.splice(index);
  }

  /** Hands every batch up to `zxid` that was not executed yet to `execute`, in order. */
  executeUpTo(zxid: number, execute: (batch: Batch) => void): void {
    while (this.due < this.items.length && lastZxid(this.items[this.due].batch) <= zxid) {
      const { batch, bytes } = this.items[this.due++];
      this.executedBytes += bytes.length;
      execute(batch);
    }
    this.forgetOld();
  }

  private forgetOld(): void {
    while (this.executedBytes > this.bytesMax && this.first < this.due) {
      const { batch, bytes } = this.items[this.first];
      this.executedBytes -= bytes.length;
      this.forgottenBytes += bytes.length;
      this.startZxid = lastZxid(batch);
      this.first++;
    }
    if (this.first === this.items.length || this.first >= COMPACT_AT || this.forgottenBytes >= COMPACT_AT_BYTES) {
      this.items.splice(0, this.first);
      this.due -= this.first;
      this.first = 0;
      this.forgottenBytes = 0;
    }
  }

  /** Ends of the log, one for each epoch with entries that are not executed, newest first, and last `executedZxid`. */
  ends(executedZxid: number): number[] {
    const ends: number[] = [];
    for (let i = this.items.length - 1; i >= this.due; i--) {
      const end = lastZxid(this.items[i].batch);
      if (ends.length === 0 || epochOf(end) !== epochOf(ends[ends.length - 1])) ends.push(end);
    }
    ends.push(executedZxid);
    return ends;
  }

  /** Whether `zxid` is the end of a batch of this history, or where it starts. */
  has(zxid: number): boolean {
    return this.indexAfter(zxid) !== null;
  }

  /** The batch after this end of a batch: undefined at the end of the log, null when it is on disk only. */
  after(zxid: number): LoggedBatch | undefined | null {
    if (zxid === this.endZxid) return undefined;
    const index = this.indexAfter(zxid);
    return index === null ? null : this.items[index];
  }

  /** The greatest end of a batch at or before `zxid`, or null when that is older than what is kept. */
  endBefore(zxid: number): number | null {
    if (zxid < this.startZxid) return null;
    const index = this.search(zxid);
    return index === this.first ? this.startZxid : lastZxid(this.items[index - 1].batch);
  }

  private indexAfter(zxid: number): number | null {
    return this.endBefore(zxid) === zxid ? this.search(zxid) : null;
  }

  /** Index of the first batch that ends after `zxid`. */
  private search(zxid: number): number {
    if (zxid >= this.endZxid) return this.items.length;
    let low = this.first;
    let high = this.items.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (lastZxid(this.items[middle].batch) > zxid) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
