// The order of events and answers is what the mirror is about, so here a test plays the client: it answers each read when
// it likes, and with what.

import type { Client, Stat, StateChange, WatchEvent, Watcher } from '../../../../src/client/index.js';
import { ZooKeeperError } from '../../../../src/client/index.js';
import type { CacheUpdate } from '../../../../src/recipes/cache/changes.js';
import { Mirror } from '../../../../src/recipes/cache/mirror.js';

const statOf = (czxid: number, mzxid = czxid, pzxid = czxid): Stat => ({
  ...{ czxid: BigInt(czxid), mzxid: BigInt(mzxid), pzxid: BigInt(pzxid), ctime: 0, mtime: 0 },
  ...{ version: 0, cversion: 0, aversion: 0, ephemeralOwner: 0n, dataLength: 0, numChildren: 0 },
});

interface Read {
  readonly path: string;
  answer(text: string, czxid: number, mzxid?: number, pzxid?: number): void;
  noNode(): void;
}

class PlayedClient {
  readonly clock = { nowMs: () => 0, after: () => () => {} };
  readonly state = 'CONNECTED';
  readonly silentForMs = 0;
  /** Reads of data that wait for their answer. */
  readonly reads: Read[] = [];
  names: Record<string, string[]> = {};
  /** What `exists` answers. */
  stats: Record<string, Stat> = {};
  #watcher: Watcher = () => {};

  onState(_: (change: StateChange) => void): () => void {
    return () => {};
  }

  async addWatch(_path: string, watcher: Watcher): Promise<void> {
    this.#watcher = watcher;
  }

  async removeWatches(): Promise<void> {}

  async children(path: string): Promise<{ children: string[]; stat: Stat }> {
    return { children: this.names[path] ?? [], stat: this.stats[path] ?? statOf(1) };
  }

  async exists(path: string): Promise<Stat | null> {
    return this.stats[path] ?? null;
  }

  get(path: string): Promise<{ data: Buffer; stat: Stat }> {
    return new Promise((resolve, reject) => {
      this.reads.push({
        path,
        answer: (text, ...zxids) => resolve({ data: Buffer.from(text), stat: statOf(...zxids) }),
        noNode: () => reject(new ZooKeeperError('NoNode', { operation: 'get', path })),
      });
    });
  }

  event(type: 'created' | 'deleted' | 'dataChanged', path: string, zxid: number): void {
    const event: WatchEvent = { type, path, zxid: BigInt(zxid) };
    this.#watcher(event);
  }

  /** Nobody knows what was missed. */
  gap(): void {
    this.#watcher({ type: 'gap', path: '/t', reason: 'reconnected' } as unknown as WatchEvent);
  }

  /** Lets all go on that can, and takes the reads that wait then, by path. */
  async taken(): Promise<Read[]> {
    await new Promise((resolve) => setImmediate(resolve));
    return this.reads.splice(0).sort((a, b) => (a.path < b.path ? -1 : 1));
  }
}

/** A mirror of /t with /t/a and /t/b, published. */
async function mirrored() {
  const client = new PlayedClient();
  client.names = { '/t': ['a', 'b'] };
  const mirror = new Mirror(client as unknown as Client, '/t', true);
  const updates: CacheUpdate[] = [];
  (await client.taken())[0].answer('root', 1);
  const [a, b] = await client.taken();
  a.answer('a', 2);
  b.answer('b', 3);
  await mirror.ready;
  mirror.onUpdate((update) => updates.push(update));
  const shown = () => ['/t/a', '/t/b', '/t/c'].map((path) => mirror.nodes.get(path)?.data?.toString());
  return { client, mirror, updates, shown };
}

test('an effect is not shown before what came before it: a change that comes during a read is read first', async () => {
  const { client, mirror, updates, shown } = await mirrored();
  client.event('dataChanged', '/t/a', 10);
  const [first] = await client.taken();
  client.event('dataChanged', '/t/b', 11);
  client.event('dataChanged', '/t/a', 12);
  first.answer('a at 12', 2, 12); // it shows 12, so it must not be seen without 11
  const [a, b] = await client.taken();
  expect([shown(), updates.length]).toEqual([['a', 'b', undefined], 0]);
  b.answer('b at 11', 3, 11);
  a.answer('a at 12', 2, 12);
  await client.taken();
  expect([shown(), updates.length]).toEqual([['a at 12', 'b at 11', undefined], 1]);
  expect(updates[0]).toMatchObject({ isSnapshot: true, changes: [{ path: '/t/b' }, { path: '/t/a' }] });
  await mirror.close();
});

test.each([
  ['with', 12],
  ['without', -1],
])('an answer from before a change does not count, %s the zxid of the change', async (_, zxid) => {
  const { client, mirror, shown } = await mirrored();
  client.event('dataChanged', '/t/a', 10);
  const [stale] = await client.taken();
  client.event('dataChanged', '/t/a', zxid);
  stale.answer('a at 10', 2, 10);
  const [fresh] = await client.taken();
  expect([fresh.path, shown()[0]]).toEqual(['/t/a', 'a']);
  fresh.answer('a at 12', 2, 12);
  await client.taken();
  expect(shown()[0]).toBe('a at 12');
  await mirror.close();
});

test('an answer that shows the change already needs no second read', async () => {
  const { client, mirror, shown } = await mirrored();
  client.event('dataChanged', '/t/a', 10);
  const [read] = await client.taken();
  client.event('dataChanged', '/t/a', 12);
  read.answer('a at 12', 2, 12);
  expect(await client.taken()).toEqual([]);
  expect(shown()[0]).toBe('a at 12');
  await mirror.close();
});

test('an answer from before a deletion does not bring the node back', async () => {
  const { client, mirror, updates, shown } = await mirrored();
  client.event('dataChanged', '/t/a', 10);
  const [read] = await client.taken();
  client.event('deleted', '/t/a', 11);
  read.answer('a at 10', 2, 10);
  expect(await client.taken()).toEqual([]);
  expect([shown(), mirror.children('/t')]).toEqual([[undefined, 'b', undefined], ['b']]);
  expect(updates.flatMap(({ changes }) => changes.map(({ type }) => type))).toEqual(['removed']);
  await mirror.close();
});

test('an answer from before a creation does not hide the node', async () => {
  const { client, mirror, shown } = await mirrored();
  client.event('created', '/t/c', 10);
  const [read] = await client.taken();
  client.event('deleted', '/t/c', 11);
  client.event('created', '/t/c', 12);
  read.noNode();
  const [again] = await client.taken();
  again.answer('c at 12', 12);
  await client.taken();
  expect(shown()[2]).toBe('c at 12');
  await mirror.close();
});

test('changes that outrun every reading are shown after some rounds, and not as one state', async () => {
  const { client, mirror, updates } = await mirrored();
  client.event('dataChanged', '/t/a', 10);
  for (let i = 11; updates.length === 0; i++) {
    const reads = await client.taken();
    client.event('created', `/t/n${i}`, i);
    for (const { path, answer } of reads) answer(path, path === '/t/a' ? 2 : Number(path.slice(4)), i - 1);
    expect(i).toBeLessThan(40);
  }
  expect(updates[0].isSnapshot).toBe(false);
  expect(mirror.isFresh).toBe(false);
  for (const { answer } of await client.taken()) answer('x', 50);
  for (const { answer } of await client.taken()) answer('x', 50);
  await client.taken();
  expect([updates.at(-1)?.isSnapshot, mirror.isFresh]).toEqual([true, true]);
  await mirror.close();
});

test('a read that was repeated over a gap brings the new Stat of a node, but its new children are found all the same', async () => {
  const { client, mirror, shown } = await mirrored();
  client.event('dataChanged', '/t', 10);
  const [root] = await client.taken();
  client.stats = { '/t': statOf(1, 10, 12), '/t/a': statOf(2), '/t/b': statOf(3) };
  client.names = { '/t': ['a', 'b', 'c'] }; // made at 12, while nobody was connected
  client.gap();
  root.answer('root', 1, 10, 12); // sent before the gap, answered after it
  const [c] = await client.taken();
  expect(c?.path).toBe('/t/c');
  c.answer('c', 12);
  await client.taken();
  expect(shown()).toEqual(['a', 'b', 'c']);
  await mirror.close();
});
