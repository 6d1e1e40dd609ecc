import { type Client, ZooKeeperError } from '../../../../src/client/index.js';
import type { CacheUpdate } from '../../../../src/recipes/cache/changes.js';
import { NodeCache } from '../../../../src/recipes/cache/node-cache.js';
import { TreeCache } from '../../../../src/recipes/cache/tree-cache.js';
import { DataFixture, eventually } from '../data-fixture.js';

const fixture = new DataFixture();
beforeAll(() => fixture.start(), 60_000);
afterEach(() => fixture.cleanUp());
afterAll(() => fixture.stop());

const told = (updates: readonly CacheUpdate[]): string[] =>
  updates.flatMap(({ changes }) => changes.map(({ type, path }) => `${type} ${path}`));

function recorded(cache: TreeCache): CacheUpdate[] {
  const updates: CacheUpdate[] = [];
  cache.onUpdate((update) => updates.push(update));
  return updates;
}

/** All paths with their data, as the server has them and as the cache has. */
async function sameAsServer(client: Client, cache: TreeCache, root: string): Promise<boolean> {
  const nodes = new Map<string, string>();
  const walk = async (path: string): Promise<void> => {
    nodes.set(path, `${(await client.get(path)).data}`);
    for (const name of await client.children(path)) await walk(`${path}/${name}`);
  };
  await walk(root);
  const cached = new Map(cache.entries().map(({ path, data }) => [path, `${data}`]));
  return nodes.size === cached.size && [...nodes].every(([path, data]) => cached.get(path) === data);
}

test('reads what there is, and follows what changes, each change once and parents before children', async () => {
  const client = await fixture.client();
  await client.create('/tree', 'root');
  await client.create('/tree/a', '1');
  await client.create('/tree/a/b', '2');
  await using cache = new TreeCache(await fixture.client(), '/tree');
  await cache.ready();
  expect(cache.get('/tree/a/b')?.data?.toString()).toBe('2');
  expect(cache.children('/tree')).toEqual(['a']);
  expect(cache.size).toBe(3);
  const updates = recorded(cache);
  await client.create('/tree/c');
  await client.create('/tree/c/d', 'new');
  await client.set('/tree/a', 'one');
  await client.delete('/tree/a/b');
  await eventually(() => cache.get('/tree/a/b') === undefined && told(updates).length === 4);
  expect(told(updates)).toEqual(['added /tree/c', 'added /tree/c/d', 'changed /tree/a', 'removed /tree/a/b']);
  expect(cache.get('/tree/a')?.data?.toString()).toBe('one');
  expect(cache.isFresh).toBe(true);
});

test('a node that does not exist yet, and one that is deleted and made again', async () => {
  const client = await fixture.client();
  await using cache = new TreeCache(await fixture.client(), '/later');
  await cache.ready();
  expect(cache.entries()).toEqual([]);
  const updates = recorded(cache);
  await client.create('/later', 'x');
  await eventually(() => cache.size === 1);
  await client.transaction().delete('/later').create('/later', 'x').commit(); // the same data and version (CURATOR-391)
  await eventually(() => told(updates).length === 3);
  expect(told(updates)).toEqual(['added /later', 'removed /later', 'added /later']);
});

test('what is published is one state: of two nodes that are written in turn, neither is ahead', async () => {
  const writer = await fixture.client();
  await writer.create('/pair');
  for (const name of ['left', 'right']) await writer.create(`/pair/${name}`, '0');
  await using cache = new TreeCache(await fixture.client(), '/pair');
  await cache.ready();
  const numberIn = (name: string) => Number(cache.get(`/pair/${name}`)?.data?.toString());
  const seen: [number, number, boolean][] = [];
  cache.onUpdate(({ isSnapshot }) => seen.push([numberIn('left'), numberIn('right'), isSnapshot]));
  for (let i = 1; i <= 200; i++) {
    // First left, then right: right is never ahead of left, and left at most one ahead of right.
    await Promise.all([writer.set('/pair/left', String(i)), writer.set('/pair/right', String(i))]);
  }
  await eventually(() => numberIn('right') === 200 && cache.isFresh);
  expect(seen.length).toBeGreaterThan(3);
  for (const [left, right, isSnapshot] of seen.filter((each) => each[2])) {
    expect([left, right, isSnapshot, left - right === 0 || left - right === 1]).toEqual([left, right, true, true]);
  }
  const lefts = seen.map(([left]) => left);
  expect(lefts).toEqual([...lefts].sort((a, b) => a - b)); // never back in time
});

test('a storm of creations, changes and deletions ends in the state of the server, never with an orphan', async () => {
  const writer = await fixture.client();
  await writer.create('/storm');
  const linked = await fixture.linked();
  await using cache = new TreeCache(linked.client, '/storm');
  await cache.ready();
  const present = new Set(cache.entries().map(({ path }) => path));
  let orphans = 0;
  let wrong = 0;
  cache.onUpdate(({ changes }) => {
    for (const { type, path } of changes) {
      if (type === 'added' ? present.has(path) : !present.has(path)) wrong++;
      if (type === 'added') present.add(path);
      if (type === 'removed') present.delete(path);
    }
    for (const { path } of cache.entries()) {
      if (path !== '/storm' && cache.get(path.slice(0, path.lastIndexOf('/'))) === undefined) orphans++;
    }
  });
  let seed = 7;
  const random = (below: number) => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
    return (seed >>> 8) % below;
  };
  for (let i = 0; i < 400; i++) {
    const path = `/storm/${random(4)}`;
    const below = `${path}/${random(3)}`;
    const step = [
      () => writer.create(path, String(i)),
      () => writer.create(below, String(i)),
      () => writer.set(random(2) === 0 ? path : below, String(i)),
      () => writer.delete(below),
      () => writer.delete(path),
    ][random(5)];
    await step().catch((error: unknown) => {
      if (!ZooKeeperError.is(error, 'NoNode', 'NodeExists', 'NotEmpty')) throw error;
    });
    if (i % 80 === 40) linked.link.cut();
    if (i === 200) await fixture.expire(linked);
  }
  await eventually(() => cache.isFresh && sameAsServer(writer, cache, '/storm'));
  expect({ orphans, wrong }).toEqual({ orphans: 0, wrong: 0 });
}, 30_000);

test('when the service is away the last state stays and grows older; then only what has changed is told and read', async () => {
  const client = await fixture.client();
  await client.create('/away');
  for (let i = 0; i < 50; i++) await client.create(`/away/n${i}`, String(i));
  await client.create('/away/n1/deep', 'deep');
  const linked = await fixture.linked();
  await using cache = new TreeCache(linked.client, '/away');
  await cache.ready();
  const updates = recorded(cache);
  let reads = 0;
  const get = linked.client.get.bind(linked.client);
  linked.client.get = (...args) => {
    reads++;
    return get(...args);
  };
  linked.link.close();
  await eventually(() => !cache.isFresh);
  const age = cache.ageMs;
  expect(cache.get('/away/n7')?.data?.toString()).toBe('7');
  await client.set('/away/n7', 'seven');
  await client.delete('/away/n8');
  await client.create('/away/n1/deep/er', 'er');
  await client.transaction().delete('/away/n9').create('/away/n9', 'again').commit();
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect(cache.ageMs).toBeGreaterThanOrEqual(age + 50);
  expect(cache.get('/away/n7')?.data?.toString()).toBe('7');
  linked.link.open();
  await eventually(() => cache.isFresh);
  expect(told(updates).sort()).toEqual(
    ['added /away/n1/deep/er', 'added /away/n9', 'changed /away/n7', 'removed /away/n8', 'removed /away/n9'].sort(),
  );
  expect(await sameAsServer(client, cache, '/away')).toBe(true);
  expect(reads).toBeLessThanOrEqual(6);
  await eventually(() => cache.ageMs < age);
});

test('a slow reader of updates() gets what has happened meanwhile in one', async () => {
  const client = await fixture.client();
  await client.create('/slow');
  await using cache = new TreeCache(client, '/slow');
  const updates = cache.updates();
  const first = (await updates.next()).value;
  expect(told(first === undefined ? [] : [first])).toEqual(['added /slow']);
  await client.create('/slow/short-lived');
  await client.create('/slow/kept', '1');
  await eventually(() => cache.size === 3);
  await client.delete('/slow/short-lived');
  await client.set('/slow/kept', '2');
  await eventually(() => cache.get('/slow/kept')?.data?.toString() === '2');
  const next = (await updates.next()).value;
  expect(told(next === undefined ? [] : [next])).toEqual(['added /slow/kept']);
  const waiting = updates.next();
  await cache.close();
  expect((await waiting).done).toBe(true);
});

test('updates() rejects with the signal, and when the client closes', async () => {
  const client = await fixture.client();
  await using cache = new TreeCache(client, '/ends');
  await cache.ready();
  const abort = new AbortController();
  const aborted = cache.updates({ signal: abort.signal });
  await aborted.next();
  const open = cache.updates();
  await open.next();
  const waiting = aborted.next();
  abort.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  const other = open.next();
  await client.close();
  await expect(other).rejects.toMatchObject({ name: 'ClientClosed' });
});

test('close takes the watch away, leaves that of another cache, and needs no server', async () => {
  const linked = await fixture.linked();
  const { client, link } = linked;
  await client.create('/closing');
  const one = new TreeCache(client, '/closing');
  const two = new TreeCache(client, '/closing');
  await Promise.all([one.ready(), two.ready()]);
  await one.close();
  expect(await client.checkWatches('/closing', 'recursive')).toBe(true);
  await client.set('/closing', 'x');
  await eventually(() => two.get('/closing')?.data?.toString() === 'x');
  expect(one.get('/closing')?.data).toBeNull();
  await two.close();
  expect(await client.checkWatches('/closing', 'recursive')).toBe(false);
  const three = new TreeCache(client, '/closing');
  await three.ready();
  link.close();
  await eventually(() => client.state === 'SUSPENDED');
  await three.close();
  link.open();
  await client.sync('/');
  expect(await client.checkWatches('/closing', 'recursive')).toBe(false);
});

test('a cache that is closed before it was ready says so', async () => {
  const { client, link } = await fixture.linked();
  link.close();
  await eventually(() => client.state === 'SUSPENDED');
  const cache = new TreeCache(client, '/never');
  const ready = cache.ready();
  expect(cache.ageMs).toBe(Number.POSITIVE_INFINITY);
  await cache.close();
  await expect(ready).rejects.toMatchObject({ name: 'ClientClosed' });
});

test('NodeCache follows one node only, through lost sessions', async () => {
  const client = await fixture.client();
  const linked = await fixture.linked();
  await using cache = new NodeCache(linked.client, '/node');
  await cache.ready();
  expect(cache.node).toBeUndefined();
  const values = cache.values();
  expect((await values.next()).value).toBeUndefined();
  await client.create('/node', 'one');
  expect((await values.next()).value?.data?.toString()).toBe('one');
  await client.create('/node/child');
  await fixture.expireAndStayAway(linked);
  await client.set('/node', 'two');
  linked.link.open();
  expect((await values.next()).value?.data?.toString()).toBe('two');
  await client.delete('/node/child');
  await client.delete('/node');
  expect((await values.next()).value).toBeUndefined();
  await values.return();
});
