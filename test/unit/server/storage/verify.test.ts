/** What is told of a database without a server: all that is wrong with it, and nothing when a server would serve it all. */
import { existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { copyDatabase, examineDatabase } from '../../../../src/server/storage/index.js';
import { build, copy, FILE, outcome, served, TAIL, WAL } from './damaged-copies.js';
import { newDirectory, openEngine, removeDirectories } from './fixtures.js';

afterAll(removeDirectories);

const { closed, live, killed } = build();
const expected = served(copy(closed));

const problemsOf = (directory: string) => examineDatabase(directory).problems.map(({ message }) => message);

/** A copy in which this statement was carried out. */
function changed(sql: string): string {
  const directory = copy(closed);
  new Database(join(directory, FILE)).exec(sql).close();
  return directory;
}

test.each([
  ['closed', closed],
  ['with its write-ahead log', live],
  ['whose server was killed in the middle', killed],
])('sound: %s', (_, directory) => {
  const { problems, epochs, checkpoint, log } = examineDatabase(copy(directory));
  expect(problems).toEqual([]);
  expect(epochs).toEqual({ accepted: 5, current: 5 });
  expect(checkpoint).toMatchObject({ zxid: 15, pages: 20 });
  expect(log).toMatchObject({ lastZxid: 30, batches: 30 });
});

test.each([
  ['a batch', "UPDATE log SET bytes = x'00' WHERE first_zxid = 20", /zxids 0x14 to 0x14 of the log fails its checksum/],
  ['a batch behind the checkpoint', "UPDATE log SET bytes = x'00' WHERE first_zxid = 2", /zxids 0x2 to 0x2 of the log/],
  ['a gap', 'DELETE FROM log WHERE first_zxid = 20', /follows zxid 20/],
  ['the end of the log', 'DELETE FROM log WHERE first_zxid > 27', /up to 30 were stored/],
  ['a page', "UPDATE pages SET bytes = x'01' WHERE id = 0", /page 0 of the checkpoint fails its checksum/],
  ['a page that is gone', 'DELETE FROM pages WHERE id IN (6, 7)', /19 pages in place of 20/],
  ['the epochs', `UPDATE meta SET value = '{}' WHERE key = 'epochs'`, /"epochs" of table meta does not match/],
  ['the checkpoint', "DELETE FROM meta WHERE key = 'checkpoint'", /"checkpoint" of table meta is missing/],
  ['an epoch of the future', 'UPDATE log SET last_zxid = 25769803777 WHERE first_zxid = 30', /later epoch/],
  ['the schema', 'DROP TABLE kept', /schema/],
])('damaged: %s', (_, sql, reason) => {
  expect(problemsOf(changed(sql))).toEqual(expect.arrayContaining([expect.stringMatching(reason)]));
});

test('everything that is wrong is told, not only the first', () => {
  const problems = problemsOf(
    changed(`
      UPDATE log SET bytes = x'00' WHERE first_zxid IN (3, 20);
      UPDATE pages SET bytes = x'01' WHERE id = 0;
      UPDATE meta SET crc = 1 WHERE key = 'epochs';
    `),
  );
  expect(problems).toHaveLength(4);
});

test('what was acknowledged and is gone', () => {
  const cut = copy(live);
  truncateSync(join(cut, WAL), 40_000);
  expect(problemsOf(cut)).toEqual([expect.stringMatching(/has lost what was stored/)]);
  const bare = copy(live);
  rmSync(join(bare, FILE));
  expect(problemsOf(bare)).toEqual([expect.stringMatching(/zabra\.db is missing/)]);
  const foreign = copy(closed);
  writeFileSync(join(foreign, FILE), 'not a database'.repeat(500));
  expect(problemsOf(foreign)).toEqual([expect.stringMatching(/not a database/)]);
});

test('a tree of a table that cannot be walked', () => {
  const directory = copy(closed);
  const db = new Database(join(directory, FILE));
  const root = db.prepare<[], number>("SELECT rootpage FROM sqlite_schema WHERE name = 'kept'").pluck().get() as number;
  db.close();
  const bytes = readFileSync(join(directory, FILE));
  bytes.fill(0xff, (root - 1) * 4096, (root - 1) * 4096 + 12);
  writeFileSync(join(directory, FILE), bytes);
  expect(problemsOf(directory).length).toBeGreaterThan(0);
});

test('whatever a server would refuse is told', () => {
  const image = readFileSync(join(closed, FILE));
  const directory = copy(closed);
  let refused = 0;
  for (let offset = 3; offset < image.length; offset += 997) {
    const bytes = Buffer.from(image);
    bytes[offset] ^= 1 << (offset % 8);
    const write = () => {
      writeFileSync(join(directory, FILE), bytes);
      rmSync(join(directory, WAL), { force: true });
    };
    write();
    if (outcome(directory, expected) === 'harmless') continue;
    refused++;
    write();
    expect([offset, problemsOf(directory).length > 0]).toEqual([offset, true]);
  }
  expect(refused).toBeGreaterThan(30);
});

describe('a copy', () => {
  test('is refused while somebody has the database open, and the directory is left as it was', () => {
    const directory = newDirectory();
    const engine = openEngine(directory);
    try {
      expect(() => copyDatabase(directory)).toThrow(expect.objectContaining({ code: 'LOCKED' }));
    } finally {
      engine.close();
    }
    const made = copyDatabase(directory);
    expect(examineDatabase(made).problems).toEqual([]);
    rmSync(made, { recursive: true });
    expect(existsSync(join(directory, `${FILE}-shm`))).toBe(false);
  });

  test('needs a database', () => {
    expect(() => copyDatabase(newDirectory())).toThrow(expect.objectContaining({ code: 'ACCESS' }));
    expect(() => copyDatabase('/nowhere')).toThrow(expect.objectContaining({ code: 'ACCESS' }));
  });

  test('has the witness with it', () => {
    const made = copyDatabase(copy(live));
    expect(existsSync(join(made, TAIL))).toBe(true);
    rmSync(made, { recursive: true });
  });
});
