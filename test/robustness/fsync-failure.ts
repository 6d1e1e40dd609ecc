/**
 * Loaded into a server before everything else (`--import`): makes its disk fail at fsync, as the operating system would
 * report it through SQLite, from when the file that ZABRA_TEST_FSYNC names exists. The file's content says where:
 * `commit` of a group, or `wal`, the copying of the write-ahead log. Each failure is noted in a file beside it.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import Database from 'better-sqlite3';

const file = process.env.ZABRA_TEST_FSYNC ?? '';

function failIfAsked(where: string): void {
  if (!existsSync(file) || readFileSync(file, 'utf8') !== where) return;
  appendFileSync(`${file}.failures`, `${where}\n`);
  throw new Database.SqliteError('disk I/O error', 'SQLITE_IOERR_FSYNC');
}

const db = new Database(':memory:');
const statements = Object.getPrototypeOf(db.prepare('SELECT 1')) as Database.Statement;
db.close();
const { run } = statements;
statements.run = function (this: Database.Statement, ...parameters: unknown[]) {
  if (this.source === 'COMMIT') failIfAsked('commit');
  return run.apply(this, parameters);
};
const { pragma } = Database.prototype;
Database.prototype.pragma = function (this: Database.Database, source, options) {
  if (source.startsWith('wal_checkpoint')) failIfAsked('wal');
  return pragma.call(this, source, options);
};
