// Work for many, each item to be done by one: in the order of putting, or by priority.

import type { Client, Data } from '../../client/index.js';
import { type WaitingOptions, withDeadline } from '../waiting.js';
import type { QueueItem } from './item.js';
import { type Choice, type Entry, EntryLine, type QueueOptions } from './line.js';

/** kazoo's, where none is given. */
const PRIORITY = 100;
const PRIORITY_MAX = 999;

/** What Queue and PriorityQueue share: the first of the free items is the next. */
abstract class OrderedQueue implements AsyncDisposable {
  protected readonly line: EntryLine;

  /** @param path a node of its own for this queue; it is made when needed, and stays. */
  constructor(client: Client, path: string, options: QueueOptions = {}) {
    this.line = new EntryLine(client, path, options);
  }

  /**
   * The next item, when there is one. An item that is not acknowledged goes to somebody else: at release(), or when this
   * client's session ends. Rejects as WaitingOptions says, with ClientClosed, NoAuth; no item is held then.
   */
  take(options: WaitingOptions = {}): Promise<QueueItem> {
    return withDeadline(this.line.client, options, (signal) => this.line.take(firstOne, signal));
  }

  /** The next item, or null when all are taken, or there are none. */
  tryTake(options: WaitingOptions = {}): Promise<QueueItem | null> {
    return withDeadline(this.line.client, options, (signal) => this.line.tryTake(firstOne, signal));
  }

  /** Items one after the other. Each is acknowledged when the body of the loop is done with it, and released by `break`. */
  async *items(options: Pick<WaitingOptions, 'signal'> = {}): AsyncGenerator<QueueItem, void, void> {
    for (;;) {
      await using item = await this.take(options);
      yield item;
      await item.ack();
    }
  }

  /** How many items there are, those that are taken and not acknowledged included. */
  length(): Promise<number> {
    return this.line.length();
  }

  /** Takes away the nodes that it has used for putting; the items stay. */
  close(): Promise<void> {
    return this.line.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function firstOne(free: readonly Entry[]): Choice {
  return { entry: free[0] };
}

/**
 * ```ts
 * await using queue = new Queue(client, '/queues/mail');
 * await queue.put('to: ann');
 * await using item = await queue.take({ signal });
 * await send(item.data, { signal: item.signal });
 * await item.ack();          // without it the item goes to somebody else
 * ```
 *
 * Each item is delivered at least once, and to one taker at a time. An item that was put is there once, also when the
 * answer to put() was lost on the way: only when the session is lost with it, put() rejects with an error that says
 * `maybeApplied`. The layout is that of kazoo's LockingQueue, so both can put into and take from one queue.
 *
 * What it cannot promise: exactly once. Who dies between his work and ack() leaves the item to another, who does the work
 * again: let the work bear that, or let its resource refuse a token lower than the highest it has seen. Nor is it made for
 * very long queues: to take an item the names of all are read.
 */
export class Queue extends OrderedQueue {
  /** Puts an item at the end. Rejects as described above; as WaitingOptions says, and then it may be put all the same. */
  put(data: Data, options: WaitingOptions = {}): Promise<void> {
    return this.putAll([data], options);
  }

  /** Puts items at the end, all of them or none. */
  putAll(items: readonly Data[], options: WaitingOptions = {}): Promise<void> {
    const entries = items.map((data) => ({ key: keyOf(PRIORITY), data }));
    return withDeadline(this.line.client, options, (signal) => this.line.put(entries, signal));
  }
}

/**
 * ```ts
 * await queue.put('to: ann', { priority: 1 });
 * ```
 *
 * As Queue, but items with a lower priority number come first; those with the same number in the order of putting.
 *
 * What it cannot promise beside that: that an item with a high number is ever taken while others keep coming.
 */
export class PriorityQueue extends OrderedQueue {
  /** `priority` is from 0 (first) to 999 (last). Default 100. Rejects as Queue.put, and with a RangeError. */
  async put(data: Data, options: WaitingOptions & { readonly priority?: number | undefined } = {}): Promise<void> {
    const { priority = PRIORITY } = options;
    if (!Number.isInteger(priority) || priority < 0 || priority > PRIORITY_MAX) {
      throw new RangeError(`a priority is a whole number from 0 to ${PRIORITY_MAX}, not ${priority}`);
    }
    const entries = [{ key: keyOf(priority), data }];
    await withDeadline(this.line.client, options, (signal) => this.line.put(entries, signal));
  }
}

function keyOf(priority: number): string {
  return `entry-${String(priority).padStart(3, '0')}`;
}
