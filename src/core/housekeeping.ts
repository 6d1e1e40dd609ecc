// What the leader does on its own account as time passes: it closes the sessions that were silent for too long (E17)
// and proposes the deletion of containers and TTL nodes that nobody needs any more (E48). Both are only proposals: the
// log decides, and checks again when the entry is executed.

import { OpCode } from '../../protocol/client/constants.js';
import { hex } from '../../protocol/ids.js';
import { JuteWriter } from '../../protocol/jute/writer.js';
import type { Note, ReplicaOptions } from './io.js';
import type { World } from './ops/operation.js';
import type { SessionExpiry } from './sessions/expiry.js';
import { NodeKind } from './tree/tree.js';

export interface Household {
  readonly options: ReplicaOptions;
  readonly world: World;
  readonly expiry: SessionExpiry;
  readonly monotonicMs: number;
  readonly wallMs: number;
  /** Proposes an entry in the server's own name, or in that of the session it concerns. */
  propose(operation: number, session: number, request: JuteWriter): void;
  emit(note: Note): void;
}

export class Housekeeping {
  private readonly household: Household;
  private lastReapMs = 0;
  private readonly request = new JuteWriter(256);

  constructor(household: Household) {
    this.household = household;
  }

  /** Returns how many sessions have expired. */
  tick(): number {
    const { options, monotonicMs } = this.household;
    const expired = this.expireSessions();
    if (monotonicMs - this.lastReapMs >= options.containerCheckMs) {
      this.lastReapMs = monotonicMs;
      this.reap();
    }
    return expired;
  }

  private expireSessions(): number {
    const due = this.household.expiry.expire(this.household.monotonicMs);
    for (const session of due) {
      this.request.clear();
      this.household.propose(OpCode.closeSession, session, this.request);
      this.household.emit({ type: 'note', level: 'info', message: `session ${hex(session)} has expired` });
    }
    return due.length;
  }

  private reap(): void {
    const { options, world, wallMs } = this.household;
    const { tree } = world;
    let left = Math.max(1, Math.floor((options.containersPerMinute * options.containerCheckMs) / 60_000));
    for (const node of tree.expendables()) {
      if (tree.childCount(node) > 0) continue;
      const isDue =
        tree.kind(node) === NodeKind.ttl
          ? wallMs - tree.mtimeMs(node) > tree.ttlMs(node)
          : tree.storedCversion(node) > 0 ||
            (options.containerNeverUsedMs > 0 && wallMs - tree.mtimeMs(node) > options.containerNeverUsedMs);
      if (!isDue) continue;
      this.request.clear();
      tree.writePath(node, this.request);
      this.request.longNumber(tree.czxid(node));
      this.household.propose(OpCode.deleteContainer, 0, this.request);
      if (--left === 0) return;
    }
  }
}
