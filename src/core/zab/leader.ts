// Broadcast, the leader's side: gives out zxids, keeps what is proposed until a quorum has it on disk, and commits in
// order (E86, E87). The leader's own acknowledgement counts like any other, and only once its disk has reported.
//
//   propose(batch) → … acknowledged(server, zxid) → committable(): whole batches, oldest first
//
// Acknowledgements are cumulative: "everything up to here". A batch is committed as a whole or not at all.

import { counterOf, EPOCH_LIMIT, epochOf, makeZxid } from '../../../protocol/ids.js';
import type { Batch } from '../../../protocol/peer/entries.js';
import { batchLength, lastZxid } from '../../../protocol/peer/entries.js';
import { assert } from '../../std/assert.js';
import type { Quorum } from './quorum.js';

export class Leader {
  readonly epoch: number;
  private readonly quorum: Quorum;
  /** Proposed and not yet committed, in zxid order without gaps. */
  private inFlight: Batch[] = [];
  private readonly progress = new Map<number, number>();
  private next: number;

  constructor(epoch: number, quorum: Quorum) {
    this.epoch = epoch;
    this.quorum = quorum;
    this.next = makeZxid(epoch, 1);
  }

  /** An epoch above everything that was ever accepted (E79). Throws RangeError when there is none left. */
  static nextEpoch(acceptedEpoch: number): number {
    if (acceptedEpoch + 1 >= EPOCH_LIMIT) throw new RangeError(`epoch ${acceptedEpoch} is the last one`);
    return acceptedEpoch + 1;
  }

  /** The zxid that the next entry gets. */
  get nextZxid(): number {
    return this.next;
  }

  get batchesInFlight(): number {
    return this.inFlight.length;
  }

  /** How many entries were proposed in this epoch; the leader opens the next one long before COUNTER_MAX (E90). */
  get entriesInEpoch(): number {
    return counterOf(this.next) - 1;
  }

  propose(batch: Batch): void {
    assert(batch.firstZxid === this.next, `batch ${batch.firstZxid} proposed where ${this.next} is due`);
    assert(batchLength(batch) > 0 && epochOf(lastZxid(batch)) === this.epoch, 'a batch lies within one epoch');
    this.inFlight.push(batch);
    this.next = lastZxid(batch) + 1;
  }

  /** `server` has everything up to `zxid` on disk. */
  acknowledged(server: number, zxid: number): void {
    assert(zxid < this.next, `server ${server} acknowledges ${zxid}, which was never proposed`);
    if (zxid > (this.progress.get(server) ?? 0)) this.progress.set(server, zxid);
  }

  /** Takes out the batches that a quorum has stored, in order. */
  committable(): Batch[] {
    const reached = this.quorum.reachedBy(this.progress);
    let count = 0;
    while (count < this.inFlight.length && lastZxid(this.inFlight[count]) <= reached) count++;
    return this.inFlight.splice(0, count);
  }

  /**
   * Takes back what was proposed from `zxid` on; its zxids are given out again. Only for an ensemble of one, whose disk
   * refused the batches: nobody else can have seen them.
   */
  withdraw(zxid: number): Batch[] {
    assert(this.quorum.voters.length === 1, 'a proposal that others may have stored cannot be taken back');
    const index = this.inFlight.findIndex((batch) => batch.firstZxid >= zxid);
    if (index < 0) return [];
    this.next = this.inFlight[index].firstZxid;
    return this.inFlight.splice(index);
  }
}
