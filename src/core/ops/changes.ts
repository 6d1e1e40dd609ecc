// What one entry changed, in order, kept until its execution is over: a multi that fails has changed nothing, so its
// watches must not fire (E53); one that succeeds fires them per part, in order (E54). When nobody watches anything the
// log records nothing, and no path is ever spelled out.

import { type NodeId, ROOT, type Tree } from '../tree/tree.js';

export type ChangeKind = 'created' | 'deleted' | 'dataChanged';

export interface Change {
  readonly kind: ChangeKind;
  readonly path: string;
  readonly parentPath: string;
  /** ACLs that decide who may see the event (E46): the changed node's and its parent's. */
  readonly aclId: number;
  readonly parentAclId: number;
}

export class ChangeLog {
  /** Set by the owner of the watches: without watchers nothing is recorded. */
  recording = false;
  private readonly changes: Change[] = [];

  /** Call after a creation or a change of data, and *before* a removal, while the node can still say its path. */
  record(kind: ChangeKind, tree: Tree, node: NodeId): void {
    if (!this.recording) return;
    const parent = node === ROOT ? ROOT : tree.parent(node); // only its data can change
    this.changes.push({
      kind,
      path: tree.pathText(node),
      parentPath: tree.pathText(parent),
      aclId: tree.aclId(node),
      parentAclId: tree.aclId(parent),
    });
  }

  get length(): number {
    return this.changes.length;
  }

  /** Forgets everything recorded after the log had `length` changes. */
  truncate(length: number): void {
    this.changes.length = length;
  }

  /** All changes, in order; the log is empty afterwards. */
  take(): readonly Change[] {
    return this.changes.splice(0);
  }
}
