// A disk as the server's storage shows it: batches, epochs and the checkpoint, written in the order they were handed
// over, each group in one transaction (design decision 6). Everything is kept as the bytes of the effects, so recovery
// goes the way it goes in production.
//
// At a crash, what was handed over and not yet reported as stored is lost; or, as the seed has it, the first part of
// it was written after all. A full disk refuses everything from some batch on until it has room again.

import type { CheckpointPage } from '../core/io.js';
import { assert } from '../std/assert.js';
import type { VirtualWorld } from './virtual-world.js';

export interface StoredBatch {
  readonly firstZxid: number;
  readonly lastZxid: number;
  readonly bytes: Uint8Array;
}

/** Who hears what the disk has done. */
export interface DiskOwner {
  stored(zxid: number): void;
  storeFailed(firstLostZxid: number): void;
  storeResumed(): void;
  epochsStored(): void;
  checkpointed(zxid: number): void;
  checkpointFailed(): void;
  /** It cannot go on: the server stops, as it does in production. */
  broken(reason: string): void;
}

type Write =
  | ({ readonly kind: 'append' } & StoredBatch)
  | { readonly kind: 'epochs'; readonly acceptedEpoch: number; readonly currentEpoch: number }
  | { readonly kind: 'begin'; readonly zxid: number; readonly header: Uint8Array }
  | { readonly kind: 'pages'; readonly pages: readonly CheckpointPage[] }
  | { readonly kind: 'end' };

interface Checkpoint {
  readonly zxid: number;
  readonly header: Uint8Array;
}

const PROBE_MS = 50;
const EPOCH_RANGE = 0x1_0000_0000;

export class VirtualDisk {
  acceptedEpoch = 0;
  currentEpoch = 0;
  checkpoint: Checkpoint | null = null;
  readonly pages = new Map<number, Uint8Array>();
  /** The log behind the checkpoint. */
  log: StoredBatch[] = [];
  /** Every batch that ever became durable, also those the log was cut behind: for checkers. */
  readonly archive: StoredBatch[] = [];
  /** While true, no write succeeds. */
  isFull = false;
  private readonly world: VirtualWorld;
  private owner: DiskOwner | null = null;
  private queue: Write[] = [];
  private isWriting = false;
  private isRefusing = false;
  /** The checkpoint that is being written. */
  private open: { zxid: number; header: Uint8Array; pages: CheckpointPage[] } | null = null;
  /** Rises with every crash: what was under way before it is void. */
  private generation = 0;

  constructor(world: VirtualWorld) {
    this.world = world;
  }

  attach(owner: DiskOwner): void {
    this.owner = owner;
  }

  /** The greatest zxid that is durable. */
  get lastZxid(): number {
    return this.log.at(-1)?.lastZxid ?? this.checkpoint?.zxid ?? 0;
  }

  append(batch: StoredBatch): void {
    if (!this.isRefusing) this.write({ kind: 'append', ...batch, bytes: batch.bytes.slice() });
  }

  storeEpochs(acceptedEpoch: number, currentEpoch: number): void {
    this.write({ kind: 'epochs', acceptedEpoch, currentEpoch });
  }

  beginCheckpoint(zxid: number, header: Uint8Array): void {
    this.write({ kind: 'begin', zxid, header: header.slice() });
  }

  checkpointPages(pages: readonly CheckpointPage[]): void {
    this.write({ kind: 'pages', pages: pages.map(({ page, bytes }) => ({ page, bytes: bytes.slice() })) });
  }

  endCheckpoint(): void {
    this.write({ kind: 'end' });
  }

  /** The machine stops now. `keepUnsynced`: a part of what was under way turns out to be written. */
  crash(keepUnsynced: boolean): void {
    this.generation++;
    this.owner = null;
    this.isWriting = false;
    this.isRefusing = false;
    const { queue } = this;
    this.queue = [];
    if (keepUnsynced && queue.length > 0) {
      for (const write of queue.slice(0, 1 + this.world.random.int(queue.length))) if (!this.isFull) this.make(write);
    }
    this.open = null;
  }

  private write(write: Write): void {
    this.queue.push(write);
    this.startGroup();
  }

  /** What has come in so far becomes durable together, after a while. */
  private startGroup(): void {
    if (this.isWriting || this.queue.length === 0) return;
    this.isWriting = true;
    const { generation } = this;
    const count = this.queue.length;
    this.world.after(this.world.delayUpTo(this.world.diskDelayMsMax), () => {
      if (generation !== this.generation) return;
      this.isWriting = false;
      this.finishGroup(this.queue.splice(0, count));
      if (generation === this.generation) this.startGroup();
    });
  }

  private finishGroup(group: readonly Write[]): void {
    const { generation } = this;
    for (const write of group) {
      if (generation !== this.generation) return; // its owner has stopped it
      if (this.isFull) this.refuse(write);
      else if (!(write.kind === 'append' && this.isRefusing)) {
        this.make(write);
        this.report(write);
      }
    }
  }

  private make(write: Write): void {
    switch (write.kind) {
      case 'append': {
        const last = this.lastZxid;
        const isNext = write.firstZxid === last + 1;
        const opensEpoch = write.firstZxid % EPOCH_RANGE === 1 && write.firstZxid > last;
        assert(isNext || opensEpoch, `the log ends at ${last} and cannot go on with ${write.firstZxid}`);
        assert(Math.floor(write.firstZxid / EPOCH_RANGE) <= this.currentEpoch, 'a batch of an epoch not yet stored');
        this.log.push(write);
        this.archive.push(write);
        break;
      }
      case 'epochs':
        this.acceptedEpoch = write.acceptedEpoch;
        this.currentEpoch = write.currentEpoch;
        break;
      case 'begin':
        this.open = { zxid: write.zxid, header: write.header, pages: [] };
        break;
      case 'pages':
        this.open?.pages.push(...write.pages);
        break;
      case 'end':
        this.finishCheckpoint();
        break;
    }
  }

  private finishCheckpoint(): void {
    if (this.open === null) return;
    const { zxid, header, pages } = this.open;
    for (const { page, bytes } of pages) {
      if (bytes.length === 0) this.pages.delete(page);
      else this.pages.set(page, bytes);
    }
    this.checkpoint = { zxid, header };
    this.log = this.log.filter((batch) => batch.lastZxid > zxid);
  }

  private report(write: Write): void {
    const { owner } = this;
    if (write.kind === 'append') owner?.stored(write.lastZxid);
    else if (write.kind === 'epochs') owner?.epochsStored();
    else if (write.kind === 'end' && this.open !== null) {
      owner?.checkpointed(this.open.zxid);
      this.open = null;
    }
  }

  private refuse(write: Write): void {
    if (write.kind === 'append') {
      if (this.isRefusing) return;
      this.isRefusing = true;
      this.owner?.storeFailed(write.firstZxid);
      this.probe();
    } else if (write.kind === 'epochs') this.owner?.broken('the epochs could not be stored: the disk is full');
    else {
      if (write.kind === 'begin' || this.open !== null) this.owner?.checkpointFailed();
      this.open = null;
    }
  }

  private probe(): void {
    const { generation } = this;
    this.world.after(PROBE_MS, () => {
      if (generation !== this.generation) return;
      if (this.isFull) return this.probe();
      this.isRefusing = false;
      this.owner?.storeResumed();
    });
  }
}
