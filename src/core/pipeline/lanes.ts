// A lane keeps one connection's requests in order (E68): a reply never overtakes one of an earlier request. While the
// lane is empty, reads are answered at once and never enter it. A write enters, is released toward the leader at the
// same moment, and holds up what comes behind it until it has been executed.

import { Ring } from '../../std/ring.js';
import { limits } from '../limits.js';
import type { ReadOperation } from '../ops/operation.js';

/** Waits for its entry to be executed. */
interface PendingWrite {
  readonly kind: 'write';
  readonly byteCount: number;
  /** How many ephemeral nodes it is to create. */
  readonly ephemerals: number;
  readonly xid: number;
  readonly operation: number;
  readonly receivedMs: number;
}

/** Waits for its turn; carries a copy of its frame. */
interface DeferredRead {
  readonly kind: 'read';
  readonly xid: number;
  readonly operation: ReadOperation<unknown>;
  readonly receivedMs: number;
  readonly frame: Uint8Array;
}

/** A sync: waits until everything up to `zxid` has been executed (E70); Infinity until the leader has answered. */
interface Barrier {
  readonly kind: 'barrier';
  readonly xid: number;
  readonly operation: ReadOperation<unknown>;
  readonly receivedMs: number;
  readonly frame: Uint8Array;
  /** Lowered when the log takes less than was proposed. */
  zxid: number;
}

/** Already refused; only its place in the order is left to wait for. */
interface Refusal {
  readonly kind: 'refusal';
  readonly xid: number;
  readonly receivedMs: number;
  readonly code: number;
}

export type LaneItem = PendingWrite | DeferredRead | Barrier | Refusal;

/** Bounded: see limits.ts for why it cannot run full. */
export function createLane(): Ring<LaneItem> {
  return new Ring(limits.laneLengthMax);
}
