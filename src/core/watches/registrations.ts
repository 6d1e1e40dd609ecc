// One table of watches: which connections watch which path, and how. ZooKeeper keeps two of them, data and child (E56);
// WatchTable puts the two together.
//
//   #byPath     path → its only watcher itself, or a Crowd of several     so the common case costs one map entry
//   #byWatcher  watcher → path → modes                                   so a closed connection is forgotten in O(own)
//
// The modes of one (path, watcher) are a bit set, so that a one-shot watch, a persistent and a recursive one stand side
// by side and only the one-shot bit goes when the watch fires (E64; 3.8 lost the others, E-0).

import { parentPath } from '../../../protocol/path.js';

/** How a path is watched; the modes of one watcher on one path are a bit set of these. */
export const WatchMode = { standard: 1, persistent: 2, recursive: 4, any: 7 } as const;

export interface WatchCounts {
  /** Connections that watch anything. */
  watchers: number;
  /** Paths that anybody watches. */
  paths: number;
  /** Pairs of a path and a connection that watches it. */
  total: number;
}

/** The paths of one watcher, each with its modes. */
class OwnPaths extends Map<string, number> {
  /** Length of all paths together. */
  characters = 0;

  override set(path: string, modes: number): this {
    if (!this.has(path)) this.characters += path.length;
    return super.set(path, modes);
  }

  override delete(path: string): boolean {
    const isThere = super.delete(path);
    if (isThere) this.characters -= path.length;
    return isThere;
  }
}

/** Several watchers of one path, each once. */
class Crowd<W extends object> {
  /** One string for all members' maps: each of them has decoded a copy of its own from the wire. */
  readonly path: string;
  readonly members = new Set<W>();

  constructor(path: string) {
    this.path = path;
  }
}

/** Watchers in the compact form of the tables: none, one, or several. */
export type Watchers<W extends object> = W | Crowd<W> | undefined;

export function hasWatcher<W extends object>(watchers: Watchers<W>, watcher: W): boolean {
  return watchers instanceof Crowd ? watchers.members.has(watcher) : watchers === watcher;
}

/** Calls `visit` once for each of the watchers, in order of registration, then for recursive ones further up. */
export function eachWatcher<W extends object>(watchers: Watchers<W>, visit: (watcher: W) => void): void {
  if (watchers === undefined) return;
  if (watchers instanceof Crowd) for (const watcher of watchers.members) visit(watcher);
  else visit(watchers);
}

export class Registrations<W extends object> {
  readonly #byPath = new Map<string, W | Crowd<W>>();
  readonly #byWatcher = new Map<W, OwnPaths>();
  #total = 0;
  /** Entries with the recursive bit: while there are none, a change looks at its own path only (E65). */
  #recursive = 0;

  get isEmpty(): boolean {
    return this.#total === 0;
  }

  get counts(): WatchCounts {
    return { watchers: this.#byWatcher.size, paths: this.#byPath.size, total: this.#total };
  }

  /** Adds a mode; set semantics, so adding it again changes nothing. */
  add(path: string, watcher: W, mode: number): void {
    const own = this.#byWatcher.get(watcher);
    const before = own?.get(path) ?? 0;
    if ((before & mode) === mode) return;
    if ((mode & ~before & WatchMode.recursive) !== 0) this.#recursive++;
    const key = before === 0 ? this.#attach(path, watcher) : path;
    if (own === undefined) this.#byWatcher.set(watcher, new OwnPaths().set(key, mode));
    else own.set(key, before | mode);
  }

  /** Whether the watcher has at least one of the modes on the path. */
  has(path: string, watcher: W, modes: number): boolean {
    return ((this.#byWatcher.get(watcher)?.get(path) ?? 0) & modes) !== 0;
  }

  /** What the watcher takes up here: its paths, and one more for each so many characters of them. */
  weight(watcher: W, charactersPerWatch: number): number {
    const own = this.#byWatcher.get(watcher);
    return own === undefined ? 0 : own.size + Math.floor(own.characters / charactersPerWatch);
  }

  /** Takes the modes away. False when the watcher had none of them. */
  remove(path: string, watcher: W, modes: number): boolean {
    const own = this.#byWatcher.get(watcher);
    const before = own?.get(path) ?? 0;
    if (own === undefined || (before & modes) === 0) return false;
    if ((before & modes & WatchMode.recursive) !== 0) this.#recursive--;
    if (this.#setModes(own, path, watcher, before & ~modes) === 0) this.#detach(path, watcher);
    return true;
  }

  /** Forgets a watcher and everything it watches. */
  removeWatcher(watcher: W): void {
    const own = this.#byWatcher.get(watcher);
    if (own === undefined) return;
    this.#byWatcher.delete(watcher);
    for (const [path, modes] of own) {
      if ((modes & WatchMode.recursive) !== 0) this.#recursive--;
      this.#detach(path, watcher);
    }
  }

  /**
   * Who is to be told of a change of `path`: its watchers, whose one-shot bit is gone with this call, and the recursive
   * watchers above it. What is returned no longer belongs to the table, so it can be walked while the table changes.
   */
  take(path: string): Watchers<W> {
    const here = this.#byPath.get(path);
    if (here !== undefined) this.#takeOneShots(path, here);
    return this.#recursive === 0 ? here : this.#withRecursiveAbove(path, here);
  }

  /** Paths and their watchers, for `wchp`. */
  *paths(): Generator<[path: string, watchers: W[]]> {
    for (const [path, watchers] of this.#byPath) {
      yield [path, watchers instanceof Crowd ? [...watchers.members] : [watchers]];
    }
  }

  /** Watchers and their paths, for `wchc`. */
  *watchers(): Generator<[watcher: W, paths: string[]]> {
    for (const [watcher, own] of this.#byWatcher) yield [watcher, [...own.keys()]];
  }

  /** Enters the watcher into its path's; returns the string to use as this path's key. */
  #attach(path: string, watcher: W): string {
    this.#total++;
    const here = this.#byPath.get(path);
    if (here === undefined) {
      this.#byPath.set(path, watcher);
      return path;
    }
    if (here instanceof Crowd) {
      here.members.add(watcher);
      return here.path;
    }
    const crowd = new Crowd<W>(path);
    crowd.members.add(here).add(watcher);
    this.#byPath.set(path, crowd);
    return path;
  }

  #detach(path: string, watcher: W): void {
    this.#total--;
    const here = this.#byPath.get(path);
    if (!(here instanceof Crowd)) {
      this.#byPath.delete(path);
      return;
    }
    here.members.delete(watcher);
    if (here.members.size === 1) for (const last of here.members) this.#byPath.set(path, last);
  }

  /** Stores the modes a watcher has left on a path and returns them. */
  #setModes(own: OwnPaths, path: string, watcher: W, modes: number): number {
    if (modes !== 0) own.set(path, modes);
    else if (own.size > 1) own.delete(path);
    else this.#byWatcher.delete(watcher);
    return modes;
  }

  /** Clears the one-shot bit of every watcher of the path, and sets those who stay apart from those told now. */
  #takeOneShots(path: string, here: W | Crowd<W>): void {
    this.#byPath.delete(path);
    let remaining: Watchers<W>;
    eachWatcher<W>(here, (watcher) => {
      const own = this.#byWatcher.get(watcher)!;
      const before = own.get(path)!;
      const modes = before & ~WatchMode.standard;
      if (modes !== before) this.#setModes(own, path, watcher, modes);
      if (modes === 0) this.#total--;
      else remaining = joined(remaining, watcher, path);
    });
    if (remaining !== undefined) this.#byPath.set(path, remaining);
  }

  #withRecursiveAbove(path: string, here: Watchers<W>): Watchers<W> {
    let told = here;
    for (let above = path; above !== '/'; ) {
      above = parentPath(above);
      eachWatcher<W>(this.#byPath.get(above), (watcher) => {
        if (this.has(above, watcher, WatchMode.recursive)) told = joined(told, watcher, path);
      });
    }
    return told;
  }
}

function joined<W extends object>(watchers: Watchers<W>, watcher: W, path: string): W | Crowd<W> {
  if (watchers === undefined || watchers === watcher) return watcher;
  if (watchers instanceof Crowd) {
    watchers.members.add(watcher);
    return watchers;
  }
  const crowd = new Crowd<W>(path);
  crowd.members.add(watchers).add(watcher);
  return crowd;
}
