/** The witness by itself, and what the engine makes of it: never ahead of the database, lowered before it goes back. */
import { closeSync, existsSync, openSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { Storage, StorageError } from '../../../../src/server/storage/index.js';
import { type End, TailWitness, WITNESS_FILE } from '../../../../src/server/storage/tail-witness.js';
import { bytesOf, newDirectory, openEngine, removeDirectories, textBytes } from './fixtures.js';

const EPOCH = 2 ** 32;

afterAll(removeDirectories);

const end = (zxid: number, accepted = 0, current = accepted): End => ({ zxid, accepted, current });

function witnessed(directory: string, ...ends: End[]): void {
  const witness = TailWitness.open(directory, end(Number.MAX_SAFE_INTEGER, 99));
  for (const at of ends) witness.raise(at);
  witness.close();
}

/** What the file says: the smallest zxid that it lets through, `candidates` when there is none below that. */
function recordedZxid(directory: string, candidates: number): number {
  for (let zxid = 0; zxid < candidates; zxid++) {
    try {
      TailWitness.open(directory, end(zxid, 99)).close();
      return zxid;
    } catch {
      // Refused: the file says more than this.
    }
  }
  return candidates;
}

function refusal(open: () => unknown): StorageError {
  try {
    open();
  } catch (error) {
    return error as StorageError;
  }
  throw new Error('not refused');
}

describe('the file', () => {
  test('refuses a shorter end and says what is missing and what to do, again and again', () => {
    const directory = newDirectory();
    witnessed(directory, end(7, 1), end(3 * EPOCH + 9, 4, 3));
    for (let round = 0; round < 2; round++) {
      const error = refusal(() => TailWitness.open(directory, end(3 * EPOCH + 5, 4, 3)));
      expect(error.code).toBe('DAMAGED');
      expect(error.message).toMatch(/ends at zxid 0x300000005, .* up to zxid 0x300000009, are missing/);
      expect(error.remedy).toContain('delete zabra.tail');
    }
    expect(refusal(() => TailWitness.open(directory, end(4 * EPOCH, 3, 3))).message).toMatch(
      /epochs 3 .*4 \(accepted\)/,
    );
    expect(refusal(() => TailWitness.open(directory, end(4 * EPOCH, 4, 2))).message).toMatch(/and 2 \(current\)/);
    TailWitness.open(directory, end(3 * EPOCH + 9, 4, 3)).close();
  });

  test('says nothing when it is new, damaged anywhere or cut short, and is sound again afterwards', () => {
    const directory = newDirectory();
    const file = join(directory, WITNESS_FILE);
    TailWitness.open(directory, end(0)).close();
    expect(readFileSync(file)).toHaveLength(32);
    TailWitness.open(directory, end(0)).close();

    witnessed(directory, end(1000, 5));
    const image = readFileSync(file);
    for (let bit = 0; bit < image.length * 8; bit++) {
      const changed = Buffer.from(image);
      changed[bit >> 3] ^= 1 << (bit & 7);
      writeFileSync(file, changed);
      TailWitness.open(directory, end(0)).close();
      expect(readFileSync(file)).not.toEqual(changed);
    }
    for (let length = 0; length < image.length; length++) {
      writeFileSync(file, image.subarray(0, length));
      witnessed(directory, end(1000, 5));
      expect(readFileSync(file)).toEqual(image);
    }
  });

  test('lowers only what is too high, and only then', () => {
    const directory = newDirectory();
    const witness = TailWitness.open(directory, end(0));
    witness.raise(end(10, 5));
    witness.lower(end(20, 6));
    expect(refusal(() => TailWitness.open(directory, end(9, 6))).code).toBe('DAMAGED');
    witness.lower(end(8, 6));
    TailWitness.open(directory, end(8, 5)).close();
    expect(refusal(() => TailWitness.open(directory, end(8, 4))).code).toBe('DAMAGED');
    witness.close();
  });

  test('does not matter on a disk too full to write it, unless the history is to go back', () => {
    const witness = TailWitness.open(newDirectory(), end(0));
    witness.raise(end(10, 5));
    const full = openSync('/dev/full', 'r+');
    closeSync((witness as unknown as { fd: number }).fd);
    Object.assign(witness, { fd: full });
    witness.raise(end(11, 5));
    expect(() => witness.lower(end(9, 5))).toThrow(expect.objectContaining({ code: 'ENOSPC' }));
    witness.close();
  });
});

describe('the storage', () => {
  function append(engine: ReturnType<typeof openEngine>, from: number, to: number): void {
    for (let zxid = from; zxid <= to; zxid++) {
      engine.group(() => engine.append({ firstZxid: zxid, lastZxid: zxid, bytes: bytesOf(zxid, 100) }));
    }
  }

  test('is refused without its WAL, which put back is served; a copy of a damaged one is kept', () => {
    const directory = newDirectory();
    const engine = openEngine(directory);
    append(engine, 1, 5);
    const [database, wal] = [join(directory, 'zabra.db'), join(directory, 'zabra.db-wal')];
    const [databaseImage, walImage] = [readFileSync(database), readFileSync(wal)];
    const tail = readFileSync(join(directory, WITNESS_FILE));
    engine.abort();

    const copy = newDirectory();
    writeFileSync(join(copy, 'zabra.db'), databaseImage);
    writeFileSync(join(copy, WITNESS_FILE), tail);
    expect(refusal(() => openEngine(copy)).code).toBe('DAMAGED');
    expect(existsSync(join(copy, 'zabra.db-wal.damaged'))).toBe(false);

    const changed = Buffer.from(walImage);
    changed[changed.length >> 1] ^= 1;
    writeFileSync(join(copy, 'zabra.db-wal'), changed);
    for (let round = 0; round < 2; round++) {
      expect(refusal(() => openEngine(copy)).message).toContain('up to zxid 0x5');
      expect(readFileSync(join(copy, 'zabra.db-wal.damaged'))).toEqual(changed);
    }
    writeFileSync(join(copy, 'zabra.db-wal'), walImage);
    const again = openEngine(copy);
    expect(again.log.totals.lastZxid).toBe(5);
    again.close();
  });

  test('without the file is accepted, and guarded from the next commit on', () => {
    const directory = newDirectory();
    let engine = openEngine(directory);
    append(engine, 1, 5);
    engine.close();
    rmSync(join(directory, WITNESS_FILE));
    engine = openEngine(directory);
    expect(recordedZxid(directory, 10)).toBe(0);
    append(engine, 6, 6);
    expect(recordedZxid(directory, 10)).toBe(6);
    engine.close();
  });

  test('goes back with the history, before the history does', () => {
    const directory = newDirectory();
    const engine = openEngine(directory);
    append(engine, 1, 9);
    const full = new StorageError('FULL', 'no room');
    const lower = jest.spyOn(TailWitness.prototype, 'lower').mockImplementationOnce(() => {
      throw full;
    });
    expect(() => engine.group(() => engine.truncateAfter(4))).toThrow(full);
    lower.mockRestore();
    expect(engine.log.read(0, 1e6)).toHaveLength(9);
    expect(engine.log.totals.lastZxid).toBe(9);
    engine.group(() => engine.truncateAfter(4));
    expect(recordedZxid(directory, 20)).toBe(4);
    append(engine, 5, 6);
    expect(recordedZxid(directory, 20)).toBe(6);
    engine.writePages([{ page: 0, bytes: textBytes('a') }], 0, 1e6);
    engine.finishCheckpoint(12, textBytes('h'), true);
    expect(recordedZxid(directory, 20)).toBe(12);
    engine.close();
    openEngine(directory).close();
  });

  test('raises it behind each commit and lowers it before', () => {
    const engine = openEngine(newDirectory());
    const { db } = engine as unknown as { db: { inTransaction: boolean } };
    const calls: [string, boolean][] = [];
    const spies = (['lower', 'raise'] as const).map((name) =>
      jest.spyOn(TailWitness.prototype, name).mockImplementation(() => void calls.push([name, db.inTransaction])),
    );
    append(engine, 1, 1);
    engine.writePages([{ page: 0, bytes: textBytes('a') }], 0, 1e6);
    engine.finishCheckpoint(1, textBytes('h'), false);
    for (const spy of spies) spy.mockRestore();
    const once = [
      ['lower', true],
      ['raise', false],
    ];
    expect(calls).toEqual([...once, ...once]);
    engine.close();
  });

  test('without fsyncs is not witnessed, since a power cut may take batches back', () => {
    const directory = newDirectory();
    const engine = openEngine(directory, { sync: false });
    append(engine, 1, 9);
    expect(recordedZxid(directory, 20)).toBe(0);
    engine.close();
  });

  test('knows a batch before its owner hears of it, and tells the owner what to do when it is gone', async () => {
    const directory = newDirectory();
    const { storage } = await Storage.open({ directory });
    for (let zxid = 1; zxid <= 20; zxid++) {
      const stored = new Promise((resolve) => {
        storage.onStored = resolve;
      });
      storage.append(zxid, zxid, bytesOf(zxid, 10));
      expect(await stored).toBe(zxid);
      expect(recordedZxid(directory, 30)).toBe(zxid);
    }
    await storage.close();
    truncateSync(join(directory, WITNESS_FILE), 0);
    witnessed(directory, end(21));
    const error: StorageError = await Storage.open({ directory }).catch((reason) => reason);
    expect(error.message).toContain('after that, up to zxid 0x15');
    expect(error.remedy).toContain('delete zabra.tail');
  });

  test('of which the database is gone does not start afresh', () => {
    const directory = newDirectory();
    const engine = openEngine(directory);
    append(engine, 1, 2);
    engine.close();
    rmSync(join(directory, 'zabra.db'));
    expect(refusal(() => openEngine(directory)).code).toBe('DAMAGED');
  });
});
