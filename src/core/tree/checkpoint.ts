// Which parts of the tree go into the next checkpoint, and in what state (design, decision 6). Nodes are grouped in
// pages of 16 consecutive slots. A change marks its page dirty. Beginning a checkpoint turns the dirty pages into the
// pending ones; a pending page that is about to change again is captured first, as it stands. So what is handed out,
// slice by slice while the server goes on working, is exactly the state at the beginning, and its cost follows what
// was written and not what is stored.

import { assert } from '../../std/assert.js';

export const PAGE_SLOT_BITS = 4;
export const PAGE_SLOTS = 1 << PAGE_SLOT_BITS;

const PAGES_FIRST = 64;
/** Counted for every page of a slice, so that a slice of empty pages is not endless. */
const PAGE_OVERHEAD_BYTES = 16;
/** Changed since the checkpoint (the last one, or the one under way) began. */
const DIRTY = 1;
/** Belongs to the checkpoint under way, and is still as it was when that began. */
const PENDING = 2;

export interface CheckpointPage {
  page: number;
  /** Empty when no slot of the page is in use: the stored page is to be deleted. */
  bytes: Uint8Array;
}

export class CheckpointTracker {
  private readonly encode: (page: number) => Uint8Array;
  private states = new Uint8Array(PAGES_FIRST);
  private dirty: number[] = [];
  /** All pages of the checkpoint under way, and of the last one until the next begins. */
  private pending: number[] = [];
  private pendingAt = 0;
  private captured: CheckpointPage[] = [];
  private left = 0;

  /** `encode` gives the bytes of a page as it is now. */
  constructor(encode: (page: number) => Uint8Array) {
    this.encode = encode;
  }

  clear(): void {
    this.states.fill(0);
    this.dirty = [];
    this.pending = [];
    this.pendingAt = 0;
    this.captured = [];
    this.left = 0;
  }

  /** Pages of the checkpoint under way that are still to be handed out; 0 when none is under way. */
  get pagesLeft(): number {
    return this.left;
  }

  get dirtyPages(): number {
    return this.dirty.length;
  }

  /** The page is about to change. */
  touch(page: number): void {
    if (page >= this.states.length) this.grow(page);
    const state = this.states[page];
    if (state === DIRTY) return;
    if ((state & PENDING) !== 0) this.captured.push({ page, bytes: this.encode(page) });
    if ((state & DIRTY) === 0) this.dirty.push(page);
    this.states[page] = DIRTY;
  }

  begin(): void {
    assert(this.left === 0, 'a checkpoint is under way already');
    this.pending = this.dirty;
    this.pendingAt = 0;
    this.dirty = [];
    this.left = this.pending.length;
    for (const page of this.pending) this.states[page] = PENDING;
  }

  /** The next pages, until `bytesMax` is reached or passed; none when the checkpoint is complete. */
  next(bytesMax: number): CheckpointPage[] {
    const slice: CheckpointPage[] = [];
    let bytes = 0;
    while (this.left > 0 && bytes < bytesMax) {
      const next = this.captured.pop() ?? this.take();
      slice.push(next);
      bytes += next.bytes.length + PAGE_OVERHEAD_BYTES;
      this.left--;
    }
    return slice;
  }

  /**
   * The checkpoint under way, or the last one, has not come to be stored: its pages count as changed again. To be
   * called before the next one begins.
   */
  abandon(): void {
    for (const page of this.pending) {
      if ((this.states[page] & DIRTY) === 0) this.dirty.push(page);
      this.states[page] = DIRTY;
    }
    this.pending = [];
    this.captured = [];
    this.left = 0;
  }

  private take(): CheckpointPage {
    // Those no longer marked have been captured and are handed out as captured.
    while ((this.states[this.pending[this.pendingAt]] & PENDING) === 0) this.pendingAt++;
    const page = this.pending[this.pendingAt++];
    this.states[page] &= ~PENDING;
    return { page, bytes: this.encode(page) };
  }

  private grow(page: number): void {
    let length = this.states.length;
    while (length <= page) length *= 2;
    const larger = new Uint8Array(length);
    larger.set(this.states);
    this.states = larger;
  }
}
