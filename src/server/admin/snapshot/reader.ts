// Reads a snapshot (format.ts) from a stream and believes nothing: every record is checked before it is handed on, and
// the whole before the last one is. What comes out is therefore sound row by row, but may be used only when the stream
// has ended without an error.

import { createHash } from 'node:crypto';
import { crc32 } from '../../storage/crc.js';
import type { Page, StoredBatch } from '../../storage/index.js';
import { follows } from '../../storage/log-table.js';
import {
  CRC_BYTES,
  DIGEST_BYTES,
  MAGIC,
  NUMBER_BYTES,
  numberAt,
  PAYLOAD_BYTES_MAX,
  RECORD_HEADER_BYTES,
  RecordType,
  SnapshotError,
} from './format.js';

export type SnapshotRecord =
  | { readonly kind: 'begin'; readonly zxid: number; readonly checkpointZxid: number; readonly header: Uint8Array }
  | { readonly kind: 'page'; readonly page: Page }
  | { readonly kind: 'batch'; readonly batch: StoredBatch };

/** The records in their order, `begin` first. Throws SnapshotError for a stream that is not exactly one snapshot. */
export async function* readSnapshot(stream: AsyncIterable<Uint8Array>): AsyncGenerator<SnapshotRecord> {
  const bytes = new ByteStream(stream);
  const hash = createHash('sha256');
  const magic = await bytes.exactly(MAGIC.length);
  if (!isEqual(magic.subarray(0, -1), MAGIC.subarray(0, -1))) throw new SnapshotError('this is no snapshot of Zabra');
  const version = magic[MAGIC.length - 1];
  if (version !== MAGIC[MAGIC.length - 1]) {
    throw new SnapshotError(`the snapshot has version ${version} of the format, which this release does not know`);
  }
  hash.update(magic);
  const order = new Order();
  for (;;) {
    const header = await bytes.exactly(RECORD_HEADER_BYTES);
    const view = new DataView(header.buffer, header.byteOffset, header.length);
    const length = view.getUint32(1);
    if (length > PAYLOAD_BYTES_MAX) throw new SnapshotError('a record has an impossible length');
    const payload = await bytes.exactly(length);
    const crc = await bytes.exactly(CRC_BYTES);
    if (new DataView(crc.buffer, crc.byteOffset).getUint32(0) !== crc32(payload, crc32(header))) {
      throw new SnapshotError(`a record is damaged (number ${order.records + 1})`);
    }
    if (header[0] === RecordType.end) {
      order.end(payload, hash.digest());
      if (!(await bytes.isAtEnd())) throw new SnapshotError('something follows the end of the snapshot');
      return;
    }
    hash.update(header).update(payload).update(crc);
    yield order.next(header[0], payload);
  }
}

/** What must be true between records. */
class Order {
  records = 0;
  private zxid = 0;
  /** Where the history read so far ends; -1 before `begin`. */
  private lastZxid = -1;
  private hasCheckpoint = false;
  private pages = 0;
  private batches = 0;
  private lastPage = -1;

  next(type: number, payload: Uint8Array): SnapshotRecord {
    this.records++;
    if ((type === RecordType.begin) !== (this.records === 1)) throw new SnapshotError('its records are out of order');
    if (type === RecordType.begin) return this.begin(payload);
    if (type === RecordType.page) return this.page(payload);
    if (type === RecordType.batch) return this.batch(payload);
    throw new SnapshotError(`there is a record of the unknown type ${type}`);
  }

  private begin(payload: Uint8Array): SnapshotRecord {
    const zxid = numberAt(payload, 0);
    const checkpointZxid = numberAt(payload, NUMBER_BYTES);
    if (checkpointZxid > zxid) throw new SnapshotError('its checkpoint is later than its end');
    this.zxid = zxid;
    this.lastZxid = checkpointZxid;
    this.hasCheckpoint = checkpointZxid > 0;
    return { kind: 'begin', zxid, checkpointZxid, header: payload.subarray(2 * NUMBER_BYTES) };
  }

  private page(payload: Uint8Array): SnapshotRecord {
    const page = numberAt(payload, 0);
    if (!this.hasCheckpoint || this.batches > 0 || page <= this.lastPage) {
      throw new SnapshotError(`page ${page} is out of order`);
    }
    this.lastPage = page;
    this.pages++;
    return { kind: 'page', page: { page, bytes: payload.subarray(NUMBER_BYTES) } };
  }

  private batch(payload: Uint8Array): SnapshotRecord {
    const firstZxid = numberAt(payload, 0);
    const lastZxid = numberAt(payload, NUMBER_BYTES);
    if (!follows(this.lastZxid, firstZxid) || lastZxid < firstZxid) {
      throw new SnapshotError(`the log has a gap after zxid ${this.lastZxid}`);
    }
    this.lastZxid = lastZxid;
    this.batches++;
    return { kind: 'batch', batch: { firstZxid, lastZxid, bytes: payload.subarray(2 * NUMBER_BYTES) } };
  }

  end(payload: Uint8Array, digest: Uint8Array): void {
    if (this.records === 0) throw new SnapshotError('its records are out of order');
    const { pages, batches } = this;
    if (numberAt(payload, 0) !== pages || numberAt(payload, NUMBER_BYTES) !== batches) {
      throw new SnapshotError('records are missing');
    }
    if (payload.length !== 2 * NUMBER_BYTES + DIGEST_BYTES || !isEqual(payload.subarray(2 * NUMBER_BYTES), digest)) {
      throw new SnapshotError('its records do not add up to its digest');
    }
    if (this.lastZxid !== this.zxid) throw new SnapshotError(`its log ends at zxid ${this.lastZxid}, not ${this.zxid}`);
  }
}

/** Takes exactly as many bytes as are asked for, however they arrive. */
class ByteStream {
  private readonly chunks: AsyncIterator<Uint8Array>;
  private current: Uint8Array = new Uint8Array(0);

  constructor(stream: AsyncIterable<Uint8Array>) {
    this.chunks = stream[Symbol.asyncIterator]();
  }

  /** Nothing is allocated for bytes that have not come. */
  async exactly(count: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    let missing = count;
    while (missing > this.current.length) {
      if (this.current.length > 0) parts.push(this.current);
      missing -= this.current.length;
      if (!(await this.advance())) throw new SnapshotError('it ends too early');
    }
    const last = this.current.subarray(0, missing);
    this.current = this.current.subarray(missing);
    return parts.length === 0 ? last : Buffer.concat([...parts, last], count);
  }

  async isAtEnd(): Promise<boolean> {
    while (this.current.length === 0) if (!(await this.advance())) return true;
    return false;
  }

  private async advance(): Promise<boolean> {
    const { done, value } = await this.chunks.next();
    this.current = done ? new Uint8Array(0) : value;
    return !done;
  }
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
