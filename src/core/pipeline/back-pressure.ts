// Requests that wait in lanes are counted, and connections are not read while there are too many (E13): nothing fails,
// the client's own socket fills up. Reading goes on when half of them have been answered.

import type { Effect, ReplicaOptions } from '../io.js';
import { limits } from '../limits.js';
import type { Connection } from './connections.js';

export class BackPressure {
  private readonly outstandingMax: number;
  private readonly emit: (effect: Effect) => void;
  private readonly paused = new Set<Connection>();
  private count = 0;

  constructor({ outstandingMax }: Pick<ReplicaOptions, 'outstandingMax'>, emit: (effect: Effect) => void) {
    this.outstandingMax = outstandingMax;
    this.emit = emit;
  }

  /** Requests of all connections that wait in their lanes. */
  get outstanding(): number {
    return this.count;
  }

  entered(): void {
    this.count++;
  }

  left(): void {
    this.count--;
  }

  forget(connection: Connection): void {
    this.count -= connection.lane.length;
    this.paused.delete(connection);
  }

  /** Called after a connection's frames were taken in. */
  pauseIfBusy(connection: Connection): void {
    if (connection.isGone || this.paused.has(connection)) return;
    if (this.count <= this.outstandingMax && connection.lane.length < limits.laneLengthMax / 2) return;
    this.paused.add(connection);
    this.emit({ type: 'pause', connection });
  }

  /** Called after requests were answered. */
  resumeIfQuiet(): void {
    if (this.paused.size === 0 || this.count * 2 > this.outstandingMax) return;
    for (const connection of this.paused) this.emit({ type: 'resume', connection });
    this.paused.clear();
  }
}
