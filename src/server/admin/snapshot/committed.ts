// The log of a member of an ensemble may end with batches that are on its disk and not committed, and may never be. A
// snapshot has nothing of them.

import type { StoredBatch } from '../../storage/index.js';
import type { SnapshotSource } from './format.js';

/** The source up to `committedZxid`, which is the end of a batch and not before the checkpoint. */
export function upTo(committedZxid: number, source: SnapshotSource): SnapshotSource {
  if (source.zxid <= committedZxid) return source;
  return {
    zxid: committedZxid,
    checkpointZxid: source.checkpointZxid,
    header: source.header,
    pages: () => source.pages(),
    batches: () => committedOnly(committedZxid, source.batches()),
    close: () => source.close(),
  };
}

async function* committedOnly(
  committedZxid: number,
  batches: AsyncIterable<readonly StoredBatch[]>,
): AsyncGenerator<readonly StoredBatch[]> {
  for await (const rows of batches) {
    const committed = rows.filter(({ lastZxid }) => lastZxid <= committedZxid);
    if (committed.length > 0) yield committed;
    if (committed.length < rows.length) return;
  }
}
