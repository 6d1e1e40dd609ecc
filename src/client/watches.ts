// Who waits for which event. The server keeps one entry a path and connection and does not know an exists from a get;
// the client keeps three maps of one-shot watches and two of persistent ones, and decides by the kind of event who is
// meant (E60). The watches live with the connection, so after a reconnect they are set again with the zxid the client
// has seen: the server answers at once for what was missed (E62). Persistent watches come back with no such check
// (E63), which is why their owners are told of a gap.

import { EventType, WatcherType } from '../../protocol/client/constants.js';
import { Code } from '../../protocol/client/errors.js';
import { parentPath } from '../../protocol/path.js';

/** What a watch reports. `path` is without the chroot. */
export type WatchEvent =
  | {
      readonly type: 'created' | 'deleted' | 'dataChanged' | 'childrenChanged';
      readonly path: string;
      /** The zxid of the change; -1n when the server does not say (before 3.9, and for what a reconnect made up for). */
      readonly zxid: bigint;
    }
  /** The watch was taken away by removeWatches; nothing follows. */
  | { readonly type: 'removed'; readonly path: string }
  /**
   * Events may be missing at this place: read the state again. `reconnected` and `newSession`: the connection was gone
   * for a while; `overflow`: the reader of a stream was too slow.
   */
  | { readonly type: 'gap'; readonly path: string; readonly reason: 'reconnected' | 'newSession' | 'overflow' };

export type Watcher = (event: WatchEvent) => void;

/** data, exist, child: one-shot. persistent: the node and its list of children. recursive: the node and all below. */
export type WatchKind = 'data' | 'exist' | 'child' | 'persistent' | 'recursive';

export const WATCH_KINDS: readonly WatchKind[] = ['data', 'exist', 'child', 'persistent', 'recursive'];

/** Which watches: of the node's data (and existence), of its list of children, persistent, recursive, or any. */
export type WatchType = 'data' | 'children' | 'any' | 'persistent' | 'recursive';

export const KINDS_OF_TYPE: { readonly [T in WatchType]: readonly WatchKind[] } = {
  data: ['data', 'exist'],
  children: ['child'],
  any: WATCH_KINDS,
  persistent: ['persistent'],
  recursive: ['recursive'],
};

/** Its number in checkWatches and removeWatches (E66). */
export const WATCHER_TYPES: { readonly [T in WatchType]: number } = {
  data: WatcherType.data,
  children: WatcherType.children,
  any: WatcherType.any,
  persistent: WatcherType.persistent,
  recursive: WatcherType.persistentRecursive,
};

/** What a successful (or, for exists, a NoNode) reply puts into the registry. `path` is the server's. */
export interface WatchRegistration {
  readonly kind: WatchKind;
  readonly path: string;
  readonly watcher: Watcher;
}

/** Whether it is about the path, one of the kinds, and a watcher that is meant (by default: any). */
export function isRegistration(
  watch: WatchRegistration | undefined,
  path: string,
  kinds: readonly WatchKind[],
  isMeant: (watcher: Watcher) => boolean = () => true,
): boolean {
  return watch !== undefined && watch.path === path && kinds.includes(watch.kind) && isMeant(watch.watcher);
}

/**
 * What a reply with this code registers: an exists leaves a watch behind also when it fails with NoNode (E57), and waits for
 * the data when it does not (E60).
 */
export function registeredBy(watch: WatchRegistration, code: number): WatchRegistration | undefined {
  if (code === Code.Ok) return watch.kind === 'exist' ? { ...watch, kind: 'data' } : watch;
  return watch.kind === 'exist' && code === Code.NoNode ? watch : undefined;
}

type Paths = { [K in WatchKind]: string[] };
type ChangeEvent = Extract<WatchEvent, { zxid: bigint }>;

/** Numbers of the events on the wire. */
export const EVENT_NUMBERS: { readonly [T in ChangeEvent['type']]: number } = {
  created: EventType.nodeCreated,
  deleted: EventType.nodeDeleted,
  dataChanged: EventType.nodeDataChanged,
  childrenChanged: EventType.nodeChildrenChanged,
};

const EVENT_NAMES = new Map(
  (Object.keys(EVENT_NUMBERS) as ChangeEvent['type'][]).map((name) => [EVENT_NUMBERS[name], name]),
);

/** One-shot maps that an event takes its watchers from (E60). */
const ONE_SHOT: { readonly [T in ChangeEvent['type']]: readonly WatchKind[] } = {
  created: ['data', 'exist'],
  dataChanged: ['data', 'exist'],
  deleted: ['data', 'exist', 'child'],
  childrenChanged: ['child'],
};

/** The name of an event by its number on the wire; undefined for one that is not about a node. */
export function eventName(type: number): ChangeEvent['type'] | undefined {
  return EVENT_NAMES.get(type);
}

/** All watches of a client, by the server's paths. */
export class WatchRegistry {
  readonly #maps: { readonly [K in WatchKind]: Map<string, Set<Watcher>> } = {
    data: new Map(),
    exist: new Map(),
    child: new Map(),
    persistent: new Map(),
    recursive: new Map(),
  };

  /** The same watcher on the same path and kind counts once (E56). */
  add({ kind, path, watcher }: WatchRegistration): void {
    const watchers = this.#maps[kind].get(path);
    if (watchers === undefined) this.#maps[kind].set(path, new Set([watcher]));
    else watchers.add(watcher);
  }

  has(path: string, kinds: readonly WatchKind[], watcher?: Watcher): boolean {
    return kinds.some((kind) => {
      const watchers = this.#maps[kind].get(path);
      return watchers !== undefined && (watcher === undefined || watchers.has(watcher));
    });
  }

  /** Whether anybody but `watcher` waits on the path in one of these kinds. */
  hasOther(path: string, kinds: readonly WatchKind[], watcher: Watcher): boolean {
    return kinds.some((kind) => {
      const watchers = this.#maps[kind].get(path);
      return watchers !== undefined && watchers.size > (watchers.has(watcher) ? 1 : 0);
    });
  }

  /** Takes away one watcher, or all, of these kinds; returns who was there. */
  remove(path: string, kinds: readonly WatchKind[], watcher?: Watcher): Set<Watcher> {
    const removed = new Set<Watcher>();
    for (const kind of kinds) {
      const watchers = this.#maps[kind].get(path);
      if (watchers === undefined) continue;
      for (const each of watcher === undefined ? [...watchers] : [watcher]) {
        if (watchers.delete(each)) removed.add(each);
      }
      if (watchers.size === 0) this.#maps[kind].delete(path);
    }
    return removed;
  }

  /** Everybody who is to hear of an event; the one-shot ones among them are taken away. Each hears of it once. */
  fire(type: ChangeEvent['type'], path: string): Set<Watcher> {
    const told = this.remove(path, ONE_SHOT[type]);
    addAll(told, this.#maps.persistent.get(path));
    if (type !== 'childrenChanged' && this.#maps.recursive.size > 0) {
      for (let at = path; ; at = parentPath(at)) {
        addAll(told, this.#maps.recursive.get(at));
        if (at === '/') break;
      }
    }
    return told;
  }

  /** Persistent watchers with their paths: those who have to be told of a gap. */
  *persistent(): Generator<{ path: string; watcher: Watcher }> {
    for (const kind of ['persistent', 'recursive'] as const) {
      for (const [path, watchers] of this.#maps[kind]) for (const watcher of watchers) yield { path, watcher };
    }
  }

  /** All watched paths by kind, in groups of at most `textMax` characters of path (but one path at least). */
  *groups(textMax: number): Generator<Paths> {
    let group = emptyPaths();
    let text = 0;
    for (const kind of WATCH_KINDS) {
      for (const path of this.#maps[kind].keys()) {
        if (text > 0 && text + path.length > textMax) {
          yield group;
          group = emptyPaths();
          text = 0;
        }
        group[kind].push(path);
        text += path.length;
      }
    }
    if (text > 0) yield group;
  }
}

function emptyPaths(): Paths {
  return { data: [], exist: [], child: [], persistent: [], recursive: [] };
}

function addAll(target: Set<Watcher>, watchers: Set<Watcher> | undefined): void {
  if (watchers !== undefined) for (const watcher of watchers) target.add(watcher);
}
