// What a cache holds and what it says of its changes, and how a reader that is slower than the changes still gets each
// node's change once: what happened between two of its looks is put together node by node, so it never holds more than
// one entry a node.

import type { Stat } from '../../client/index.js';

export interface CachedNode {
  readonly path: string;
  readonly data: Buffer | null;
  /** As of the last change of the node itself: its children may have changed cversion, pzxid and numChildren since. */
  readonly stat: Stat;
}

export type CacheChange =
  | { readonly type: 'added'; readonly path: string; readonly node: CachedNode }
  /** Its data was set; several times, perhaps. */
  | { readonly type: 'changed'; readonly path: string; readonly node: CachedNode; readonly before: CachedNode }
  /** A node that was deleted and created again is told as removed and added. */
  | { readonly type: 'removed'; readonly path: string; readonly before: CachedNode };

export interface CacheUpdate {
  /** Removed nodes first, children before their parents; then the others in the order in which they were written. */
  readonly changes: readonly CacheChange[];
  /**
   * The cache now is one state that the tree has had. False when changes come so fast that no reading catches up: then
   * nodes may be from different moments, though none is ever older than it was, nor without its parent.
   */
  readonly isSnapshot: boolean;
}

/** What leads from the nodes before to those after; null stands for no node. */
export function changesBetween(
  pairs: Iterable<readonly [before: CachedNode | null, after: CachedNode | null]>,
): CacheChange[] {
  const removed: { path: string; before: CachedNode }[] = [];
  const written: { zxid: bigint; change: CacheChange }[] = [];
  for (const [before, after] of pairs) {
    const isSame = before !== null && after !== null && before.stat.czxid === after.stat.czxid;
    if (before !== null && !isSame) removed.push({ path: before.path, before });
    if (after === null) continue;
    const { path, stat } = after;
    if (!isSame) written.push({ zxid: stat.czxid, change: { type: 'added', path, node: after } });
    else if (before.stat.mzxid !== stat.mzxid) {
      written.push({ zxid: stat.mzxid, change: { type: 'changed', path, node: after, before } });
    }
  }
  removed.sort((a, b) => b.path.length - a.path.length);
  // Of one transaction, which has one zxid, a parent comes before its children: its path is shorter.
  written.sort((a, b) => (a.zxid === b.zxid ? a.change.path.length - b.change.path.length : a.zxid < b.zxid ? -1 : 1));
  return [
    ...removed.map(({ path, before }): CacheChange => ({ type: 'removed', path, before })),
    ...written.map(({ change }) => change),
  ];
}

/** The changes that a reader has not seen yet. */
export class UnseenChanges {
  readonly #nodes = new Map<string, [before: CachedNode | null, after: CachedNode | null]>();
  #isSnapshot = true;

  add({ changes, isSnapshot }: CacheUpdate): void {
    this.#isSnapshot = isSnapshot;
    for (const change of changes) {
      const after = change.type === 'removed' ? null : change.node;
      const unseen = this.#nodes.get(change.path);
      if (unseen !== undefined) unseen[1] = after;
      else this.#nodes.set(change.path, [change.type === 'added' ? null : change.before, after]);
    }
  }

  /** All of them in one; none are left. */
  take(): CacheUpdate {
    const changes = changesBetween(this.#nodes.values());
    this.#nodes.clear();
    return { changes, isSnapshot: this.#isSnapshot };
  }
}
