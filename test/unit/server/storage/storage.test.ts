import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { Storage, StorageError, type StorageOptions } from '../../../../src/server/storage/index.js';
import { bytesOf, collect, newDirectory, pagesAsText, ranges, removeDirectories, textBytes } from './fixtures.js';

const EPOCH = 2 ** 32;

const open: Storage[] = [];

async function openStorage(directory: string, options: Partial<StorageOptions> = {}) {
  const opened = await Storage.open({ directory, ...options });
  open.push(opened.storage);
  return opened;
}

afterEach(async () => {
  for (const storage of open.splice(0)) await storage.close();
  removeDirectories();
});

function stored(storage: Storage, zxid: number): Promise<void> {
  return new Promise((resolve, reject) => {
    storage.onStored = (upTo) => {
      if (upTo >= zxid) resolve();
    };
    storage.onStoreFailed = reject;
    storage.onFatal = reject;
  });
}

function checkpointed(storage: Storage): Promise<number> {
  return new Promise((resolve, reject) => {
    storage.onCheckpointed = resolve;
    storage.onCheckpointFailed = reject;
  });
}

function fatal(storage: Storage): Promise<StorageError> {
  return new Promise((resolve) => {
    storage.onFatal = resolve;
  });
}

async function writePages(storage: Storage, zxid: number, pages: Record<number, string>, isFull = false) {
  const done = checkpointed(storage);
  storage.beginCheckpoint(zxid, textBytes(`header ${zxid}`), { isFull });
  for (const [page, text] of Object.entries(pages)) {
    storage.checkpointPages([{ page: Number(page), bytes: textBytes(text) }]);
  }
  storage.endCheckpoint();
  return done;
}

test('a new directory is created for its owner only, and holds nothing', async () => {
  const directory = join(newDirectory(), 'deep', 'data');
  const { recovered } = await openStorage(directory);
  expect(statSync(directory).mode & 0o777).toBe(0o700);
  expect(recovered).toMatchObject({ acceptedEpoch: 0, currentEpoch: 0, checkpoint: null, lastZxid: 0 });
  expect(await collect(recovered.batches())).toEqual([]);
  expect(await collect(recovered.pages())).toEqual([]);
});

test('batches, epochs and order survive a restart', async () => {
  const directory = newDirectory();
  const { storage } = await openStorage(directory);
  const reports: number[] = [];
  storage.append(1, 3, bytesOf(1, 100));
  storage.append(4, 4, bytesOf(2, 0));
  storage.append(5 * EPOCH + 1, 5 * EPOCH + 20, bytesOf(3, 300_000));
  storage.onStored = (zxid) => reports.push(zxid);
  await storage.setEpochs(7, 5);
  expect(reports.at(-1)).toBe(5 * EPOCH + 20);
  expect([...reports].sort((a, b) => a - b)).toEqual(reports);
  expect(storage.stats()).toMatchObject({ batches: 3, bytes: 300_100, logBatches: 3, queuedBatches: 0 });
  await storage.close();

  const { recovered } = await openStorage(directory);
  expect(recovered).toMatchObject({ acceptedEpoch: 7, currentEpoch: 5, lastZxid: 5 * EPOCH + 20 });
  const batches = await collect(recovered.batches());
  expect(ranges(batches)).toEqual([
    [1, 3],
    [4, 4],
    [5 * EPOCH + 1, 5 * EPOCH + 20],
  ]);
  expect(batches.map(({ bytes }) => Buffer.from(bytes).equals(Buffer.from(bytesOf(1, 100))))).toEqual([
    true,
    false,
    false,
  ]);
  expect(Buffer.compare(batches[2].bytes, bytesOf(3, 300_000))).toBe(0);
  expect(batches[1].bytes.length).toBe(0);
});

test('append copies, so the owner may use its buffer again', async () => {
  const { storage, recovered } = await openStorage(newDirectory());
  const pool = Buffer.from('keep this, not that');
  const done = stored(storage, 1);
  storage.append(1, 1, pool.subarray(0, 9));
  pool.fill(0);
  await done;
  expect(Buffer.from((await collect(recovered.batches()))[0].bytes).toString()).toBe('keep this');
});

test('batches that come in together share an fsync', async () => {
  const { storage } = await openStorage(newDirectory());
  const done = stored(storage, 500);
  for (let zxid = 1; zxid <= 500; zxid++) storage.append(zxid, zxid, bytesOf(zxid, 50));
  await done;
  expect(storage.stats().batches).toBe(500);
  expect(storage.stats().syncs).toBeLessThan(250);
});

test('long streams come in chunks and complete', async () => {
  const directory = newDirectory();
  const { storage } = await openStorage(directory);
  const done = stored(storage, 50);
  for (let zxid = 1; zxid <= 50; zxid++) storage.append(zxid, zxid, bytesOf(zxid, 100_000));
  await done;
  await storage.close();
  const { recovered } = await openStorage(directory);
  const sizes: number[] = [];
  for await (const chunk of recovered.batches()) sizes.push(chunk.length);
  expect(sizes.length).toBeGreaterThan(3);
  expect(sizes.reduce((sum, size) => sum + size)).toBe(50);
});

test('truncation removes whole batches and refuses to cut one', async () => {
  const directory = newDirectory();
  const { storage } = await openStorage(directory);
  storage.append(1, 5, bytesOf(1, 10));
  storage.append(6, 9, bytesOf(2, 10));
  storage.append(10, 12, bytesOf(3, 10));
  await expect(storage.truncateAfter(7)).rejects.toMatchObject({ code: 'ORDER' });
  await storage.truncateAfter(9);
  storage.append(2 * EPOCH + 1, 2 * EPOCH + 1, bytesOf(4, 10));
  await storage.setEpochs(2, 2);
  expect(storage.stats()).toMatchObject({ logBatches: 3, logBytes: 30 });
  await storage.close();
  const { recovered } = await openStorage(directory);
  expect(ranges(await collect(recovered.batches()))).toEqual([
    [1, 5],
    [6, 9],
    [2 * EPOCH + 1, 2 * EPOCH + 1],
  ]);
});

test('everything can be truncated', async () => {
  const directory = newDirectory();
  const { storage } = await openStorage(directory);
  storage.append(1, 5, bytesOf(1, 10));
  await storage.truncateAfter(0);
  await storage.close();
  const { recovered } = await openStorage(directory);
  expect(recovered.lastZxid).toBe(0);
});

test('a gap between batches is fatal, and nothing is taken afterwards', async () => {
  const { storage } = await openStorage(newDirectory());
  const failure = fatal(storage);
  storage.append(1, 1, bytesOf(1, 10));
  storage.append(3, 3, bytesOf(1, 10));
  expect(await failure).toMatchObject({ code: 'ORDER' });
  storage.append(2, 2, bytesOf(1, 10));
  await expect(storage.probe()).rejects.toMatchObject({ code: 'ORDER' });
});

test('the death of the worker is fatal and rejects what waits', async () => {
  const { storage } = await openStorage(newDirectory());
  const failure = fatal(storage);
  await (storage as unknown as { worker: Worker }).worker.terminate();
  expect(await failure).toMatchObject({ code: 'INTERNAL' });
  await expect(storage.setEpochs(1, 1)).rejects.toBeInstanceOf(StorageError);
});

test('using a closed storage is refused', async () => {
  const { storage } = await openStorage(newDirectory());
  await storage.close();
  expect(() => storage.append(1, 1, bytesOf(1, 1))).toThrow(expect.objectContaining({ code: 'CLOSED' }));
  await expect(storage.setEpochs(1, 2)).rejects.toBeInstanceOf(RangeError);
});

test('close stores what is queued', async () => {
  const directory = newDirectory();
  const { storage } = await openStorage(directory);
  for (let zxid = 1; zxid <= 20; zxid++) storage.append(zxid, zxid, bytesOf(zxid, 1000));
  storage.beginCheckpoint(10, textBytes('h'));
  storage.checkpointPages([{ page: 4, bytes: textBytes('four') }]);
  storage.endCheckpoint();
  await storage.close();
  const { recovered } = await openStorage(directory);
  expect(recovered).toMatchObject({ lastZxid: 20, checkpoint: { zxid: 10 } });
});

test('checkpoints replace, add and remove pages; the log is read from behind them', async () => {
  const directory = newDirectory();
  const { storage } = await openStorage(directory);
  storage.append(1, 2, bytesOf(1, 10));
  storage.append(3, 4, bytesOf(2, 10));
  expect(await writePages(storage, 2, { 0: 'a', 1: 'b', 7: 'c' })).toBe(2);
  expect(await writePages(storage, 4, { 1: 'B', 2: 'd', 7: '' })).toBe(4);
  storage.append(5, 6, bytesOf(3, 10));
  await storage.close();

  const { storage: again, recovered } = await openStorage(directory);
  expect(recovered.checkpoint).toEqual({ zxid: 4, header: textBytes('header 4') });
  expect(await pagesAsText(recovered)).toEqual({ 0: 'a', 1: 'B', 2: 'd' });
  expect(ranges(await collect(recovered.batches()))).toEqual([[5, 6]]);
  expect(ranges(await collect(recovered.batches(0)))).toHaveLength(3);
  expect(ranges(await again.readLog(3))).toEqual([
    [3, 4],
    [5, 6],
  ]);
  await expect(again.truncateAfter(2)).rejects.toMatchObject({ code: 'ORDER' });
});

test('an unfinished checkpoint leaves the last one as it was', async () => {
  const directory = newDirectory();
  const { storage } = await openStorage(directory);
  storage.append(1, 9, bytesOf(1, 10));
  await writePages(storage, 2, { 0: 'old', 1: 'old' });
  const drained = new Promise<void>((resolve) => {
    storage.onCheckpointDrained = resolve;
  });
  storage.beginCheckpoint(5, textBytes('never'));
  storage.checkpointPages([
    { page: 0, bytes: textBytes('new') },
    { page: 1, bytes: new Uint8Array(0) },
    { page: 2, bytes: textBytes('new') },
  ]);
  await drained;
  expect(storage.stats().checkpointBytesPending).toBe(0);
  await storage.close();

  const second = await openStorage(directory);
  expect(second.recovered.checkpoint?.zxid).toBe(2);
  expect(await pagesAsText(second.recovered)).toEqual({ 0: 'old', 1: 'old' });
  // The leftovers must not come back to life with the next one.
  await writePages(second.storage, 6, { 1: 'newer' });
  await second.storage.close();
  const third = await openStorage(directory);
  expect(await pagesAsText(third.recovered)).toEqual({ 0: 'old', 1: 'newer' });
});

test('a checkpoint begun over one in progress takes nothing of it', async () => {
  const directory = newDirectory();
  const { storage } = await openStorage(directory);
  storage.append(1, 9, bytesOf(1, 10));
  const drained = new Promise<void>((resolve) => {
    storage.onCheckpointDrained = resolve;
  });
  storage.beginCheckpoint(5, textBytes('never'));
  storage.checkpointPages([{ page: 0, bytes: textBytes('given up') }]);
  await drained;
  // Closing at once leaves no time for tidying: the rows given up must be gone by the time the next one commits.
  const finished = writePages(storage, 6, { 1: 'kept' });
  await Promise.all([finished, storage.close()]);
  const { recovered } = await openStorage(directory);
  expect(await pagesAsText(recovered)).toEqual({ 1: 'kept' });
});

test('a full checkpoint beyond the log replaces pages and log, and batches may follow at once', async () => {
  const directory = newDirectory();
  const { storage } = await openStorage(directory);
  storage.append(1, 9, bytesOf(1, 10));
  await writePages(storage, 9, { 0: 'mine', 1: 'mine' });
  storage.append(10, 12, bytesOf(2, 10));
  const zxid = 3 * EPOCH + 50;
  await storage.setEpochs(3, 3);
  const done = stored(storage, zxid + 2);
  const finished = writePages(storage, zxid, { 1: 'theirs' }, true);
  storage.append(zxid + 1, zxid + 2, bytesOf(3, 10));
  await Promise.all([done, finished]);
  await storage.close();

  const { recovered } = await openStorage(directory);
  expect(recovered.checkpoint?.zxid).toBe(zxid);
  expect(await pagesAsText(recovered)).toEqual({ 1: 'theirs' });
  expect(ranges(await collect(recovered.batches(0)))).toEqual([[zxid + 1, zxid + 2]]);
});

test('the log is cut behind the checkpoint, down to what is to be retained', async () => {
  const directory = newDirectory();
  const { storage } = await openStorage(directory, { logRetainBatches: 10 });
  const done = stored(storage, 300);
  for (let zxid = 1; zxid <= 300; zxid++) storage.append(zxid, zxid, bytesOf(zxid, 3000));
  await done;
  expect(storage.stats().logBatches).toBe(300);
  await writePages(storage, 200, { 0: 'x' });
  while (storage.stats().logBatches > 100) await storage.probe();
  await writePages(storage, 295, { 0: 'y' });
  while (storage.stats().logBatches > 10) await storage.probe();
  await storage.close();
  const { recovered } = await openStorage(directory);
  expect(ranges(await collect(recovered.batches(0)))[0]).toEqual([291, 291]);
  expect(ranges(await collect(recovered.batches()))[0]).toEqual([296, 296]);
});

test('a log that was cut down to nothing still knows where it ended', async () => {
  const directory = newDirectory();
  const { storage } = await openStorage(directory, { logRetainBatches: 0 });
  storage.append(1, 40, bytesOf(1, 10));
  await writePages(storage, 40, { 0: 'x' });
  while (storage.stats().logBatches > 0) await storage.probe();
  await storage.close();
  const { storage: again, recovered } = await openStorage(directory);
  expect(recovered.lastZxid).toBe(40);
  const done = stored(again, 41);
  again.append(41, 41, bytesOf(1, 10));
  await done;
});

test('slow commits are reported, and without sync batches are stored too', async () => {
  const { storage } = await openStorage(newDirectory(), { slowSyncWarnMs: 0, sync: false });
  const slow: number[] = [];
  storage.onSlowSync = (ms) => slow.push(ms);
  const done = stored(storage, 1);
  storage.append(1, 1, bytesOf(1, 10));
  await done;
  await storage.probe();
  expect(slow).toHaveLength(1);
  expect(storage.stats().lastSyncMs).toBe(slow[0]);
});

describe('a second opener', () => {
  test('is refused and told who holds the directory', async () => {
    const directory = newDirectory();
    await openStorage(directory, { busyInfo: { address: '10.0.0.1:2181' } });
    const refused = await Storage.open({ directory }).catch((error) => error);
    expect(refused).toBeInstanceOf(StorageError);
    expect(refused.code).toBe('LOCKED');
    expect(refused.message).toContain(`process ${process.pid}`);
    expect(refused.message).toContain('10.0.0.1:2181');
    expect(refused.remedy).not.toBe('');
  });

  test('may have it once it is closed', async () => {
    const directory = newDirectory();
    const { storage } = await openStorage(directory);
    await storage.close();
    await openStorage(directory);
  });
});
