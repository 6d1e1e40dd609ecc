// The leader's side of one learner: brings it to the leader's history and keeps it there. From the first batch that it
// lacks to the newest proposal it is the same stream; only where batches come from differs: the window in memory, the
// log on disk, or behind a full copy.
//
//   accepting ─ accepted ─┬──────────────────────────────────────── sending ─ (newLeader sent, stored) ─ up to date
//                         ├─ truncating ──────────────────────────────┘ │
//                         └─ searching ─ truncating, or copying ────────┘
//
// What is sent and not acknowledged is limited: a slow learner gets as much as it takes, from disk if it must be, and
// costs the leader and the other learners nothing but that (E89).

import { lastZxid } from '../../../protocol/peer/entries.js';
import type { PeerPage } from '../../../protocol/peer/messages.js';
import { Ring } from '../../std/ring.js';
import type { History } from './history.js';
import type { Surroundings } from './surroundings.js';
import { partsAt } from './sync.js';

/** Bytes and batches on their way to one learner. A batch above it still goes, alone. */
const WINDOW_BYTES_MAX = 8_388_608;
const WINDOW_BATCHES_MAX = 1024;

export type LearnerPhase =
  /** It was told the epoch and has not stored it yet. */
  | 'accepting'
  /** It has; a quorum has not, or no copy can be made at the moment. */
  | 'accepted'
  | 'searching'
  | 'truncating'
  | 'copying'
  | 'sending';

/** What a handler needs from the leader it belongs to. */
export interface HandlerContext {
  readonly history: History;
  readonly surroundings: Surroundings;
  /** End of the history of earlier epochs: behind it the learner stores the new epoch. */
  readonly inheritedZxid: number;
  /** Of the last checkpoint on disk; 0 when there is none yet. */
  readonly checkpointZxid: number;
  readonly epoch: number;
  /** A number that nobody else has: see Surroundings. */
  nextReader(): number;
  /** Whether one more full copy may be made now. */
  mayCopy(): boolean;
  drop(learner: number, reason: string): void;
  /** Tells the learner what is committed, if this server leads. */
  announceTo(learner: number): void;
}

/** A batch as it comes from the log on disk. */
interface StoredBatch {
  readonly firstZxid: number;
  readonly lastZxid: number;
  readonly bytes: Uint8Array;
}

interface Sent {
  readonly zxid: number;
  readonly byteCount: number;
  readonly sentMs: number;
}

export class LearnerHandler {
  readonly id: number;
  readonly isObserver: boolean;
  /** It has all it ever promised; a server that lost its disk has no say until it has stored this epoch. */
  isVoting: boolean;
  /** Its number for whatever is read from disk for it. */
  readonly reader: number;
  phase: LearnerPhase = 'accepting';
  /** Whether it counts as one that accepted this epoch (E79). */
  counts = false;
  /** Ends of its log by epoch, newest first; the last one is executed. */
  ends: readonly number[] = [0];
  /** Of NEWLEADER. */
  newLeader: 'due' | 'sent' | 'stored' = 'due';
  isUpToDate = false;
  /** What was committed when it had stored NEWLEADER. */
  targetZxid = 0;
  /** Everything up to here is on its disk. */
  ackedZxid = 0;
  heardMs: number;
  /** The last ping it has answered. */
  pongRound = 0;
  private readonly context: HandlerContext;
  private sentZxid = 0;
  private readonly window = new Ring<Sent>(WINDOW_BATCHES_MAX + 1);
  private windowBytes = 0;
  private isReading = false;
  /** Read from disk and not sent yet, oldest first. */
  private ahead: readonly StoredBatch[] = [];
  /** Log it will need from disk begins after this zxid; Infinity when it needs none. */
  keepAfter = Number.POSITIVE_INFINITY;
  private endsLeft: number[] = [];
  /**
   * Behind this history it stores the epoch: that of earlier epochs. A server that lost its disk gets all there is first.
   * With the epoch it has a say again, and must not lack anything that it may have acknowledged before, in this epoch too.
   */
  private newLeaderAfter = 0;
  private hasSnapshot = false;
  private isLastChunkSent = false;
  private snapshotZxid = 0;

  constructor(id: number, isObserver: boolean, isVoting: boolean, context: HandlerContext) {
    this.id = id;
    this.isObserver = isObserver;
    this.isVoting = isVoting;
    this.context = context;
    this.reader = context.nextReader();
    this.heardMs = context.surroundings.nowMs;
  }

  get isJoined(): boolean {
    return this.newLeader === 'stored';
  }

  /** It gets everything the leader proposes the moment it is proposed. */
  get isAbreast(): boolean {
    return this.phase === 'sending' && this.sentZxid === this.context.history.lastZxid && this.hasRoom;
  }

  get sent(): number {
    return this.sentZxid;
  }

  private get hasRoom(): boolean {
    return this.window.length < WINDOW_BATCHES_MAX && this.windowBytes < WINDOW_BYTES_MAX;
  }

  /** When the oldest batch on its way was sent, or undefined when there is none. */
  get waitingSinceMs(): number | undefined {
    return this.window.peek()?.sentMs;
  }

  // --- synchronisation

  /** A quorum has accepted the epoch: finds out what the learner lacks (E81). */
  synchronise(): void {
    const { history, inheritedZxid } = this.context;
    this.phase = 'searching';
    this.newLeaderAfter = this.isVoting ? inheritedZxid : history.lastZxid;
    this.endsLeft = [...this.ends];
    this.keepAfter = this.ends[this.ends.length - 1] ?? 0;
    this.search();
  }

  private search(): void {
    const { history, surroundings } = this.context;
    for (const end of [...this.endsLeft]) {
      const nearest = history.endBefore(end);
      if (nearest === null) {
        surroundings.findLogEnd(this.reader, end);
        return;
      }
      if (this.compare(nearest)) return;
    }
    this.copy();
  }

  /** The greatest end of a batch in the log on disk at or before the end that was asked for; null: it was cut there. */
  logEndFound(nearest: number | null): void {
    if (this.phase !== 'searching') return;
    if (nearest === null) this.copy();
    else if (!this.compare(nearest)) this.search();
  }

  /** The learner's next end, with the leader's nearest one; true when they part there. */
  private compare(nearest: number): boolean {
    const end = this.endsLeft.shift() as number;
    if (!partsAt(end, nearest)) return false;
    this.sendAfter(nearest, nearest < this.ends[0]);
    return true;
  }

  private sendAfter(zxid: number, truncate: boolean): void {
    this.sentZxid = zxid;
    this.ackedZxid = zxid;
    this.keepAfter = zxid;
    const { surroundings } = this.context;
    this.note(truncate ? 'TRUNC' : 'DIFF', zxid);
    if (truncate) {
      this.phase = 'truncating';
      surroundings.send([this.id], { type: 'truncate', afterZxid: zxid });
    } else this.beginSending();
  }

  private beginSending(): void {
    this.phase = 'sending';
    this.context.announceTo(this.id);
    this.pump();
  }

  truncated(end: number): void {
    if (this.phase !== 'truncating' || end !== this.sentZxid) {
      this.context.drop(this.id, `it has cut its log at ${end}`);
      return;
    }
    this.beginSending();
  }

  private note(kind: string, zxid: number): void {
    const fields = { kind, learner: this.id, lastZxid: this.ends[0], afterZxid: zxid };
    this.context.surroundings.note('info', `synchronising server ${this.id}: ${kind}`, fields);
  }

  // --- a full copy

  private copy(): void {
    if (this.context.checkpointZxid === 0) {
      // All of the log is there, and none of the learner's ends is in it: it comes from another ensemble.
      this.context.drop(this.id, 'its history is another one, and there is no checkpoint yet that it could copy');
      return;
    }
    if (!this.context.mayCopy()) {
      this.phase = 'accepted'; // asked again at the next tick
      return;
    }
    this.phase = 'copying';
    this.hasSnapshot = true;
    this.keepAfter = 0;
    this.context.surroundings.openSnapshot(this.reader);
  }

  snapshotOpened(zxid: number, header: Uint8Array): void {
    if (this.phase !== 'copying') return;
    const { surroundings } = this.context;
    this.note('SNAP', zxid);
    this.snapshotZxid = zxid;
    this.keepAfter = zxid;
    surroundings.send([this.id], { type: 'snapshot', zxid, header });
    surroundings.readSnapshot(this.reader);
  }

  snapshotRead(pages: readonly PeerPage[]): void {
    if (this.phase !== 'copying') return;
    const { surroundings } = this.context;
    if (pages.length > 0) {
      surroundings.send([this.id], { type: 'snapshotPages', pages });
      return;
    }
    this.isLastChunkSent = true;
    this.closeSnapshot();
    surroundings.send([this.id], { type: 'snapshotEnd' });
  }

  snapshotTaken(): void {
    if (this.phase !== 'copying') return;
    if (!this.isLastChunkSent) {
      this.context.surroundings.readSnapshot(this.reader);
      return;
    }
    this.sentZxid = this.snapshotZxid;
    this.ackedZxid = this.snapshotZxid;
    this.beginSending();
  }

  private closeSnapshot(): void {
    if (this.hasSnapshot) this.context.surroundings.closeSnapshot(this.reader);
    this.hasSnapshot = false;
  }

  /** The learner is gone. */
  close(): void {
    this.closeSnapshot();
  }

  // --- the stream

  /** Sends what the learner lacks, as far as there is room. */
  pump(): void {
    const { history, surroundings, epoch } = this.context;
    if (this.phase !== 'sending' || this.isReading) return;
    for (;;) {
      if (this.newLeader === 'due' && this.sentZxid >= this.newLeaderAfter) {
        this.newLeader = 'sent';
        surroundings.send([this.id], { type: 'newLeader', epoch });
      }
      if (!this.hasRoom) return;
      const next = history.after(this.sentZxid);
      if (next === undefined) {
        this.keepAfter = Number.POSITIVE_INFINITY;
        this.ahead = [];
        return;
      }
      if (next !== null) this.send(next.batch.firstZxid, lastZxid(next.batch), next.bytes);
      else if (!this.sendAhead()) {
        this.keepAfter = this.sentZxid;
        this.isReading = true;
        surroundings.readLog(this.reader, this.sentZxid);
        return;
      }
    }
  }

  /** Sends from what was read from disk; false when nothing is left of it. */
  private sendAhead(): boolean {
    const index = this.ahead.findIndex((batch) => batch.lastZxid > this.sentZxid);
    if (index < 0) {
      this.ahead = [];
      return false;
    }
    let next = index;
    for (; next < this.ahead.length && this.hasRoom && this.mayGoOn; next++) {
      const { firstZxid, lastZxid: last, bytes } = this.ahead[next];
      this.send(firstZxid, last, bytes);
    }
    this.ahead = this.ahead.slice(next);
    return true;
  }

  /** Whether a batch may come next: not where the epoch is due, which `pump` sends. */
  private get mayGoOn(): boolean {
    return this.newLeader !== 'due' || this.sentZxid < this.newLeaderAfter;
  }

  private send(firstZxid: number, last: number, batch: Uint8Array): void {
    this.context.surroundings.send([this.id], { type: 'propose', firstZxid, lastZxid: last, batch });
    this.sentTo(last, batch.length);
  }

  /** A new proposal went to all learners that are abreast. */
  sentTo(zxid: number, byteCount: number): void {
    this.sentZxid = zxid;
    this.windowBytes += byteCount;
    this.window.push({ zxid, byteCount, sentMs: this.context.surroundings.nowMs });
  }

  logRead(batches: readonly StoredBatch[]): void {
    if (!this.isReading) return;
    this.isReading = false;
    if (this.phase !== 'sending') return;
    if (batches.length === 0) {
      this.context.drop(this.id, 'the log no longer reaches back to what it lacks');
      return;
    }
    this.ahead = batches;
    this.pump();
  }

  acknowledged(zxid: number): void {
    if (zxid > this.ackedZxid) this.ackedZxid = zxid;
    for (let oldest = this.window.peek(); oldest !== undefined && oldest.zxid <= zxid; oldest = this.window.peek()) {
      this.window.shift();
      this.windowBytes -= oldest.byteCount;
    }
    this.pump();
  }

  /** NEWLEADER is stored, and with it all that was sent before it. It serves clients when it has `targetZxid`. */
  stored(targetZxid: number): void {
    this.newLeader = 'stored';
    this.isVoting = true;
    this.ackedZxid = Math.max(this.ackedZxid, this.newLeaderAfter);
    this.targetZxid = targetZxid;
  }

  /** Whether nothing is under way that a new epoch would confuse. */
  get mayChangeEpoch(): boolean {
    return this.phase === 'accepting' || (this.phase === 'sending' && !this.isReading);
  }

  /** The same leader opens a new epoch: from the beginning, but the learner goes on serving. */
  beginEpoch(): void {
    this.phase = 'accepting';
    this.counts = false;
    this.newLeader = 'due';
  }
}
