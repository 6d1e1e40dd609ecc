// Writes a snapshot (format.ts) as a stream of chunks. Whoever reads them sets the pace: the next rows are read from the
// database only when the chunk before has been taken.

import { createHash } from 'node:crypto';
import { encodeRecord, MAGIC, RecordType, type SnapshotSource } from './format.js';

/** Rows are small; chunks of about this size are not. */
const CHUNK_BYTES = 256 * 1024;

/** The whole file, chunk by chunk. Does not close the source. */
export async function* snapshotChunks(source: SnapshotSource): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  let pages = 0;
  let batches = 0;
  const add = (bytes: Uint8Array): void => {
    hash.update(bytes);
    waiting.push(bytes);
    waitingBytes += bytes.length;
  };
  const take = (): Uint8Array => {
    const chunk = Buffer.concat(waiting, waitingBytes);
    waiting = [];
    waitingBytes = 0;
    return chunk;
  };

  add(MAGIC);
  add(encodeRecord(RecordType.begin, [source.zxid, source.checkpointZxid], source.header ?? new Uint8Array(0)));
  for await (const rows of source.pages()) {
    for (const { page, bytes } of rows) {
      add(encodeRecord(RecordType.page, [page], bytes));
      pages++;
      if (waitingBytes >= CHUNK_BYTES) yield take();
    }
  }
  for await (const rows of source.batches()) {
    for (const { firstZxid, lastZxid, bytes } of rows) {
      add(encodeRecord(RecordType.batch, [firstZxid, lastZxid], bytes));
      batches++;
      if (waitingBytes >= CHUNK_BYTES) yield take();
    }
  }
  const digest = hash.digest();
  waiting.push(encodeRecord(RecordType.end, [pages, batches], digest));
  waitingBytes += waiting[waiting.length - 1].length;
  yield take();
}
