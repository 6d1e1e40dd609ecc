// From the pages of a checkpoint to a world: at start-up from this server's disk, later from a leader's copy, which is
// built beside the present world and takes its place when it is whole and durable.

import { hex } from '../../protocol/ids.js';
import { decodeHeader } from './checkpointing.js';
import type { CheckpointPage } from './io.js';
import { ChangeLog } from './ops/changes.js';
import type { World } from './ops/operation.js';
import { SessionTable } from './sessions/table.js';
import { AclTable } from './tree/acl.js';
import { QuotaTable } from './tree/quota.js';
import { Tree } from './tree/tree.js';

/** A world with nothing but the root. `hashSeed`: of the path index. */
export function emptyWorld(hashSeed: number): World {
  const acls = new AclTable();
  return {
    tree: new Tree({ hashSeed, aclDigest: (aclId) => acls.digest(aclId) }),
    acls,
    quotas: new QuotaTable(),
    sessions: new SessionTable(),
    changes: new ChangeLog(),
  };
}

export interface LoadedWorld {
  readonly world: World;
  readonly zxid: number;
}

export class WorldLoader {
  readonly world: World;

  constructor(hashSeed: number) {
    this.world = emptyWorld(hashSeed);
  }

  /** Pages come in any order. */
  page({ page, bytes }: CheckpointPage): void {
    this.world.tree.loadPage(page, bytes);
  }

  /** All pages are there. Throws an Error that says what is wrong when they do not make up the state they claim. */
  finish(headerBytes: Uint8Array): LoadedWorld {
    const header = decodeHeader(headerBytes);
    const { world } = this;
    world.acls.load(header.acls);
    world.sessions.load(header.sessions);
    world.tree.finishLoad();
    world.quotas.rebuild(world.tree);
    const digest = world.tree.digest();
    if (digest.high !== header.digestHigh || digest.low !== header.digestLow) {
      throw new Error(`the checkpoint at ${hex(header.zxid)} has another digest than the state it was taken from`);
    }
    if (world.tree.nodeCount !== header.nodeCount) {
      throw new Error(
        `the checkpoint at ${hex(header.zxid)} has ${world.tree.nodeCount} nodes instead of ${header.nodeCount}`,
      );
    }
    return { world, zxid: header.zxid };
  }
}
