/**
 * What the main thread and the storage worker say to each other.
 *
 * Commands go over a MessagePort, in order. The worker does not listen to it with an event loop: it sleeps in
 * `Atomics.wait` on the signal and then empties the port, which was measured to answer some 20 µs sooner. Answers come back over the
 * same port; the one that matters for latency, "stored up to zxid", is a bare number. Counters lie in shared memory.
 */
import type { MessagePort } from 'node:worker_threads';
import type { EngineOptions } from './engine.js';
import type { PlainError } from './errors.js';
import type { StoredBatch } from './log-table.js';
import type { CheckpointMeta, Epochs } from './meta.js';
import type { Page } from './page-table.js';

/** Kept in order and committed in groups. */
export type ForegroundCommand =
  | { kind: 'append'; firstZxid: number; lastZxid: number; bytes: Uint8Array }
  | { kind: 'setEpochs'; id: number; accepted: number; current: number }
  | { kind: 'truncateAfter'; id: number; zxid: number }
  | { kind: 'resume'; nextZxid: number | undefined }
  /** The end of a full checkpoint stands in both queues: it waits here for what was asked for before it. */
  | EndCheckpoint
  /** The owner has heard that a full checkpoint failed, and what comes from now on takes that into account. */
  | { kind: 'acknowledgeFailure' };

/** Kept in order among themselves and worked off in slices between the groups. */
export type BackgroundCommand =
  | { kind: 'beginCheckpoint'; zxid: number; header: Uint8Array; isFull: boolean }
  | { kind: 'checkpointPages'; pages: Page[]; byteCount: number }
  | EndCheckpoint;

export interface EndCheckpoint {
  kind: 'endCheckpoint';
  isFull: boolean;
}

/** Carried out the moment they are seen. */
export type InstantCommand = { kind: 'keepLog'; afterZxid: number };

/** Answered one by one, each with a reply. */
export type RequestCommand =
  | { kind: 'readPages'; id: number; fromPage: number; bytesMax: number }
  /** `isContiguous`: nothing unless the log leads on from `afterZxid` without a gap. */
  | { kind: 'findLogEnd'; id: number; zxid: number }
  | { kind: 'readLog'; id: number; afterZxid: number; bytesMax: number; isContiguous: boolean }
  | { kind: 'openSnapshot'; id: number }
  | { kind: 'readSnapshotPages'; id: number; snapshot: number; bytesMax: number }
  | { kind: 'readSnapshotBatches'; id: number; snapshot: number; bytesMax: number }
  | { kind: 'closeSnapshot'; id: number; snapshot: number }
  | { kind: 'probe'; id: number }
  | { kind: 'close'; id: number };

export type Command = ForegroundCommand | BackgroundCommand | InstantCommand | RequestCommand;

export interface Opened {
  epochs: Epochs;
  checkpoint: CheckpointMeta;
  header: Uint8Array;
  lastZxid: number;
}

export interface OpenedSnapshot {
  snapshot: number;
  zxid: number;
  checkpointZxid: number | null;
  header: Uint8Array;
}

export type Reply = Page[] | StoredBatch[] | OpenedSnapshot | FoundEnd | boolean;

/** Null: the log does not reach back that far. */
export interface FoundEnd {
  readonly end: number | null;
}

/** A bare number means: stored up to this zxid. */
export type Report =
  | number
  | { kind: 'opened'; opened: Opened }
  | { kind: 'reply'; id: number; value: Reply }
  | { kind: 'rejected'; id: number; error: PlainError }
  | { kind: 'storeFailed'; error: PlainError; firstLostZxid: number }
  | { kind: 'checkpointed'; zxid: number }
  | { kind: 'checkpointFailed'; zxid: number; isFull: boolean; error: PlainError }
  | { kind: 'checkpointDrained' }
  | { kind: 'slowSync'; ms: number }
  | { kind: 'fatal'; error: PlainError };

export interface WorkerData {
  options: EngineOptions;
  slowSyncWarnMs: number;
  port: MessagePort;
  /** Int32Array of one element; raised and notified after each command. */
  signal: SharedArrayBuffer;
  /** Float64Array, see Counter. */
  counters: SharedArrayBuffer;
}

/** Index into the shared counters. Only the worker writes them. */
export const Counter = {
  groups: 0,
  batches: 1,
  bytes: 2,
  lastSyncMs: 3,
  totalSyncMs: 4,
  maxSyncMs: 5,
  logBatches: 6,
  logBytes: 7,
  databaseBytes: 8,
  checkpointBytesDone: 9,
  checkpoints: 10,
  walCheckpoints: 11,
  maxWalCheckpointMs: 12,
} as const;

export const COUNTER_COUNT = Object.keys(Counter).length;
