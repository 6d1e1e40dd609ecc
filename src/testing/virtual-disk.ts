// A disk as the server's storage shows it: batches, epochs and the checkpoint, written in the order they were handed
// over, each group in one transaction (design decision 6). Everything is kept as the bytes of the effects, so recovery
// goes the way it goes in production.
//
// At a crash, what was handed over and not yet reported as stored is lost; or, as the seed has it, the first part of
// it was written after all. A full disk refuses everything from some batch on until it has room again, and its owner
// has heard of it; epochs and truncations with no loss before them wait for room.

import type { CheckpointPage, LogBatch } from '../core/io.js';
import { assert } from '../std/assert.js';
import type { VirtualWorld } from './virtual-world.js';

/** A batch in a log. */
export type StoredBatch = LogBatch;

/** Who hears what the disk has done. */
export interface DiskOwner {
  stored(zxid: number): void;
  storeFailed(firstLostZxid: number): void;
  storeResumed(): void;
  epochsStored(acceptedEpoch: number, currentEpoch: number): void;
  truncated(afterZxid: number): void;
  checkpointed(zxid: number): void;
  checkpointFailed(zxid: number): void;
  logEndFound(reader: number, end: number | null): void;
  logRead(learner: number, batches: readonly StoredBatch[]): void;
  snapshotOpened(learner: number, zxid: number, header: Uint8Array): void;
  snapshotRead(learner: number, pages: readonly CheckpointPage[]): void;
}

type Write =
  | ({ readonly kind: 'append' } & StoredBatch)
  | { readonly kind: 'epochs'; readonly acceptedEpoch: number; readonly currentEpoch: number }
  | { readonly kind: 'truncate'; readonly afterZxid: number }
  | { readonly kind: 'begin'; readonly zxid: number; readonly header: Uint8Array; readonly isFull: boolean }
  | { readonly kind: 'pages'; readonly pages: readonly CheckpointPage[] }
  | { readonly kind: 'end' };

interface Checkpoint {
  readonly zxid: number;
  readonly header: Uint8Array;
}

/** The checkpoint as it was when somebody began to read it. */
interface Snapshot {
  readonly checkpoint: Checkpoint;
  readonly unread: CheckpointPage[];
}

const PROBE_MS = 50;
const EPOCH_RANGE = 0x1_0000_0000;
/** Small, so that whoever reads has to ask several times. */
const LOG_READ_BYTES = 4096;
const SNAPSHOT_READ_PAGES = 2;

export class VirtualDisk {
  acceptedEpoch = 0;
  currentEpoch = 0;
  /** False from the loss of the data until there is a copy of the others': until then its word must not count. */
  isVoting = true;
  checkpoint: Checkpoint | null = null;
  readonly pages = new Map<number, Uint8Array>();
  /** The log: what is behind the checkpoint, and what of before is kept for learners. */
  log: StoredBatch[] = [];
  /** Every batch that ever became durable, also those that were cut off or replaced: for checkers. */
  readonly archive: StoredBatch[] = [];
  /** False for long lives, with nobody who checks. Default true. */
  keepsArchive = true;
  /** While true, no write succeeds. */
  isFull = false;
  /** Batches behind the checkpoint that are kept for learners that catch up. Default 0. */
  logRetainBatches = 0;
  /** Longest time that a write takes, in ms. Default: the world's. */
  delayMsMax: number;
  private readonly world: VirtualWorld;
  private owner: DiskOwner | null = null;
  private queue: Write[] = [];
  /** Taken from the queue, and on their way to the disk. */
  private writing: readonly Write[] = [];
  private isWriting = false;
  private isRefusing = false;
  /** The checkpoint that is being written. */
  private open: { zxid: number; header: Uint8Array; isFull: boolean; pages: CheckpointPage[] } | null = null;
  private readonly snapshots = new Map<number, Snapshot>();
  /** The log holds everything after this zxid. */
  private logStartZxid = 0;
  private keptAfterZxid = Number.POSITIVE_INFINITY;
  /** Rises with every crash: what was under way before it is void. */
  private generation = 0;

  constructor(world: VirtualWorld) {
    this.world = world;
    this.delayMsMax = world.diskDelayMsMax;
  }

  attach(owner: DiskOwner): void {
    this.owner = owner;
  }

  /** The greatest zxid that is durable. */
  get lastZxid(): number {
    return Math.max(this.log.at(-1)?.lastZxid ?? 0, this.checkpoint?.zxid ?? 0);
  }

  /** The batches that a restart has to execute on top of the checkpoint. */
  get logBehindCheckpoint(): readonly StoredBatch[] {
    const zxid = this.checkpoint?.zxid ?? 0;
    return this.log.filter((batch) => batch.lastZxid > zxid);
  }

  append(batch: StoredBatch): void {
    if (!this.isRefusing) this.write({ kind: 'append', ...batch, bytes: batch.bytes.slice() });
  }

  storeEpochs(acceptedEpoch: number, currentEpoch: number): void {
    if (!this.isRefusing) this.write({ kind: 'epochs', acceptedEpoch, currentEpoch });
  }

  truncate(afterZxid: number): void {
    if (!this.isRefusing) this.write({ kind: 'truncate', afterZxid });
  }

  /** `isFull`: a copy from another server, which replaces everything that is there, the log as well. */
  beginCheckpoint(zxid: number, header: Uint8Array, isFull = false): void {
    this.write({ kind: 'begin', zxid, header: header.slice(), isFull });
  }

  checkpointPages(pages: readonly CheckpointPage[]): void {
    this.write({ kind: 'pages', pages: pages.map(({ page, bytes }) => ({ page, bytes: bytes.slice() })) });
  }

  endCheckpoint(): void {
    this.write({ kind: 'end' });
  }

  /** Batches after this zxid stay when a checkpoint cuts the log. */
  keepLog(afterZxid: number): void {
    this.keptAfterZxid = afterZxid;
    this.cutLog();
  }

  /** Its owner knows that a batch was refused, and wants to hear when the disk has room again. */
  awaitRoom(): void {
    const { generation } = this;
    this.world.after(PROBE_MS, () => {
      if (generation !== this.generation || !this.isRefusing) return;
      if (this.isFull) return this.awaitRoom();
      this.isRefusing = false;
      this.owner?.storeResumed();
    });
  }

  // --- reading, while writes go on: what is durable at the moment of the answer

  readLog(learner: number, afterZxid: number): void {
    this.answer((owner) => {
      const batches: StoredBatch[] = [];
      if (afterZxid >= this.logStartZxid) {
        let bytes = 0;
        for (const batch of this.log) {
          if (batch.lastZxid <= afterZxid) continue;
          batches.push({ ...batch, bytes: batch.bytes.slice() });
          bytes += batch.bytes.length;
          if (bytes >= LOG_READ_BYTES) break;
        }
      }
      owner.logRead(learner, batches);
    });
  }

  findLogEnd(reader: number, zxid: number): void {
    this.answer((owner) => {
      const ends = [this.logStartZxid, ...this.log.map(({ lastZxid }) => lastZxid)];
      owner.logEndFound(reader, ends.findLast((end) => end <= zxid) ?? null);
    });
  }

  openSnapshot(learner: number): void {
    this.answer((owner) => {
      const { checkpoint } = this;
      assert(checkpoint !== null, 'there is a checkpoint to read');
      const unread = [...this.pages].map(([page, bytes]) => ({ page, bytes: bytes.slice() }));
      this.snapshots.set(learner, { checkpoint, unread });
      owner.snapshotOpened(learner, checkpoint.zxid, checkpoint.header.slice());
    });
  }

  readSnapshot(learner: number): void {
    this.answer((owner) => {
      const snapshot = this.snapshots.get(learner);
      if (snapshot !== undefined) owner.snapshotRead(learner, snapshot.unread.splice(0, SNAPSHOT_READ_PAGES));
    });
  }

  closeSnapshot(learner: number): void {
    this.answer(() => this.snapshots.delete(learner));
  }

  // --- what can go wrong

  /** The machine stops now. `keepUnsynced`: a part of what was under way turns out to be written. */
  crash(keepUnsynced: boolean): void {
    this.generation++;
    this.owner = null;
    this.isWriting = false;
    this.isRefusing = false;
    this.keptAfterZxid = Number.POSITIVE_INFINITY;
    this.snapshots.clear();
    this.lastAnswerMs = 0;
    const queue = [...this.writing, ...this.queue];
    this.writing = [];
    this.queue = [];
    if (keepUnsynced && queue.length > 0) {
      for (const write of queue.slice(0, 1 + this.world.random.int(queue.length))) if (!this.isFull) this.make(write);
    }
    this.open = null;
  }

  /** The data is damaged and set aside, while the server is down: nothing is left but the epoch it had promised. */
  lose(): void {
    assert(this.owner === null, 'a disk is lost while its server is down');
    this.currentEpoch = 0;
    this.isVoting = false;
    this.checkpoint = null;
    this.pages.clear();
    this.log = [];
    this.logStartZxid = 0;
  }

  // --- the queue

  private write(write: Write): void {
    this.queue.push(write);
    this.startGroup();
  }

  private lastAnswerMs = 0;

  /** Reads are answered in their order, each after a while. */
  private answer(give: (owner: DiskOwner) => void): void {
    const { world, generation } = this;
    this.lastAnswerMs = Math.max(this.lastAnswerMs, world.nowMs + world.delayUpTo(this.delayMsMax));
    world.after(this.lastAnswerMs - world.nowMs, () => {
      if (generation === this.generation && this.owner !== null) give(this.owner);
    });
  }

  /** What has come in so far becomes durable together, after a while. */
  private startGroup(): void {
    if (this.isWriting || this.queue.length === 0) return;
    this.isWriting = true;
    this.writing = this.queue;
    const { generation } = this;
    const group = this.queue;
    this.queue = [];
    this.world.after(this.world.delayUpTo(this.delayMsMax), () => {
      if (generation !== this.generation) return;
      this.isWriting = false;
      this.writing = [];
      this.finishGroup(group);
      if (generation === this.generation) this.startGroup();
    });
  }

  private finishGroup(group: readonly Write[]): void {
    const { generation } = this;
    for (const [index, write] of group.entries()) {
      if (generation !== this.generation) return; // its owner has stopped it
      if (this.isRefusing && isBehindLoss(write)) continue;
      if (!this.isFull) {
        this.make(write);
        this.report(write);
      } else if (write.kind === 'epochs' || write.kind === 'truncate') {
        this.wait(group.slice(index));
        return;
      } else this.refuse(write);
    }
  }

  private make(write: Write): void {
    switch (write.kind) {
      case 'append': {
        const last = this.lastZxid;
        const isNext = write.firstZxid === last + 1;
        const opensEpoch = write.firstZxid % EPOCH_RANGE === 1 && write.firstZxid > last;
        assert(isNext || opensEpoch, `the log ends at ${last} and cannot go on with ${write.firstZxid}`);
        assert(Math.floor(write.firstZxid / EPOCH_RANGE) <= this.acceptedEpoch, 'a batch of an epoch not yet accepted');
        this.log.push(write);
        if (this.keepsArchive) this.archive.push(write);
        break;
      }
      case 'epochs':
        assert(write.acceptedEpoch >= this.acceptedEpoch, 'an accepted epoch is never taken back');
        assert(write.currentEpoch >= this.currentEpoch, 'the current epoch never falls');
        this.acceptedEpoch = write.acceptedEpoch;
        this.currentEpoch = write.currentEpoch;
        // An epoch is current once all of its history is there.
        if (write.currentEpoch > 0) this.isVoting = true;
        break;
      case 'truncate':
        this.makeTruncate(write.afterZxid);
        break;
      case 'begin':
        this.open = { zxid: write.zxid, header: write.header, isFull: write.isFull, pages: [] };
        break;
      case 'pages':
        this.open?.pages.push(...write.pages);
        break;
      case 'end':
        this.finishCheckpoint();
        break;
    }
  }

  private makeTruncate(afterZxid: number): void {
    assert(afterZxid >= (this.checkpoint?.zxid ?? 0), 'what is in the checkpoint was committed and is never removed');
    const kept = this.log.filter((batch) => batch.lastZxid <= afterZxid);
    assert(this.log[kept.length] === undefined || this.log[kept.length].firstZxid > afterZxid, 'a batch is never cut');
    this.log = kept;
  }

  private finishCheckpoint(): void {
    if (this.open === null) return;
    const { zxid, header, isFull, pages } = this.open;
    if (isFull) this.pages.clear();
    for (const { page, bytes } of pages) {
      if (bytes.length === 0) this.pages.delete(page);
      else this.pages.set(page, bytes);
    }
    this.checkpoint = { zxid, header };
    if (isFull || zxid > (this.log.at(-1)?.lastZxid ?? 0)) {
      this.log = [];
      this.logStartZxid = zxid;
    } else this.cutLog();
  }

  private cutLog(): void {
    const upToZxid = Math.min(this.checkpoint?.zxid ?? 0, this.keptAfterZxid);
    const behind = this.log.filter((batch) => batch.lastZxid <= upToZxid).length;
    const cut = this.log.splice(0, Math.max(0, behind - this.logRetainBatches));
    if (cut.length > 0) this.logStartZxid = cut[cut.length - 1].lastZxid;
  }

  private report(write: Write): void {
    const { owner } = this;
    if (write.kind === 'append') owner?.stored(write.lastZxid);
    else if (write.kind === 'epochs') owner?.epochsStored(write.acceptedEpoch, write.currentEpoch);
    else if (write.kind === 'truncate') owner?.truncated(write.afterZxid);
    else if (write.kind === 'end' && this.open !== null) {
      owner?.checkpointed(this.open.zxid);
      this.open = null;
    }
  }

  /** Nothing goes on without these: they wait for room, and whatever comes behind them waits too. */
  private wait(writes: readonly Write[]): void {
    const { generation } = this;
    this.queue = [...writes, ...this.queue];
    this.isWriting = true;
    this.world.after(PROBE_MS, () => {
      if (generation !== this.generation) return;
      this.isWriting = false;
      this.startGroup();
    });
  }

  private refuse(write: Write): void {
    if (write.kind === 'append') {
      if (this.isRefusing) return;
      this.isRefusing = true;
      this.queue = this.queue.filter((next) => !isBehindLoss(next));
      this.owner?.storeFailed(write.firstZxid);
    } else {
      const zxid = write.kind === 'begin' ? write.zxid : this.open?.zxid;
      if (zxid !== undefined) this.owner?.checkpointFailed(zxid);
      this.open = null;
    }
  }
}

/** Whether a write is lost with a batch that it was to come behind (E83). */
function isBehindLoss({ kind }: Write): boolean {
  return kind === 'append' || kind === 'epochs' || kind === 'truncate';
}
