// The loop around the session machine: owns the connection, the clock and the one timer. All requests of one turn of the
// event loop leave in one write, because the flush runs in the nextTick queue, after the code and the promises that made
// them; while the socket is full nothing more is taken from the machine, so what waits still counts as not sent.

import type { ConnectionOptions } from 'node:tls';
import type { Host } from './connect-string.js';
import { Connection, isWritable } from './connection.js';
import type { Request } from './requests.js';
import type { SessionOptions } from './session-contract.js';
import { SessionMachine } from './session-machine.js';
import type { StateChange } from './states.js';
import type { WatchEvent, Watcher } from './watches.js';

const PROBE_TIMEOUT_MS = 1000;

export class SessionDriver {
  readonly machine: SessionMachine;
  readonly #tls: ConnectionOptions | undefined;
  #connection: Connection | undefined;
  #socketIsFull = false;
  #flushIsDue = false;
  #timer: NodeJS.Timeout | undefined;
  #timerMs = Number.POSITIVE_INFINITY;

  constructor(
    options: SessionOptions,
    tls: ConnectionOptions | undefined,
    toClientPath: (path: string) => string,
    onStateChange: (change: StateChange) => void,
  ) {
    this.#tls = tls;
    this.machine = new SessionMachine(
      options,
      {
        dial: (host) => this.#dial(host),
        hangUp: () => this.#hangUp(),
        wantsToWrite: () => this.#flushSoon(),
        stateChanged: onStateChange,
        notify: callWatcher,
        probe: (host) => {
          isWritable(host, tls, PROBE_TIMEOUT_MS).then((writable) => {
            this.machine.probed(host, writable, now());
            this.#arm();
          });
        },
      },
      toClientPath,
    );
  }

  start(): void {
    this.machine.start(now());
    this.#arm();
  }

  submit(request: Request): void {
    this.machine.submit(request);
    if (request.deadlineMs < this.#timerMs) this.#arm();
  }

  close(timeoutMs: number, keepSession: boolean): void {
    this.machine.close(now(), timeoutMs, keepSession);
    this.#arm();
  }

  // --- what the machine wants

  #dial(host: Host): void {
    this.#socketIsFull = false;
    const connection = new Connection(host, this.#tls, {
      opened: () => {
        this.machine.opened(now());
        this.#flush();
      },
      received: (chunk) => {
        this.machine.received(chunk, now());
        this.#arm();
      },
      drained: () => {
        this.#socketIsFull = false;
        this.#flush();
      },
      closed: (cause) => {
        this.#connection = undefined;
        this.machine.disconnected(cause, now());
        this.#arm();
      },
    });
    this.#connection = connection;
  }

  #hangUp(): void {
    this.#connection?.destroy();
    this.#connection = undefined;
  }

  #flushSoon(): void {
    if (this.#flushIsDue) return;
    this.#flushIsDue = true;
    process.nextTick(this.#flush);
  }

  readonly #flush = (): void => {
    this.#flushIsDue = false;
    while (this.#connection !== undefined && !this.#socketIsFull) {
      const bytes = this.machine.takeBytes(now());
      if (bytes === null) return;
      this.#socketIsFull = !this.#connection.write(bytes);
    }
  };

  // --- the timer

  /**
   * After whatever may have changed the machine's mind. Moves the timer forward if it is due too late; one that is due
   * too early rings for nothing and is set again, which is cheaper than to move it with every packet.
   */
  #arm(): void {
    const wakeAtMs = this.machine.wakeAtMs;
    if (wakeAtMs === Number.POSITIVE_INFINITY) {
      this.#disarm();
    } else if (wakeAtMs < this.#timerMs) {
      this.#disarm();
      this.#timerMs = wakeAtMs;
      this.#timer = setTimeout(this.#ring, Math.max(0, Math.ceil(wakeAtMs - now())));
    }
  }

  #disarm(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#timerMs = Number.POSITIVE_INFINITY;
  }

  readonly #ring = (): void => {
    // After a long pause of the process the timer rings before the socket is read. What has arrived meanwhile is heard
    // first, or a live server would be taken for a silent one.
    setImmediate(() => {
      this.#disarm();
      this.machine.timePassed(now());
      this.#arm();
    });
  };
}

/** Monotonic, so that a step of the wall clock ends no session. */
export function now(): number {
  return performance.now();
}

/** A callback that throws must not tear down the session; the error goes where errors of callbacks go. */
export function callWatcher(watcher: Watcher, event: WatchEvent): void {
  try {
    watcher(event);
  } catch (error) {
    process.nextTick(() => {
      throw error;
    });
  }
}
