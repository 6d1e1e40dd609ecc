// Tells whoever waits: of an event of a server, or of a gap in which events may have been missed.

import { eventName, type WatchEvent, type Watcher, WatchRegistry } from './watches.js';

export class WatchTeller {
  readonly watches = new WatchRegistry();
  readonly #toClientPath: (path: string) => string;
  readonly #notify: (watcher: Watcher, event: WatchEvent) => void;

  constructor(toClientPath: (path: string) => string, notify: (watcher: Watcher, event: WatchEvent) => void) {
    this.#toClientPath = toClientPath;
    this.#notify = notify;
  }

  /** `type` is the event's number on the wire. */
  event(type: number, serverPath: string, zxid: bigint): void {
    const name = eventName(type);
    if (name === undefined) return;
    const event = { type: name, path: this.#toClientPath(serverPath), zxid };
    for (const watcher of this.watches.fire(name, serverPath)) this.#notify(watcher, event);
  }

  /** Only persistent watches have gaps: the others are made up for by the server (E62, E63). */
  gap(reason: 'reconnected' | 'newSession'): void {
    for (const { path, watcher } of [...this.watches.persistent()]) {
      this.#notify(watcher, { type: 'gap', path: this.#toClientPath(path), reason });
    }
  }
}
