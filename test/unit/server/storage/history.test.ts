/**
 * What a member of an ensemble asks of its storage: a copy of another server's history takes the place of its own, and
 * batches, truncations, epochs and copies are carried out in the one order in which they were asked for (E83).
 */
import { cpSync } from 'node:fs';
import { Storage, type StorageError } from '../../../../src/server/storage/index.js';
import {
  bytesOf,
  collect,
  fillDisk,
  newDirectory,
  openEngine,
  pagesAsText,
  ranges,
  removeDirectories,
  textBytes,
} from './fixtures.js';

const EPOCH = 2 ** 32;

let directory: string;
let storage: Storage;
/** What the storage reported, in order. */
let events: string[];

async function open(options: { logRetainBatches?: number; databaseBytesMax?: number } = {}) {
  const opened = await Storage.open({ directory, ...options });
  storage = opened.storage;
  storage.onStored = (zxid) => events.push(`stored ${zxid}`);
  storage.onStoreFailed = (_, firstLostZxid) => events.push(`lost ${firstLostZxid}`);
  storage.onCheckpointed = (zxid) => events.push(`checkpointed ${zxid}`);
  storage.onCheckpointFailed = (_, zxid) => events.push(`failed ${zxid}`);
  return opened.recovered;
}

beforeEach(async () => {
  events = [];
  directory = newDirectory();
  await open();
});

afterEach(async () => {
  await storage.close();
  removeDirectories();
});

function append(first: number, last = first, byteCount = 10): void {
  storage.append(first, last, bytesOf(first, byteCount));
}

function copy(zxid: number, text = `copy ${zxid}`): void {
  storage.beginCheckpoint(zxid, textBytes(`header ${zxid}`), { isFull: true });
  storage.checkpointPages([{ page: 1, bytes: textBytes(text) }]);
  storage.endCheckpoint();
}

/** What a server finds that is started on what is on disk at this moment. */
function onDisk() {
  const crashed = newDirectory();
  cpSync(directory, crashed, { recursive: true });
  const engine = openEngine(crashed);
  const found = {
    ends: ranges(engine.log.read(0, 1e9)).map(([, last]) => last),
    checkpoint: engine.checkpoint.zxid,
    pages: engine.pages.read(0, 1e9).map(({ bytes }) => Buffer.from(bytes).toString()),
    epochs: engine.epochs,
  };
  engine.abort();
  return found;
}

test.each([
  ['ends before it', 20, EPOCH + 5],
  ['ends behind it', 20, 12],
  ['is behind it as a whole, with its checkpoint', 20, 4],
])('a full checkpoint replaces a log that %s, and batches go on behind it at once', async (_, end, zxid) => {
  await storage.setEpochs(1, 0);
  append(1, 10);
  append(11, end);
  storage.beginCheckpoint(10, textBytes('mine'));
  storage.checkpointPages([{ page: 7, bytes: textBytes('mine') }]);
  storage.endCheckpoint();
  copy(zxid);
  append(zxid + 1, zxid + 3);
  await storage.setEpochs(1, 1);
  expect(storage.stats()).toMatchObject({ logBatches: 1, queuedBatches: 0 });
  expect(onDisk()).toEqual({
    ends: [zxid + 3],
    checkpoint: zxid,
    pages: [`copy ${zxid}`],
    epochs: { accepted: 1, current: 1 },
  });
  await storage.close();
  const recovered = await open();
  expect(recovered).toMatchObject({ lastZxid: zxid + 3, checkpoint: { zxid }, currentEpoch: 1 });
  expect(await pagesAsText(recovered)).toEqual({ 1: `copy ${zxid}` });
  expect(ranges(await collect(recovered.batches(0)))).toEqual([[zxid + 1, zxid + 3]]);
});

test('everything is done and answered in the order in which it was asked for', async () => {
  const pending: Promise<void>[] = [];
  const ask = (name: string, answer: Promise<void>) => pending.push(answer.then(() => void events.push(name)));
  append(1, 2);
  append(3, 4);
  ask('truncated', storage.truncateAfter(2));
  append(3, 5);
  ask('epochs 1', storage.setEpochs(3, 1));
  append(6);
  copy(EPOCH + 5);
  append(EPOCH + 6);
  ask('epochs 2', storage.setEpochs(3, 2));
  ask('truncated', storage.truncateAfter(EPOCH + 5));
  append(EPOCH + 6, EPOCH + 9);
  copy(7);
  append(8);
  ask('epochs 4', storage.setEpochs(4, 4));
  await Promise.all(pending);
  const steps = events.filter(
    (event, index) => !(event.startsWith('stored') && events[index + 1]?.startsWith('stored')),
  );
  expect(steps).toEqual([
    'stored 4',
    'truncated',
    'stored 5',
    'epochs 1',
    'stored 6',
    `checkpointed ${EPOCH + 5}`,
    `stored ${EPOCH + 6}`,
    'epochs 2',
    'truncated',
    `stored ${EPOCH + 9}`,
    'checkpointed 7',
    'stored 8',
    'epochs 4',
  ]);
  expect(onDisk()).toMatchObject({ ends: [8], checkpoint: 7, pages: ['copy 7'], epochs: { accepted: 4, current: 4 } });
});

test('a full checkpoint waits for all that was asked for before it', async () => {
  const truncated: Promise<void>[] = [];
  for (let zxid = 1; zxid <= 30; zxid++) {
    append(zxid);
    append(zxid + 1);
    truncated.push(storage.truncateAfter(zxid));
  }
  copy(EPOCH + 5);
  append(EPOCH + 6);
  await Promise.all(truncated);
  await storage.setEpochs(1, 1);
  expect(events.slice(-3)).toEqual(['stored 31', `checkpointed ${EPOCH + 5}`, `stored ${EPOCH + 6}`]);
  expect(onDisk()).toMatchObject({ ends: [EPOCH + 6], checkpoint: EPOCH + 5 });
});

test('the epochs behind a full checkpoint are not stored before it is', async () => {
  append(1, 4);
  await storage.setEpochs(2, 1);
  storage.beginCheckpoint(2 * EPOCH + 5, textBytes('h'), { isFull: true });
  for (let page = 0; page < 40; page++) storage.checkpointPages([{ page, bytes: bytesOf(page, 100_000) }]);
  storage.endCheckpoint();
  await storage.setEpochs(2, 2);
  expect(onDisk()).toMatchObject({ ends: [], checkpoint: 2 * EPOCH + 5, epochs: { current: 2 } });
  expect(events.at(-1)).toBe(`checkpointed ${2 * EPOCH + 5}`);
});

test('history of a later epoch than the current one is sound, of a later one than the accepted is not', async () => {
  await storage.setEpochs(3, 1);
  append(EPOCH + 1);
  append(3 * EPOCH + 1);
  await storage.close();
  expect(await open()).toMatchObject({ lastZxid: 3 * EPOCH + 1, acceptedEpoch: 3, currentEpoch: 1 });
  append(4 * EPOCH + 1);
  await storage.close();
  await expect(Storage.open({ directory })).rejects.toMatchObject({ code: 'DAMAGED' });
});

test('what learners want of the log is not cut, until it is let go', async () => {
  await storage.close();
  await open({ logRetainBatches: 0 });
  storage.keepLog(15);
  for (let zxid = 1; zxid <= 30; zxid++) append(zxid);
  await storage.setEpochs(1, 1);
  storage.beginCheckpoint(30, textBytes('h'));
  storage.endCheckpoint();
  const cutTo = async (batches: number) => {
    while (storage.stats().logBatches > batches) await storage.probe();
    for (let turn = 0; turn < 5; turn++) await storage.probe();
    return storage.stats().logBatches;
  };
  expect(await cutTo(15)).toBe(15);
  expect(ranges(await storage.readLog(15))[0]).toEqual([16, 16]);
  expect(await storage.readLog(14)).toEqual([]);
  storage.keepLog(20);
  expect(await cutTo(10)).toBe(10);
  storage.keepLog(Number.POSITIVE_INFINITY);
  expect(await cutTo(0)).toBe(0);
  expect(await storage.readLog(29)).toEqual([]);
});

test('behind a truncation that failed nothing is stored until one succeeds', async () => {
  append(1, 5);
  append(6, 9);
  await storage.setEpochs(2, 1);
  const free = fillDisk(directory, 'zabra.tail');
  const truncated = storage.truncateAfter(5);
  // One that would seem to follow what should be gone, and one that does not follow what is there.
  append(EPOCH + 1);
  append(6, 7);
  await expect(truncated).rejects.toMatchObject({ code: 'FULL' });
  await expect(storage.setEpochs(2, 2)).rejects.toMatchObject({ code: 'FULL' });
  expect(events.slice(-1)).toEqual([`lost ${EPOCH + 1}`]);
  expect(onDisk()).toMatchObject({ ends: [5, 9], epochs: { current: 1 } });

  free();
  storage.resume(6);
  append(6, 7);
  await expect(storage.setEpochs(2, 2)).rejects.toMatchObject({ code: 'FULL' });
  expect(events.slice(-1)).toEqual(['lost 6']);
  await storage.truncateAfter(5);
  storage.resume(6);
  append(6, 8);
  await storage.setEpochs(2, 2);
  expect(onDisk()).toMatchObject({ ends: [5, 8], epochs: { current: 2 } });
});

test('a truncation that succeeds when asked again needs no resume where nothing else was lost', async () => {
  append(1, 5);
  append(6, 9);
  await storage.setEpochs(2, 1);
  const free = fillDisk(directory, 'zabra.tail');
  await expect(storage.truncateAfter(5)).rejects.toMatchObject({ code: 'FULL' });
  free();
  await storage.truncateAfter(5);
  append(6, 8);
  await storage.setEpochs(2, 2);
  expect(onDisk()).toMatchObject({ ends: [5, 8], epochs: { current: 2 } });
});

test('a full checkpoint that the disk does not take leaves the old history, and takes what follows with it', async () => {
  await storage.close();
  await open({ databaseBytesMax: 512 * 1024 });
  append(1, 5);
  await storage.setEpochs(2, 1);
  const failed = new Promise<StorageError>((resolve) => {
    storage.onCheckpointFailed = resolve;
  });
  append(6, 9);
  storage.beginCheckpoint(EPOCH + 5, textBytes('h'), { isFull: true });
  for (let page = 0; page < 40; page++) storage.checkpointPages([{ page, bytes: bytesOf(page, 30_000) }]);
  storage.endCheckpoint();
  append(EPOCH + 6);
  append(2 * EPOCH + 1);
  await expect(storage.setEpochs(2, 2)).rejects.toMatchObject({ code: 'FULL' });
  expect((await failed).code).toBe('FULL');
  expect(events.filter((event) => !event.startsWith('stored'))).toEqual([]);
  expect(onDisk()).toEqual({ ends: [5, 9], checkpoint: null, pages: [], epochs: { accepted: 2, current: 1 } });

  // Now that this is known, history goes on as it is, or with another copy.
  append(10, 12);
  copy(EPOCH + 7);
  append(EPOCH + 8);
  await storage.setEpochs(2, 2);
  expect(events.slice(-3)).toEqual(['stored 12', `checkpointed ${EPOCH + 7}`, `stored ${EPOCH + 8}`]);
  expect(onDisk()).toMatchObject({ ends: [EPOCH + 8], checkpoint: EPOCH + 7, epochs: { current: 2 } });
});

test('epochs are not stored over batches that the disk did not take; a full checkpoint makes good all losses', async () => {
  await storage.close();
  await open({ databaseBytesMax: 512 * 1024 });
  append(1, 5);
  await storage.setEpochs(2, 1);
  const lost = new Promise((resolve) => {
    storage.onStoreFailed = resolve;
  });
  append(6, 9, 600_000);
  await lost;
  await expect(storage.setEpochs(2, 2)).rejects.toMatchObject({ code: 'FULL' });
  await expect(storage.truncateAfter(9)).rejects.toMatchObject({ code: 'FULL' });
  copy(EPOCH + 7);
  append(EPOCH + 8);
  await storage.setEpochs(2, 2);
  storage.resume(6);
  append(EPOCH + 9);
  await storage.setEpochs(3, 2);
  expect(onDisk()).toMatchObject({ ends: [EPOCH + 8, EPOCH + 9], epochs: { accepted: 3, current: 2 } });
});
