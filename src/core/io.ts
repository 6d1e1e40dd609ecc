// The whole contract between a replica and the world around it. Inputs go in, effects come out; a replica never calls
// anything that takes time, and learns the outcome of what it asked for as a later input. The real server turns effects
// into sockets and disk writes; the simulator turns them into entries of its event queue.
//
// One turn = one `clock` input, any number of others, one `turnEnd`. Bytes for clients are no effects of their own: they
// collect in the connection's output buffer, and a single `flush` a turn says that there are some.

import type { Identity } from '../../protocol/peer/entries.js';
import type { PeerMessage } from '../../protocol/peer/messages.js';
import type { AuditRecord } from './pipeline/audit.js';
import type { Connection } from './pipeline/connections.js';
import type { EnsembleOptions } from './zab/surroundings.js';

export type Input =
  /** The time at which the inputs of this turn happened: wall clock for ctime, monotonic clock for deadlines. */
  | { readonly type: 'clock'; readonly wallMs: number; readonly monotonicMs: number }
  /** A client connected. `entropy`: 16 random bytes, the password of its session should it open one (E5). */
  | { readonly type: 'connected'; readonly connection: Connection; readonly entropy: Uint8Array }
  /** Whole frames with their length prefixes, as they came in one read. The bytes are not kept. */
  | {
      readonly type: 'frames';
      readonly connection: Connection;
      readonly bytes: Uint8Array;
      readonly start: number;
      readonly end: number;
    }
  | { readonly type: 'disconnected'; readonly connection: Connection }
  /** A connection with `isFull` was flushed and all of it has left: its requests are answered again. */
  | { readonly type: 'drained'; readonly connection: Connection }
  /** Everything up to this zxid is on disk. */
  | { readonly type: 'stored'; readonly zxid: number }
  /** The disk took nothing from this zxid on (it is full); what was appended after it is lost as well. */
  | { readonly type: 'storeFailed'; readonly firstLostZxid: number; readonly reason: string }
  /** The disk takes writes again. */
  | { readonly type: 'storeResumed' }
  | { readonly type: 'epochsStored'; readonly acceptedEpoch: number; readonly currentEpoch: number }
  /** What the log held after this zxid is gone. */
  | { readonly type: 'truncated'; readonly afterZxid: number }
  /** Optional: the pages handed over so far are written, and more may come before the next tick. */
  | { readonly type: 'checkpointDrained' }
  | { readonly type: 'checkpointed'; readonly zxid: number }
  | { readonly type: 'checkpointFailed'; readonly zxid: number }
  /** There is a link to this server now, or again: nothing of an earlier one arrives any more. */
  | { readonly type: 'peerConnected'; readonly peer: number }
  | { readonly type: 'peerDisconnected'; readonly peer: number }
  | { readonly type: 'peerMessage'; readonly peer: number; readonly message: PeerMessage }
  /** Answer to `readLog`: whole batches in order, about a MiB; none when the log does not reach back that far. */
  | { readonly type: 'logRead'; readonly reader: number; readonly batches: readonly LogBatch[] }
  /** Answer to `findLogEnd`; null when the log does not reach back that far. */
  | { readonly type: 'logEndFound'; readonly reader: number; readonly end: number | null }
  /** Answers to `openSnapshot` and `readSnapshot`. No pages: that was all. */
  | {
      readonly type: 'snapshotOpened';
      readonly reader: number;
      readonly zxid: number;
      readonly header: Uint8Array;
    }
  | { readonly type: 'snapshotRead'; readonly reader: number; readonly pages: readonly CheckpointPage[] }
  /** The process is about to run out of memory, or is not any more: writes that need more are refused meanwhile. */
  | { readonly type: 'memory'; readonly isScarce: boolean }
  /** Time passes: at least every tick. */
  | { readonly type: 'tick' }
  | { readonly type: 'turnEnd' };

export type Effect =
  /** The connection's output has bytes to send. If its `isFull` is set, `drained` must follow once they are gone. */
  | { readonly type: 'flush'; readonly connection: Connection }
  /** Send what the output holds, then close. */
  | { readonly type: 'close'; readonly connection: Connection; readonly reason: string }
  /** Stop or resume reading from the client (E13). */
  | { readonly type: 'pause'; readonly connection: Connection }
  | { readonly type: 'resume'; readonly connection: Connection }
  /** Write a batch to the log; answered by `stored` or `storeFailed`. */
  | { readonly type: 'append'; readonly firstZxid: number; readonly lastZxid: number; readonly bytes: Uint8Array }
  /** Write the epochs; answered by `epochsStored` (E78, E79). */
  | { readonly type: 'storeEpochs'; readonly acceptedEpoch: number; readonly currentEpoch: number }
  /** Remove what the log holds after this zxid, the end of a batch; answered by `truncated`. */
  | { readonly type: 'truncate'; readonly afterZxid: number }
  /**
   * The three steps of a checkpoint; answered by `checkpointed` or `checkpointFailed`. `isFull`: a copy from another
   * server; it replaces everything, all of the log as well.
   */
  | { readonly type: 'beginCheckpoint'; readonly zxid: number; readonly header: Uint8Array; readonly isFull: boolean }
  | { readonly type: 'checkpointPages'; readonly pages: readonly CheckpointPage[] }
  | { readonly type: 'endCheckpoint' }
  /** Send a message to each of these servers, in order with earlier ones; nothing happens where there is no link. */
  | { readonly type: 'send'; readonly to: readonly number[]; readonly message: PeerMessage }
  /** Break the link and make a new one; answered by `peerDisconnected`, later `peerConnected`. */
  | { readonly type: 'resetLink'; readonly peer: number; readonly reason: string }
  /** Read batches that hold something after this zxid from the log on disk; answered by `logRead`. `reader`: a number for each who reads. */
  | { readonly type: 'readLog'; readonly reader: number; readonly afterZxid: number }
  /** Find the greatest end of a batch at or before this zxid in the log on disk; answered by `logEndFound`. */
  | { readonly type: 'findLogEnd'; readonly reader: number; readonly zxid: number }
  /**
   * Read the last checkpoint on disk as it is now, while others may be written: open it, read on from where the last
   * read ended (about a MiB), close it, at the end or before. One for each reader.
   */
  | { readonly type: 'openSnapshot'; readonly reader: number }
  | { readonly type: 'readSnapshot'; readonly reader: number }
  | { readonly type: 'closeSnapshot'; readonly reader: number }
  /** Batches after this zxid must stay in the log, checkpoints or not: learners want them. Infinity: none do. */
  | { readonly type: 'keepLog'; readonly afterZxid: number }
  /** This replica's state is not that of the others: its database must be set aside and a copy be taken. It has stopped. */
  | { readonly type: 'diverged'; readonly reason: string }
  /** The replica answers no clients any more; all connections get a `close` of their own. */
  | { readonly type: 'notServing' }
  /** For the audit log, if one is kept (`ReplicaOptions.audit`). */
  | { readonly type: 'audit'; readonly record: AuditRecord }
  /** The replica answers clients from now on. */
  | { readonly type: 'serving'; readonly epoch: number }
  | Note;

/** A batch as it stands in the log. */
export interface LogBatch {
  readonly firstZxid: number;
  readonly lastZxid: number;
  readonly bytes: Uint8Array;
}

export interface CheckpointPage {
  readonly page: number;
  readonly bytes: Uint8Array;
}

/** Something a person may want to read in the log. */
export interface Note {
  readonly type: 'note';
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields?: Readonly<Record<string, unknown>>;
}

/**
 * Proves who a client is: (scheme, credentials as sent) → the identities it gained, or null when it is refused (E12,
 * E44). A pure function given by the server, since the core has no cryptography.
 */
export type Authenticate = (scheme: string, credentials: Uint8Array) => readonly Identity[] | null;

/**
 * One login by SASL, given by the server for the same reason: the client's next token → the answer to it, or null when
 * it is refused, which ends the login. `identities`: what it has gained when this was the last token, null before.
 */
export type SaslExchange = (
  token: Uint8Array,
) => { readonly token: Uint8Array; readonly identities: readonly Identity[] | null } | null;

export interface ReplicaOptions {
  readonly serverId: number;
  /** For a server on its own: itself as the only voter. */
  readonly ensemble: EnsembleOptions;
  readonly tickTimeMs: number;
  readonly minSessionTimeoutMs: number;
  readonly maxSessionTimeoutMs: number;
  /** Requests in the pipeline beyond which connections are not read (globalOutstandingLimit, E13). */
  readonly outstandingMax: number;
  /** A request that has waited so long because of that is refused (throttledOpWaitTime). Default 0: it waits on. */
  readonly throttledWaitMs?: number;
  /** Watches of one connection and ephemeral nodes of one session. Default: no limit. */
  readonly watchesPerSessionMax?: number;
  readonly ephemeralsPerSessionMax?: number;
  readonly enforceQuota: boolean;
  readonly skipAcl: boolean;
  /** extendedTypesEnabled: TTL nodes (E34). */
  readonly ttlNodes: boolean;
  /** Authentication schemes of which a client must have passed one (enforce.auth.schemes); null: none is demanded. */
  readonly requiredSchemes: readonly string[] | null;
  readonly containerCheckMs: number;
  readonly containersPerMinute: number;
  /** 0: a container that never had a child is kept (E48). */
  readonly containerNeverUsedMs: number;
  /** A checkpoint is begun after this many entries or bytes of log. */
  readonly checkpointEntries: number;
  readonly checkpointBytes: number;
  readonly authenticate: Authenticate;
  /** Begins a login by SASL; undefined: it is not offered. */
  readonly beginSasl?: (() => SaslExchange) | undefined;
  /** Who fails to log in by SASL may stay, without the identity (allowSaslFailedClients). Default false. */
  readonly keepsSaslFailures?: boolean;
  /** Whether `audit` effects are wanted. Default false. */
  readonly audit?: boolean;
  /** Seed of the path index: random in production, so that nobody can prepare colliding paths. */
  readonly hashSeed: number;
}
