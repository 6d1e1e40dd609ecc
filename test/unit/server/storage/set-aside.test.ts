/** Setting a database aside: it works whatever the database has become, forgets no promise, and keeps the evidence. */
import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Engine } from '../../../../src/server/storage/engine.js';
import { Storage, setDatabaseAside } from '../../../../src/server/storage/index.js';
import { bytesOf, newDirectory, openEngine, removeDirectories } from './fixtures.js';

const NOW = Date.UTC(2026, 10, 25, 12);
const FILE = 'zabra.db';

afterEach(removeDirectories);

/** A database that was used, with an accepted epoch of 7 and a current one of 6. */
function used(isClosed = true): string {
  const directory = newDirectory();
  const engine = openEngine(directory);
  for (let zxid = 1; zxid <= 40; zxid++) {
    engine.group(() => engine.append({ firstZxid: zxid, lastZxid: zxid, bytes: bytesOf(zxid, 1000) }));
  }
  engine.group(() => engine.setEpochs(7, 6));
  if (isClosed) engine.close();
  else engine.abort();
  return directory;
}

function change(directory: string, name: string, offset: number): void {
  const bytes = readFileSync(join(directory, name));
  bytes[offset] ^= 0x55;
  writeFileSync(join(directory, name), bytes);
}

/** What a server finds after it. */
function found(directory: string) {
  const engine = openEngine(directory);
  const { epochs } = engine;
  expect([engine.log.totals.lastZxid, engine.checkpoint.zxid]).toEqual([0, null]);
  engine.close();
  return epochs;
}

test('a sound one: its bytes are kept, its accepted epoch goes on, and there is no vote until an epoch is current', async () => {
  const directory = used();
  const image = readFileSync(join(directory, FILE));
  const tail = readFileSync(join(directory, 'zabra.tail'));
  const { asideName, acceptedEpoch } = await setDatabaseAside(directory, 'another digest', NOW);
  expect([asideName, acceptedEpoch]).toEqual(['zabra.aside-2026-11-25T12-00-00-000Z.db', 7]);
  expect(readFileSync(join(directory, asideName)).equals(image)).toBe(true);
  expect(readFileSync(join(directory, `${asideName}.tail`)).equals(tail)).toBe(true);
  expect(readFileSync(join(directory, `${asideName}.txt`), 'utf8')).toContain('another digest');

  for (const [accepted, current, isVoting] of [
    [7, 0, false],
    [8, 0, false],
    [8, 8, true],
  ] as const) {
    const { storage, recovered } = await Storage.open({ directory });
    expect(recovered).toMatchObject({ lastZxid: 0, checkpoint: null, isVoting: false });
    await storage.setEpochs(accepted, current);
    await storage.close();
    const again = await Storage.open({ directory });
    expect(again.recovered).toMatchObject({ acceptedEpoch: accepted, currentEpoch: current, isVoting });
    await again.storage.close();
  }
});

test('a new database votes', async () => {
  const { storage, recovered } = await Storage.open({ directory: newDirectory() });
  expect(recovered.isVoting).toBe(true);
  await storage.close();
});

test.each<[string, number | null, (directory: string) => void]>([
  ['garbage', 7, (at) => writeFileSync(join(at, FILE), bytesOf(9, 20_000))],
  ['empty', 7, (at) => truncateSync(join(at, FILE), 0)],
  ['gone', 7, (at) => rmSync(join(at, FILE))],
  ['cut short', 7, (at) => truncateSync(join(at, FILE), statSync(join(at, FILE)).size / 2)],
  ['without its witness', 7, (at) => rmSync(join(at, 'zabra.tail'))],
  ['beside a WAL of something else', 7, (at) => appendFileSync(join(at, `${FILE}-wal`), bytesOf(3, 5000))],
  [
    'garbage, without its witness',
    null,
    (at) => {
      writeFileSync(join(at, FILE), bytesOf(9, 20_000));
      rmSync(join(at, 'zabra.tail'));
    },
  ],
  [
    'garbage, with a damaged witness',
    null,
    (at) => {
      writeFileSync(join(at, FILE), bytesOf(9, 20_000));
      change(at, 'zabra.tail', 17);
    },
  ],
  [
    'gone, and all that belonged to it',
    null,
    (at) => {
      for (const name of readdirSync(at)) rmSync(join(at, name));
    },
  ],
])('damaged: %s', async (_, expected, damage) => {
  const directory = used();
  damage(directory);
  const image = existsSync(join(directory, FILE)) ? readFileSync(join(directory, FILE)) : null;
  const { asideName, acceptedEpoch } = await setDatabaseAside(directory, 'damaged', NOW);
  expect(acceptedEpoch).toBe(expected);
  expect(found(directory)).toEqual({ accepted: expected ?? 0, current: 0, copyNeeded: true });
  expect(existsSync(join(directory, asideName))).toBe(image !== null);
  if (image !== null) expect(readFileSync(join(directory, asideName)).equals(image)).toBe(true);
});

test('damaged: a flipped byte anywhere', async () => {
  const size = statSync(join(used(), FILE)).size;
  for (let offset = 3; offset < size; offset += offset < 120 ? 9 : 2477) {
    const directory = used();
    change(directory, FILE, offset);
    expect([offset, (await setDatabaseAside(directory, 'damaged', NOW)).acceptedEpoch]).toEqual([offset, 7]);
    expect(found(directory).copyNeeded).toBe(true);
  }
});

test.each([true, false])(
  'what a damaged write-ahead log holds is kept, opened before or not (%s)',
  async (wasOpened) => {
    const directory = newDirectory();
    const source = newDirectory();
    const engine = openEngine(source);
    for (let zxid = 1; zxid <= 9; zxid++) {
      engine.group(() => engine.append({ firstZxid: zxid, lastZxid: zxid, bytes: bytesOf(zxid, 5000) }));
    }
    for (const name of [FILE, `${FILE}-wal`, 'zabra.tail']) {
      writeFileSync(join(directory, name), readFileSync(join(source, name)));
    }
    engine.close();
    change(directory, `${FILE}-wal`, 20_000);
    const wal = readFileSync(join(directory, `${FILE}-wal`));
    if (wasOpened) expect(() => openEngine(directory)).toThrow(expect.objectContaining({ code: 'DAMAGED' }));
    const { asideName } = await setDatabaseAside(directory, 'damaged', NOW);
    expect(found(directory)).toEqual({ accepted: 0, current: 0, copyNeeded: true });
    expect(readFileSync(join(directory, `${asideName}-wal.damaged`)).equals(wal)).toBe(true);
  },
);

test('one that is in use is refused and left alone', async () => {
  const directory = used();
  const { storage } = await Storage.open({ directory });
  const before = readdirSync(directory);
  await expect(setDatabaseAside(directory, 'by mistake', NOW)).rejects.toMatchObject({ code: 'LOCKED' });
  expect(readdirSync(directory).filter((name) => name !== 'zabra.aside.lock')).toEqual(before);
  await storage.setEpochs(9, 7);
  await storage.close();
  openEngine(directory).close();
});

test('interrupted anywhere it is refused like a damaged one, and taken up again without forgetting the epoch', async () => {
  const directory = used(false);
  await setDatabaseAside(directory, 'first', NOW);
  const fresh = join(directory, `${FILE}.fresh`);
  const aside = 'zabra.aside-2026-11-25T12-00-00-000Z.db';
  for (const [index, moved] of [[], [FILE], [FILE, 'zabra.tail']].entries()) {
    const at = used();
    writeFileSync(join(at, `${FILE}.fresh`), readFileSync(join(directory, FILE)));
    if (moved.includes(FILE)) renameSync(join(at, FILE), join(at, aside));
    if (moved.includes('zabra.tail')) renameSync(join(at, 'zabra.tail'), join(at, `${aside}.tail`));
    expect(() => openEngine(at)).toThrow(expect.objectContaining({ code: 'DAMAGED' }));
    const { acceptedEpoch } = await setDatabaseAside(at, 'again', NOW);
    expect([index, acceptedEpoch]).toEqual([index, 7]);
    expect(found(at)).toEqual({ accepted: 7, current: 0, copyNeeded: true });
  }
  expect(existsSync(fresh)).toBe(false);
});

test('two sets are kept, and the second within a millisecond does not hide the first', async () => {
  const directory = used();
  const names: string[] = [];
  for (const now of [NOW, NOW, NOW + 5000, NOW + 9000]) {
    names.push((await setDatabaseAside(directory, 'again', now)).asideName);
    expect(found(directory)).toEqual({ accepted: 7, current: 0, copyNeeded: true });
  }
  expect(new Set(names).size).toBe(4);
  const kept = new Set(readdirSync(directory).flatMap((name) => /^zabra\.aside-.*Z\.db/.exec(name)?.[0] ?? []));
  expect([...kept].sort()).toEqual(names.slice(2));
});

test('the mark goes with the transaction that stores a current epoch, or not at all', async () => {
  const directory = used();
  await setDatabaseAside(directory, 'again', NOW);
  const engine: Engine = openEngine(directory);
  expect(() =>
    engine.group(() => {
      engine.setEpochs(8, 8);
      throw new Error('the disk is full');
    }),
  ).toThrow('full');
  expect(engine.epochs).toEqual({ accepted: 7, current: 0, copyNeeded: true });
  engine.group(() => engine.setEpochs(8, 8));
  engine.close();
  const again = openEngine(directory);
  expect(again.epochs).toEqual({ accepted: 8, current: 8 });
  again.close();
});
