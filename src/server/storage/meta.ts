/**
 * The few facts that are not rows of the log or of the checkpoint, each under its own checksum.
 *
 * - `epochs`: acceptedEpoch and currentEpoch (E78), and whether the server may vote.
 * - `checkpoint`: which pages are valid, and what they must add up to.
 * - `tail`: the last zxid the database file is known to hold. The WAL guards its own frames; this guards the part of
 *   the log that has moved out of it, where nothing else would notice that the newest rows are gone.
 */

import { crc32, verifyBytes } from './crc.js';
import { damaged, hex } from './errors.js';
import { EPOCH_UNIT } from './log-table.js';
import type { Db } from './schema.js';

export interface Epochs {
  accepted: number;
  current: number;
  /**
   * The history of this server was lost and replaced by an empty one: it must not vote, for it does not know what it once
   * acknowledged, until it has a copy of another server's. Then it gets a current epoch, and the mark goes with that.
   */
  copyNeeded?: true;
}

export interface CheckpointMeta {
  /** Null until the first checkpoint was finished. */
  zxid: number | null;
  /** Counts checkpoints that were begun; rows of a higher one belong to a checkpoint that was never finished. */
  generation: number;
  /** Rows of a lower generation were replaced wholesale by a full checkpoint. */
  validSince: number;
  /** Number of pages that hold something. */
  pages: number;
  /** XOR of the CRCs of those pages: no row can vanish, or give way to its predecessor, unnoticed. */
  digest: number;
}

export interface Tail {
  zxid: number;
}

interface MetaValues {
  epochs: Epochs;
  checkpoint: CheckpointMeta;
  tail: Tail;
}

const NO_BYTES = new Uint8Array(0);
const text = new TextEncoder();

/** Writes the facts of a new database. */
export function createMeta(db: Db): void {
  const meta = new MetaTable(db);
  meta.write('epochs', { accepted: 0, current: 0 });
  meta.write('checkpoint', { zxid: null, generation: 0, validSince: 0, pages: 0, digest: 0 });
  meta.write('tail', { zxid: 0 });
}

export class MetaTable {
  private readonly select;
  private readonly upsert;

  constructor(db: Db) {
    this.select = db.prepare<[string], { value: string; bytes: Uint8Array; crc: number }>(
      'SELECT value, bytes, crc FROM meta WHERE key = ?',
    );
    this.upsert = db.prepare<[string, string, Uint8Array, number]>(
      'INSERT OR REPLACE INTO meta (key, value, bytes, crc) VALUES (?, ?, ?, ?)',
    );
  }

  /** Throws DAMAGED when the row is missing or its checksum does not hold. */
  read<Key extends keyof MetaValues>(key: Key): { value: MetaValues[Key]; bytes: Uint8Array } {
    const row = this.select.get(key);
    if (!row) throw damaged(`the entry "${key}" of table meta is missing`);
    if (metaCrc(key, row.value, row.bytes) !== row.crc) {
      throw damaged(`the entry "${key}" of table meta does not match its checksum`);
    }
    return { value: JSON.parse(row.value), bytes: row.bytes };
  }

  write<Key extends keyof MetaValues>(key: Key, value: MetaValues[Key], bytes: Uint8Array = NO_BYTES): void {
    const json = JSON.stringify(value);
    this.upsert.run(key, json, bytes, metaCrc(key, json, bytes));
  }
}

/**
 * Throws DAMAGED when the epochs cannot belong to a history that ends at `lastZxid` (E78).
 *
 * The history may be of a later epoch than the current one, unlike in ZooKeeper: a learner stores what its leader sends,
 * which may hold entries of the leader's own epoch, before it makes that epoch its current one (E83). When it stops in
 * between, what it has is valid history that it has not acknowledged as a whole. But it had accepted the epoch before.
 */
export function verifyEpochs({ accepted, current }: Epochs, lastZxid: number): void {
  if (Math.floor(lastZxid / EPOCH_UNIT) > accepted) {
    throw damaged(`its last zxid ${hex(lastZxid)} is of a later epoch than the accepted one, ${accepted}`);
  }
  if (current > accepted) throw damaged(`the current epoch ${current} is later than the accepted one, ${accepted}`);
}

function metaCrc(key: string, json: string, bytes: Uint8Array): number {
  verifyBytes(bytes);
  return crc32(bytes, crc32(text.encode(`${key}\n${json}\n`)));
}
