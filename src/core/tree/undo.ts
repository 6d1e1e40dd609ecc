// A multi that fails in the middle must leave no trace (E50). While a transaction is open, this log keeps the words of
// each record as they were before every change, and a line for each thing a record does not hold. Rolling back reads
// it from the end: records get their words back, and what was entered or struck out elsewhere is reversed. Memory that
// the old state still needs, slots and blocks, is given back only at commit.
//
// Entries lie in one int32 array, payload first and tag last, so that they can be read backwards.

import { assert } from '../../std/assert.js';
import type { NodeId, NodeStore } from './node-store.js';
import { RECORD_WORDS } from './node-store.js';

const WORDS_FIRST = 1024;
const WORDS_KEPT_MAX = 1 << 18;

const Tag = {
  record: 0,
  slotTaken: 1,
  entered: 2,
  struckOut: 3,
  blockTaken: 4,
  slotDropped: 5,
  blockDropped: 6,
} as const;

/** What the log asks of the tree. Each is called when the node's record is as it must be for that. */
export interface UndoActions {
  releaseSlot(id: NodeId): void;
  releaseBlock(block: number): void;
  /** Puts the node into the path index and to its owner. */
  enter(id: NodeId): void;
  /** The reverse of enter. */
  strikeOut(id: NodeId): void;
}

export class UndoLog {
  private readonly actions: UndoActions;
  private words = new Int32Array(WORDS_FIRST);
  private length = 0;
  private open = false;

  constructor(actions: UndoActions) {
    this.actions = actions;
  }

  get isOpen(): boolean {
    return this.open;
  }

  begin(): void {
    assert(!this.open, 'a transaction is open already');
    this.open = true;
  }

  /** Call before the record changes. */
  keepRecord(nodes: NodeStore, id: NodeId): void {
    this.reserve(RECORD_WORDS + 2);
    const chunk = nodes.chunkOf(id);
    const base = nodes.baseOf(id);
    for (let i = 0; i < RECORD_WORDS; i++) this.words[this.length++] = chunk[base + i];
    this.words[this.length++] = id;
    this.words[this.length++] = Tag.record;
  }

  /** Call before the first keepRecord of the new node. */
  slotTaken(id: NodeId): void {
    this.line(id, Tag.slotTaken);
  }

  /** Call after the new node has been entered and its record is complete. */
  entered(id: NodeId): void {
    this.line(id, Tag.entered);
  }

  /** Call before the keepRecord of the node that goes. */
  struckOut(id: NodeId): void {
    this.line(id, Tag.struckOut);
  }

  blockTaken(block: number): void {
    this.line(block, Tag.blockTaken);
  }

  slotDropped(id: NodeId): void {
    this.line(id, Tag.slotDropped);
  }

  blockDropped(block: number): void {
    this.line(block, Tag.blockDropped);
  }

  commit(): void {
    this.unwind((value, tag) => {
      if (tag === Tag.slotDropped) this.actions.releaseSlot(value);
      else if (tag === Tag.blockDropped) this.actions.releaseBlock(value);
    });
  }

  rollback(nodes: NodeStore): void {
    this.unwind((value, tag, at) => {
      if (tag === Tag.record) {
        nodes.chunkOf(value).set(this.words.subarray(at, at + RECORD_WORDS), nodes.baseOf(value));
      } else if (tag === Tag.slotTaken) this.actions.releaseSlot(value);
      else if (tag === Tag.entered) this.actions.strikeOut(value);
      else if (tag === Tag.struckOut) this.actions.enter(value);
      else if (tag === Tag.blockTaken) this.actions.releaseBlock(value);
    });
  }

  /** Visits the entries from last to first, with the position of their payload, and closes the transaction. */
  private unwind(visit: (value: number, tag: number, payloadAt: number) => void): void {
    assert(this.open, 'no transaction is open');
    for (let at = this.length; at > 0; ) {
      const tag = this.words[at - 1];
      const value = this.words[at - 2];
      at -= tag === Tag.record ? RECORD_WORDS + 2 : 2;
      visit(value, tag, at);
    }
    this.length = 0;
    this.open = false;
    if (this.words.length > WORDS_KEPT_MAX) this.words = new Int32Array(WORDS_FIRST);
  }

  private line(value: number, tag: number): void {
    this.reserve(2);
    this.words[this.length++] = value;
    this.words[this.length++] = tag;
  }

  private reserve(count: number): void {
    if (this.length + count <= this.words.length) return;
    const larger = new Int32Array(this.words.length * 2);
    larger.set(this.words);
    this.words = larger;
  }
}
