/**
 * The log: one row per batch, a chain without gaps.
 *
 * Each row names the zxid it follows (`prev_zxid`), so a missing row shows even where the epoch changes and the counter
 * starts again. Reading a batch always checks its CRC; `load` checks the chain by reading only the keys. The totals are
 * kept beside the table, because counting rows of a large log is not free; a transaction that is rolled back must put
 * them back (`totals`).
 */

import { rowCrc } from './crc.js';
import { damaged, hex, StorageError } from './errors.js';
import type { Db } from './schema.js';

/** A batch of log entries with the zxids of its first and last entry. */
export interface StoredBatch {
  firstZxid: number;
  lastZxid: number;
  bytes: Uint8Array;
}

export interface LogTotals {
  /** Last zxid in the log, or of the checkpoint when that is later; 0 when there is neither. */
  lastZxid: number;
  batches: number;
  bytes: number;
}

type Row = [first: number, last: number, prev: number, crc: number, bytes: Uint8Array];
type Key = [first: number, last: number, prev: number, byteCount: number];

/** A zxid is epoch * EPOCH_UNIT + counter. */
export const EPOCH_UNIT = 2 ** 32;

/** Whether a batch starting at `firstZxid` continues a history ending at `zxid`: the next one, or first of an epoch. */
export function follows(zxid: number, firstZxid: number): boolean {
  if (firstZxid === zxid + 1) return true;
  return firstZxid % EPOCH_UNIT === 1 && Math.floor(firstZxid / EPOCH_UNIT) > Math.floor(zxid / EPOCH_UNIT);
}

export class LogTable {
  totals: LogTotals = { lastZxid: 0, batches: 0, bytes: 0 };
  private readonly insert;
  private readonly keys;
  private readonly rowsFrom;
  private readonly rowAtOrBefore;
  private readonly sizeAfter;
  private readonly deleteAfter;
  private readonly deleteUpTo;
  private readonly lastKey;
  private readonly oldestPrev;
  private readonly prevOf;

  constructor(db: Db) {
    this.insert = db.prepare<Row>(
      'INSERT INTO log (first_zxid, last_zxid, prev_zxid, crc, bytes) VALUES (?, ?, ?, ?, ?)',
    );
    this.keys = db
      .prepare<[], Key>('SELECT first_zxid, last_zxid, prev_zxid, length(bytes) FROM log ORDER BY first_zxid')
      .raw();
    this.rowsFrom = db
      .prepare<[number], Row>(
        'SELECT first_zxid, last_zxid, prev_zxid, crc, bytes FROM log WHERE first_zxid >= ? ORDER BY first_zxid',
      )
      .raw();
    this.rowAtOrBefore = db
      .prepare<[number], [number, number]>(
        'SELECT first_zxid, last_zxid FROM log WHERE first_zxid <= ? ORDER BY first_zxid DESC LIMIT 1',
      )
      .raw();
    this.sizeAfter = db
      .prepare<[number], [number, number]>(
        'SELECT count(*), coalesce(sum(length(bytes)), 0) FROM log WHERE first_zxid > ?',
      )
      .raw();
    this.deleteAfter = db.prepare<[number]>('DELETE FROM log WHERE first_zxid > ?');
    this.deleteUpTo = db.prepare<[number]>('DELETE FROM log WHERE first_zxid <= ?');
    this.lastKey = db
      .prepare<[], number>('SELECT max(last_zxid) FROM log WHERE first_zxid = (SELECT max(first_zxid) FROM log)')
      .pluck();
    this.prevOf = db.prepare<[number], number>('SELECT prev_zxid FROM log WHERE first_zxid = ?').pluck();
    this.oldestPrev = db.prepare<[], number>('SELECT prev_zxid FROM log ORDER BY first_zxid LIMIT 1').pluck();
  }

  /**
   * Verifies the chain and counts the totals. The log must reach from the checkpoint (`checkpointZxid`, 0 for none) to
   * at least `tailZxid`. Throws DAMAGED.
   */
  load(checkpointZxid: number, tailZxid: number): void {
    const totals = { lastZxid: 0, batches: 0, bytes: 0 };
    for (const [first, last, prev, byteCount] of this.keys.iterate()) {
      const name = `log row ${first} (zxid ${hex(first)})`;
      const isFirstRow = totals.batches === 0;
      if (!isFirstRow && prev !== totals.lastZxid) {
        throw damaged(`${name} follows zxid ${prev}, but the row before it ends at ${totals.lastZxid}`);
      }
      if (isFirstRow && prev > checkpointZxid) {
        throw damaged(`the log starts after zxid ${prev}, later than the checkpoint at ${checkpointZxid}`);
      }
      if (!(first <= last && follows(prev, first))) throw damaged(`${name} has impossible zxids (${prev}, ${last})`);
      totals.lastZxid = last;
      totals.batches++;
      totals.bytes += byteCount;
    }
    if (totals.batches > 0 && totals.lastZxid < checkpointZxid) {
      throw damaged(`the log ends at zxid ${totals.lastZxid}, before the checkpoint at ${checkpointZxid}`);
    }
    totals.lastZxid = Math.max(totals.lastZxid, checkpointZxid);
    if (totals.lastZxid < tailZxid) {
      throw damaged(`the log ends at zxid ${totals.lastZxid}, but entries up to ${tailZxid} were stored`);
    }
    this.totals = totals;
  }

  /** Zxids of the batches, up to `countMax`, whose bytes are not what was stored. */
  damagedBatches(countMax: number): [firstZxid: number, lastZxid: number][] {
    const damagedOnes: [number, number][] = [];
    for (const [first, last, prev, crc, bytes] of this.rowsFrom.iterate(0)) {
      if (rowCrc(bytes, first, last, prev) !== crc) damagedOnes.push([first, last]);
      if (damagedOnes.length === countMax) break;
    }
    return damagedOnes;
  }

  append(batch: StoredBatch): void {
    const { firstZxid, lastZxid, bytes } = batch;
    const prevZxid = this.totals.lastZxid;
    if (!(follows(prevZxid, firstZxid) && firstZxid <= lastZxid && Number.isSafeInteger(lastZxid))) {
      throw new StorageError('ORDER', `Batch ${firstZxid}..${lastZxid} does not follow zxid ${prevZxid}.`);
    }
    this.insert.run(firstZxid, lastZxid, prevZxid, rowCrc(bytes, firstZxid, lastZxid, prevZxid), bytes);
    this.totals.lastZxid = lastZxid;
    this.totals.batches++;
    this.totals.bytes += bytes.length;
  }

  /** The greatest end of a batch at or before `zxid`, that before the oldest batch included; null when that is later. */
  endBefore(zxid: number): number | null {
    const row = this.rowAtOrBefore.get(zxid);
    if (row === undefined) {
      const start = this.oldestPrev.get() ?? this.totals.lastZxid;
      return zxid >= start ? start : null;
    }
    const [first, last] = row;
    return last <= zxid ? last : (this.prevOf.get(first) as number);
  }

  /** Removes the batches that start after `zxid` (E97). Throws ORDER for a cut through a batch or behind the checkpoint. */
  truncateAfter(zxid: number, checkpointZxid: number): void {
    if (zxid < checkpointZxid) {
      throw new StorageError('ORDER', `Cannot truncate to zxid ${zxid}: the checkpoint is at ${checkpointZxid}.`);
    }
    const straddling = this.rowAtOrBefore.get(zxid);
    if (straddling && straddling[1] > zxid) {
      throw new StorageError(
        'ORDER',
        `Cannot truncate to zxid ${zxid}: it is inside the batch ${straddling.join('..')}.`,
      );
    }
    const [batches, bytes] = this.sizeAfter.get(zxid)!;
    this.deleteAfter.run(zxid);
    this.totals.batches -= batches;
    this.totals.bytes -= bytes;
    this.totals.lastZxid = Math.max(this.lastKey.get() ?? 0, checkpointZxid);
  }

  /** Drops every batch: history goes on behind a checkpoint at `zxid` that is not one of this log. */
  clear(zxid: number): void {
    this.deleteAfter.run(0);
    this.totals = { lastZxid: zxid, batches: 0, bytes: 0 };
  }

  /**
   * Removes the oldest batches up to `upToZxid` that go beyond what is to be retained, at most `rowsMax` of them.
   * Returns the number of bytes removed, -1 when there was nothing to remove.
   */
  cut(upToZxid: number, retainBatches: number, retainBytes: number, rowsMax: number): number {
    let cutZxid = -1;
    let rows = 0;
    let cutBytes = 0;
    for (const [first, last, , byteCount] of this.keys.iterate()) {
      const excess = this.totals.batches - rows > retainBatches || this.totals.bytes - cutBytes > retainBytes;
      if (!excess || last > upToZxid || rows === rowsMax) break;
      cutZxid = first;
      rows++;
      cutBytes += byteCount;
    }
    if (rows === 0) return -1;
    this.deleteUpTo.run(cutZxid);
    this.totals.batches -= rows;
    this.totals.bytes -= cutBytes;
    return cutBytes;
  }

  /** Whether the log goes back far enough to lead on from `afterZxid` without a gap. */
  reaches(afterZxid: number): boolean {
    const oldestPrev = this.oldestPrev.get();
    return afterZxid >= (oldestPrev ?? this.totals.lastZxid);
  }

  /** Batches that hold something later than `afterZxid`, in order, until `bytesMax` is reached. Throws DAMAGED. */
  read(afterZxid: number, bytesMax: number): StoredBatch[] {
    const batches: StoredBatch[] = [];
    let total = 0;
    const start = this.rowAtOrBefore.get(afterZxid)?.[0] ?? 0;
    for (const [first, last, prev, crc, bytes] of this.rowsFrom.iterate(start)) {
      if (last <= afterZxid) continue;
      if (rowCrc(bytes, first, last, prev) !== crc) {
        throw damaged(`log row ${first} (zxids ${hex(first)} to ${hex(last)}) fails its checksum`);
      }
      batches.push({ firstZxid: first, lastZxid: last, bytes });
      total += bytes.length;
      if (total >= bytesMax) break;
    }
    return batches;
  }
}
