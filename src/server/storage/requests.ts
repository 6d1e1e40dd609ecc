/** Answers to what the owner of a storage asks for one by one: reading, mostly. */
import type { Engine } from './engine.js';
import type { OpenedSnapshot, Reply, RequestCommand } from './messages.js';

/** All but `close`, which concerns the queues as well. */
export type ReadCommand = Exclude<RequestCommand, { kind: 'close' }>;

/**
 * The answer, or null when something has to be tidied up first, of which a slice of about `sliceBytes` was done.
 * Throws StorageError: DAMAGED, STALE, CLOSED, FULL reject the request; others are fatal.
 */
export function answer(engine: Engine, request: ReadCommand, sliceBytes: number): Reply | null {
  switch (request.kind) {
    case 'readPages':
      return pack(engine.pages.read(request.fromPage, request.bytesMax));
    case 'readLog': {
      const { afterZxid, bytesMax, isContiguous } = request;
      if (isContiguous && !engine.log.reaches(afterZxid)) return [];
      return pack(engine.log.read(afterZxid, bytesMax));
    }
    case 'findLogEnd':
      return { end: engine.log.endBefore(request.zxid) };
    case 'openSnapshot':
      return openSnapshot(engine, sliceBytes);
    case 'readSnapshotPages':
      return pack(engine.snapshots.readPages(request.snapshot, request.bytesMax));
    case 'readSnapshotBatches':
      return pack(engine.snapshots.readBatches(request.snapshot, request.bytesMax));
    case 'closeSnapshot':
      engine.snapshots.close(request.snapshot);
      return true;
    case 'probe':
      return engine.probe();
  }
}

function openSnapshot(engine: Engine, sliceBytes: number): OpenedSnapshot | null {
  const snapshot = engine.openSnapshot();
  if (snapshot === null) {
    engine.tidy(sliceBytes);
    return null;
  }
  const { checkpoint, checkpointHeader: header, log } = engine;
  return { snapshot, zxid: log.totals.lastZxid, checkpointZxid: checkpoint.zxid, header };
}

/** Moves the bytes of all rows into one buffer, which then changes threads without another copy. */
function pack<Row extends { bytes: Uint8Array }>(rows: Row[]): Row[] {
  const buffer = new Uint8Array(rows.reduce((sum, row) => sum + row.bytes.length, 0));
  let offset = 0;
  return rows.map((row) => {
    const bytes = buffer.subarray(offset, offset + row.bytes.length);
    bytes.set(row.bytes);
    offset += bytes.length;
    return { ...row, bytes };
  });
}
