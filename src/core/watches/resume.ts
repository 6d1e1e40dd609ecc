// A client that reconnects brings its watches along (setWatches, setWatches2), together with the last zxid it has seen.
// For each path the tree tells whether something happened in between: then the event is due at once, and the one-shot
// watch is spent; otherwise the watch is set. So no one-shot watch is lost over a reconnect. Persistent watches are set
// without asking, and what they missed stays missed (E62, E63).
//
//            node missing      changed since           unchanged
//   data     NodeDeleted       NodeDataChanged         set            changed: mzxid newer than the client's zxid
//   exist    set               NodeCreated             NodeCreated
//   child    NodeDeleted       NodeChildrenChanged     set            changed: pzxid newer
//
// A node deleted and created again in between shows as changed, since its zxids are newer.

import { EventType } from '../../../protocol/client/constants.js';
import type { Deliver, WatchTable } from './table.js';

/** What the decisions need of the tree. */
export interface WatchedTree {
  /** The node's zxids of last change (of data; of the set of children), or undefined when there is no such node. */
  find(path: string): { readonly mzxid: number; readonly pzxid: number } | undefined;
}

/** What the client says it was watching; the persistent lists are absent in setWatches (101). */
export interface WatchesToResume {
  readonly relativeZxid: number;
  readonly dataWatches: readonly string[];
  readonly existWatches: readonly string[];
  readonly childWatches: readonly string[];
  readonly persistentWatches?: readonly string[];
  readonly persistentRecursiveWatches?: readonly string[];
}

/**
 * Sets the watches or delivers what was missed, in list order: data, exist, child. The events go out unfiltered by ACL
 * (E46) and with zxid -1 in their header (E61), before the reply: `deliver` is not the one the table has. Returns 0, or
 * the code by which the table refused a watch: it and those behind it are not set.
 */
export function resumeWatches<W extends object>(
  tree: WatchedTree,
  table: WatchTable<W>,
  watcher: W,
  watches: WatchesToResume,
  deliver: Deliver<W>,
): number {
  const { relativeZxid } = watches;
  let refusal = 0;
  for (const path of watches.dataWatches) {
    const node = tree.find(path);
    if (node === undefined) deliver(watcher, EventType.nodeDeleted, path);
    else if (node.mzxid > relativeZxid) deliver(watcher, EventType.nodeDataChanged, path);
    else refusal ||= table.addData(path, watcher, true);
  }
  for (const path of watches.existWatches) {
    if (tree.find(path) !== undefined) deliver(watcher, EventType.nodeCreated, path);
    else refusal ||= table.addData(path, watcher, true);
  }
  for (const path of watches.childWatches) {
    const node = tree.find(path);
    if (node === undefined) deliver(watcher, EventType.nodeDeleted, path);
    else if (node.pzxid > relativeZxid) deliver(watcher, EventType.nodeChildrenChanged, path);
    else refusal ||= table.addChild(path, watcher, true);
  }
  for (const path of watches.persistentWatches ?? []) refusal ||= table.addPersistent(path, watcher, true);
  for (const path of watches.persistentRecursiveWatches ?? []) refusal ||= table.addRecursive(path, watcher, true);
  return refusal;
}
