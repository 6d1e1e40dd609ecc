// A database from a snapshot, and its way into the place of the one a server has.
//
// The new database is written beside the old one while the server goes on serving, read back as at a start, and only
// when all of that went well is the old one touched: the server stops, the databases change places (replacement.ts), and
// the server starts again.
//
// The state is an older one, but zxids go on: behind the snapshot's log stands one entry more, which does nothing, in an
// epoch above all that either database has seen. So no zxid is ever given twice, and clients that have seen later ones
// than the snapshot's are served at once (E3).

import { existsSync, rmSync } from 'node:fs';
import { OpCode } from '../../../../protocol/client/constants.js';
import { Code } from '../../../../protocol/client/errors.js';
import { epochOf, hex, makeZxid } from '../../../../protocol/ids.js';
import { JuteWriter } from '../../../../protocol/jute/writer.js';
import { encodeBatch } from '../../../../protocol/peer/codec.js';
import { BatchBuilder } from '../../../../protocol/peer/entries.js';
import { ErrorRequest } from '../../../core/ops/error.js';
import type { Logger } from '../../logging.js';
import { type Recovered, Storage, type StorageError, type StoredBatch } from '../../storage/index.js';
import { SnapshotError } from './format.js';
import { readSnapshot, type SnapshotRecord } from './reader.js';
import { replaceDatabase, stagingDirectory } from './replacement.js';

export interface RestoreOptions {
  /** The new database is at least of this epoch: one that nobody has seen. */
  readonly epochMin: number;
  /**
   * Reads the new database as a server does when it starts, and throws an Error that says what is wrong with it: digest,
   * number of nodes, batches that cannot be executed.
   */
  readonly verify: (recovered: Recovered) => Promise<void>;
}

/** What is written and not on the disk yet, in bytes, above which the stream waits. */
const PENDING_BYTES_MAX = 8 * 1024 * 1024;

/**
 * Writes a database from a snapshot into `directory`, which is created and must not exist, reads it back and closes it.
 * Throws SnapshotError when the snapshot cannot be used and StorageError when the disk does not take it (FULL: no room);
 * `directory` is gone again then. An error of the stream itself is passed on.
 */
export async function restoreInto(
  directory: string,
  stream: AsyncIterable<Uint8Array>,
  options: RestoreOptions,
): Promise<{ lastZxid: number }> {
  if (existsSync(directory)) throw new Error(`${directory} exists already`);
  try {
    const lastZxid = await write(directory, stream, options.epochMin);
    await readBack(directory, options.verify);
    return { lastZxid };
  } catch (error) {
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
}

async function write(directory: string, stream: AsyncIterable<Uint8Array>, epochMin: number): Promise<number> {
  const { storage } = await Storage.open({ directory });
  const filler = new Filler(storage);
  try {
    let lastZxid = 0;
    let epoch = epochMin;
    for await (const record of readSnapshot(stream)) {
      if (record.kind === 'begin') {
        lastZxid = record.zxid;
        epoch = Math.max(epochMin, epochOf(lastZxid) + 1);
        await storage.setEpochs(epoch, epoch);
      }
      await filler.add(record);
    }
    await filler.add({ kind: 'batch', batch: emptyDeed(makeZxid(epoch, 1)) });
    await filler.finish();
    return lastZxid;
  } finally {
    await storage.close();
  }
}

/** A batch of one entry that takes its zxid and does nothing else. */
function emptyDeed(zxid: number): StoredBatch {
  const request = new JuteWriter(16);
  ErrorRequest.write(request, { code: Code.SystemError });
  const builder = new BatchBuilder(0);
  builder.add(OpCode.error, 0, 0, [], request.bytes, 0, request.position);
  return { firstZxid: zxid, lastZxid: zxid, bytes: encodeBatch(builder.close(zxid, Date.now())) };
}

async function readBack(directory: string, verify: RestoreOptions['verify']): Promise<void> {
  const { storage, recovered } = await Storage.open({ directory });
  try {
    await verify(recovered).catch((error: Error) => {
      throw new SnapshotError(`what it holds makes up no state: ${error.message}`, { cause: error });
    });
  } finally {
    await storage.close();
  }
}

/** Hands records to a storage no faster than the disk takes them. */
class Filler {
  private readonly storage: Storage;
  private failure: StorageError | null = null;
  private wake: () => void = () => {};
  private inCheckpoint = false;
  private checkpointedZxid = 0;
  private appendedZxid = 0;
  private storedZxid = 0;
  private appendedBytes = 0;

  constructor(storage: Storage) {
    this.storage = storage;
    const fail = (error: StorageError) => {
      this.failure = error;
      this.wake();
    };
    storage.onFatal = fail;
    storage.onStoreFailed = fail;
    storage.onCheckpointFailed = fail;
    storage.onCheckpointDrained = () => this.wake();
    storage.onCheckpointed = (zxid) => {
      this.checkpointedZxid = zxid;
      this.wake();
    };
    storage.onStored = (zxid) => {
      this.storedZxid = zxid;
      this.wake();
    };
  }

  async add(record: SnapshotRecord): Promise<void> {
    const { storage } = this;
    switch (record.kind) {
      case 'begin':
        if (record.checkpointZxid === 0) return;
        storage.beginCheckpoint(record.checkpointZxid, record.header, { isFull: true });
        this.inCheckpoint = true;
        return;
      case 'page':
        storage.checkpointPages([record.page]);
        if (this.pendingPageBytes > PENDING_BYTES_MAX) await this.until(() => this.pendingPageBytes === 0);
        return;
      case 'batch': {
        await this.endCheckpoint();
        const { firstZxid, lastZxid, bytes } = record.batch;
        storage.append(firstZxid, lastZxid, bytes);
        this.appendedZxid = lastZxid;
        this.appendedBytes += bytes.length;
        if (this.appendedBytes > PENDING_BYTES_MAX) await this.allStored();
      }
    }
  }

  /** Everything is on disk. */
  async finish(): Promise<void> {
    await this.endCheckpoint();
    await this.allStored();
  }

  private get pendingPageBytes(): number {
    return this.storage.stats().checkpointBytesPending;
  }

  private async endCheckpoint(): Promise<void> {
    if (!this.inCheckpoint) return;
    this.inCheckpoint = false;
    this.storage.endCheckpoint();
    await this.until(() => this.checkpointedZxid > 0);
  }

  private async allStored(): Promise<void> {
    await this.until(() => this.storedZxid >= this.appendedZxid);
    this.appendedBytes = 0;
  }

  private async until(isDone: () => boolean): Promise<void> {
    while (this.failure === null && !isDone()) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    if (this.failure !== null) throw this.failure;
  }
}

/** The server whose database is replaced. */
export interface RestoreHost {
  readonly dataDir: string;
  /** The highest epoch it has accepted. */
  acceptedEpoch(): number;
  /** As in RestoreOptions. */
  verify(recovered: Recovered): Promise<void>;
  /** Ends serving clients and closes the storage. The HTTP port stays: the answer goes out through it. */
  suspend(): Promise<void>;
  /** Opens dataDir as it is now and serves again; the first epoch it opens is above the accepted one. */
  resume(): Promise<void>;
}

/**
 * Replaces the database of a running server that is on its own. Up to `suspend` every failure leaves it as it was, and
 * serving; the errors are those of restoreInto. Resolves when it serves the new one, with the folder of the old one.
 */
export async function restoreServer(
  host: RestoreHost,
  stream: AsyncIterable<Uint8Array>,
  logger: Logger,
): Promise<{ lastZxid: number; setAside: string }> {
  const { dataDir } = host;
  const staging = stagingDirectory(dataDir);
  rmSync(staging, { recursive: true, force: true }); // what an attempt that was killed has left
  // One more than accepted: the server may open its next epoch while the snapshot is still coming in.
  const epochMin = host.acceptedEpoch() + 1;
  const { lastZxid } = await restoreInto(staging, stream, { epochMin, verify: (recovered) => host.verify(recovered) });
  logger.warn('the database is replaced by a snapshot', { lastZxid: hex(lastZxid) });
  await host.suspend();
  let setAside: string;
  try {
    setAside = replaceDatabase(dataDir, new Date());
  } catch (error) {
    // Whatever has been moved, the start finds out: the old database is in its place, or the new one is put there.
    await host.resume();
    throw error;
  }
  await host.resume();
  logger.info(`serving the state of a snapshot; the database it replaced is in ${setAside}`, {
    lastZxid: hex(lastZxid),
  });
  return { lastZxid, setAside };
}
