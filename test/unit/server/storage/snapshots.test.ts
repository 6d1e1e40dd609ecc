/** Snapshots: what they show stays what it was, whatever happens to checkpoint and log meanwhile, and leaves nothing. */
import { join } from 'node:path';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import type { Page } from '../../../../src/server/storage/index.js';
import { Storage, type StorageSnapshot } from '../../../../src/server/storage/index.js';
import {
  asText,
  bytesOf,
  collect,
  newDirectory,
  openEngine,
  ranges,
  removeDirectories,
  textBytes,
} from './fixtures.js';

const open: Storage[] = [];

afterEach(async () => {
  for (const storage of open.splice(0)) await storage.close();
  removeDirectories();
});

async function openStorage(directory = newDirectory(), logRetainBatches = 1000): Promise<Storage> {
  const { storage } = await Storage.open({ directory, logRetainBatches });
  open.push(storage);
  return storage;
}

function checkpoint(storage: Storage, zxid: number, pages: Record<number, string>, isFull = false): Promise<number> {
  const done = new Promise<number>((resolve, reject) => {
    storage.onCheckpointed = resolve;
    storage.onCheckpointFailed = reject;
  });
  storage.beginCheckpoint(zxid, textBytes(`header ${zxid}`), { isFull });
  storage.checkpointPages(
    Object.entries(pages).map(([page, text]) => ({ page: Number(page), bytes: textBytes(text) })),
  );
  storage.endCheckpoint();
  return done;
}

async function shown(snapshot: StorageSnapshot): Promise<Record<number, string>> {
  return asText(await collect(snapshot.pages()));
}

/** Rows that were kept for snapshots. */
function keptRows(directory: string): number {
  const db = new Database(join(directory, 'zabra.db'), { readonly: true });
  try {
    return db.prepare<[], number>('SELECT count(*) FROM kept').pluck().get()!;
  } finally {
    db.close();
  }
}

test('before the first checkpoint there is only the log', async () => {
  const storage = await openStorage();
  storage.append(1, 3, bytesOf(1, 10));
  await storage.setEpochs(1, 1);
  const snapshot = await storage.openSnapshot();
  expect(snapshot).toMatchObject({ zxid: 3, checkpointZxid: 0, header: null });
  expect(await snapshot.readPages()).toEqual([]);
  expect(ranges(await snapshot.readBatches())).toEqual([[1, 3]]);
  expect(await snapshot.readBatches()).toEqual([]);
});

test('several at once each show the checkpoint and the log of their moment', async () => {
  const directory = newDirectory();
  const storage = await openStorage(directory);
  storage.append(1, 10, bytesOf(1, 10));
  storage.append(11, 20, bytesOf(2, 10));
  await checkpoint(storage, 10, { 0: 'a', 1: 'a', 2: 'a' });
  const first = await storage.openSnapshot();
  storage.append(21, 30, bytesOf(3, 10));
  await checkpoint(storage, 20, { 0: 'b', 2: '' });
  const second = await storage.openSnapshot();
  await checkpoint(storage, 21, { 0: 'c', 1: 'c', 2: 'c', 3: 'c' });
  await checkpoint(storage, 22, { 0: 'd', 2: '' });
  await checkpoint(storage, 25, { 9: 'full' }, true);
  const third = await storage.openSnapshot();
  await checkpoint(storage, 25, { 1: 'e', 9: '' });

  expect(first).toMatchObject({ zxid: 20, checkpointZxid: 10, header: textBytes('header 10') });
  expect(second).toMatchObject({ zxid: 30, checkpointZxid: 20 });
  expect(third).toMatchObject({ zxid: 25, checkpointZxid: 25 });
  expect(await shown(first)).toEqual({ 0: 'a', 1: 'a', 2: 'a' });
  expect(await shown(second)).toEqual({ 0: 'b', 1: 'a' });
  expect(await shown(third)).toEqual({ 9: 'full' });
  expect(await first.readPages()).toEqual([]);
  for (const snapshot of [first, second, third]) snapshot.close();
  first.close();
  await expect(first.readPages()).rejects.toMatchObject({ code: 'CLOSED' });
  await (await storage.openSnapshot()).readPages();
  await storage.close();
  expect(keptRows(directory)).toBe(0);
});

test('long ones come in chunks while checkpoints overtake them', async () => {
  const storage = await openStorage();
  const pages = Array.from({ length: 60 }, (_, page) => ({ page, bytes: bytesOf(page, 100_000) }));
  for (let zxid = 1; zxid <= 60; zxid++) storage.append(zxid, zxid, bytesOf(zxid, 100_000));
  storage.beginCheckpoint(20, textBytes('h'));
  storage.checkpointPages(pages);
  storage.endCheckpoint();
  await new Promise((resolve) => {
    storage.onCheckpointed = resolve;
  });
  const snapshot = await storage.openSnapshot();
  const read: Page[] = [];
  let chunks = 0;
  for await (const chunk of snapshot.pages()) {
    read.push(...chunk);
    chunks++;
    await checkpoint(storage, 20 + chunks, Object.fromEntries(pages.map(({ page }) => [page, `${chunks}`])));
  }
  expect(chunks).toBeGreaterThan(4);
  expect(read.map(({ page }) => page)).toEqual(pages.map(({ page }) => page));
  for (const { page, bytes } of read) expect(Buffer.compare(bytes, bytesOf(page, 100_000))).toBe(0);
  const batches = await collect(snapshot.batches());
  expect(ranges(batches)).toEqual(Array.from({ length: 40 }, (_, index) => [21 + index, 21 + index]));
  expect(Buffer.compare(batches[39].bytes, bytesOf(60, 100_000))).toBe(0);
});

test('their log is not cut before it is read, and does not grow', async () => {
  const storage = await openStorage(undefined, 0);
  for (let zxid = 1; zxid <= 30; zxid++) storage.append(zxid, zxid, bytesOf(zxid, 10));
  await checkpoint(storage, 10, { 0: 'a' });
  while (storage.stats().logBatches > 20) await storage.probe();
  const snapshot = await storage.openSnapshot();
  storage.append(31, 40, bytesOf(31, 10));
  await checkpoint(storage, 40, { 0: 'b' });
  for (let round = 0; round < 5; round++) await storage.probe();
  const batches = await snapshot.readBatches();
  expect(ranges(batches)).toEqual(Array.from({ length: 20 }, (_, index) => [11 + index, 11 + index]));
  snapshot.close();
  while (storage.stats().logBatches > 0) await storage.probe();
});

test.each([
  ['a truncation', (storage: Storage) => storage.truncateAfter(15)],
  ['a full checkpoint', (storage: Storage) => checkpoint(storage, 15, { 0: 'b' }, true)],
])('their log is stale after %s, and never mixed with the new one', async (_, replace) => {
  const storage = await openStorage();
  storage.append(1, 15, bytesOf(1, 10));
  storage.append(16, 20, bytesOf(2, 10));
  await checkpoint(storage, 10, { 0: 'a' });
  const snapshot = await storage.openSnapshot();
  await replace(storage);
  storage.append(16, 20, bytesOf(3, 10));
  await storage.setEpochs(1, 1);
  await expect(snapshot.readBatches()).rejects.toMatchObject({ code: 'STALE' });
  expect(await shown(snapshot)).toEqual({ 0: 'a' });
});

test('rows that a killed server had kept do not come back to life', () => {
  const directory = newDirectory();
  const finish = (engine: ReturnType<typeof openEngine>, zxid: number, text: string) => {
    engine.writePages([{ page: 1, bytes: textBytes(text) }], 0, 1e6);
    engine.finishCheckpoint(zxid, textBytes(''), false);
  };
  let engine = openEngine(directory);
  finish(engine, 1, 'old');
  engine.openSnapshot();
  finish(engine, 2, 'new');
  finish(engine, 3, 'newer');
  engine.abort();
  expect(keptRows(directory)).toBe(1);

  engine = openEngine(directory);
  engine.pages.write(1, new Uint8Array(0), engine.checkpoint.generation + 1);
  engine.finishCheckpoint(4, textBytes(''), false);
  expect(engine.openSnapshot()).toBeNull();
  while (engine.tidy(4096));
  const snapshot = engine.openSnapshot() as number;
  expect(engine.snapshots.readPages(snapshot, 1e6)).toEqual([]);
  engine.close();
  expect(keptRows(directory)).toBe(0);
});

test('a page that is not the one of the checkpoint is noticed at the end', () => {
  const directory = newDirectory();
  const engine = openEngine(directory);
  const pages = [1, 2, 3].map((page) => ({ page, bytes: textBytes(`${page}`) }));
  engine.writePages(pages, 0, 1e6);
  engine.finishCheckpoint(1, textBytes(''), false);
  const snapshot = engine.openSnapshot() as number;
  (engine as unknown as { db: Database.Database }).db.exec('DELETE FROM pages WHERE id IN (4, 5)');
  expect(engine.snapshots.readPages(snapshot, 1e6)).toHaveLength(2);
  expect(() => engine.snapshots.readPages(snapshot, 1e6)).toThrow(expect.objectContaining({ code: 'DAMAGED' }));
  engine.abort();
});

const writes = fc.dictionary(fc.integer({ min: 0, max: 6 }).map(String), fc.constantFrom('', 'a', 'bb'), {
  maxKeys: 5,
});
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('finish' as const), writes, isFull: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('abandon' as const), writes }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('tidy' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('open' as const) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('read' as const), which: fc.nat(5) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('close' as const), which: fc.nat(5) }) },
);

test('any history of checkpoints leaves every open snapshot what it was', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const engine = openEngine(newDirectory(), { sync: false });
      const readers: { id: number; expected: Record<string, string>; read: Page[] }[] = [];
      let model: Record<string, string> = {};
      const finish = ({ id, expected, read }: (typeof readers)[number]) => {
        for (let pages = [...read]; ; read.push(...pages)) {
          pages = engine.snapshots.readPages(id, 1);
          if (pages.length === 0) break;
        }
        expect(asText(read)).toEqual(expected);
      };
      steps.forEach((it, index) => {
        if (it.kind === 'tidy') engine.tidy(8192);
        else if (it.kind === 'open') {
          let id = engine.openSnapshot();
          for (; id === null; id = engine.openSnapshot()) engine.tidy(4096);
          readers.push({ id, expected: model, read: [] });
        } else if (it.kind === 'read' || it.kind === 'close') {
          const reader = readers[it.which];
          if (reader === undefined) return;
          if (it.kind === 'read') reader.read.push(...engine.snapshots.readPages(reader.id, 1));
          else {
            finish(reader);
            engine.snapshots.close(reader.id);
            readers.splice(it.which, 1);
          }
        } else {
          while (engine.hasLeftovers) engine.tidy(4096);
          const pages = Object.entries(it.writes).map(([page, text]) => ({
            page: Number(page),
            bytes: textBytes(text && `${text} ${index}`),
          }));
          engine.writePages(pages, 0, 1e6);
          if (it.kind === 'abandon') {
            engine.tidy(8192);
            engine.abandonCheckpoint();
            return;
          }
          engine.finishCheckpoint(index + 1, textBytes(''), it.isFull);
          model = { ...(it.isFull ? {} : model), ...asText(pages) };
          model = Object.fromEntries(Object.entries(model).filter(([, text]) => text !== ''));
        }
        expect(asText(engine.pages.read(0, 1e6))).toEqual(model);
      });
      for (const reader of readers) {
        finish(reader);
        engine.snapshots.close(reader.id);
      }
      while (engine.tidy(8192));
      expect(engine.snapshots.isPurgeDue).toBe(false);
      expect(asText(engine.pages.read(0, 1e6))).toEqual(model);
      const count = (table: string) =>
        (engine as unknown as { db: Database.Database }).db.prepare(`SELECT count(*) FROM ${table}`).pluck().get();
      expect(count('kept')).toBe(0);
      expect(count('pages')).toBe(Object.keys(model).length);
      engine.close();
    }),
    { numRuns: 150 },
  );
});
