// No client can make the server hold more than its budget, and none is refused for asking too much: its requests wait.
// A connection is paused, which means that its frames are held and its socket is not read, for three reasons:
//
//   - its session is being opened (E3);
//   - too many requests wait in its lane or in all lanes together, or they are too large (E13). What all share is full
//     for those only who have more than their part of it (fair-share.ts). It goes on when half of that is answered;
//   - its output is full, because it asks for more than it takes; it goes on when the client has taken that.
//
// In the last case reads may be left in its lane. They are parked: not counted, or one slow reader would stop everybody.
//
// With throttledOpWaitTime a connection waits so long for its part at most. Then it is read again, and what it asks is
// refused at once (-127) until there is room: its client learns that the server is overloaded while it still wants to know.

import type { Effect, ReplicaOptions } from '../io.js';
import { limits } from '../limits.js';
import type { Stats } from '../stats.js';
import type { Connection } from './connections.js';
import { FairShare } from './fair-share.js';

/** A connection is read again when this share of the limits is under way. */
const RESUME_SHARE = 0.5;

/** What back pressure needs from the replica it protects. */
export interface Pressure {
  readonly options: Pick<ReplicaOptions, 'outstandingMax' | 'throttledWaitMs'>;
  /** Bytes of all writes in the leader's hands that were not executed yet; those of other servers as well. */
  readonly pendingBytes: number;
  readonly monotonicMs: number;
  readonly stats: Pick<Stats, 'throttleWaits'>;
  emit(effect: Effect): void;
}

export class BackPressure {
  private readonly pressure: Pressure;
  private readonly outstandingMax: number;
  private readonly throttledWaitMs: number;
  private readonly fairShare = new FairShare();
  private readonly pausedConnections = new Set<Connection>();
  private count = 0;
  private writtenBytes = 0;

  constructor(pressure: Pressure) {
    this.pressure = pressure;
    const { outstandingMax, throttledWaitMs = 0 } = pressure.options;
    this.outstandingMax = outstandingMax;
    this.throttledWaitMs = throttledWaitMs > 0 ? throttledWaitMs : Number.POSITIVE_INFINITY;
  }

  /** Requests of all connections that wait in their lanes, parked ones aside. */
  get outstanding(): number {
    return this.count;
  }

  /** A copy: whoever goes through it resumes some of them. */
  get paused(): readonly Connection[] {
    return this.pausedConnections.size === 0 ? [] : [...this.pausedConnections];
  }

  /** A request was added to the connection's lane. */
  entered(connection: Connection): void {
    this.count++;
    this.fairShare.update(connection);
  }

  /** A request was taken out of the connection's lane. */
  left(connection: Connection): void {
    this.count--;
    this.fairShare.update(connection);
  }

  /** Bytes of writes entered a lane, or left it (negative). */
  written(byteCount: number): void {
    this.writtenBytes += byteCount;
  }

  /** The connection's lane was given up, and is empty now. `count`: requests that waited in it, parked ones aside. */
  forget(connection: Connection, count: number): void {
    this.count -= count;
    this.fairShare.update(connection);
    this.pausedConnections.delete(connection);
  }

  pause(connection: Connection): void {
    if (connection.paused || connection.isGone) return;
    connection.paused = true;
    this.pausedConnections.add(connection);
    this.pressure.emit({ type: 'pause', connection });
  }

  /** Called after a connection's frames were taken in. */
  pauseIfBusy(connection: Connection): void {
    const isCrowded = this.isCrowded(connection, 1);
    if (!isCrowded && !isLong(connection, 1)) return;
    if (isCrowded && connection.refuses && !isLong(connection, 1)) return; // refusing takes no room of the others
    if (!connection.paused) this.pressure.stats.throttleWaits++;
    if (connection.throttledSinceMs < 0) connection.throttledSinceMs = this.pressure.monotonicMs;
    this.pause(connection);
  }

  /** Called after a reply was written. */
  pauseIfFull(connection: Connection): void {
    if (connection.output.position < limits.outputPauseBytes) return;
    connection.isFull = true;
    this.pause(connection);
  }

  /** Ends the pause if there is no reason for it any more, and returns whether that is so. */
  unpauseIfQuiet(connection: Connection): boolean {
    if (!connection.paused || connection.isGone || connection.isFull || connection.state === 'opening') return false;
    if (isLong(connection, RESUME_SHARE)) return false;
    this.decideToRefuse(connection);
    if (!connection.refuses && this.isCrowded(connection, RESUME_SHARE)) return false;
    connection.paused = false;
    this.pausedConnections.delete(connection);
    return true;
  }

  /** Whether what this connection asks is to be refused; call it before frames are taken in. */
  decideToRefuse(connection: Connection): void {
    const { throttledSinceMs } = connection;
    if (throttledSinceMs < 0) return;
    if (!this.isCrowded(connection, RESUME_SHARE)) {
      connection.throttledSinceMs = -1;
      connection.refuses = false;
    } else connection.refuses = this.pressure.monotonicMs - throttledSinceMs >= this.throttledWaitMs;
  }

  park(connection: Connection): void {
    connection.parked = connection.lane.length;
    this.count -= connection.parked;
    this.fairShare.update(connection);
  }

  unpark(connection: Connection): void {
    this.count += connection.parked;
    connection.parked = 0;
    this.fairShare.update(connection);
  }

  /** What all share is used up, and this connection has its part of it. */
  private isCrowded(connection: Connection, share: number): boolean {
    const { outstandingMax, count } = this;
    const { lane, parked, pendingBytes } = connection;
    const isCountUsed = count > outstandingMax * share;
    const areBytesUsed = Math.max(this.pressure.pendingBytes, this.writtenBytes) > limits.pendingBytesMax * share;
    if (!isCountUsed && !areBytesUsed) return false;
    const part = this.fairShare.of(connection) * share;
    return (
      (isCountUsed && lane.length - parked > outstandingMax * part) ||
      (areBytesUsed && pendingBytes > limits.pendingBytesMax * part)
    );
  }
}

/** As many requests wait in the connection's own lane as may, or as large ones. */
function isLong({ lane, laneBytes }: Connection, share: number): boolean {
  return lane.length >= (limits.laneLengthMax / 2) * share || laneBytes > limits.laneBytesMax * share;
}
