// The watches of one server's connections, and which of them a change fires (E56–E66, as ZooKeeper 3.9 has them).
//
//   data table    exists, getData, both kinds of addWatch      created, deleted, data changed
//   child table   getChildren, addWatch persistent             children changed, deleted
//
// A change is told in the order of E58: data table on the path, child table on the path, child table on the parent. Who
// is to be told is settled before anybody is: `deliver` may add and remove watches, or close the connection it was
// called for or any other; those it concerns still hear of this change, and nobody hears of it twice. `deliver` is also
// where a connection without READ on the node is passed over: its one-shot watch is consumed all the same (E46).
//
// A watch belongs to a connection, not to a session (E57): `W` is whatever object stands for one. Watches are memory that
// a client takes by reading, so there is a limit for each; setting one more is refused with a code, setting one again is not.

import { EventType, WatcherType } from '../../../protocol/client/constants.js';
import { Code } from '../../../protocol/client/errors.js';
import { limits } from '../limits.js';
import { eachWatcher, hasWatcher, Registrations, type WatchCounts, type Watchers, WatchMode } from './registrations.js';

export type { WatchCounts } from './registrations.js';

/** What a watch can report; the numbers are the protocol's. */
export type WatchEventType = (typeof EventType)[
  | 'nodeCreated'
  | 'nodeDeleted'
  | 'nodeDataChanged'
  | 'nodeChildrenChanged'];

/** Receives one event for one watcher; `path` is the node that changed (for children changed: the parent). */
export type Deliver<W> = (watcher: W, type: WatchEventType, path: string) => void;

/** The two tables of E56. */
export type WatchKind = 'data' | 'child';

export class WatchTable<W extends object> {
  readonly #data = new Registrations<W>();
  readonly #child = new Registrations<W>();
  readonly #dataOnly = [this.#data];
  readonly #childOnly = [this.#child];
  readonly #both = [this.#data, this.#child];
  readonly #deliver: Deliver<W>;
  readonly #perWatcherMax: number;
  /** No watch is taken while it is set. */
  memoryIsScarce = false;

  /**
   * `deliver` is called once per watcher and change, synchronously, from the four change methods only. `perWatcherMax`:
   * watches of one watcher, of which a persistent one counts twice, and so many characters of their paths as one more
   * (limits.watchCharacters).
   */
  constructor(deliver: Deliver<W>, perWatcherMax = Number.POSITIVE_INFINITY) {
    this.#deliver = deliver;
    this.#perWatcherMax = perWatcherMax;
  }

  /** True when nobody watches anything, so that a change need not even make its path. */
  get isEmpty(): boolean {
    return this.#data.isEmpty && this.#child.isEmpty;
  }

  /** One-shot, as exists and getData set it. The node need not exist. Returns 0, or the code of a refusal, as all that add. */
  addData(path: string, watcher: W, isResumed = false): number {
    return this.#add(path, watcher, isResumed, WatchMode.standard, this.#dataOnly);
  }

  /** One-shot, as getChildren sets it. */
  addChild(path: string, watcher: W, isResumed = false): number {
    return this.#add(path, watcher, isResumed, WatchMode.standard, this.#childOnly);
  }

  /** Stays, and reports everything about the node and the changes of its children (addWatch mode 0). */
  addPersistent(path: string, watcher: W, isResumed = false): number {
    return this.#add(path, watcher, isResumed, WatchMode.persistent, this.#both);
  }

  /** Stays, and reports the node and all its descendants, but never children changed (addWatch mode 1, E64). */
  addRecursive(path: string, watcher: W, isResumed = false): number {
    return this.#add(path, watcher, isResumed, WatchMode.recursive, this.#dataOnly);
  }

  /** A watch that is resumed was taken before, here or elsewhere: to drop it for want of memory would be to lose it (E62). */
  #add(path: string, watcher: W, isResumed: boolean, mode: number, tables: readonly Registrations<W>[]): number {
    const isThere = tables.every((table) => table.has(path, watcher, mode));
    if (isThere) return 0;
    if (this.memoryIsScarce && !isResumed) return Code.ThrottledOp;
    if (this.#weight(watcher) >= this.#perWatcherMax) return Code.QuotaExceeded;
    for (const table of tables) table.add(path, watcher, mode);
    return 0;
  }

  #weight(watcher: W): number {
    const { watchCharacters } = limits;
    return this.#data.weight(watcher, watchCharacters) + this.#child.weight(watcher, watchCharacters);
  }

  /** `path` came into being as a child of `parent`. */
  nodeCreated(path: string, parent: string): void {
    const onPath = this.#data.take(path);
    const onParent = this.#child.take(parent);
    this.#tell(onPath, EventType.nodeCreated, path);
    this.#tell(onParent, EventType.nodeChildrenChanged, parent);
  }

  /** `path`, a child of `parent`, is gone. */
  nodeDeleted(path: string, parent: string): void {
    const onPath = this.#data.take(path);
    const onChildren = this.#child.take(path);
    const onParent = this.#child.take(parent);
    this.#tell(onPath, EventType.nodeDeleted, path);
    // A connection told by the data table is not told again; its child watch is consumed with the node (E58).
    eachWatcher(onChildren, (watcher) => {
      if (!hasWatcher(onPath, watcher)) this.#deliver(watcher, EventType.nodeDeleted, path);
    });
    this.#tell(onParent, EventType.nodeChildrenChanged, parent);
  }

  /** The data of `path` was set. A change of its ACL is not reported to anybody. */
  nodeDataChanged(path: string): void {
    this.#tell(this.#data.take(path), EventType.nodeDataChanged, path);
  }

  /** checkWatches: whether the watcher has a watch of this type (WatcherType) on the path. False for unknown types. */
  contains(path: string, watcher: W, watcherType: number): boolean {
    switch (watcherType) {
      case WatcherType.children:
        return this.#child.has(path, watcher, WatchMode.standard);
      case WatcherType.data:
        return this.#data.has(path, watcher, WatchMode.standard);
      case WatcherType.persistent:
        return this.#data.has(path, watcher, WatchMode.persistent);
      case WatcherType.persistentRecursive:
        return this.#data.has(path, watcher, WatchMode.recursive);
      case WatcherType.any:
        return this.#child.has(path, watcher, WatchMode.any) || this.#data.has(path, watcher, WatchMode.any);
      default:
        return false;
    }
  }

  /** removeWatches: false when there was nothing of this type to remove, which the client hears as -121 (E66). */
  remove(path: string, watcher: W, watcherType: number): boolean {
    switch (watcherType) {
      case WatcherType.children:
        return this.#child.remove(path, watcher, WatchMode.standard);
      case WatcherType.data:
        return this.#data.remove(path, watcher, WatchMode.standard);
      case WatcherType.persistent:
        return this.#removeFromBoth(path, watcher, WatchMode.persistent);
      case WatcherType.persistentRecursive:
        return this.#data.remove(path, watcher, WatchMode.recursive);
      case WatcherType.any:
        return this.#removeFromBoth(path, watcher, WatchMode.any);
      default:
        return false;
    }
  }

  /** The connection is closed: forgets all it watches. */
  removeWatcher(watcher: W): void {
    this.#data.removeWatcher(watcher);
    this.#child.removeWatcher(watcher);
  }

  /** Watches in both tables, as `mntr` counts them (watch_count); a persistent one is in both and counts twice. */
  get size(): number {
    return this.#data.counts.total + this.#child.counts.total;
  }

  /** Of one table; ZooKeeper's `wchs`, `wchp` and `wchc` show the data table. */
  counts(kind: WatchKind): WatchCounts {
    return this.#table(kind).counts;
  }

  /** Each watched path of one table with its watchers. */
  byPath(kind: WatchKind): Iterable<[path: string, watchers: W[]]> {
    return this.#table(kind).paths();
  }

  /** Each watcher of one table with its paths. */
  byWatcher(kind: WatchKind): Iterable<[watcher: W, paths: string[]]> {
    return this.#table(kind).watchers();
  }

  #table(kind: WatchKind): Registrations<W> {
    return kind === 'data' ? this.#data : this.#child;
  }

  #removeFromBoth(path: string, watcher: W, modes: number): boolean {
    const removedChild = this.#child.remove(path, watcher, modes);
    return this.#data.remove(path, watcher, modes) || removedChild;
  }

  #tell(watchers: Watchers<W>, type: WatchEventType, path: string): void {
    eachWatcher(watchers, (watcher) => this.#deliver(watcher, type, path));
  }
}
