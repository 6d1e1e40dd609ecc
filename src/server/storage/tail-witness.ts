/**
 * A witness for the end of what is stored: `zabra.tail`, 32 bytes beside the database.
 *
 * SQLite ends its WAL at the first frame that fails its checksum, because after a crash such a frame was never
 * committed. A flipped bit, a WAL cut short or a deleted one look just the same, and acknowledged batches would vanish
 * without a word. So after each group's fsync its last zxid and the epochs (E78) are written here, over the old ones,
 * without an fsync: the page cache outlives a killed process, and after a power cut the witness knows less at worst.
 * It never runs ahead of the database. What takes something back (a truncation) therefore lowers it first, with an
 * fsync, and a commit without an fsync does not raise it. At opening, a database that ends before the witness is refused.
 *
 * It only accuses, and nothing is ever read from it but an end. A file that is missing (a database copied without it,
 * or of an earlier release) or fails its own checksum says nothing, and is replaced by one that says nothing yet.
 *
 * Layout, big-endian: magic, version, zxid as epoch and counter, accepted epoch, current epoch, 4 zero bytes, CRC.
 */
import { closeSync, constants, fsyncSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from './crc.js';
import { hex, StorageError, toStorageError } from './errors.js';
import { EPOCH_UNIT } from './log-table.js';
import type { Epochs } from './meta.js';

export const WITNESS_FILE = 'zabra.tail';

/** How far a history goes: its last zxid (0 for none) and the epochs. */
export interface End extends Epochs {
  zxid: number;
}

const RECORD_BYTES = 32;
const CRC_AT = 28;
/** "ZTai" */
const MAGIC = 0x5a546169;
const VERSION = 1;
const NOTHING: End = { zxid: 0, accepted: 0, current: 0 };

export class TailWitness {
  /** What the file says. */
  private recorded: End = NOTHING;
  private readonly record = new Uint8Array(RECORD_BYTES);
  private readonly view = new DataView(this.record.buffer);

  private constructor(private readonly fd: number) {}

  /** Opens or creates the file. Throws DAMAGED when `end`, what the database holds, is short of what it says. */
  static open(directory: string, end: End): TailWitness {
    const file = join(directory, WITNESS_FILE);
    const witness = new TailWitness(openSync(file, constants.O_RDWR | constants.O_CREAT, 0o600));
    try {
      const recorded = witness.read();
      if (recorded) {
        witness.recorded = recorded;
        verify(recorded, end);
      } else {
        // Not `end`: what a killed process left in the page cache is only durable with the first group's fsync. The
        // fsync here gives the file its block, so that a disk that fills up later does not matter.
        witness.write(NOTHING);
        fsyncSync(witness.fd);
      }
      return witness;
    } catch (error) {
      witness.close();
      throw error;
    }
  }

  /** Before a commit that leads to `end`: makes durable that no more than that is to be expected. */
  lower(end: End): void {
    const { zxid, accepted, current } = this.recorded;
    if (zxid <= end.zxid && accepted <= end.accepted && current <= end.current) return;
    this.write({
      zxid: Math.min(zxid, end.zxid),
      accepted: Math.min(accepted, end.accepted),
      current: Math.min(current, end.current),
    });
    fsyncSync(this.fd);
  }

  /** After the fsync that made `end` durable. A disk too full for it (one that copies on write) leaves it behind. */
  raise(end: End): void {
    const { zxid, accepted, current } = this.recorded;
    if (zxid === end.zxid && accepted === end.accepted && current === end.current) return;
    try {
      this.write(end);
    } catch (error) {
      if (toStorageError(error, `Cannot write ${WITNESS_FILE}`).code !== 'FULL') throw error;
    }
  }

  close(): void {
    closeSync(this.fd);
  }

  /** Null when there is nothing, or nothing that can be trusted. */
  private read(): End | null {
    const isWhole = readSync(this.fd, this.record, 0, RECORD_BYTES, 0) === RECORD_BYTES;
    return isWhole ? decode(this.record) : null;
  }

  private write(end: End): void {
    const { view } = this;
    view.setUint32(0, MAGIC);
    view.setUint32(4, VERSION);
    view.setUint32(8, Math.floor(end.zxid / EPOCH_UNIT));
    view.setUint32(12, end.zxid % EPOCH_UNIT);
    view.setUint32(16, end.accepted);
    view.setUint32(20, end.current);
    view.setUint32(24, 0);
    view.setUint32(CRC_AT, crc32(this.record.subarray(0, CRC_AT)));
    writeSync(this.fd, this.record, 0, RECORD_BYTES, 0);
    this.recorded = end;
  }
}

/** What the file in `directory` says; null when it is missing, or nothing in it can be trusted. */
export function recordedEnd(directory: string): End | null {
  let record: Uint8Array;
  try {
    record = readFileSync(join(directory, WITNESS_FILE));
  } catch {
    return null;
  }
  return decode(record);
}

function decode(record: Uint8Array): End | null {
  if (record.length < RECORD_BYTES) return null;
  const view = new DataView(record.buffer, record.byteOffset);
  const isSound = crc32(record.subarray(0, CRC_AT)) === view.getUint32(CRC_AT);
  if (!isSound || view.getUint32(0) !== MAGIC || view.getUint32(4) !== VERSION) return null;
  return {
    zxid: view.getUint32(8) * EPOCH_UNIT + view.getUint32(12),
    accepted: view.getUint32(16),
    current: view.getUint32(20),
  };
}

function verify(recorded: End, end: End): void {
  let missing = '';
  if (recorded.zxid > end.zxid) {
    missing = `it ends at zxid ${hex(end.zxid)}, and the entries after that, up to zxid ${hex(recorded.zxid)}, are missing`;
  } else if (recorded.accepted > end.accepted || recorded.current > end.current) {
    missing = `it ends at epochs ${epochsText(end)}, and the later ones ${epochsText(recorded)} are missing`;
  }
  if (missing === '') return;
  throw new StorageError('DAMAGED', `The database has lost what was stored: ${missing}.`, {
    remedy:
      'If zabra.db or zabra.db-wal was moved or replaced, put it back. Otherwise keep the server stopped and keep a copy ' +
      'of the directory; then, in an ensemble, move the directory aside, so that the server fetches a full copy from its ' +
      `peers, or restore a backup into an empty directory. Only to serve what is left, and give up the rest for good, delete ${WITNESS_FILE}.`,
  });
}

function epochsText({ accepted, current }: Epochs): string {
  return `${accepted} (accepted) and ${current} (current)`;
}
