/**
 * What happened inside the servers of a run, where no client can see it: the material of the checkers, together with
 * the clients' history (history.ts).
 */

/** Committed batches, executed by one server in one turn, or found executed when it started. */
export interface Execution {
  readonly timeMs: number;
  readonly server: number;
  /** What the server had executed before. */
  readonly afterZxid: number;
  readonly batches: readonly ExecutedBatch[];
  /** What the server has executed now, and the digest of its state. */
  readonly zxid: number;
  readonly digest: string;
}

export interface ExecutedBatch {
  readonly firstZxid: number;
  readonly lastZxid: number;
  readonly hash: string;
  /** Voters that had it on disk at that moment. */
  readonly storedBy: readonly number[];
}

/** A server has become the leader of an epoch that a quorum knows. */
export interface Leadership {
  readonly timeMs: number;
  readonly server: number;
  readonly epoch: number;
  /** End of its log, and end of what was committed in earlier epochs by anybody. */
  readonly lastZxid: number;
  readonly committedZxid: number;
}

/** A batch that a server put into its log. */
export interface Logged {
  readonly server: number;
  readonly firstZxid: number;
  readonly lastZxid: number;
  readonly hash: string;
}

/** A leader noticed that a session had been silent for too long, and proposed its end at this zxid. */
export interface Expiry {
  readonly zxid: number;
  readonly session: number;
  readonly timeoutMs: number;
  /** Since the leader heard of it last, by itself or from a learner, or since it began to lead. */
  readonly silentMs: number;
}

/** A server has started: what its checkpoint gave it. */
export interface Recovery {
  readonly server: number;
  readonly zxid: number;
  readonly digest: string;
}

/** A server at the end of a run. */
export interface FinalState {
  readonly server: number;
  readonly zxid: number;
  readonly digest: string;
  readonly recomputedDigest: string;
  readonly sessions: readonly number[];
  readonly ephemerals: number;
}

/** How it went after the faults had ended. */
export interface Convergence {
  /** Until there was one leader that everybody followed; null: never. */
  readonly leaderMs: number | null;
  /** Until a new client of each server could write; null: never. */
  readonly writableMs: number | null;
  /** Requests on a connection of each client that were not answered when it had rested for a while. */
  readonly unanswered: readonly number[];
  /** What kept it, for a person. */
  readonly state: string;
}

export interface Committed {
  readonly firstZxid: number;
  readonly lastZxid: number;
  readonly hash: string;
  readonly bytes: Uint8Array;
}

export interface Facts {
  readonly voters: readonly number[];
  readonly executions: Execution[];
  readonly leaderships: Leadership[];
  readonly logged: Logged[];
  readonly expiries: Expiry[];
  readonly recoveries: Recovery[];
  /** Servers that found their state to be another than their leader's. */
  readonly divergences: { readonly server: number; readonly reason: string }[];
  /** Every batch that anybody has executed, by its last zxid, as the first one to execute it had it. */
  readonly committed: Map<number, Committed>;
  /** How often what happened: messages and effects by their type, faults by their name. */
  readonly counts: Map<string, number>;
}

/** The one history, in the order of its zxids. */
export function committedInOrder({ committed }: Pick<Facts, 'committed'>): Committed[] {
  return [...committed.values()].sort((a, b) => a.lastZxid - b.lastZxid);
}
