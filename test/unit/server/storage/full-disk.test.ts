import { Storage, type StorageError } from '../../../../src/server/storage/index.js';
import { bytesOf, collect, newDirectory, pagesAsText, ranges, removeDirectories, textBytes } from './fixtures.js';

const LIMIT = 512 * 1024;

let storage: Storage;
let directory: string;

beforeEach(async () => {
  directory = newDirectory();
  storage = (await Storage.open({ directory, databaseBytesMax: LIMIT })).storage;
});

afterEach(async () => {
  await storage.close();
  removeDirectories();
});

/** Appends until the limit is met; several batches stay behind the one that met it. */
function fill(): Promise<{ error: StorageError; firstLostZxid: number; storedZxid: number }> {
  return new Promise((resolve) => {
    let zxid = 0;
    let storedZxid = 0;
    const next = () => {
      zxid++;
      storage.append(zxid, zxid, bytesOf(zxid, 20_000));
    };
    storage.onStored = (upTo) => {
      storedZxid = upTo;
      next();
    };
    storage.onStoreFailed = (error, firstLostZxid) => resolve({ error, firstLostZxid, storedZxid });
    for (let i = 0; i < 4; i++) next();
  });
}

test('loses everything from one zxid on, says so once, and goes on after resume', async () => {
  const { error, firstLostZxid, storedZxid } = await fill();
  expect(error.code).toBe('FULL');
  expect(firstLostZxid).toBe(storedZxid + 1);
  expect(storedZxid).toBeGreaterThan(10);

  const calls: string[] = [];
  storage.onStoreFailed = () => calls.push('failed');
  storage.onStored = () => calls.push('stored');
  storage.append(firstLostZxid + 10, firstLostZxid + 10, bytesOf(1, 10));
  expect(await storage.probe()).toBe(false);
  expect(calls).toEqual([]);

  await storage.truncateAfter(5);
  expect(await storage.probe()).toBe(true);
  storage.resume(6);
  expect(storage.stats().queuedBatches).toBe(0);
  const stored = new Promise<number>((resolve) => {
    storage.onStored = resolve;
  });
  storage.append(6, 8, bytesOf(6, 20_000));
  expect(await stored).toBe(8);
  await storage.close();

  const reopened = await Storage.open({ directory });
  storage = reopened.storage;
  const batches = await collect(reopened.recovered.batches());
  expect(ranges(batches).slice(4)).toEqual([
    [5, 5],
    [6, 8],
  ]);
});

test('resuming over a gap is fatal', async () => {
  const { firstLostZxid } = await fill();
  const failure = new Promise<StorageError>((resolve) => {
    storage.onFatal = resolve;
  });
  storage.resume(firstLostZxid + 1);
  expect((await failure).code).toBe('ORDER');
});

test('a checkpoint that meets it is given up, keeps the last one, and can be begun again', async () => {
  const { storedZxid } = await fill();
  await storage.truncateAfter(storedZxid - 3);
  storage.resume(storedZxid - 2);
  const outcome = () =>
    new Promise<string>((resolve) => {
      storage.onCheckpointed = (zxid) => resolve(`done ${zxid}`);
      storage.onCheckpointFailed = (error, zxid) => resolve(`${error.code} ${zxid}`);
    });
  let result = outcome();
  storage.beginCheckpoint(1, textBytes('one'));
  storage.checkpointPages([{ page: 1, bytes: textBytes('small') }]);
  storage.endCheckpoint();
  expect(await result).toBe('done 1');

  result = outcome();
  storage.beginCheckpoint(2, textBytes('two'));
  for (let page = 1; page < 40; page++) storage.checkpointPages([{ page, bytes: bytesOf(page, 20_000) }]);
  storage.endCheckpoint();
  expect(await result).toBe('FULL 2');

  result = outcome();
  storage.beginCheckpoint(3, textBytes('three'));
  storage.checkpointPages([{ page: 2, bytes: textBytes('little') }]);
  storage.endCheckpoint();
  expect(await result).toBe('done 3');
  await storage.close();
  const reopened = await Storage.open({ directory });
  storage = reopened.storage;
  expect(reopened.recovered.checkpoint?.zxid).toBe(3);
  expect(await pagesAsText(reopened.recovered)).toEqual({ 1: 'small', 2: 'little' });
});
