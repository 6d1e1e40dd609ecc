// Keeps each connection's replies in the order of its requests: what may not be answered yet waits in the connection's
// lane (lanes.ts) and is answered here, from the head, as soon as nothing stands before it any more.
//
//   read      when it is at the head
//   refusal   when it is at the head
//   sync      when it is at the head and everything up to its zxid has been executed (E70)
//   write     when its entry has been executed, or lost

import { OpCode } from '../../../protocol/client/constants.js';
import { copyBytes } from '../../../protocol/jute/slice.js';
import { limits } from '../limits.js';
import type { ReadOperation } from '../ops/operation.js';
import type { SyncBarrier } from '../relay.js';
import type { Stats } from '../stats.js';
import type { Answers } from './answers.js';
import type { BackPressure } from './back-pressure.js';
import type { Connection } from './connections.js';
import type { LaneItem } from './lanes.js';

/** xid and operation number: what stands before every request. */
export const HEADER_BYTES = 8;

/** What the order needs from the replica. */
export interface Progress {
  readonly stats: Stats;
  readonly monotonicMs: number;
  readonly appliedZxid: number;
  /** A sync has come: sets what must be executed before its answer, at once or later, with `settled` afterwards. */
  sync(barrier: SyncBarrier, session: number): void;
}

export class Order {
  private readonly progress: Progress;
  private readonly answers: Answers;
  private readonly backPressure: BackPressure;
  private readonly close: (connection: Connection, reason: string) => void;
  /** Connections with a sync in their lane. */
  private readonly syncing = new Set<Connection>();

  constructor(
    progress: Progress,
    answers: Answers,
    backPressure: BackPressure,
    close: (connection: Connection, reason: string) => void,
  ) {
    this.progress = progress;
    this.answers = answers;
    this.backPressure = backPressure;
    this.close = close;
  }

  forget(connection: Connection): void {
    const waiting = connection.lane.length - connection.parked;
    this.syncing.delete(connection);
    this.backPressure.written(-connection.pendingBytes);
    connection.pendingBytes = 0;
    connection.lane.clear();
    connection.laneBytes = 0;
    connection.parked = 0;
    this.backPressure.forget(connection, waiting);
  }

  /** A read: answered now, if nothing is before it. `bytes[start, end)` is the request with its header. */
  read(
    connection: Connection,
    xid: number,
    operation: ReadOperation<unknown>,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    const { progress } = this;
    const isSync = operation.code === OpCode.sync;
    if (connection.lane.length === 0 && !isSync) {
      this.answer(connection, xid, operation, bytes, start, end);
      connection.answeredAfter(0, progress.monotonicMs);
      progress.stats.answeredAfter(0);
      return;
    }
    const common = {
      xid,
      operation,
      receivedMs: progress.monotonicMs,
      frame: copyBytes(bytes, start, end),
    };
    if (!isSync) this.enter(connection, { kind: 'read', ...common });
    else {
      const barrier: LaneItem = { kind: 'barrier', ...common, zxid: Number.POSITIVE_INFINITY };
      this.enter(connection, barrier);
      this.syncing.add(connection);
      progress.sync(barrier, connection.session);
      this.drain(connection);
    }
  }

  /** An error, decided already. */
  refuse(connection: Connection, xid: number, code: number): void {
    if (connection.lane.length === 0) this.answers.code(connection, xid, code);
    else this.enter(connection, { kind: 'refusal', xid, receivedMs: this.progress.monotonicMs, code });
  }

  /** A write is on its way to the log. */
  write(connection: Connection, xid: number, operation: number, byteCount: number, ephemerals: number): void {
    const { monotonicMs: receivedMs } = this.progress;
    this.enter(connection, { kind: 'write', byteCount, ephemerals, xid, operation, receivedMs });
  }

  /** Takes this write from the head of the lane. False when another is there: it came through another connection. */
  takeWrite(connection: Connection, xid: number, operation: number): boolean {
    const item = connection.lane.peek();
    if (item?.kind !== 'write' || !isSame(item, xid, operation)) return false;
    this.leave(connection, item);
    return true;
  }

  /**
   * This write is executed next. A sync that stands before it has what it waits for: a quorum has followed the leader
   * since, or the write could not be committed, and all that was committed earlier has been executed.
   */
  reached(connection: Connection, xid: number, operation: number): void {
    const { lane } = connection;
    let index = 0;
    while (index < lane.length && lane.at(index)?.kind !== 'write') index++;
    const write = lane.at(index);
    if (write?.kind === 'write' && isSame(write, xid, operation)) {
      for (let i = 0; i < index; i++) {
        const item = lane.at(i);
        if (item?.kind === 'barrier') item.zxid = 0;
      }
    }
    this.drain(connection);
  }

  /**
   * Answers whatever is at the head of the lane and waits for nothing any more. Reads wait while the output is full, but
   * not with a write behind them, whose effect they must not see: then the output may grow up to its limit.
   */
  drain(connection: Connection): void {
    const { lane } = connection;
    if (connection.parked > 0) return;
    for (let item = lane.peek(); item !== undefined && item.kind !== 'write'; item = lane.peek()) {
      if (item.kind === 'barrier' && item.zxid > this.progress.appliedZxid) return;
      if (connection.isFull && connection.pendingWrites === 0) {
        this.backPressure.park(connection);
        return;
      }
      if (connection.output.position > limits.outputBytesMax) {
        this.close(connection, 'it asks for more between two writes than can be kept for it');
        return;
      }
      this.leave(connection, item);
      if (item.kind === 'refusal') this.answers.code(connection, item.xid, item.code);
      else {
        this.answer(connection, item.xid, item.operation, item.frame, 0, item.frame.length);
      }
    }
  }

  /** Entries were executed, or will never be: answers the syncs that waited for them. */
  settled(): void {
    for (const connection of this.syncing) {
      this.drain(connection);
      if (connection.pendingSyncs === 0) this.syncing.delete(connection);
    }
  }

  /** Nothing after this zxid will come: whoever waits for more waits for that. */
  withdrawn(lastZxid: number): void {
    for (const { lane } of this.syncing) {
      for (let i = 0; i < lane.length; i++) {
        const item = lane.at(i);
        if (item?.kind === 'barrier') item.zxid = Math.min(item.zxid, lastZxid);
      }
    }
  }

  private answer(
    connection: Connection,
    xid: number,
    operation: ReadOperation<unknown>,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    this.answers.read(connection, xid, operation, bytes, start + HEADER_BYTES, end);
    this.backPressure.pauseIfFull(connection);
  }

  private enter(connection: Connection, item: LaneItem): void {
    connection.lane.push(item);
    this.count(connection, item, 1);
    this.backPressure.entered(connection);
  }

  private leave(connection: Connection, item: LaneItem): void {
    const { stats, monotonicMs } = this.progress;
    connection.lane.shift();
    this.count(connection, item, -1);
    this.backPressure.left(connection);
    const latencyMs = monotonicMs - item.receivedMs;
    stats.answeredAfter(latencyMs);
    connection.answeredAfter(latencyMs, monotonicMs);
  }

  private count(connection: Connection, item: LaneItem, sign: 1 | -1): void {
    if (item.kind === 'write') {
      connection.pendingWrites += sign;
      connection.pendingBytes += sign * item.byteCount;
      connection.pendingEphemerals += sign * item.ephemerals;
      this.backPressure.written(sign * item.byteCount);
    } else if (item.kind !== 'refusal') {
      if (item.kind === 'barrier') connection.pendingSyncs += sign;
      connection.laneBytes += sign * item.frame.length;
    }
  }
}

/** A leader that cannot take a write puts an `error` entry in its place. */
function isSame(item: { readonly xid: number; readonly operation: number }, xid: number, operation: number): boolean {
  return item.xid === xid && (item.operation === operation || operation === OpCode.error);
}
