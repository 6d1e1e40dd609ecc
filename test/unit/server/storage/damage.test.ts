/**
 * Damage done to copies of a database: whatever is changed, the storage either serves exactly what was stored or
 * refuses; only what was never acknowledged may be gone. Works on the engine directly, without a thread per copy.
 */
import { copyFileSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { StorageError } from '../../../../src/server/storage/index.js';
import { ALL, build, copy, FILE, outcome, served, WAL } from './damaged-copies.js';
import { bytesOf, newDirectory, removeDirectories } from './fixtures.js';

afterAll(removeDirectories);

const { closed, live, killed } = build();
const expected = served(closed);

test('what is served is complete', () => {
  expect(JSON.parse(expected)[3]).toHaveLength(20);
  expect(JSON.parse(expected)[4]).toHaveLength(15);
  expect(served(copy(live))).toBe(expected);
});

test('a flipped bit anywhere in the database is harmless or refused', () => {
  const directory = copy(closed);
  const file = join(directory, FILE);
  const image = readFileSync(file);
  const counts = new Map<string, number>();
  const wrong: string[] = [];
  // A stride that is no divisor of the page size visits every kind of place; all of the first bytes of each page too.
  for (let offset = 0; offset < image.length; offset += offset % 4096 < 110 ? 5 : 197) {
    const bit = offset % 8;
    const changed = Buffer.from(image);
    changed[offset] ^= 1 << bit;
    writeFileSync(file, changed);
    rmSync(`${file}-wal`, { force: true });
    const result = outcome(directory, expected);
    counts.set(result, (counts.get(result) ?? 0) + 1);
    if (!['harmless', 'DAMAGED', 'VERSION'].includes(result)) wrong.push(`${offset} bit ${bit}: ${result}`);
  }
  expect(wrong).toEqual([]);
  expect(counts.get('DAMAGED')).toBeGreaterThan(50);
});

test('a database cut short is refused', () => {
  const size = statSync(join(closed, FILE)).size;
  for (const length of [0, 1, 99, 100, 4095, 4096, size / 2, size - 4096, size - 1]) {
    const directory = copy(closed);
    truncateSync(join(directory, FILE), Math.floor(length));
    expect([length, outcome(directory, expected)]).toEqual([length, 'DAMAGED']);
  }
});

test('garbage and a foreign database are refused, and left alone', () => {
  const garbage = newDirectory();
  writeFileSync(join(garbage, FILE), bytesOf(9, 20_000));
  expect(outcome(garbage, expected)).toBe('DAMAGED');
  expect(readFileSync(join(garbage, FILE)).equals(Buffer.from(bytesOf(9, 20_000)))).toBe(true);

  const foreign = newDirectory();
  new Database(join(foreign, FILE)).exec('CREATE TABLE notes (text)').close();
  expect(outcome(foreign, expected)).toBe('DAMAGED');
});

test('a WAL without its database is refused', () => {
  const directory = copy(live);
  rmSync(join(directory, FILE));
  expect(outcome(directory, expected)).toBe('DAMAGED');
});

test('a WAL that lost something acknowledged is refused, wherever it was cut', () => {
  const image = readFileSync(join(live, WAL));
  const counts = new Map<string, number>();
  for (let length = 0; length < image.length; length += 509) {
    const directory = copy(live);
    writeFileSync(join(directory, WAL), image.subarray(0, length));
    const result = outcome(directory, expected);
    counts.set(result, (counts.get(result) ?? 0) + 1);
    rmSync(directory, { recursive: true });
  }
  // Behind the valid part there are frames of the round before, which nobody misses.
  expect([...counts.keys()].sort()).toEqual(['DAMAGED', 'harmless']);
  expect(counts.get('DAMAGED')).toBeGreaterThan(100);
});

test('a WAL that lost only what was not acknowledged is a clean end', () => {
  const image = readFileSync(join(killed, WAL));
  const all = JSON.parse(expected);
  const ends = new Set<number | string>();
  for (let length = 0; length < image.length; length += 509) {
    const directory = copy(killed);
    writeFileSync(join(directory, WAL), image.subarray(0, length));
    try {
      const got = JSON.parse(served(directory));
      expect(got.slice(1, 4)).toEqual(all.slice(1, 4));
      expect(got[4]).toEqual(all[4].slice(0, got[4].length));
      ends.add(got[4].at(-1)[0]);
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      ends.add(error.code);
    }
    rmSync(directory, { recursive: true });
  }
  expect([...ends]).toEqual(['DAMAGED', 25, 26, 27, 28, 29, 30]);
});

test('a flipped bit anywhere in the WAL is harmless or refused', () => {
  const directory = newDirectory();
  const image = readFileSync(join(live, WAL));
  const counts = new Map<string, number>();
  const wrong: string[] = [];
  for (let offset = 0; offset < image.length; offset += offset < 32 || offset % 4120 < 56 ? 3 : 487) {
    for (const name of ALL) copyFileSync(join(live, name), join(directory, name));
    const changed = Buffer.from(image);
    changed[offset] ^= 1 << (offset % 8);
    writeFileSync(join(directory, WAL), changed);
    const result = outcome(directory, expected);
    counts.set(result, (counts.get(result) ?? 0) + 1);
    if (!['harmless', 'DAMAGED'].includes(result)) wrong.push(`${offset}: ${result}`);
  }
  expect(wrong).toEqual([]);
  expect(counts.get('DAMAGED')).toBeGreaterThan(100);
});

test.each([
  ['a row of the log', 'DELETE FROM log WHERE first_zxid = 20', /follows zxid 20/],
  ['the newest rows of the log', 'DELETE FROM log WHERE first_zxid > 27', /up to 30 were stored/],
  ['the log behind the checkpoint', 'DELETE FROM log WHERE first_zxid < 18', /starts after zxid 17/],
  ['a page', 'DELETE FROM pages WHERE id IN (6, 7)', /19 pages in place of 20/],
  ['a setting', "DELETE FROM meta WHERE key = 'epochs'", /"epochs" .* missing/],
])('missing: %s', (_, sql, message) => {
  const directory = copy(closed);
  new Database(join(directory, FILE)).exec(sql).close();
  expect(() => served(directory)).toThrow(
    expect.objectContaining({ code: 'DAMAGED', message: expect.stringMatching(message) }),
  );
});

test.each([
  ['bytes of a batch', "UPDATE log SET bytes = x'00' WHERE first_zxid = 20", /log row 20/],
  ['end of a batch', 'UPDATE log SET last_zxid = 21 WHERE first_zxid = 30', /impossible zxids/],
  ['bytes of a page', "UPDATE pages SET bytes = x'00' WHERE id = 0", /page 0 .* checksum/],
  ['generation of a page', 'UPDATE pages SET generation = 9 WHERE id = 0', /19 pages/],
  ['version of a page', 'UPDATE pages SET generation = 0 WHERE id = 11', /do not add up/],
  ['epoch of the history', 'UPDATE log SET last_zxid = 25769803777 WHERE first_zxid = 30', /later epoch than .* 5/],
  ['epochs', `UPDATE meta SET value = '{"accepted":9,"current":9}' WHERE key = 'epochs'`, /"epochs".*checksum/],
])('changed: %s', (_, sql, message) => {
  const directory = copy(closed);
  new Database(join(directory, FILE)).exec(sql).close();
  expect(() => served(directory)).toThrow(
    expect.objectContaining({ code: 'DAMAGED', message: expect.stringMatching(message) }),
  );
});
