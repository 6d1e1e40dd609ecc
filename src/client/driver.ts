// The loop around the session machine: owns the connection, the clock and the one timer. All requests of one turn of the
// event loop leave in one write, because the flush runs in the nextTick queue, after the code and the promises that made
// them; while the socket is full nothing more is taken from the machine, so what waits still counts as not sent.

import { callBack } from './callback.js';
import type { Host } from './connect-string.js';
import type { ZooKeeperError } from './errors.js';
import type { Credential } from './handshake.js';
import { once } from './once.js';
import type { ResolvedOptions } from './options.js';
import type { Request } from './requests.js';
import type { Session, SessionEvents } from './session.js';
import { SessionMachine } from './session-machine.js';
import type { ConnectionState } from './states.js';
import type { Link, Surroundings } from './surroundings.js';
import type { WatchEvent, Watcher, WatchKind, WatchRegistration, WatchRegistry } from './watches.js';

/** What somebody who runs the driver may want to know besides. */
export interface DriverHooks extends SessionEvents {
  /** In place of calling the watcher. */
  notify?(watcher: Watcher, event: WatchEvent): void;
  dialing?(): void;
  /** A packet, or time, has come in and was dealt with. */
  turned?(): void;
}

export class SessionDriver implements Session {
  readonly #machine: SessionMachine;
  readonly #surroundings: Surroundings;
  readonly #hooks: DriverHooks;
  #connection: Link | undefined;
  #socketIsFull = false;
  #flushIsDue = false;
  #callOff: () => void = () => {};
  #timerMs = Number.POSITIVE_INFINITY;

  constructor(options: ResolvedOptions, surroundings: Surroundings, hooks: DriverHooks) {
    this.#surroundings = surroundings;
    this.#hooks = hooks;
    this.#machine = new SessionMachine(
      options.session,
      {
        dial: (host) => this.#dial(host),
        hangUp: () => this.#hangUp(),
        wantsToWrite: () => this.#flushSoon(),
        stateChanged: (change) => hooks.stateChanged(change),
        notify: hooks.notify ?? callBack,
        probe: (host) => {
          surroundings.isWritable(host).then((writable) => {
            this.#machine.probed(host, writable, this.#nowMs);
            this.#arm();
          });
        },
      },
      (path) => hooks.toClientPath(path),
    );
    for (const credential of options.auth) this.#machine.credentials.add(credential);
  }

  /** Begins to connect. */
  start(): this {
    this.#machine.start(this.#nowMs);
    this.#arm();
    return this;
  }

  // --- the session

  get state(): ConnectionState {
    return this.#machine.state;
  }

  get session(): { id: bigint; password: Uint8Array; timeoutMs: number } {
    return this.#machine.session;
  }

  get lastZxid(): bigint {
    return this.#machine.lastZxid;
  }

  get host(): Host | undefined {
    return this.#machine.host;
  }

  get lastCause(): ZooKeeperError | undefined {
    return this.#machine.lastCause;
  }

  get closedBy(): ZooKeeperError | undefined {
    return this.#machine.closedBy;
  }

  get sessionSafeUntilMs(): number {
    return this.#machine.sessionSafeUntilMs;
  }

  get heardMs(): number {
    return this.#machine.vital.heardMs;
  }

  get watches(): WatchRegistry {
    return this.#machine.watches;
  }

  submit(request: Request): void {
    this.#machine.submit(request);
    if (request.deadlineMs < this.#timerMs) this.#arm();
  }

  giveUp(request: Request, error: unknown): void {
    this.#machine.giveUp(request, error);
  }

  isWatchPending(path: string, kinds: readonly WatchKind[], isMeant?: (watcher: Watcher) => boolean): boolean {
    return this.#machine.isWatchPending(path, kinds, isMeant);
  }

  addWatch(registration: WatchRegistration): void {
    this.#machine.watches.add(registration);
  }

  removeWatches(path: string, kinds: readonly WatchKind[], watcher?: Watcher): Set<Watcher> {
    return this.#machine.watches.remove(path, kinds, watcher);
  }

  addCredential(credential: Credential, settle: (error: ZooKeeperError | null) => void): void {
    this.#machine.addCredential(credential, settle);
  }

  guardSession(): () => void {
    const change = (by: 1 | -1): void => {
      this.#machine.guard(by);
      this.#arm();
    };
    change(1);
    return once(() => change(-1));
  }

  close(timeoutMs: number, keepSession: boolean): void {
    this.#machine.close(this.#nowMs, timeoutMs, keepSession);
    this.#arm();
  }

  // --- what the machine wants

  #dial(host: Host): void {
    this.#socketIsFull = false;
    this.#hooks.dialing?.();
    this.#connection = this.#surroundings.dial(host, {
      opened: () => {
        this.#machine.opened(this.#nowMs);
        this.#flush();
      },
      received: (chunk) => {
        this.#machine.received(chunk, this.#nowMs);
        this.#arm();
      },
      drained: () => {
        this.#socketIsFull = false;
        this.#flush();
      },
      closed: (cause) => {
        this.#connection = undefined;
        this.#machine.disconnected(cause, this.#nowMs);
        this.#arm();
      },
    });
  }

  #hangUp(): void {
    this.#connection?.destroy();
    this.#connection = undefined;
  }

  #flushSoon(): void {
    if (this.#flushIsDue) return;
    this.#flushIsDue = true;
    this.#surroundings.soon(this.#flush);
  }

  readonly #flush = (): void => {
    this.#flushIsDue = false;
    while (this.#connection !== undefined && !this.#socketIsFull) {
      const bytes = this.#machine.takeBytes(this.#nowMs);
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
    this.#hooks.turned?.();
    const wakeAtMs = this.#machine.wakeAtMs;
    if (wakeAtMs === Number.POSITIVE_INFINITY) {
      this.#disarm();
    } else if (wakeAtMs < this.#timerMs) {
      this.#disarm();
      this.#timerMs = wakeAtMs;
      this.#callOff = this.#surroundings.alarm(wakeAtMs - this.#nowMs, this.#ring);
    }
  }

  /** Monotonic, so that a step of the wall clock ends no session. */
  get #nowMs(): number {
    return this.#surroundings.clock.nowMs();
  }

  #disarm(): void {
    this.#callOff();
    this.#timerMs = Number.POSITIVE_INFINITY;
  }

  readonly #ring = (): void => {
    this.#disarm();
    this.#machine.timePassed(this.#nowMs);
    this.#arm();
  };
}
