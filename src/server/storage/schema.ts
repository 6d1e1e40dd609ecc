/**
 * The database file: how it is created, opened, brought up to date and recognised.
 *
 * A new database is built under another name and linked into place when complete, so a `zabra.db` that exists is whole
 * by construction and an empty or half-made one is damage, not a fresh start. `user_version` counts the migration steps
 * that were applied; a database with more steps than this release knows is refused. After the migrations the schema
 * text must equal what the steps produce from nothing: a flipped bit in a column's name must not become a query that
 * silently answers something else.
 */
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  renameSync,
  statSync,
  unlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { codeOf, damaged, messageOf, StorageError, toStorageError } from './errors.js';
import { createMeta } from './meta.js';

export type Db = Database.Database;

/** One step from version n to n + 1, run inside a transaction. Steps are only ever appended. */
export type Migration = (db: Db) => void;

export const DATABASE_FILE = 'zabra.db';
/** The database that is to take the place of the one being set aside (`set-aside.ts`). */
export const FRESH_FILE = `${DATABASE_FILE}.fresh`;

/**
 * 4 KiB measured best for batches of 300 B and of 8 KiB; larger pages gain only for batches of 60 KiB and more, while
 * each small commit then writes a larger page to the WAL.
 */
export const PAGE_BYTES = 4096;
const CACHE_KIB = 8192;
/** Whatever the umask allows. */
const OWNER_ONLY = 0o600;
/** "Zabr" */
const APPLICATION_ID = 0x5a616272;

const MIGRATIONS: readonly Migration[] = [
  (db) => {
    db.exec(`
      CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL, bytes BLOB NOT NULL, crc INTEGER NOT NULL) STRICT;
      CREATE TABLE log (
        first_zxid INTEGER PRIMARY KEY,
        last_zxid INTEGER NOT NULL,
        prev_zxid INTEGER NOT NULL,
        crc INTEGER NOT NULL,
        bytes BLOB NOT NULL
      ) STRICT;
      CREATE TABLE pages (
        id INTEGER PRIMARY KEY,
        generation INTEGER NOT NULL,
        crc INTEGER NOT NULL,
        bytes BLOB NOT NULL
      ) STRICT;
    `);
    createMeta(db);
  },
  (db) => {
    db.exec(`
      CREATE TABLE kept (
        id INTEGER NOT NULL,
        generation INTEGER NOT NULL,
        crc INTEGER NOT NULL,
        bytes BLOB NOT NULL,
        PRIMARY KEY (id, generation)
      ) STRICT;
    `);
  },
];

/** Brings the database from its `user_version` to `steps.length`. Throws VERSION when it is already beyond that. */
export function migrate(db: Db, steps: readonly Migration[] = MIGRATIONS): void {
  const version = Number(db.pragma('user_version', { simple: true }));
  if (version > steps.length) {
    throw new StorageError(
      'VERSION',
      `The database has schema version ${version}; this release knows versions up to ${steps.length}.`,
    );
  }
  if (version < 0) throw damaged(`its schema version is ${version}`);
  for (let done = version; done < steps.length; done++) {
    db.transaction(() => {
      steps[done](db);
      db.pragma(`user_version = ${done + 1}`);
    })();
  }
}

/**
 * Opens `zabra.db` in `directory`, creating it when missing, and takes the exclusive lock that is held until `close`.
 * Throws StorageError.
 */
export function openDatabase(directory: string): Db {
  const file = join(directory, DATABASE_FILE);
  refuseWhileSetAside(directory);
  if (!existsSync(file)) {
    if (existsSync(`${file}-wal`) && statSync(`${file}-wal`).size > 0) {
      throw damaged(`${DATABASE_FILE} is missing while its write-ahead log is there`);
    }
    createDatabase(directory);
  } else if (statSync(file).size === 0) {
    throw damaged(`${DATABASE_FILE} is empty`);
  }
  for (const one of [file, `${file}-wal`]) keepFromOthers(one);
  const db = new Database(file, { timeout: 0, fileMustExist: true });
  try {
    configure(db);
    refuseWhileSetAside(directory);
    migrate(db);
    verifySchema(db);
    return db;
  } catch (error) {
    db.close();
    // A statement that does not compile, or a constraint that does not hold, can only come from a file that changed.
    if (/^SQLITE_(ERROR|CONSTRAINT|MISMATCH|SCHEMA)/.test(codeOf(error))) {
      throw damaged(`its schema cannot be read: ${messageOf(error)}`, error);
    }
    throw toStorageError(error, `Cannot open ${DATABASE_FILE}`);
  }
}

/**
 * Before a damaged database is closed: SQLite then deletes the WAL, although behind a damaged place it may hold what is
 * nowhere else. It stays under a second name, which does no harm to a database that is put back in its place.
 */
export function keepWal(directory: string): void {
  const wal = join(directory, `${DATABASE_FILE}-wal`);
  const kept = `${wal}.damaged`;
  if (!existsSync(wal) || statSync(wal).size === 0 || existsSync(kept)) return;
  try {
    linkSync(wal, kept);
  } catch {
    // Without hard links there is nothing to keep it with, and the damage is what the operator must hear about.
  }
}

/** fsync of a directory: makes the names of new files in it survive a power cut. */
export function syncDirectory(directory: string): void {
  const fd = openSync(directory, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function configure(db: Db): void {
  // EXCLUSIVE before the first read: the WAL index then lives in the heap, and no -shm file is needed.
  db.pragma('locking_mode = EXCLUSIVE');
  if (db.pragma('journal_mode = WAL', { simple: true }) !== 'wal') {
    throw new StorageError('ACCESS', 'The file system does not allow a write-ahead log.');
  }
  // Stated although it is SQLite's default: better-sqlite3 is compiled with NORMAL for a WAL, which skips the fsync.
  db.pragma('synchronous = FULL');
  // The engine runs the WAL checkpoint itself, when it is least felt.
  db.pragma('wal_autocheckpoint = 0');
  db.pragma(`cache_size = -${CACHE_KIB}`);
  db.pragma('cell_size_check = ON');
  db.pragma('temp_store = MEMORY');
}

/** Settings that are fixed when the file is made. No auto_vacuum: freed pages are reused, and its map costs writes. */
function initialise(db: Db): void {
  db.pragma(`page_size = ${PAGE_BYTES}`);
  db.pragma('auto_vacuum = NONE');
  db.pragma(`application_id = ${APPLICATION_ID}`);
}

/** Asked once more when the lock is held: whoever sets the database aside asks for that after leaving this sign. */
function refuseWhileSetAside(directory: string): void {
  if (existsSync(join(directory, FRESH_FILE))) throw damaged('it was being set aside when the server stopped');
}

/** Makes a complete new database under a name that nobody opens, with what `prepare` adds; returns its path. */
export function makeDraft(directory: string, prepare: (db: Db) => void = () => {}): string {
  for (const name of readdirSync(directory)) {
    if (/^zabra\.db\.\d+\.new(-wal|-journal)?$/.test(name)) unlinkSync(join(directory, name));
  }
  const draft = join(directory, `${DATABASE_FILE}.${process.pid}.new`);
  closeSync(openSync(draft, 'w', OWNER_ONLY)); // SQLite gives its other files the same permissions
  const db = new Database(draft, { timeout: 0 });
  try {
    initialise(db);
    configure(db);
    migrate(db);
    prepare(db);
  } finally {
    db.close();
  }
  return draft;
}

/** Databases of earlier releases could be read by whoever reached their directory. One of another owner stays as it is. */
function keepFromOthers(file: string): void {
  const { mode = 0, uid } = statSync(file, { throwIfNoEntry: false }) ?? {};
  if ((mode & 0o077) !== 0 && uid === process.geteuid?.()) chmodSync(file, OWNER_ONLY);
}

function createDatabase(directory: string): void {
  const draft = makeDraft(directory);
  const file = join(directory, DATABASE_FILE);
  try {
    // Unlike rename, link never replaces the database of another process that was a little faster.
    linkSync(draft, file);
    unlinkSync(draft);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') unlinkSync(draft);
    else if (/^(EPERM|ENOSYS|ENOTSUP|EOPNOTSUPP)$/.test(codeOf(error))) renameSync(draft, file);
    else throw error;
  }
  syncDirectory(directory);
}

function verifySchema(db: Db): void {
  if (db.pragma('application_id', { simple: true }) !== APPLICATION_ID) {
    throw damaged(`${DATABASE_FILE} is not a database of Zabra`);
  }
  const reference = new Database(':memory:');
  try {
    migrate(reference);
    if (schemaText(db) !== schemaText(reference)) throw damaged('its schema is not the one this version creates');
  } finally {
    reference.close();
  }
}

function schemaText(db: Db): string {
  return JSON.stringify(db.prepare('SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name').raw().all());
}
