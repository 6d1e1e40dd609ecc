import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { migrate, openDatabase } from '../../../../src/server/storage/schema.js';
import { newDirectory, openEngine, removeDirectories } from './fixtures.js';

afterAll(removeDirectories);

test('the settings that durability rests on are in force', () => {
  const directory = newDirectory();
  const db = openDatabase(directory);
  const setting = (name: string) => db.pragma(name, { simple: true });
  expect(setting('journal_mode')).toBe('wal');
  expect(setting('synchronous')).toBe(2);
  expect(setting('locking_mode')).toBe('exclusive');
  expect(setting('page_size')).toBe(4096);
  expect(setting('wal_autocheckpoint')).toBe(0);
  db.close();
  expect(readdirSync(directory)).toEqual(['zabra.db']);
});

test('a schema newer than this release is refused by its number', () => {
  const directory = newDirectory();
  openEngine(directory).close();
  const db = new Database(join(directory, 'zabra.db'));
  db.pragma('user_version = 99');
  db.close();
  expect(() => openEngine(directory)).toThrow(
    expect.objectContaining({ code: 'VERSION', message: expect.stringContaining('99') }),
  );
});

test('migrations run in order from the version found, each in a transaction of its own', () => {
  const db = new Database(':memory:');
  const steps = [
    (at: Database.Database) => void at.exec('CREATE TABLE a (x)'),
    (at: Database.Database) => void at.exec('ALTER TABLE a ADD COLUMN y'),
  ];
  migrate(db, steps.slice(0, 1));
  expect(db.pragma('user_version', { simple: true })).toBe(1);
  db.exec('INSERT INTO a (x) VALUES (1)');
  migrate(db, steps);
  expect(db.prepare('SELECT x, y FROM a').all()).toEqual([{ x: 1, y: null }]);
  const failing = () => {
    db.exec('CREATE TABLE b (x)');
    throw new Error('no');
  };
  expect(() => migrate(db, [...steps, failing])).toThrow('no');
  expect(db.pragma('user_version', { simple: true })).toBe(2);
  expect(db.prepare("SELECT count(*) FROM sqlite_schema WHERE name = 'b'").pluck().get()).toBe(0);
});

test('a schema version that no release has written is damage', () => {
  const directory = newDirectory();
  openEngine(directory).close();
  const db = new Database(join(directory, 'zabra.db'));
  db.pragma('user_version = -3');
  db.close();
  expect(() => openEngine(directory)).toThrow(expect.objectContaining({ code: 'DAMAGED' }));
});

test('leftovers of a creation that was interrupted do not matter', () => {
  const directory = newDirectory();
  writeFileSync(join(directory, `zabra.db.${process.pid}.new`), 'half a database');
  writeFileSync(join(directory, 'zabra.lock'), 'not even JSON');
  openEngine(directory).close();
  expect(readdirSync(directory)).toEqual(['zabra.db', 'zabra.tail']);
});

test('a directory that cannot be used is named', () => {
  const directory = newDirectory();
  writeFileSync(join(directory, 'file'), '');
  expect(() => openEngine(join(directory, 'file', 'data'))).toThrow(expect.objectContaining({ code: 'ACCESS' }));
  mkdirSync(join(directory, 'zabra.db'));
  expect(() => openEngine(directory)).toThrow(expect.objectContaining({ name: 'StorageError' }));
});
