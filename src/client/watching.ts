// The calls about watches. The server keeps one watch for all callbacks of a client on a path and kind, so it is asked
// to add one each time (which changes nothing) and to remove one only when the last callback goes (E66).

import { AddWatchMode } from '../../protocol/client/constants.js';
import { operations as op } from '../../protocol/client/operations.js';
import { callBack } from './callback.js';
import { type Caller, faultOf, refused, registration } from './caller.js';
import { toNothing } from './convert.js';
import { ZooKeeperError } from './errors.js';
import type { Session } from './session.js';
import type { CallOptions, RemoveWatchesOptions } from './types.js';
import { WatchStream } from './watch-stream.js';
import {
  KINDS_OF_TYPE,
  WATCH_KINDS,
  WATCHER_TYPES,
  type Watcher,
  type WatchRegistration,
  type WatchType,
} from './watches.js';

type PersistentKind = 'persistent' | 'recursive';

export class Watching {
  readonly #caller: Caller;
  readonly #session: Session;
  readonly #streams = new Set<WatchStream>();

  constructor(caller: Caller) {
    this.#caller = caller;
    this.#session = caller.session;
  }

  /** The client has closed. */
  end(error: ZooKeeperError | undefined): void {
    for (const stream of [...this.#streams]) stream.end(error);
  }

  stream(path: string, recursive: boolean, signal: AbortSignal | undefined): WatchStream {
    const server = this.#caller.toServer('watch', path);
    const kind = recursive ? 'recursive' : 'persistent';
    let stream: WatchStream | undefined; // ends within its own constructor when the signal has aborted
    stream = new WatchStream(
      path,
      {
        register: async (watcher) => {
          if (this.#isClosed) throw new ZooKeeperError('ClientClosed', { operation: 'watch', path });
          this.#session.addWatch({ kind, path: server, watcher });
          await this.#add(server, path, kind, 'watch', { timeoutMs: Number.POSITIVE_INFINITY });
        },
        unregister: (watcher) => {
          if (stream !== undefined) this.#streams.delete(stream);
          if (this.#session.removeWatches(server, [kind], watcher).size > 0) this.#forgetOnServer(server, kind);
        },
      },
      signal,
    );
    if (!this.#isClosed && !stream.isEnded) this.#streams.add(stream);
    return stream;
  }

  add(path: string, watcher: Watcher, options: CallOptions & { readonly recursive?: boolean }): Promise<void> {
    const fault = faultOf(path, false);
    if (fault !== null) return refused('addWatch', path, fault);
    const server = this.#caller.chroot.toServer(path);
    const kind = options.recursive === true ? 'recursive' : 'persistent';
    return this.#add(server, path, kind, 'addWatch', options, registration(kind, server, watcher));
  }

  async remove(path: string, options: RemoveWatchesOptions): Promise<void> {
    const server = this.#caller.toServer('removeWatches', path);
    const { type = 'any', watch } = options;
    const kinds = KINDS_OF_TYPE[type];
    const isPending = this.#session.isWatchPending(
      server,
      kinds,
      (watcher) => watch === undefined || watcher === watch,
    );
    if (!isPending && !this.#session.watches.has(server, kinds, watch)) {
      throw new ZooKeeperError('NoWatcher', { operation: 'removeWatches', path });
    }
    const forget = (): void => {
      for (const watcher of this.#session.removeWatches(server, kinds, watch))
        callBack(watcher, { type: 'removed', path });
    };
    const isShared =
      watch !== undefined &&
      (this.#session.watches.hasOther(server, kinds, watch) ||
        this.#session.isWatchPending(server, kinds, (watcher) => watcher !== watch));
    if (isShared) {
      forget();
      return;
    }
    try {
      // Forgotten within the reply: a watch that the very next reply registers is there to stay.
      await this.#ofType(op.removeWatches, server, path, type, 'removeWatches', options, forget);
    } catch (error) {
      if (options.local !== true || !ZooKeeperError.is(error)) throw error;
      forget();
    }
  }

  async check(path: string, type: WatchType, options: CallOptions): Promise<boolean> {
    const server = this.#caller.toServer('checkWatches', path);
    try {
      await this.#ofType(op.checkWatches, server, path, type, 'checkWatches', options);
      return true;
    } catch (error) {
      if (ZooKeeperError.is(error, 'NoWatcher')) return false;
      throw error;
    }
  }

  get #isClosed(): boolean {
    return this.#session.state === 'CLOSED';
  }

  #add(
    server: string,
    path: string,
    kind: PersistentKind,
    method: string,
    options: CallOptions,
    watch?: WatchRegistration,
  ): Promise<void> {
    const mode = kind === 'recursive' ? AddWatchMode.persistentRecursive : AddWatchMode.persistent;
    return this.#caller.call(op.addWatch, { path: server, mode }, { method, path, watch }, options, toNothing);
  }

  #ofType(
    operation: typeof op.removeWatches | typeof op.checkWatches,
    server: string,
    path: string,
    type: WatchType,
    method: string,
    options: CallOptions,
    onReply: () => void = toNothing,
  ): Promise<void> {
    const body = { path: server, type: WATCHER_TYPES[type] };
    return this.#caller.call(operation, body, { method, path }, options, onReply);
  }

  /**
   * A stream has ended. An event that still comes finds nobody and does no harm, so nobody waits for this, and it is left
   * out where it would take the watch of somebody else away. Servers before 3.9 know the type `any` only.
   */
  async #forgetOnServer(server: string, kind: PersistentKind): Promise<void> {
    for (const [type, kinds] of [
      [kind, [kind]],
      ['any', WATCH_KINDS],
    ] as const) {
      if (this.#isClosed || this.#session.watches.has(server, kinds) || this.#session.isWatchPending(server, kinds))
        return;
      try {
        return await this.#ofType(op.removeWatches, server, server, type, 'watch', {});
      } catch (error) {
        if (!ZooKeeperError.is(error, 'MarshallingError')) return;
      }
    }
  }
}
