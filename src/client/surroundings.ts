// Everything that a client takes from the world around it: time, connections, the event loop, names that nobody else has.
// A process has one world; a simulation puts its own in its place and runs whole clients from a seed.

import { randomUUID } from 'node:crypto';
import type { ConnectionOptions } from 'node:tls';
import { type Clock, SYSTEM_CLOCK } from './clock.js';
import type { Host } from './connect-string.js';
import { Connection, type ConnectionEvents, isWritable } from './connection.js';

/** An open connection, or one that is being opened. */
export interface Link {
  /** False when it is full: wait for drained() before writing more. */
  write(bytes: Uint8Array): boolean;
  /** Ends it; none of its events follows. */
  destroy(): void;
}

export interface Surroundings {
  readonly clock: Clock;
  /** Opens a connection. No event comes before this returns. */
  dial(host: Host, events: ConnectionEvents): Link;
  /** Whether a server takes writes; false when it does not answer. */
  isWritable(host: Host): Promise<boolean>;
  /** Calls back when the code that runs now, and the promises it settles, are through. */
  soon(callback: () => void): void;
  /** As the clock's after(), but keeps the process alive, and rings when all that has arrived was heard. */
  alarm(delayMs: number, ring: () => void): () => void;
  /** A UUID that nobody else has. */
  uniqueId(): string;
}

const PROBE_TIMEOUT_MS = 1000;

/** The world of a process; `tls` is for every connection. */
export function systemSurroundings(tls: ConnectionOptions | undefined): Surroundings {
  return {
    clock: SYSTEM_CLOCK,
    dial: (host, events) => new Connection(host, tls, events),
    isWritable: (host) => isWritable(host, tls, PROBE_TIMEOUT_MS),
    soon: (callback) => process.nextTick(callback),
    alarm,
    uniqueId: randomUUID,
  };
}

/**
 * After a long pause of the process a timer rings before the sockets are read. What has arrived meanwhile is heard first,
 * or a live server would be taken for a silent one.
 */
function alarm(delayMs: number, ring: () => void): () => void {
  let immediate: NodeJS.Immediate | undefined;
  const timer = setTimeout(
    () => {
      immediate = setImmediate(ring);
    },
    Math.max(0, Math.ceil(delayMs)),
  );
  return () => {
    clearTimeout(timer);
    clearImmediate(immediate);
  };
}
