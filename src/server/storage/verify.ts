/**
 * Looks a database over without a server and tells all that is wrong with it, where opening it would stop at the first.
 *
 * It never writes to the directory: SQLite cannot read a database with a write-ahead log without the right to write, so
 * what is looked at is a copy (`copyDatabase`), and what is done to that in order to read it does no harm.
 */
import { constants, copyFileSync, existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { codeOf, damaged, hex, StorageError, toStorageError } from './errors.js';
import { lockedError } from './lock-file.js';
import { LogTable } from './log-table.js';
import { type CheckpointMeta, type Epochs, MetaTable, verifyEpochs } from './meta.js';
import { PageTable } from './page-table.js';
import { DATABASE_FILE, type Db, FRESH_FILE, openDatabase } from './schema.js';
import { Snapshots } from './snapshots.js';
import { TailWitness, WITNESS_FILE } from './tail-witness.js';

/** How many of a kind are named. */
const NAMED_MAX = 10;

const COPIED = [DATABASE_FILE, `${DATABASE_FILE}-wal`, FRESH_FILE, WITNESS_FILE];

const NOTHING = { epochs: undefined, checkpoint: undefined, log: undefined } as const;

/** What was found in a database. What could not be read is undefined. */
export interface Examination {
  /** Each with what to do about it; none when everything is as it was stored. */
  readonly problems: readonly StorageError[];
  readonly epochs: Epochs | undefined;
  readonly checkpoint: CheckpointMeta | undefined;
  readonly log: { readonly batches: number; readonly bytes: number; readonly lastZxid: number } | undefined;
}

/**
 * Copies the database in `directory` to a new temporary directory and returns that, to be removed by the caller.
 * Throws StorageError: LOCKED while a server holds it, ACCESS when there is no database, FULL when there is no room.
 */
export function copyDatabase(directory: string): string {
  const present = COPIED.filter((name) => existsSync(join(directory, name)));
  if (present.length === 0) {
    throw new StorageError('ACCESS', `There is no database of Zabra in ${directory}.`, {
      remedy: 'Give the directory that dataDir names in the configuration of the server.',
    });
  }
  refuseWhileHeld(directory);
  const copy = mkdtempSync(join(tmpdir(), 'zabra-verify-'));
  try {
    for (const name of present) copyFileSync(join(directory, name), join(copy, name), constants.COPYFILE_FICLONE);
    // A server that was started meanwhile has changed what was being copied.
    refuseWhileHeld(directory);
    return copy;
  } catch (error) {
    rmSync(copy, { recursive: true, force: true });
    const known = toStorageError(error, `Cannot copy the database in ${directory} to ${tmpdir()}`);
    if (known.code !== 'FULL') throw known;
    throw new StorageError('FULL', known.message, { remedy: 'Name a directory with more room in TMPDIR.' });
  }
}

/** Reads everything there is in `directory`, a copy that is changed by it. Never throws for what is wrong with it. */
export function examineDatabase(directory: string): Examination {
  const problems: StorageError[] = [];
  const attempt = <T>(work: () => T): T | undefined => {
    try {
      return work();
    } catch (error) {
      problems.push(asProblem(error));
      return undefined;
    }
  };
  const db = attempt(() => openExisting(directory));
  if (db === undefined) return { problems, ...NOTHING };
  try {
    attempt(() => checkStructure(db, problems));
    const tables = attempt(() => {
      const log = new LogTable(db);
      return { meta: new MetaTable(db), log, pages: new PageTable(db, new Snapshots(db, log)) };
    });
    if (tables === undefined) return { problems, ...NOTHING };
    const { meta, log, pages } = tables;
    const epochs = attempt(() => meta.read('epochs').value);
    const checkpoint = attempt(() => meta.read('checkpoint').value);
    const tail = attempt(() => meta.read('tail').value);
    // Which pages and batches there must be, only the checkpoint's entry tells.
    if (checkpoint !== undefined) {
      attempt(() => pages.load(checkpoint));
      attempt(() => report(pages.damagedPages(NAMED_MAX), 'of the checkpoint', problems));
    }
    const chain = attempt(() => {
      if (checkpoint === undefined) return undefined;
      log.load(checkpoint.zxid ?? 0, tail?.zxid ?? 0);
      return log.totals;
    });
    attempt(() => report(log.damagedBatches(NAMED_MAX), 'of the log', problems));
    if (epochs !== undefined && chain !== undefined) {
      attempt(() => verifyEpochs(epochs, chain.lastZxid));
      const end = { zxid: chain.lastZxid, accepted: epochs.accepted, current: epochs.current };
      attempt(() => TailWitness.open(directory, end).close());
    }
    return { problems, epochs, checkpoint, log: chain };
  } finally {
    db.close();
  }
}

function openExisting(directory: string): Db {
  if (existsSync(join(directory, FRESH_FILE))) {
    throw new StorageError('DAMAGED', 'The database was being set aside when the server stopped.', {
      remedy: 'Start the server: it goes on with that, and takes a copy from the other servers.',
    });
  }
  // A server would begin a new one, and then miss what the witness tells of.
  if (!existsSync(join(directory, DATABASE_FILE))) throw damaged(`${DATABASE_FILE} is missing`);
  return openDatabase(directory);
}

/** SQLite's own view: pages of the file, b-trees, indexes. */
function checkStructure(db: Db, problems: StorageError[]): void {
  const lines = db.pragma(`integrity_check(${NAMED_MAX})`) as { integrity_check: string }[];
  for (const { integrity_check: line } of lines) {
    if (line !== 'ok') problems.push(damaged(`its structure: ${line.replaceAll('\n', ' ')}`));
  }
}

function report(damagedOnes: readonly (number | readonly number[])[], where: string, problems: StorageError[]): void {
  for (const one of damagedOnes) {
    const what = typeof one === 'number' ? `page ${one}` : `the batch of zxids ${one.map(hex).join(' to ')}`;
    problems.push(damaged(`${what} ${where} fails its checksum`));
  }
  if (damagedOnes.length === NAMED_MAX) problems.push(damaged(`perhaps more ${where}: no more than these are named`));
}

/** What cannot be read is damage, whatever SQLite calls it, once the file could be opened at all. */
function asProblem(error: unknown): StorageError {
  if (/^SQLITE_(ERROR|CONSTRAINT|MISMATCH|SCHEMA)/.test(codeOf(error))) return damaged(String(error), error);
  return toStorageError(error, 'Cannot read the database');
}

/**
 * Throws LOCKED while somebody has the database open. To ask for the lock in earnest would take the right to write, and
 * leave files behind: a connection without that right is told BUSY while there is a holder, and cannot go on otherwise.
 */
function refuseWhileHeld(directory: string): void {
  const file = join(directory, DATABASE_FILE);
  if (!existsSync(file) || statSync(file).size === 0) return;
  let db: Database.Database | undefined;
  try {
    db = new Database(file, { readonly: true, fileMustExist: true, timeout: 0 });
    db.pragma('locking_mode = EXCLUSIVE');
    db.pragma('schema_version');
  } catch (error) {
    if (toStorageError(error, '').code === 'LOCKED') throw lockedError(directory, error);
  } finally {
    db?.close();
  }
}
