/**
 * The storage without its thread: everything that happens to the database, synchronously.
 *
 * Three kinds of transaction share one connection. A *group* holds everything the owner has asked for so far (batches,
 * epochs, truncations) and is committed with one fsync, so that history, epoch and acknowledgement cannot come apart
 * (E83). *Slices* of background work (pages of a checkpoint, cutting the log, deleting superseded rows) are committed
 * without an fsync: nobody waits for them, and the next group's fsync covers them, being on the same file. The *end of a
 * checkpoint* is committed with an fsync again, and so makes all its slices durable at once. Groups and ends of
 * checkpoints move the end of the history, and are therefore witnessed (`tail-witness.ts`).
 *
 * SQLite's own checkpoint (copying the WAL into the database file) runs between groups, once enough WAL has come together
 * for it (`wal-copies.ts`), or earlier in idle moments.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { codeOf, StorageError, toStorageError } from './errors.js';
import { lockedError, removeLockFile, writeLockFile } from './lock-file.js';
import { LogTable, type StoredBatch } from './log-table.js';
import { type CheckpointMeta, type Epochs, MetaTable, verifyEpochs } from './meta.js';
import { type Page, PageTable } from './page-table.js';
import { type Db, keepWal, openDatabase, PAGE_BYTES, syncDirectory } from './schema.js';
import { Snapshots } from './snapshots.js';
import { type End, TailWitness } from './tail-witness.js';
import { WalCopies } from './wal-copies.js';

export interface EngineOptions {
  directory: string;
  address?: string | undefined;
  logRetainBytes: number;
  logRetainBatches: number;
  sync: boolean;
  databaseBytesMax: number;
}

const PROBE_BYTES = 64 * 1024;

export class Engine {
  readonly log: LogTable;
  readonly pages: PageTable;
  readonly snapshots: Snapshots;
  epochs: Epochs;
  checkpoint: CheckpointMeta;
  checkpointHeader: Uint8Array;
  private readonly walCopies = new WalCopies();
  /** What the last group took. */
  private syncMs = 0;
  private tailZxid: number;
  /** Zxid up to which nothing is left to cut, so that a long log is not looked at again after each group. */
  private cutUpToZxid = -1;
  private keepAfterZxid = Number.POSITIVE_INFINITY;
  private isSyncing = true;
  private readonly meta: MetaTable;
  private readonly witness: TailWitness;
  private readonly begin;
  private readonly commit;
  private readonly rollback;

  private constructor(
    private readonly db: Db,
    private readonly options: EngineOptions,
  ) {
    this.begin = db.prepare('BEGIN IMMEDIATE');
    this.commit = db.prepare('COMMIT');
    this.rollback = db.prepare('ROLLBACK');
    this.meta = new MetaTable(db);
    this.log = new LogTable(db);
    this.snapshots = new Snapshots(db, this.log);
    this.pages = new PageTable(db, this.snapshots);
    this.epochs = this.meta.read('epochs').value;
    const checkpoint = this.meta.read('checkpoint');
    this.checkpoint = checkpoint.value;
    this.checkpointHeader = checkpoint.bytes;
    this.tailZxid = this.meta.read('tail').value.zxid;
    this.pages.load(this.checkpoint);
    this.log.load(this.checkpointZxid, this.tailZxid);
    verifyEpochs(this.epochs, this.log.totals.lastZxid);
    this.witness = TailWitness.open(options.directory, this.end);
  }

  /** Creates what is missing, takes the lock, and verifies all but the bytes of rows. Throws StorageError. */
  static open(options: EngineOptions): Engine {
    const { directory } = options;
    let db: Db | undefined;
    let engine: Engine | undefined;
    try {
      if (mkdirSync(directory, { recursive: true, mode: 0o700 })) syncDirectory(dirname(directory));
      db = openDatabase(directory);
      engine = new Engine(db, options);
      if (options.databaseBytesMax > 0) {
        db.pragma(`max_page_count = ${Math.floor(options.databaseBytesMax / PAGE_BYTES)}`);
      }
      writeLockFile(directory, options.address);
      return engine;
    } catch (error) {
      const known = toStorageError(error, `Cannot open the storage in ${directory}`);
      if (db && known.code === 'DAMAGED') keepWal(directory);
      db?.close();
      engine?.witness.close();
      throw known.code === 'LOCKED' ? lockedError(directory, error) : known;
    }
  }

  /** Zxid of the last finished checkpoint, 0 when there is none. */
  get checkpointZxid(): number {
    return this.checkpoint.zxid ?? 0;
  }

  private get end(): End {
    return { zxid: this.log.totals.lastZxid, accepted: this.epochs.accepted, current: this.epochs.current };
  }

  /** Bytes of the database file as of the last transaction. */
  get databaseBytes(): number {
    return Number(this.db.pragma('page_count', { simple: true })) * PAGE_BYTES;
  }

  /** Runs `work` (appends, epochs, truncations) as one transaction with one fsync. On a throw nothing of it happened. */
  group(work: () => void): void {
    const totals = { ...this.log.totals };
    const { epochs, tailZxid } = this;
    const startMs = performance.now();
    try {
      this.witnessed(work);
      this.syncMs = performance.now() - startMs;
    } catch (error) {
      this.log.totals = totals;
      this.epochs = epochs;
      this.tailZxid = tailZxid;
      throw error;
    }
  }

  /** Inside a group: throws ORDER when the batch leaves a gap. */
  append(batch: StoredBatch): void {
    this.log.append(batch);
    this.walCopies.pages += 2 + Math.ceil(batch.bytes.length / PAGE_BYTES);
  }

  /** Inside a group. A current epoch ends the need for a copy: it is stored behind a history that is worth a vote. */
  setEpochs(accepted: number, current: number): void {
    const { copyNeeded } = this.epochs;
    this.epochs = copyNeeded && current === 0 ? { accepted, current, copyNeeded } : { accepted, current };
    this.meta.write('epochs', this.epochs);
  }

  /** Inside a group: throws ORDER for a cut through a batch or behind the checkpoint. */
  truncateAfter(zxid: number): void {
    this.log.truncateAfter(zxid, this.checkpointZxid);
    this.endLogAt(this.log.totals.lastZxid);
  }

  /** One slice of about `bytesMax`: pages of the checkpoint in progress, from `start` on; returns where to go on. */
  writePages(pages: readonly Page[], start: number, bytesMax: number): number {
    let end = start;
    this.transaction(false, () => {
      for (let bytes = 0; end < pages.length && bytes < bytesMax; end++) {
        const { page, bytes: content } = pages[end];
        const hasKept = this.pages.write(page, content, this.checkpoint.generation + 1);
        const rows = hasKept ? 2 : 1;
        bytes += rows * content.length;
        this.walCopies.pages += rows * (1 + Math.ceil(content.length / PAGE_BYTES));
      }
    });
    return end;
  }

  /**
   * Makes the checkpoint in progress the valid one. A log that ends before `zxid`, or has another history because the
   * checkpoint is a full one, is dropped with the same commit; then the log ends at `zxid`.
   */
  finishCheckpoint(zxid: number, header: Uint8Array, isFull: boolean): void {
    const generation = this.checkpoint.generation + 1;
    const validSince = isFull ? generation : this.checkpoint.validSince;
    const next: CheckpointMeta = { zxid, generation, validSince, ...this.pages.outcome(isFull) };
    this.group(() => {
      this.meta.write('checkpoint', next, header);
      if (!isFull && zxid <= this.log.totals.lastZxid) return;
      this.log.clear(zxid);
      this.endLogAt(zxid);
      this.cutUpToZxid = -1;
    });
    this.pages.finish(isFull);
    this.checkpoint = next;
    this.checkpointHeader = header;
  }

  abandonCheckpoint(): void {
    this.pages.abandon();
  }

  get hasLeftovers(): boolean {
    return this.pages.leftovers.size > 0;
  }

  /** Opens a snapshot; null while rows kept for earlier ones are still to be purged, which `tidy` does first of all. */
  openSnapshot(): number | null {
    return this.snapshots.isPurgeDue ? null : this.snapshots.open(this.checkpoint);
  }

  /** Batches after `zxid` stay in the log, whatever is to be retained; Infinity lifts it. */
  keepLog(zxid: number): void {
    this.keepAfterZxid = zxid;
  }

  /**
   * One slice of tidying, writing about `bytesMax`: what snapshots have left, leftovers, superseded rows, the old end of
   * the log. Returns whether there was anything to do.
   */
  tidy(bytesMax: number): boolean {
    const rowsMax = Math.ceil(bytesMax / PAGE_BYTES);
    if (this.snapshots.isPurgeDue) {
      let purged = 0;
      this.transaction(false, () => {
        purged = this.snapshots.purge(rowsMax);
      });
      if (purged < rowsMax) this.snapshots.purged();
      this.walCopies.pages += purged;
      return true;
    }
    if (this.pages.isCleaningDue) {
      let cleaned: number[] = [];
      this.transaction(false, () => {
        cleaned = this.pages.clean(rowsMax);
      });
      this.pages.cleaned(cleaned);
      this.walCopies.pages += cleaned.length;
      return true;
    }
    const { logRetainBatches, logRetainBytes } = this.options;
    const { batches, bytes } = this.log.totals;
    if (batches <= logRetainBatches && bytes <= logRetainBytes) return false;
    const upToZxid = Math.min(this.checkpointZxid, this.keepAfterZxid, this.snapshots.logFloorZxid);
    if (this.cutUpToZxid === upToZxid) return false;
    const totals = { ...this.log.totals };
    let cutBytes = -1;
    try {
      this.transaction(false, () => {
        cutBytes = this.log.cut(upToZxid, logRetainBatches, logRetainBytes, rowsMax);
      });
    } catch (error) {
      this.log.totals = totals;
      throw error;
    }
    if (cutBytes < 0) {
      this.cutUpToZxid = upToZxid;
      return false;
    }
    this.walCopies.pages += 1 + Math.ceil(cutBytes / PAGE_BYTES / 8);
    return true;
  }

  isWalWorthCheckpoint(isIdle: boolean): boolean {
    return this.walCopies.isDue(isIdle);
  }

  /** Copies the WAL into the database file, so that its space is used again. A full disk postpones it. */
  checkpointWal(mode: 'PASSIVE' | 'TRUNCATE' = 'PASSIVE'): void {
    const startMs = performance.now();
    try {
      const { lastZxid } = this.log.totals;
      if (this.tailZxid !== lastZxid) {
        this.transaction(false, () => this.meta.write('tail', { zxid: lastZxid }));
        this.tailZxid = lastZxid;
      }
      this.db.pragma(`wal_checkpoint(${mode})`);
    } catch (error) {
      if (this.failure(error, 'Cannot copy the write-ahead log').code !== 'FULL') throw error;
    }
    this.walCopies.copied(performance.now() - startMs, this.syncMs);
  }

  /** Whether the disk takes a write. Throws for any failure but a full disk. */
  probe(): boolean {
    try {
      this.transaction(true, () => {
        this.db.exec(`INSERT OR REPLACE INTO meta VALUES ('probe', '', zeroblob(${PROBE_BYTES}), 0)`);
      });
      this.transaction(false, () => this.db.exec(`DELETE FROM meta WHERE key = 'probe'`));
      return true;
    } catch (error) {
      const failure = this.failure(error, 'Cannot write a probe');
      if (failure.code === 'FULL') return false;
      throw failure;
    }
  }

  /** Names a failure. A write error without a reason is told apart by trying a plain write beside the database. */
  failure(error: unknown, doing: string): StorageError {
    if (codeOf(error) === 'SQLITE_IOERR_WRITE' && isDiskFull(this.options.directory)) {
      return new StorageError('FULL', `${doing}: the disk or the quota is exhausted.`, { cause: error });
    }
    return toStorageError(error, doing);
  }

  close(): void {
    this.checkpointWal('TRUNCATE');
    this.db.close();
    this.witness.close();
    removeLockFile(this.options.directory);
  }

  /** Lets go of the database after a fatal error; SQLite still copies what was committed, nothing else is written. */
  abort(): void {
    this.db.close();
    this.witness.close();
  }

  /** Inside a group that took something back: less is to be expected from now on, and readers of the rest stop. */
  private endLogAt(zxid: number): void {
    this.tailZxid = zxid;
    this.meta.write('tail', { zxid });
    this.snapshots.logReplaced(zxid);
  }

  /** A transaction that moves the end of the history; the witness is at no moment ahead of what is durable. */
  private witnessed(work: () => void): void {
    this.transaction(this.options.sync, () => {
      work();
      this.witness.lower(this.end);
    });
    if (this.options.sync) this.witness.raise(this.end);
  }

  private transaction(sync: boolean, work: () => void): void {
    // A WAL commit with NORMAL leaves out the fsync; the database stays consistent whatever happens.
    if (sync !== this.isSyncing) {
      this.db.pragma(`synchronous = ${sync ? 'FULL' : 'NORMAL'}`);
      this.isSyncing = sync;
    }
    this.begin.run();
    try {
      work();
      this.commit.run();
    } catch (error) {
      if (this.db.inTransaction) this.rollback.run();
      throw error;
    }
  }
}

function isDiskFull(directory: string): boolean {
  const file = join(directory, 'zabra.probe');
  try {
    const fd = openSync(file, 'w', 0o600);
    try {
      writeSync(fd, new Uint8Array(PROBE_BYTES));
      fsyncSync(fd);
      return false;
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    return /^(ENOSPC|EDQUOT|EFBIG)$/.test(codeOf(error));
  } finally {
    rmSync(file, { force: true });
  }
}
