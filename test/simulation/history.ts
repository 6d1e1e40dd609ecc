/**
 * What the clients of a simulated run did and saw, in the order of virtual time: the material of the checkers. What the
 * log says about the same run is in replay.ts.
 */
import type { OperationName } from '../../protocol/client/operations.js';
import type { Received } from '../../src/testing/index.js';

interface Common {
  readonly timeMs: number;
  /** Of the client; its session may change. */
  readonly client: number;
  /** Unique in the run. */
  readonly connection: number;
}

export type Observation =
  /** A connection is opened; `sessionId` is 0 for a new session. */
  | (Common & {
      readonly kind: 'connecting';
      readonly server: number;
      readonly sessionId: bigint;
      readonly lastZxidSeen: number;
    })
  | (Common & {
      readonly kind: 'sent';
      readonly sessionId: bigint;
      readonly xid: number;
      readonly operation: OperationName;
      readonly request: unknown;
    })
  | (Common & { readonly kind: 'received'; readonly sessionId: bigint; readonly item: Received });

export type Sent = Extract<Observation, { kind: 'sent' }>;

export const WRITES: ReadonlySet<OperationName> = new Set([
  'create',
  'create2',
  'createContainer',
  'createTTL',
  'delete',
  'setData',
  'setACL',
  'multi',
  'closeSession',
]);

/** Pairs each reply with its request, per connection; xids of a client are unique, those of ping and sync are ordered. */
export function* repliesWithRequests(history: readonly Observation[]) {
  const pending = new Map<number, Sent[]>();
  for (const observation of history) {
    if (observation.kind === 'sent') {
      const queue = pending.get(observation.connection);
      if (queue === undefined) pending.set(observation.connection, [observation]);
      else queue.push(observation);
    } else if (observation.kind === 'received' && observation.item.kind === 'reply') {
      yield { sent: pending.get(observation.connection)?.shift(), reply: observation.item, observation };
    }
  }
}
