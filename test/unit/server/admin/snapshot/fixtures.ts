/** What the snapshot tests share: a source of made-up rows, whole streams as bytes, directories that go away. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SnapshotSource } from '../../../../../src/server/admin/snapshot/format.js';
import { snapshotChunks } from '../../../../../src/server/admin/snapshot/writer.js';
import type { Page, StoredBatch } from '../../../../../src/server/storage/index.js';

const directories: string[] = [];

export function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'zabra-snapshot-'));
  directories.push(directory);
  return directory;
}

export function removeDirectories(): void {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
}

export const EPOCH = 2 ** 32;

const bytes = (text: string) => new Uint8Array(Buffer.from(text));

async function* inChunks<Row>(rows: readonly Row[]): AsyncGenerator<readonly Row[]> {
  for (let i = 0; i < rows.length; i += 2) yield rows.slice(i, i + 2);
}

export interface FakeRows {
  readonly header: Uint8Array;
  readonly checkpointZxid: number;
  readonly pages: readonly Page[];
  readonly batches: readonly StoredBatch[];
}

/** A checkpoint in epoch 3 with pages, and a log behind it that goes on into epoch 5. */
export const ROWS: FakeRows = {
  header: bytes('header'),
  checkpointZxid: 3 * EPOCH + 10,
  pages: [0, 1, 4, 9].map((page) => ({ page, bytes: bytes(`page ${page}`) })),
  batches: [
    { firstZxid: 3 * EPOCH + 11, lastZxid: 3 * EPOCH + 12, bytes: bytes('eleven and twelve') },
    { firstZxid: 3 * EPOCH + 13, lastZxid: 3 * EPOCH + 13, bytes: bytes('') },
    { firstZxid: 5 * EPOCH + 1, lastZxid: 5 * EPOCH + 4, bytes: bytes('a later epoch') },
  ],
};

export function sourceOf(rows: FakeRows): SnapshotSource & { isClosed: boolean } {
  return {
    zxid: rows.batches.at(-1)?.lastZxid ?? rows.checkpointZxid,
    checkpointZxid: rows.checkpointZxid,
    header: rows.header,
    pages: () => inChunks(rows.pages),
    batches: () => inChunks(rows.batches),
    isClosed: false,
    close() {
      this.isClosed = true;
    },
  };
}

export async function bytesOf(source: SnapshotSource): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of snapshotChunks(source)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** A stream of pieces of `pieceBytes`. */
export async function* streamOf(whole: Uint8Array, pieceBytes = 65_536): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < whole.length; at += pieceBytes) yield whole.subarray(at, at + pieceBytes);
}
