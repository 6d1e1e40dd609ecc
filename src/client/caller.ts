// From a method of the client to a request of the session: checks the path, puts the chroot on, sets the deadline, and
// ties the promise to the caller's AbortSignal.

import { pathFault } from '../../protocol/path.js';
import { onAbort } from './abort.js';
import { Call, type CallContext, type WireOperation } from './call.js';
import type { Chroot } from './chroot.js';
import type { Clock } from './clock.js';
import { ZooKeeperError } from './errors.js';
import type { Session } from './session.js';
import type { CallOptions, WatchOptions } from './types.js';
import type { Watcher, WatchKind, WatchRegistration } from './watches.js';

/** Beside the operation and its body: what the request is called, and what may come of it. */
export interface CallDetails<T> {
  readonly method: string;
  /** As the caller gave it, for errors. */
  readonly path: string | null;
  readonly watch?: WatchRegistration | undefined;
  readonly recover?: CallContext<T>['recover'];
}

export class Caller {
  readonly session: Session;
  readonly chroot: Chroot;
  readonly #clock: Clock;
  readonly #timeoutMs: number;

  constructor(session: Session, chroot: Chroot, clock: Clock, requestTimeoutMs: number) {
    this.session = session;
    this.chroot = chroot;
    this.#clock = clock;
    this.#timeoutMs = requestTimeoutMs;
  }

  call<Q, S, T>(
    operation: WireOperation<Q, S>,
    body: Q,
    details: CallDetails<T>,
    options: CallOptions,
    convert: (response: S) => T,
  ): Promise<T> {
    const { signal } = options;
    if (signal?.aborted) return Promise.reject(signal.reason);
    let request: Call<Q, S, T> | undefined;
    const promise = new Promise<T>((resolve, reject) => {
      const deadlineMs = this.#clock.nowMs() + (options.timeoutMs ?? this.#timeoutMs);
      const { method, path, watch, recover } = details;
      request = new Call(operation, body, { method, path, watch, recover, deadlineMs }, convert, resolve, reject);
      this.session.submit(request);
    });
    if (signal !== undefined) {
      const done = onAbort(signal, () => {
        if (request !== undefined) this.session.giveUp(request, signal.reason);
      });
      promise.then(done, done);
    }
    return promise;
  }

  /** A call about one path. With `kind`, the caller's watch is registered by its reply. */
  onPath<Q, S, T>(
    operation: WireOperation<Q, S>,
    method: string,
    path: string,
    options: WatchOptions,
    body: (server: string, watch: boolean) => Q,
    convert: (response: S) => T,
    kind?: WatchKind,
    recover?: CallContext<T>['recover'],
  ): Promise<T> {
    const fault = faultOf(path, false);
    if (fault !== null) return refused(method, path, fault);
    const server = this.chroot.toServer(path);
    const watch = kind === undefined ? undefined : registration(kind, server, options.watch);
    return this.call(operation, body(server, watch !== undefined), { method, path, watch, recover }, options, convert);
  }

  /** The server's path. Throws ZooKeeperError BadArguments. */
  toServer(method: string, path: string, sequential = false): string {
    const fault = faultOf(path, sequential);
    if (fault !== null) throw new ZooKeeperError('BadArguments', { operation: method, path, text: fault });
    return this.chroot.toServer(path);
  }
}

/** A sequential path is checked with its number (E35), so it may end with a slash. */
export function faultOf(path: string, sequential: boolean): string | null {
  return typeof path === 'string' ? pathFault(sequential ? `${path}0` : path) : 'the path is not a string';
}

export function refused(operation: string, path: string, text: string): Promise<never> {
  return Promise.reject(new ZooKeeperError('BadArguments', { operation, path, text }));
}

export function registration(
  kind: WatchKind,
  path: string,
  watcher: Watcher | undefined,
): WatchRegistration | undefined {
  return watcher === undefined ? undefined : { kind, path, watcher };
}
