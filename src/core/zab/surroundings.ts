// What zab asks of the world around it. It calls nothing that takes time: a disk or a peer answers later, through
// `Peer`. The replica stands behind both interfaces and turns the calls into effects (io.ts).

import type { Batch } from '../../../protocol/peer/entries.js';
import type { PeerMessage, PeerPage } from '../../../protocol/peer/messages.js';
import type { Voter } from './quorum.js';

/** Who the ensemble is, and how patient its members are. */
export interface EnsembleOptions {
  /** Who has a say in elections and commits, each with its weight and group (E91); this server too, if it has. */
  readonly voters: readonly Voter[];
  /** Servers that follow without a say. */
  readonly observers: readonly number[];
  /** To get in touch with a leader and to be synchronised (initLimit × tickTime). */
  readonly initLimitMs: number;
  /** Without a word from the leader, or from a quorum of learners, it is over (syncLimit × tickTime, E89). */
  readonly syncLimitMs: number;
  /** Time between two pings of the leader (half a tick, E89). */
  readonly pingMs: number;
  /** First and longest pause before a vote is repeated (E75). */
  readonly voteRepeatMsMin: number;
  readonly voteRepeatMsMax: number;
  /** How long a vote that has a quorum waits for a better one of a server that was not heard yet (E75). */
  readonly voteSettleMs: number;
  /** Learners that get a full copy at the same time (maxConcurrentSnapSyncs). */
  readonly snapshotsMax: number;
  /** Bytes of batches that are kept in memory for learners that were away for a moment (commitLogCount). */
  readonly historyBytesMax: number;
  /** Entries after which a new epoch is opened (E90). */
  readonly epochEntriesMax: number;
}

/** Sockets, the disk and the clock. Its disk carries out what it is asked in order. */
export interface Surroundings {
  readonly nowMs: number;
  send(to: readonly number[], message: PeerMessage): void;
  /** Breaks the link; the peer is told by that. */
  resetLink(peer: number, reason: string): void;
  append(firstZxid: number, lastZxid: number, bytes: Uint8Array): void;
  truncate(afterZxid: number): void;
  storeEpochs(acceptedEpoch: number, currentEpoch: number): void;
  /** `reader`: a new number for each handler of a learner, so that an answer that comes too late finds nobody. */
  readLog(reader: number, afterZxid: number): void;
  findLogEnd(reader: number, zxid: number): void;
  openSnapshot(reader: number): void;
  readSnapshot(reader: number): void;
  closeSnapshot(reader: number): void;
  keepLog(afterZxid: number): void;
  note(level: 'debug' | 'info' | 'warn' | 'error', message: string, fields?: Readonly<Record<string, unknown>>): void;
}

export interface Digest {
  readonly high: number;
  readonly low: number;
}

/** What is replicated, seen from zab: something that executes committed batches in order. */
export interface StateMachine {
  readonly appliedZxid: number;
  /** Zxid of the last checkpoint on disk, 0 when there is none: the log may have been cut behind it. */
  readonly checkpointZxid: number;
  execute(batch: Batch): void;
  digest(): Digest;
  /** A full copy of another server's state comes in, beside the present one, which stays until `copyStored`. */
  beginCopy(zxid: number, header: Uint8Array): void;
  copyPages(pages: readonly PeerPage[]): void;
  /** All is there. Returns what is wrong with it, or null: then the disk was asked to make it durable. */
  endCopy(): string | null;
  /** The copy is durable: it is the state from now on. */
  adoptCopy(): void;
  /** Whether a complete copy is on its way to disk: it will be the state, whoever sent it. */
  readonly isCopyStoring: boolean;
  /** Gives up a copy that is not complete, or could not be stored. */
  abandonCopy(): void;
  /** This server's state is not what it has to be: nothing more may come of it. */
  diverged(reason: string): void;
  /** Sessions of this server's clients heard of since the last call (E16). */
  takeHeard(): readonly number[];
  /** A learner's report of the same. */
  heard(learner: number, sessions: readonly number[]): void;
  /** This server leads, or follows, and answers clients; or does not any more. */
  serves(as: 'leader' | 'learner'): void;
  serveNoMore(reason: string): void;
  /** The leader is still the leader: a quorum has answered this ping. */
  confirmed(round: number): void;
}
