// The file of a snapshot: the whole database of a server as one stream, which the command `snapshot` gives out and
// `restore` takes in. It holds what a server starts from: a checkpoint, page by page, and the log behind it.
//
//   magic · begin · page … page · batch … batch · end
//
// After the magic everything is a record: type (1 byte), length of its payload (4), payload, CRC-32 (4) of type, length
// and payload. `end` counts the pages and batches and has the SHA-256 of all that precedes it, so that a record that is
// missing, doubled or in another place is as wrong as a flipped bit. Numbers are big-endian.
//
//   begin   last zxid (8), zxid of the checkpoint (8), its header; zxid 0: there is no checkpoint
//   page    number (8), its bytes
//   batch   first zxid (8), last zxid (8), its bytes
//   end     number of pages (8), of batches (8), SHA-256 (32)

import { crc32 } from '../../storage/crc.js';
import type { Page, StoredBatch } from '../../storage/index.js';

/** The last byte is the version of the format. */
export const MAGIC = Uint8Array.from([...'ZabraSn'].map((letter) => letter.charCodeAt(0)).concat(1));

export const RecordType = { begin: 1, page: 2, batch: 3, end: 4 } as const;

export const RECORD_HEADER_BYTES = 5;
export const CRC_BYTES = 4;
export const NUMBER_BYTES = 8;
export const DIGEST_BYTES = 32;
/** No page or batch comes near it; a length beyond is damage. */
export const PAYLOAD_BYTES_MAX = 2 ** 30;

const TWO_32 = 2 ** 32;

/** Everything a server starts from, as of one zxid; what the storage's `openSnapshot` resolves with. */
export interface SnapshotSource {
  /** The last zxid it holds. */
  readonly zxid: number;
  /** Zxid of the checkpoint; 0 for none. */
  readonly checkpointZxid: number;
  /** Of the checkpoint; null without one. */
  readonly header: Uint8Array | null;
  /** By rising number. */
  pages(): AsyncIterable<readonly Page[]>;
  /** Those behind the checkpoint, in order. */
  batches(): AsyncIterable<readonly StoredBatch[]>;
  close(): Promise<void> | void;
}

/** A snapshot that cannot be used, and why: nothing of it is. */
export class SnapshotError extends Error {
  override readonly name = 'SnapshotError';
}

/** A whole record: `numbers`, each of 8 bytes, then `bytes`. */
export function encodeRecord(type: number, numbers: readonly number[], bytes: Uint8Array): Uint8Array {
  const length = numbers.length * NUMBER_BYTES + bytes.length;
  const record = new Uint8Array(RECORD_HEADER_BYTES + length + CRC_BYTES);
  const view = new DataView(record.buffer);
  record[0] = type;
  view.setUint32(1, length);
  let at = RECORD_HEADER_BYTES;
  for (const number of numbers) {
    view.setUint32(at, Math.floor(number / TWO_32));
    view.setUint32(at + 4, number % TWO_32);
    at += NUMBER_BYTES;
  }
  record.set(bytes, at);
  view.setUint32(at + bytes.length, crc32(record.subarray(0, at + bytes.length)));
  return record;
}

/** The number that stands at an offset of a payload. Throws SnapshotError when it is none this program could have made. */
export function numberAt(payload: Uint8Array, offset: number): number {
  if (payload.length < offset + NUMBER_BYTES) throw new SnapshotError('a record is too short');
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const number = view.getUint32(offset) * TWO_32 + view.getUint32(offset + 4);
  if (!Number.isSafeInteger(number)) throw new SnapshotError('a record has a number out of range');
  return number;
}
