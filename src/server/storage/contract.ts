/** What the owner of a storage passes in and gets back; `storage.ts` has the calls. */
import type { StoredBatch } from './log-table.js';
import type { Page } from './page-table.js';

export interface StorageOptions {
  /** Created with mode 0700 when missing. One server per directory. */
  directory: string;
  /** What a second opener is told about this one. */
  busyInfo?: { address?: string };
  /** Batches behind the checkpoint are kept for followers that catch up, up to this size. Default 64 MiB. */
  logRetainBytes?: number;
  /** As `logRetainBytes`, as a number of batches. Default 100 000. */
  logRetainBatches?: number;
  /**
   * False leaves out the fsync of each commit: a power cut may lose acknowledged batches, and if anything else
   * takes them, that goes unnoticed too (`tail-witness.ts`). Default true.
   */
  sync?: boolean;
  /** Commits that take longer are reported to `onSlowSync`. Default 1000. */
  slowSyncWarnMs?: number;
  /** Limit of the database file; reaching it counts as a full disk. Default 0: no limit. */
  databaseBytesMax?: number;
}

/** What the database held when it was opened. The streams must be read before the first checkpoint is begun. */
export interface Recovered {
  acceptedEpoch: number;
  currentEpoch: number;
  /**
   * False from `setDatabaseAside` until a current epoch is stored, behind a copy of another server's history: what this
   * server has says nothing about what it once acknowledged, so it has no vote.
   */
  isVoting: boolean;
  checkpoint: { zxid: number; header: Uint8Array } | null;
  /** Last zxid in the log or of the checkpoint; 0 for a new database. */
  lastZxid: number;
  /** Pages of the checkpoint, in order of their number, about a MiB at a time. Throws StorageError DAMAGED. */
  pages(): AsyncIterable<Page[]>;
  /**
   * Batches that hold something later than `afterZxid` (default: the checkpoint's), in order, about a MiB at a time.
   * Batches are never cut: the first one may begin before that zxid. Throws StorageError DAMAGED.
   */
  batches(afterZxid?: number): AsyncIterable<StoredBatch[]>;
}

/**
 * The database as it was when the snapshot was opened: read piece by piece, while batches and checkpoints go on being
 * stored. Everything is read once, pages and batches each in their order, in any mixture. Reading on after `close`
 * rejects with CLOSED.
 */
export interface StorageSnapshot {
  /** End of the log: the last of the batches. */
  readonly zxid: number;
  /** Zxid of the checkpoint; 0 when there is none yet. */
  readonly checkpointZxid: number;
  /** Header of the checkpoint; null when there is none yet, and then there are no pages either. */
  readonly header: Uint8Array | null;
  /** The next pages of the checkpoint, in order of their number, about a MiB; [] at the end. Rejects with DAMAGED. */
  readPages(): Promise<Page[]>;
  /**
   * The next batches that hold something later than the checkpoint, about a MiB; [] at the end. Rejects with DAMAGED, or
   * with STALE once the log that was there has been truncated or replaced by a copy of another server's.
   */
  readBatches(): Promise<StoredBatch[]>;
  /** What `readPages` has still to give, as a stream. */
  pages(): AsyncIterable<Page[]>;
  /** What `readBatches` has still to give, as a stream. */
  batches(): AsyncIterable<StoredBatch[]>;
  /** To be called in any case: until then, what it shows takes up room. Calling it again does nothing. */
  close(): void;
}

export interface StorageStats {
  /** Batches and bytes stored since opening. */
  batches: number;
  bytes: number;
  /** Group commits, each with one fsync, and how long they took. */
  syncs: number;
  lastSyncMs: number;
  avgSyncMs: number;
  maxSyncMs: number;
  /** Batches handed over and neither stored nor lost yet. */
  queuedBatches: number;
  logBatches: number;
  logBytes: number;
  databaseBytes: number;
  checkpoints: number;
  /** Bytes of pages handed over and not written yet. */
  checkpointBytesPending: number;
  /** Copying of SQLite's write-ahead log into the database, during which no group is committed. */
  walCheckpoints: number;
  maxWalCheckpointMs: number;
}
