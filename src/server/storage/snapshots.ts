/**
 * Views of the database as it was at one moment, read piece by piece while everything goes on: a leader copies its
 * checkpoint to a learner (E81), an operator takes a backup.
 *
 * A read transaction of SQLite would do, but for as long as it is open the write-ahead log only grows, and copying it
 * back afterwards would stop commits for seconds. So a view is kept by hand, which costs something only where it is
 * overtaken. Rows of a checkpoint lie beside those of the one before (`page-table.ts`), so the first checkpoint that ends
 * while a view is open destroys nothing, provided that superseded rows are not deleted meanwhile. Later ones overwrite,
 * and `keep` first copies such a row to the table `kept`. The page of a view is then, of all its rows in both tables, the
 * one of the highest generation that is not above the view's. Tombstones are kept too, or an older row would rise again.
 *
 * `kept` must be empty when the first view is opened: what it holds of earlier ones may be about pages that were removed
 * since, whose tombstones are gone. `purge` empties it in slices when no view is open.
 *
 * The log behind the view's checkpoint is not cut while it is open (`logFloorZxid`). Truncating or replacing the log makes
 * the view's batches STALE: those were not committed, and to keep them would be to keep what never happened.
 */
import { rowCrc } from './crc.js';
import { damaged, StorageError } from './errors.js';
import type { LogTable, StoredBatch } from './log-table.js';
import type { CheckpointMeta } from './meta.js';
import type { Page } from './page-table.js';
import type { Db } from './schema.js';

type Row = [id: number, generation: number, crc: number, bytes: Uint8Array];

interface View {
  readonly checkpoint: CheckpointMeta;
  /** End of the log. */
  readonly zxid: number;
  nextPage: number;
  /** What was read so far, to be compared with the checkpoint's own account at the end. */
  pagesRead: number;
  digestRead: number;
  /** Batches up to this zxid were read. */
  readZxid: number;
  isLogReplaced: boolean;
}

export class Snapshots {
  private readonly views = new Map<number, View>();
  private viewCount = 0;
  /** Whether `kept` may hold rows. */
  private mayHaveKept: boolean;
  private readonly rowsFrom;
  private readonly copyRow;
  private readonly deleteKept;

  constructor(
    db: Db,
    private readonly log: LogTable,
  ) {
    this.rowsFrom = db
      .prepare<[Record<'from' | 'since' | 'upTo', number>], Row>(
        `SELECT id, generation, crc, bytes FROM pages WHERE id >= :from AND generation BETWEEN :since AND :upTo
         UNION ALL
         SELECT id, generation, crc, bytes FROM kept WHERE id >= :from AND generation BETWEEN :since AND :upTo
         ORDER BY id`,
      )
      .raw();
    this.copyRow = db.prepare<[number, number]>(
      'INSERT INTO kept (id, generation, crc, bytes) SELECT id, generation, crc, bytes FROM pages WHERE id = ? AND generation <= ?',
    );
    this.deleteKept = db.prepare<[number]>('DELETE FROM kept WHERE rowid IN (SELECT rowid FROM kept LIMIT ?)');
    this.mayHaveKept = db.prepare('SELECT 1 FROM kept LIMIT 1').get() !== undefined;
  }

  get isReading(): boolean {
    return this.views.size > 0;
  }

  /** Whether `purge` has work, and has to do it before the first view can be opened. */
  get isPurgeDue(): boolean {
    return this.mayHaveKept && !this.isReading;
  }

  /** Batches after this zxid are still to be read; Infinity without a view. */
  get logFloorZxid(): number {
    let floor = Number.POSITIVE_INFINITY;
    for (const { readZxid } of this.views.values()) floor = Math.min(floor, readZxid);
    return floor;
  }

  /** Opens a view of `checkpoint`, the last finished one, and of the log behind it; returns its number. */
  open(checkpoint: CheckpointMeta): number {
    const zxid = this.log.totals.lastZxid;
    const counters = { nextPage: 0, pagesRead: 0, digestRead: 0, readZxid: checkpoint.zxid ?? 0 };
    this.views.set(++this.viewCount, { checkpoint, zxid, ...counters, isLogReplaced: false });
    return this.viewCount;
  }

  close(view: number): void {
    this.views.delete(view);
  }

  /** The next pages of a view, until `bytesMax` is reached; [] at the end. Throws DAMAGED. */
  readPages(number: number, bytesMax: number): Page[] {
    const view = this.view(number);
    const { generation, validSince } = view.checkpoint;
    const pages: Page[] = [];
    let total = 0;
    let newest: Row | null = null;
    const take = ([id, rowGeneration, crc, bytes]: Row): void => {
      const page = Math.floor(id / 2);
      view.nextPage = page + 1;
      if (rowCrc(bytes, id, rowGeneration) !== crc) throw damaged(`page ${page} of the checkpoint fails its checksum`);
      if (bytes.length === 0) return;
      view.pagesRead++;
      view.digestRead ^= crc;
      pages.push({ page, bytes });
      total += bytes.length;
    };
    const range = { from: view.nextPage * 2, since: validSince, upTo: generation };
    for (const row of this.rowsFrom.iterate(range)) {
      if (newest !== null && Math.floor(newest[0] / 2) !== Math.floor(row[0] / 2)) {
        take(newest);
        newest = null;
        if (total >= bytesMax) break;
      }
      if (newest === null || row[1] > newest[1]) newest = row;
    }
    if (newest !== null) take(newest);
    if (pages.length === 0) verifyAll(view);
    return pages;
  }

  /** The next batches of a view, until `bytesMax` is reached; [] at the end. Throws DAMAGED, STALE. */
  readBatches(number: number, bytesMax: number): StoredBatch[] {
    const view = this.view(number);
    if (view.isLogReplaced) {
      throw new StorageError('STALE', 'The end of the log was replaced while it was being read.');
    }
    if (view.readZxid === view.zxid) return [];
    const batches = this.log.read(view.readZxid, bytesMax).filter(({ lastZxid }) => lastZxid <= view.zxid);
    view.readZxid = batches.at(-1)?.lastZxid ?? view.zxid;
    return batches;
  }

  /**
   * Inside the transaction that overwrites the row `id` of `pages`: keeps it for those who have not read it yet. Returns
   * whether it was copied.
   */
  keep(id: number): boolean {
    let upTo = -1;
    for (const { nextPage, checkpoint } of this.views.values()) {
      if (Math.floor(id / 2) >= nextPage) upTo = Math.max(upTo, checkpoint.generation);
    }
    if (upTo < 0 || this.copyRow.run(id, upTo).changes === 0) return false;
    this.mayHaveKept = true;
    return true;
  }

  /** What the log held after `zxid` is gone. */
  logReplaced(zxid: number): void {
    for (const view of this.views.values()) if (view.zxid > zxid) view.isLogReplaced = true;
  }

  /** Deletes up to `rowsMax` rows that were kept for views that are closed by now; returns how many. */
  purge(rowsMax: number): number {
    return this.deleteKept.run(rowsMax).changes;
  }

  /** To be called once a deletion by `purge` that found less than it could have deleted is committed. */
  purged(): void {
    this.mayHaveKept = false;
  }

  private view(number: number): View {
    const view = this.views.get(number);
    if (view === undefined) throw new StorageError('CLOSED', 'The snapshot is closed.');
    return view;
  }
}

function verifyAll({ checkpoint, pagesRead, digestRead }: View): void {
  if (pagesRead !== checkpoint.pages || digestRead >>> 0 !== checkpoint.digest) {
    throw damaged(`${pagesRead} pages were read of a checkpoint of ${checkpoint.pages}, or not those it consists of`);
  }
}
