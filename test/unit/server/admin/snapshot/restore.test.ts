/** A database from a snapshot: sound and durable, or not there at all; and how it takes the place of another. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OpCode } from '../../../../../protocol/client/constants.js';
import { decodeBatch } from '../../../../../protocol/peer/codec.js';
import { SnapshotError } from '../../../../../src/server/admin/snapshot/format.js';
import { finishReplacement, stagingDirectory } from '../../../../../src/server/admin/snapshot/replacement.js';
import { type RestoreHost, restoreInto, restoreServer } from '../../../../../src/server/admin/snapshot/restore.js';
import type { Logger } from '../../../../../src/server/logging.js';
import { type Page, type Recovered, Storage, type StoredBatch } from '../../../../../src/server/storage/index.js';
import { bytesOf, EPOCH, newDirectory, ROWS, removeDirectories, sourceOf, streamOf } from './fixtures.js';

afterEach(removeDirectories);

const sound = { epochMin: 0, verify: () => Promise.resolve() };
const silent: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

async function contentOf(recovered: Recovered) {
  const pages: Page[] = [];
  const batches: StoredBatch[] = [];
  for await (const rows of recovered.pages()) pages.push(...rows);
  for await (const rows of recovered.batches()) batches.push(...rows);
  // Behind what the snapshot held stands an entry that does nothing, in an epoch of its own.
  const fence = recovered.checkpoint === null && batches.length === 0 ? undefined : batches.pop();
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();
  return {
    header: text(recovered.checkpoint?.header ?? new Uint8Array(0)),
    checkpointZxid: recovered.checkpoint?.zxid ?? 0,
    pages: pages.map(({ page, bytes }) => [page, text(bytes)]),
    batches: batches.map(({ firstZxid, lastZxid, bytes }) => [firstZxid, lastZxid, text(bytes)]),
    fence: fence === undefined ? null : fenceOf(fence),
    epochs: [recovered.acceptedEpoch, recovered.currentEpoch],
  };
}

function fenceOf({ firstZxid, lastZxid, bytes }: StoredBatch) {
  const { operations, sessions, ...batch } = decodeBatch(bytes);
  expect([operations, sessions, batch.firstZxid, lastZxid]).toEqual([[OpCode.error], [0], firstZxid, firstZxid]);
  return firstZxid;
}

async function openedIn(directory: string) {
  const { storage, recovered } = await Storage.open({ directory });
  try {
    return await contentOf(recovered);
  } finally {
    await storage.close();
  }
}

const EXPECTED = {
  header: 'header',
  checkpointZxid: 3 * EPOCH + 10,
  pages: [
    [0, 'page 0'],
    [1, 'page 1'],
    [4, 'page 4'],
    [9, 'page 9'],
  ],
  batches: [
    [3 * EPOCH + 11, 3 * EPOCH + 12, 'eleven and twelve'],
    [3 * EPOCH + 13, 3 * EPOCH + 13, ''],
    [5 * EPOCH + 1, 5 * EPOCH + 4, 'a later epoch'],
  ],
  fence: 6 * EPOCH + 1,
  epochs: [6, 6],
};

describe('restoreInto', () => {
  test('makes a database with everything the snapshot holds, and shows it to whoever verifies', async () => {
    const directory = join(newDirectory(), 'new');
    let seen: unknown;
    const verify = async (recovered: Recovered) => {
      seen = await contentOf(recovered);
    };
    const result = await restoreInto(directory, streamOf(await bytesOf(sourceOf(ROWS))), { epochMin: 0, verify });
    expect(result).toEqual({ lastZxid: 5 * EPOCH + 4 });
    expect(seen).toEqual(EXPECTED);
    expect(await openedIn(directory)).toEqual(EXPECTED);
  });

  test('its epoch is at least the one that is asked for', async () => {
    const directory = join(newDirectory(), 'new');
    await restoreInto(directory, streamOf(await bytesOf(sourceOf(ROWS))), { ...sound, epochMin: 8 });
    expect(await openedIn(directory)).toEqual({ ...EXPECTED, fence: 8 * EPOCH + 1, epochs: [8, 8] });
  });

  test('a database without checkpoint, and one much larger than what is written at a time', async () => {
    const young = { header: new Uint8Array(0), checkpointZxid: 0, pages: [], batches: [] };
    const batches = [{ firstZxid: EPOCH + 1, lastZxid: EPOCH + 7, bytes: new Uint8Array(5) }];
    const one = join(newDirectory(), 'new');
    await restoreInto(one, streamOf(await bytesOf(sourceOf({ ...young, batches }))), sound);
    expect(await openedIn(one)).toMatchObject({ checkpointZxid: 0, pages: [], fence: 2 * EPOCH + 1 });

    const pages = Array.from({ length: 30 }, (_, page) => ({ page, bytes: new Uint8Array(700_000).fill(page + 1) }));
    const long = Array.from({ length: 30 }, (_, i) => {
      const zxid = ROWS.checkpointZxid + 1 + i;
      return { firstZxid: zxid, lastZxid: zxid, bytes: new Uint8Array(700_000) };
    });
    const other = join(newDirectory(), 'new');
    await restoreInto(other, streamOf(await bytesOf(sourceOf({ ...ROWS, pages, batches: long }))), sound);
    const content = await openedIn(other);
    expect([content.pages.length, content.batches.length, content.fence]).toEqual([30, 30, 4 * EPOCH + 1]);
  });

  test('nothing is left of a snapshot that is damaged, cut off, or makes up no state', async () => {
    const parent = newDirectory();
    const directory = join(parent, 'new');
    const whole = await bytesOf(sourceOf(ROWS));
    const flipped = Uint8Array.from(whole);
    flipped[whole.length - 1] ^= 1;
    for (const bytes of [flipped, whole.subarray(0, -1), Buffer.from('no snapshot')]) {
      await expect(restoreInto(directory, streamOf(bytes), sound)).rejects.toThrow(SnapshotError);
      expect(readdirSync(parent)).toEqual([]);
    }
    const verify = () => Promise.reject(new Error('another digest'));
    await expect(restoreInto(directory, streamOf(whole), { epochMin: 0, verify })).rejects.toThrow(
      'makes up no state: another digest',
    );
    expect(readdirSync(parent)).toEqual([]);
  });

  test('a stream that breaks off is its own error', async () => {
    async function* broken() {
      yield (await bytesOf(sourceOf(ROWS))).subarray(0, 50);
      throw new Error('the client went away');
    }
    const parent = newDirectory();
    await expect(restoreInto(join(parent, 'new'), broken(), sound)).rejects.toThrow('the client went away');
    expect(readdirSync(parent)).toEqual([]);
  });
});

/** A server that has nothing but a database. */
class Host implements RestoreHost {
  readonly dataDir = newDirectory();
  readonly calls: string[] = [];
  private storage: Storage | null = null;

  async begin(): Promise<this> {
    await this.resume();
    await this.storage?.setEpochs(7, 7);
    writeFileSync(join(this.dataDir, 'myid'), '1');
    this.calls.length = 0;
    return this;
  }

  acceptedEpoch = () => 7;

  async verify(recovered: Recovered): Promise<void> {
    this.calls.push(`verify ${(await contentOf(recovered)).fence}`);
  }

  async suspend(): Promise<void> {
    this.calls.push('suspend');
    await this.storage?.close();
    this.storage = null;
  }

  async resume(): Promise<void> {
    this.calls.push('resume');
    const { storage } = await Storage.open({ directory: this.dataDir });
    this.storage = storage;
  }
}

describe('restoreServer', () => {
  test('verifies first, then replaces; the old database is set aside, other files stay', async () => {
    const host = await new Host().begin();
    const result = await restoreServer(host, streamOf(await bytesOf(sourceOf(ROWS))), silent);
    expect(host.calls).toEqual([`verify ${8 * EPOCH + 1}`, 'suspend', 'resume']);
    await host.suspend();
    expect(await openedIn(host.dataDir)).toEqual({ ...EXPECTED, fence: 8 * EPOCH + 1, epochs: [8, 8] });
    expect(result.lastZxid).toBe(5 * EPOCH + 4);
    expect((await openedIn(result.setAside)).epochs).toEqual([7, 7]);
    expect(readFileSync(join(host.dataDir, 'myid'), 'utf8')).toBe('1');
    expect(existsSync(stagingDirectory(host.dataDir))).toBe(false);
  });

  test('a snapshot that is refused leaves the server alone', async () => {
    const host = await new Host().begin();
    const before = readdirSync(host.dataDir);
    const cut = (await bytesOf(sourceOf(ROWS))).subarray(0, -1);
    await expect(restoreServer(host, streamOf(cut), silent)).rejects.toThrow(SnapshotError);
    expect(host.calls).toEqual([]);
    expect(readdirSync(host.dataDir)).toEqual(before);
    await host.suspend();
  });

  test('twice in a second: each old database has its own folder', async () => {
    const host = await new Host().begin();
    const bytes = await bytesOf(sourceOf(ROWS));
    const one = await restoreServer(host, streamOf(bytes), silent);
    const two = await restoreServer(host, streamOf(bytes), silent);
    expect(two.setAside).not.toBe(one.setAside);
    expect((await openedIn(two.setAside)).fence).toBe(8 * EPOCH + 1);
    await host.suspend();
  });
});

describe('a crash while databases change places', () => {
  const FILES = ['zabra.db', 'zabra.tail'];

  /** Old files in the data directory, new ones beside it, and a note with this phase. */
  function scene(phase: string, moved: { aside: number; placed: number }) {
    const dataDir = newDirectory();
    const staging = stagingDirectory(dataDir);
    const aside = join(dataDir, 'zabra.replaced-x');
    const put = (folder: string, file: string, text: string) => {
      if (!existsSync(folder)) mkdirSync(folder);
      writeFileSync(join(folder, file), text);
    };
    for (const [i, file] of FILES.entries()) {
      put(i < moved.aside ? aside : dataDir, file, `old ${file}`);
      put(i < moved.placed ? dataDir : staging, file, `new ${file}`);
    }
    writeFileSync(join(dataDir, 'zabra.replacing'), JSON.stringify({ phase, aside: 'zabra.replaced-x' }));
    return { dataDir, aside };
  }

  test.each([
    ['aside', { aside: 0, placed: 0 }],
    ['aside', { aside: 1, placed: 0 }],
    ['aside', { aside: 2, placed: 0 }],
    ['place', { aside: 2, placed: 0 }],
    ['place', { aside: 2, placed: 1 }],
    ['place', { aside: 2, placed: 2 }],
  ])('is made good by the next start: phase %s, %p', (phase, moved) => {
    const { dataDir, aside } = scene(phase, moved);
    expect(finishReplacement(dataDir)).toBe(aside);
    for (const file of FILES) {
      expect(readFileSync(join(dataDir, file), 'utf8')).toBe(`new ${file}`);
      expect(readFileSync(join(aside, file), 'utf8')).toBe(`old ${file}`);
    }
    expect(readdirSync(dataDir).sort()).toEqual([...FILES, 'zabra.replaced-x'].sort());
    expect(finishReplacement(dataDir)).toBeNull();
  });
});
