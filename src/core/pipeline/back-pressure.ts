// No client can make the server hold more than its budget, and none is refused for asking too much: its requests wait.
// A connection is paused, which means that its frames are held and its socket is not read, for three reasons:
//
//   - its session is being opened (E3);
//   - too many requests wait in lanes, in all of them or in its own (E13), or they are too large; it goes on when half of
//     that is answered;
//   - its output is full, because it asks for more than it takes; it goes on when the client has taken that.
//
// In the last case reads may be left in its lane. They are parked: not counted, or one slow reader would stop everybody.

import type { Effect, ReplicaOptions } from '../io.js';
import { limits } from '../limits.js';
import type { Connection } from './connections.js';

/** A connection is read again when this share of the limits is under way. */
const RESUME_SHARE = 0.5;

export class BackPressure {
  private readonly outstandingMax: number;
  private readonly pendingBytes: () => number;
  private readonly emit: (effect: Effect) => void;
  private readonly pausedConnections = new Set<Connection>();
  private count = 0;
  private writtenBytes = 0;

  /** `pendingBytes`: of all writes in the leader's hands that were not executed yet; those of other servers as well. */
  constructor(
    { outstandingMax }: Pick<ReplicaOptions, 'outstandingMax'>,
    pendingBytes: () => number,
    emit: (effect: Effect) => void,
  ) {
    this.outstandingMax = outstandingMax;
    this.pendingBytes = pendingBytes;
    this.emit = emit;
  }

  /** Requests of all connections that wait in their lanes, parked ones aside. */
  get outstanding(): number {
    return this.count;
  }

  /** A copy: whoever goes through it resumes some of them. */
  get paused(): readonly Connection[] {
    return this.pausedConnections.size === 0 ? [] : [...this.pausedConnections];
  }

  entered(): void {
    this.count++;
  }

  left(): void {
    this.count--;
  }

  /** Bytes of writes entered a lane, or left it (negative). */
  written(byteCount: number): void {
    this.writtenBytes += byteCount;
  }

  forget(connection: Connection): void {
    this.count -= connection.lane.length - connection.parked;
    this.pausedConnections.delete(connection);
  }

  pause(connection: Connection): void {
    if (connection.paused || connection.isGone) return;
    connection.paused = true;
    this.pausedConnections.add(connection);
    this.emit({ type: 'pause', connection });
  }

  /** Called after a connection's frames were taken in. */
  pauseIfBusy(connection: Connection): void {
    if (this.isBusy(connection, 1)) this.pause(connection);
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
    if (this.isBusy(connection, RESUME_SHARE)) return false;
    connection.paused = false;
    this.pausedConnections.delete(connection);
    return true;
  }

  park(connection: Connection): void {
    connection.parked = connection.lane.length;
    this.count -= connection.parked;
  }

  unpark(connection: Connection): void {
    this.count += connection.parked;
    connection.parked = 0;
  }

  private isBusy({ lane, laneBytes }: Connection, share: number): boolean {
    return (
      this.count > this.outstandingMax * share ||
      lane.length >= (limits.laneLengthMax / 2) * share ||
      laneBytes > limits.laneBytesMax * share ||
      Math.max(this.pendingBytes(), this.writtenBytes) > limits.pendingBytesMax * share
    );
  }
}
