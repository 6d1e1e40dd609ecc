// A full copy of the leader's state on its way into this server (SNAP, E81). It is built beside the present world, so that
// nothing is lost when the leader goes away in the middle of it, and goes to disk as a checkpoint that replaces
// everything. Only when the disk has it does the replica take it over.

import { assert } from '../std/assert.js';
import type { CheckpointPage } from './io.js';
import { type LoadedWorld, WorldLoader } from './loading.js';
import type { Outbox } from './outbox.js';

interface Copy {
  readonly zxid: number;
  readonly header: Uint8Array;
  readonly loader: WorldLoader;
  /** It was checked and is on its way to disk. */
  loaded: LoadedWorld | null;
}

export class Copying {
  private readonly hashSeed: number;
  private readonly outbox: Outbox;
  private copy: Copy | null = null;

  constructor(hashSeed: number, outbox: Outbox) {
    this.hashSeed = hashSeed;
    this.outbox = outbox;
  }

  get isUnderWay(): boolean {
    return this.copy !== null;
  }

  get isComplete(): boolean {
    return this.copy !== null && this.copy.loaded !== null;
  }

  /** Whether this is the copy that is coming in, complete or not. */
  isAt(zxid: number): boolean {
    return this.copy?.zxid === zxid;
  }

  /** Whether the checkpoint at `zxid` that the disk is to confirm is the copy. */
  isStoring(zxid: number): boolean {
    return this.isComplete && this.isAt(zxid);
  }

  begin(zxid: number, header: Uint8Array): void {
    this.copy = { zxid, header, loader: new WorldLoader(this.hashSeed), loaded: null };
    this.outbox.emit({ type: 'beginCheckpoint', zxid, header, isFull: true });
  }

  /** Throws AssertionFailure when no copy was begun. */
  pages(pages: readonly CheckpointPage[]): void {
    const { loader } = this.current;
    for (const page of pages) loader.page(page);
    this.outbox.emit({ type: 'checkpointPages', pages });
  }

  /** All is there. Returns what is wrong with it, or null. */
  end(): string | null {
    const copy = this.current;
    try {
      copy.loaded = copy.loader.finish(copy.header);
    } catch (error) {
      return (error as Error).message;
    }
    this.outbox.emit({ type: 'endCheckpoint' });
    return null;
  }

  /** The disk has it. */
  take(): LoadedWorld {
    const { loaded } = this.current;
    assert(loaded !== null, 'a copy is taken over when it is complete');
    this.copy = null;
    return loaded;
  }

  abandon(): void {
    this.copy = null;
  }

  private get current(): Copy {
    assert(this.copy !== null, 'no copy was begun');
    return this.copy;
  }
}
