/**
 * A database that holds a bit of everything, and what is served of a copy of it that was damaged.
 */
import { copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { StorageError } from '../../../../src/server/storage/index.js';
import { bytesOf, newDirectory, openEngine, textBytes } from './fixtures.js';

export const FILE = 'zabra.db';
export const WAL = `${FILE}-wal`;
export const TAIL = 'zabra.tail';
export const ALL = [FILE, WAL, TAIL];

/**
 * A log of 30 batches, a checkpoint with 20 pages in two generations; closed, or copied while open with its WAL. In
 * `killed` the process died between the fsync of batch 26 and everything after it: the witness is that of batch 25.
 */
export function build(): { closed: string; live: string; killed: string } {
  const directory = newDirectory();
  const engine = openEngine(directory);
  const append = (zxid: number) =>
    engine.group(() => engine.append({ firstZxid: zxid, lastZxid: zxid, bytes: bytesOf(zxid, 700 + zxid) }));
  for (let zxid = 1; zxid <= 20; zxid++) append(zxid);
  const pages = Array.from({ length: 20 }, (_, page) => ({ page, bytes: bytesOf(page, 900) }));
  engine.writePages(pages, 0, 1e6);
  engine.finishCheckpoint(10, textBytes('first'), false);
  engine.writePages(
    pages.slice(5, 10).map(({ page }) => ({ page, bytes: bytesOf(page + 100, 950) })),
    0,
    1e6,
  );
  engine.finishCheckpoint(15, textBytes('second'), false);
  engine.group(() => engine.setEpochs(4, 3));
  engine.checkpointWal();
  // The WAL now starts again from the top; what follows is all it holds in its valid part.
  const [live, killed] = [newDirectory(), newDirectory()];
  for (let zxid = 21; zxid <= 30; zxid++) {
    append(zxid);
    if (zxid === 25) copyFileSync(join(directory, TAIL), join(killed, TAIL));
  }
  engine.group(() => engine.setEpochs(5, 5));
  for (const name of ALL) copyFileSync(join(directory, name), join(live, name));
  for (const name of [FILE, WAL]) copyFileSync(join(directory, name), join(killed, name));
  engine.close();
  return { closed: directory, live, killed };
}

/** Everything a recovery hands out, as one comparable string; throws what the recovery throws. */
export function served(directory: string): string {
  const engine = openEngine(directory);
  try {
    const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
    return JSON.stringify([
      engine.epochs,
      engine.checkpoint.zxid,
      hex(engine.checkpointHeader),
      engine.pages.read(0, 1e9).map(({ page, bytes }) => [page, hex(bytes)]),
      engine.log.read(engine.checkpointZxid, 1e9).map((batch) => [batch.firstZxid, batch.lastZxid, hex(batch.bytes)]),
    ]);
  } finally {
    engine.abort();
  }
}

export function copy(from: string): string {
  const directory = newDirectory();
  for (const name of ALL) {
    if (existsSync(join(from, name))) copyFileSync(join(from, name), join(directory, name));
  }
  return directory;
}

/** `harmless` when exactly `expected` is served, WRONG when something else is, or the code of the error. */
export function outcome(directory: string, expected: string): string {
  try {
    return served(directory) === expected ? 'harmless' : 'WRONG';
  } catch (error) {
    return error instanceof StorageError ? error.code : `${error}`;
  }
}
