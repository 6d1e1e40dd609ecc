/** A snapshot as bytes: what goes in comes out, and nothing else ever does. */
import { upTo } from '../../../../../src/server/admin/snapshot/committed.js';
import { encodeRecord, MAGIC, RecordType, SnapshotError } from '../../../../../src/server/admin/snapshot/format.js';
import { readSnapshot, type SnapshotRecord } from '../../../../../src/server/admin/snapshot/reader.js';
import { bytesOf, EPOCH, type FakeRows, ROWS, sourceOf, streamOf } from './fixtures.js';

async function read(bytes: Uint8Array, pieceBytes?: number): Promise<FakeRows> {
  const records: SnapshotRecord[] = [];
  for await (const record of readSnapshot(streamOf(bytes, pieceBytes))) records.push(record);
  const [begin] = records;
  if (begin?.kind !== 'begin') throw new Error('no beginning');
  return {
    header: new Uint8Array(begin.header),
    checkpointZxid: begin.checkpointZxid,
    pages: records.flatMap((one) =>
      one.kind === 'page' ? [{ ...one.page, bytes: new Uint8Array(one.page.bytes) }] : [],
    ),
    batches: records.flatMap((one) =>
      one.kind === 'batch' ? [{ ...one.batch, bytes: new Uint8Array(one.batch.bytes) }] : [],
    ),
  };
}

test('what was written is read, whole and byte by byte', async () => {
  const bytes = await bytesOf(sourceOf(ROWS));
  expect(await read(bytes)).toEqual(ROWS);
  expect(await read(bytes, 1)).toEqual(ROWS);
});

test('a database without checkpoint, and one without log', async () => {
  const young: FakeRows = {
    header: new Uint8Array(0),
    checkpointZxid: 0,
    pages: [],
    batches: [{ firstZxid: EPOCH + 1, lastZxid: EPOCH + 1, bytes: new Uint8Array(3) }],
  };
  expect(await read(await bytesOf(sourceOf(young)))).toEqual(young);
  const still = { ...ROWS, batches: [] };
  expect(await read(await bytesOf(sourceOf(still)))).toEqual(still);
});

test('large rows are more than one chunk, and come through whole', async () => {
  const pages = Array.from({ length: 20 }, (_, page) => ({ page, bytes: new Uint8Array(100_000).fill(page) }));
  const { pages: found, ...rest } = await read(await bytesOf(sourceOf({ ...ROWS, pages })));
  expect(rest).toEqual({ header: ROWS.header, checkpointZxid: ROWS.checkpointZxid, batches: ROWS.batches });
  expect(found.map(({ page }) => page)).toEqual(pages.map(({ page }) => page));
  expect(found.every(({ bytes }, i) => Buffer.compare(bytes, pages[i].bytes) === 0)).toBe(true);
});

test('every flipped bit is found out', async () => {
  const whole = await bytesOf(sourceOf(ROWS));
  for (let at = 0; at < whole.length; at++) {
    const bytes = Uint8Array.from(whole);
    bytes[at] ^= 1 << (at % 8);
    await expect(read(bytes)).rejects.toThrow(SnapshotError);
  }
});

test('every cut is found out, and whatever follows the end', async () => {
  const whole = await bytesOf(sourceOf(ROWS));
  for (let length = 0; length < whole.length; length++) {
    await expect(read(whole.subarray(0, length))).rejects.toThrow(SnapshotError);
  }
  await expect(read(Buffer.concat([whole, Buffer.alloc(1)]))).rejects.toThrow('something follows');
});

/** A file made of sound records that do not belong together. */
function forged(...records: Uint8Array[]): Uint8Array {
  return Buffer.concat([MAGIC, ...records]);
}

const none = new Uint8Array(0);
const begin = encodeRecord(RecordType.begin, [3 * EPOCH + 12, 3 * EPOCH + 10], none);
const page = (number: number) => encodeRecord(RecordType.page, [number], none);
const batch = (first: number, last: number) => encodeRecord(RecordType.batch, [first, last], none);

test.each([
  ['no beginning', [page(1)], 'out of order'],
  ['two beginnings', [begin, begin], 'out of order'],
  ['nothing but an end', [encodeRecord(RecordType.end, [0, 0], new Uint8Array(32))], 'out of order'],
  ['a page twice', [begin, page(1), page(1)], 'page 1 is out of order'],
  ['a page behind a batch', [begin, batch(3 * EPOCH + 11, 3 * EPOCH + 11), page(1)], 'page 1 is out of order'],
  ['pages without a checkpoint', [encodeRecord(RecordType.begin, [9, 0], none), page(1)], 'page 1 is out of order'],
  ['a gap in the log', [begin, batch(3 * EPOCH + 12, 3 * EPOCH + 12)], 'a gap'],
  ['a batch that ends before it begins', [begin, batch(3 * EPOCH + 11, 3 * EPOCH + 10)], 'a gap'],
  ['an unknown type', [begin, encodeRecord(9, [], none)], 'unknown type 9'],
  ['a checkpoint after the end', [encodeRecord(RecordType.begin, [5, 6], none)], 'later than its end'],
  ['a number that is none', [encodeRecord(RecordType.begin, [2 ** 53, 6], none)], 'out of range'],
  ['a record without its numbers', [encodeRecord(RecordType.begin, [], none)], 'too short'],
  ['an end of its own', [begin, encodeRecord(RecordType.end, [0, 0], new Uint8Array(32))], 'digest'],
])('%s is refused', async (_, records, problem) => {
  await expect(read(forged(...records))).rejects.toThrow(problem);
});

test('another file, and another version of this one, are named', async () => {
  await expect(read(Buffer.from('ZKSN and more'))).rejects.toThrow('no snapshot of Zabra');
  const later = Uint8Array.from(MAGIC);
  later[MAGIC.length - 1] = 99;
  await expect(read(later)).rejects.toThrow('version 99');
});

test('what is not committed is left out', async () => {
  const rows = await read(await bytesOf(upTo(3 * EPOCH + 13, sourceOf(ROWS))));
  expect(rows).toEqual({ ...ROWS, batches: ROWS.batches.slice(0, 2) });
  const all = sourceOf(ROWS);
  expect(upTo(all.zxid, all)).toBe(all);
  expect(await read(await bytesOf(upTo(ROWS.checkpointZxid, sourceOf(ROWS))))).toEqual({ ...ROWS, batches: [] });
});
