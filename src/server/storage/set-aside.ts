/**
 * Begins again with an empty database, and keeps the old one: for a member of an ensemble whose database is damaged, or
 * whose state is not that of the others. It then fetches a full copy from them, and does not vote until it has one.
 *
 * The old database, its WAL and its witness get names with a time stamp; somebody may want to look at them, or save what is
 * in them. The new one keeps the epoch that the old one had accepted, if that can be read: it was a promise to a leader.
 *
 * Whatever interrupts this must not leave a directory that looks new, for a server that has forgotten what it acknowledged
 * would vote. So the new database is made first, under the name `zabra.db.fresh`. While that exists nothing else in the
 * directory is opened (DAMAGED), and setting aside is taken up again where it stopped; its last step puts it in place.
 */
import { existsSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { toStorageError } from './errors.js';
import { lockedError } from './lock-file.js';
import { type Epochs, MetaTable } from './meta.js';
import { DATABASE_FILE, FRESH_FILE, keepWal, makeDraft, syncDirectory } from './schema.js';
import { recordedEnd, WITNESS_FILE } from './tail-witness.js';

/** Sets that are kept; older ones are deleted. */
const SETS_MAX = 2;
const ASIDE_NAME = /^zabra\.aside-[\dTZ-]+\.db/;
/** Held against another process that sets the same directory aside: SQLite's lock on an empty file. */
const LOCK_FILE = 'zabra.aside.lock';

/** What is set aside, with what its name ends in afterwards. */
const PARTS = [
  [DATABASE_FILE, ''],
  [`${DATABASE_FILE}-wal`, '-wal'],
  [`${DATABASE_FILE}-wal.damaged`, '-wal.damaged'],
  [WITNESS_FILE, '.tail'],
] as const;

/**
 * Sets the database in `directory` aside, whatever state it is in, and puts an empty one in its place. No storage may
 * have it open. `reason` is written beside it. Returns the name of the old one inside the directory, and the accepted
 * epoch that was taken over: null when it could not be read, and then it is 0.
 * Throws StorageError: LOCKED, and nothing has changed; FULL, ACCESS, IO: it can be called again.
 */
export async function setDatabaseAside(
  directory: string,
  reason: string,
  nowMs: number = Date.now(),
): Promise<{ asideName: string; acceptedEpoch: number | null }> {
  let lock: Database.Database | undefined;
  try {
    lock = new Database(join(directory, LOCK_FILE), { timeout: 0 });
    lock.exec('BEGIN EXCLUSIVE');
    return replace(directory, reason, nowMs);
  } catch (error) {
    const known = toStorageError(error, `Cannot set the database in ${directory} aside`);
    throw known.code === 'LOCKED' ? lockedError(directory, error) : known;
  } finally {
    lock?.close();
  }
}

function replace(directory: string, reason: string, nowMs: number) {
  const fresh = join(directory, FRESH_FILE);
  const isResumed = existsSync(fresh);
  const hints = [isResumed ? acceptedEpochIn(fresh) : null, recordedEnd(directory)?.accepted || null];
  // From here on nobody opens the old one; who did so just before holds its lock, and is found out by reading it.
  makeFresh(directory, latest(hints) ?? 0);
  let acceptedEpoch: number | null;
  try {
    keepWal(directory);
    acceptedEpoch = latest([...hints, acceptedEpochIn(join(directory, DATABASE_FILE))]);
  } catch (error) {
    if (!isResumed) rmSync(fresh);
    throw error;
  }
  makeFresh(directory, acceptedEpoch ?? 0);

  const asideName = newName(directory, nowMs);
  const aside = join(directory, asideName);
  writeFileSync(`${aside}.txt`, `${new Date(nowMs).toISOString()} ${reason}\n`, { mode: 0o600 });
  for (const [name, suffix] of PARTS) {
    if (existsSync(join(directory, name))) renameSync(join(directory, name), `${aside}${suffix}`);
  }
  syncDirectory(directory);
  renameSync(fresh, join(directory, DATABASE_FILE));
  syncDirectory(directory);
  prune(directory);
  return { asideName, acceptedEpoch };
}

function makeFresh(directory: string, accepted: number): void {
  const epochs: Epochs = { accepted, current: 0, copyNeeded: true };
  const draft = makeDraft(directory, (db) => new MetaTable(db).write('epochs', epochs));
  renameSync(draft, join(directory, FRESH_FILE));
  syncDirectory(directory);
}

/** Null when it cannot be read. Throws LOCKED when somebody has the database open. */
function acceptedEpochIn(file: string): number | null {
  let db: Database.Database | undefined;
  try {
    db = new Database(file, { timeout: 0, fileMustExist: true });
    db.pragma('locking_mode = EXCLUSIVE');
    return new MetaTable(db).read('epochs').value.accepted;
  } catch (error) {
    const known = toStorageError(error, 'Cannot read the epochs');
    if (known.code === 'LOCKED') throw known;
    return null;
  } finally {
    db?.close();
  }
}

function latest(epochs: readonly (number | null)[]): number | null {
  const known = epochs.filter((epoch) => epoch !== null);
  return known.length === 0 ? null : Math.max(...known);
}

function newName(directory: string, nowMs: number): string {
  const taken = setsIn(directory);
  for (let ms = nowMs; ; ms++) {
    const name = `zabra.aside-${new Date(ms).toISOString().replaceAll(/[:.]/g, '-')}.db`;
    if (!taken.includes(name)) return name;
  }
}

/** Names of the sets in `directory`, oldest first. */
export function setsIn(directory: string): string[] {
  const names = readdirSync(directory).map((file) => ASIDE_NAME.exec(file)?.[0]);
  return [...new Set(names.filter((name) => name !== undefined))].sort();
}

function prune(directory: string): void {
  for (const name of setsIn(directory).slice(0, -SETS_MAX)) {
    for (const file of readdirSync(directory)) if (file.startsWith(name)) rmSync(join(directory, file));
  }
}
