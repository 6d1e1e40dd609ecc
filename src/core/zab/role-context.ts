// What a role needs from the server it is on: peer.ts stands behind both.

import type { Batch } from '../../../protocol/peer/entries.js';
import type { History } from './history.js';
import type { Quorum } from './quorum.js';
import type { EnsembleOptions, StateMachine, Surroundings } from './surroundings.js';

/** What a leader needs from the server it is on. */
export interface LeaderContext {
  readonly serverId: number;
  readonly options: EnsembleOptions;
  readonly quorum: Quorum;
  readonly history: History;
  readonly surroundings: Surroundings;
  readonly machine: StateMachine;
  /** What this server has promised and what its history belongs to. */
  readonly acceptedEpoch: number;
  readonly currentEpoch: number;
  /** No other server is in the ensemble. */
  readonly isAlone: boolean;
  /** Servers there is a link to. */
  readonly connected: ReadonlySet<number>;
  nextReader(): number;
  acceptEpoch(epoch: number): void;
  adoptEpoch(epoch: number): void;
  /** A quorum follows it. */
  established(): void;
  /** The end of its time. */
  stepDown(reason: string): void;
}

/** What a learner needs from the server it is on. */
export interface LearnerContext {
  readonly options: EnsembleOptions;
  readonly history: History;
  readonly surroundings: Surroundings;
  readonly machine: StateMachine;
  readonly isObserver: boolean;
  readonly isVoting: boolean;
  readonly acceptedEpoch: number;
  readonly currentEpoch: number;
  /** This server's disk has everything up to here. */
  readonly storedZxid: number;
  /** The batch in these bytes. Throws ProtocolError when there is none. */
  decode(bytes: Uint8Array): Batch;
  acceptEpoch(epoch: number): void;
  adoptEpoch(epoch: number): void;
  leave(reason: string): void;
}
