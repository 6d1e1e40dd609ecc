// Which nodes end by themselves: ephemerals by session (E21), and the containers and TTL nodes the reaper looks at
// (E48). Kept so that closing a session and reaping cost what they delete, not a walk over the tree.

import type { NodeId } from './node-store.js';
import { NodeKind } from './node-store.js';

const NONE: ReadonlySet<NodeId> = new Set();

export class Owners {
  private readonly bySession = new Map<number, Set<NodeId>>();
  private readonly containersAndTtls = new Set<NodeId>();
  private ephemerals = 0;

  get ephemeralCount(): number {
    return this.ephemerals;
  }

  clear(): void {
    this.bySession.clear();
    this.containersAndTtls.clear();
    this.ephemerals = 0;
  }

  add(id: NodeId, kind: NodeKind, sessionId: number): void {
    if (kind === NodeKind.ephemeral) {
      const owned = this.bySession.get(sessionId);
      if (owned === undefined) this.bySession.set(sessionId, new Set([id]));
      else owned.add(id);
      this.ephemerals++;
    } else if (kind !== NodeKind.persistent) this.containersAndTtls.add(id);
  }

  remove(id: NodeId, kind: NodeKind, sessionId: number): void {
    if (kind === NodeKind.ephemeral) {
      const owned = this.bySession.get(sessionId);
      owned?.delete(id);
      if (owned?.size === 0) this.bySession.delete(sessionId);
      this.ephemerals--;
    } else if (kind !== NodeKind.persistent) this.containersAndTtls.delete(id);
  }

  ephemeralsOf(sessionId: number): ReadonlySet<NodeId> {
    return this.bySession.get(sessionId) ?? NONE;
  }

  sessions(): Iterable<number> {
    return this.bySession.keys();
  }

  expendables(): ReadonlySet<NodeId> {
    return this.containersAndTtls;
  }
}
