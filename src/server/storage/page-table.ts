/**
 * The checkpoint: numbered pages, replaced a few at a time while the last finished checkpoint stays intact.
 *
 * Each page has two rows, `page * 2` and `page * 2 + 1`. One holds the version of the last finished checkpoint; a
 * checkpoint in progress writes the other. Finishing is a single write of `meta` (by the engine, with `finish`'s
 * answer): it raises the committed generation, and at once every new row is the valid one. Rows of a higher generation
 * than the committed one are leftovers of a checkpoint that never finished; of two valid ones the newer counts. A page
 * that was removed is a valid row without bytes. What is no longer needed is deleted later, a few pages per `clean`, but
 * not while somebody reads an older checkpoint (`snapshots.ts`); what such a reader needs is kept before it is overwritten.
 *
 * Leftovers of an abandoned checkpoint must be gone before a later one commits, or they would count as valid; so
 * `begin` is allowed only when `leftovers` is empty.
 */

import { rowCrc } from './crc.js';
import { damaged } from './errors.js';
import type { CheckpointMeta } from './meta.js';
import type { Db } from './schema.js';
import type { Snapshots } from './snapshots.js';

/** A page of the checkpoint; empty bytes mean that the page is removed. */
export interface Page {
  page: number;
  bytes: Uint8Array;
}

/** The valid row of a page. */
interface Version {
  parity: 0 | 1;
  crc: number;
  isRemoved: boolean;
}

type Row = [id: number, generation: number, crc: number, bytes: Uint8Array];
type Key = [id: number, generation: number, crc: number, byteCount: number];

export class PageTable {
  /** Valid rows as of the last finished checkpoint. */
  private readonly valid = new Map<number, Version>();
  /** Rows of the checkpoint in progress. */
  private readonly pending = new Map<number, Version>();
  /** Pages with rows of an abandoned checkpoint. */
  readonly leftovers = new Set<number>();
  /** Pages with a superseded row, or removed. */
  readonly superseded = new Set<number>();
  /** That of the last finished checkpoint. */
  private generation = 0;
  private readonly upsert;
  private readonly remove;
  private readonly removeNewer;
  private readonly keys;
  private readonly rowsFrom;

  constructor(
    db: Db,
    private readonly snapshots: Snapshots,
  ) {
    this.upsert = db.prepare<Row>('INSERT OR REPLACE INTO pages (id, generation, crc, bytes) VALUES (?, ?, ?, ?)');
    this.remove = db.prepare<[number]>('DELETE FROM pages WHERE id = ?');
    this.removeNewer = db.prepare<[number, number, number]>('DELETE FROM pages WHERE id IN (?, ?) AND generation > ?');
    this.keys = db.prepare<[], Key>('SELECT id, generation, crc, length(bytes) FROM pages ORDER BY id').raw();
    this.rowsFrom = db
      .prepare<[number], Row>('SELECT id, generation, crc, bytes FROM pages WHERE id >= ? ORDER BY id')
      .raw();
  }

  /** Finds the valid row of each page and compares them with what `meta` says there must be. Throws DAMAGED. */
  load(meta: CheckpointMeta): void {
    this.generation = meta.generation;
    const generations = new Map<number, number>();
    for (const [id, generation, crc, byteCount] of this.keys.iterate()) {
      const page = Math.floor(id / 2);
      if (generation > meta.generation) {
        this.leftovers.add(page);
        continue;
      }
      if (generation < meta.validSince || generation < (generations.get(page) ?? 0)) {
        this.superseded.add(page);
        continue;
      }
      const isRemoved = byteCount === 0;
      if (isRemoved || this.valid.has(page)) this.superseded.add(page);
      generations.set(page, generation);
      this.valid.set(page, { parity: id % 2 === 0 ? 0 : 1, crc, isRemoved });
    }
    const { pages, digest } = sum(this.valid);
    if (pages !== meta.pages) throw damaged(`the checkpoint has ${pages} pages in place of ${meta.pages}`);
    if (digest !== meta.digest) throw damaged('the pages of the checkpoint do not add up to its digest');
  }

  /** Writes a row of the checkpoint in progress; returns whether another had to be kept for a snapshot, and copied. */
  write(page: number, bytes: Uint8Array, generation: number): boolean {
    const parity = this.valid.get(page)?.parity === 0 ? 1 : 0;
    const id = page * 2 + parity;
    const crc = rowCrc(bytes, id, generation);
    const hasKept = this.snapshots.keep(id);
    this.upsert.run(id, generation, crc, bytes);
    this.pending.set(page, { parity, crc, isRemoved: bytes.length === 0 });
    return hasKept;
  }

  /** What the checkpoint in progress adds up to; `isFull` leaves out every page it did not write. */
  outcome(isFull: boolean): { pages: number; digest: number } {
    if (isFull) return sum(this.pending);
    const total = sum(this.valid);
    for (const [page, version] of this.pending) {
      const before = this.valid.get(page);
      if (before && !before.isRemoved) {
        total.pages--;
        total.digest ^= before.crc;
      }
      if (!version.isRemoved) {
        total.pages++;
        total.digest ^= version.crc;
      }
    }
    return { pages: total.pages, digest: total.digest >>> 0 };
  }

  /** To be called once the checkpoint in progress is committed. */
  finish(isFull: boolean): void {
    this.generation++;
    if (isFull) {
      for (const page of this.valid.keys()) this.superseded.add(page);
      this.valid.clear();
    }
    for (const [page, version] of this.pending) {
      if (this.valid.has(page) || version.isRemoved) this.superseded.add(page);
      this.valid.set(page, version);
    }
    this.pending.clear();
  }

  /** Gives up the checkpoint in progress. */
  abandon(): void {
    for (const page of this.pending.keys()) {
      this.leftovers.add(page);
      // `clean` may have passed it over while it was being written.
      if (this.valid.get(page)?.isRemoved !== false) this.superseded.add(page);
    }
    this.pending.clear();
  }

  /** Whether `clean` has work that can be done now. */
  get isCleaningDue(): boolean {
    return this.leftovers.size > 0 || (this.superseded.size > 0 && !this.snapshots.isReading);
  }

  /** Deletes the rows that are not needed of up to `pagesMax` pages of `leftovers` or else `superseded`; which ones. */
  clean(pagesMax: number): number[] {
    const cleaned: number[] = [];
    const isLeftover = this.leftovers.size > 0;
    for (const page of isLeftover ? this.leftovers : this.superseded) {
      if (cleaned.length === pagesMax) break;
      cleaned.push(page);
      if (isLeftover) {
        this.removeNewer.run(page * 2, page * 2 + 1, this.generation);
        continue;
      }
      if (this.pending.has(page)) continue;
      const version = this.valid.get(page);
      if (version?.parity !== 0 || version.isRemoved) this.remove.run(page * 2);
      if (version?.parity !== 1 || version.isRemoved) this.remove.run(page * 2 + 1);
    }
    return cleaned;
  }

  /** To be called once the deletion by `clean` is committed. */
  cleaned(pages: readonly number[]): void {
    const isLeftover = this.leftovers.size > 0;
    for (const page of pages) {
      if (isLeftover) {
        this.leftovers.delete(page);
        continue;
      }
      this.superseded.delete(page);
      if (this.valid.get(page)?.isRemoved && !this.pending.has(page)) this.valid.delete(page);
    }
  }

  /** Numbers of the pages of the finished checkpoint, up to `countMax`, whose bytes are not what was stored. */
  damagedPages(countMax: number): number[] {
    const damagedOnes: number[] = [];
    for (const [id, generation, crc, bytes] of this.rowsFrom.iterate(0)) {
      const page = Math.floor(id / 2);
      if (this.valid.get(page)?.parity === id % 2 && rowCrc(bytes, id, generation) !== crc) damagedOnes.push(page);
      if (damagedOnes.length === countMax) break;
    }
    return damagedOnes;
  }

  /** Pages of the finished checkpoint from number `fromPage` on, until `bytesMax` is reached. Throws DAMAGED. */
  read(fromPage: number, bytesMax: number): Page[] {
    const pages: Page[] = [];
    let total = 0;
    for (const [id, generation, crc, bytes] of this.rowsFrom.iterate(fromPage * 2)) {
      const page = Math.floor(id / 2);
      const version = this.valid.get(page);
      if (version?.parity !== id % 2) continue;
      if (rowCrc(bytes, id, generation) !== crc) throw damaged(`page ${page} of the checkpoint fails its checksum`);
      if (version.isRemoved) continue;
      pages.push({ page, bytes });
      total += bytes.length;
      if (total >= bytesMax) break;
    }
    return pages;
  }
}

function sum(versions: ReadonlyMap<number, Version>): { pages: number; digest: number } {
  let pages = 0;
  let digest = 0;
  for (const version of versions.values()) {
    if (version.isRemoved) continue;
    pages++;
    digest ^= version.crc;
  }
  return { pages, digest: digest >>> 0 };
}
