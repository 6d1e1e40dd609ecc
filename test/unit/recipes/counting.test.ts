import type { Client } from '../../../src/client/index.js';
import { Counter, SharedValue } from '../../../src/recipes/index.js';
import { OnceWriter } from '../../../src/recipes/once.js';
import { DataFixture, eventually } from './data-fixture.js';
import { Op } from './lossy-link.js';

const fixture = new DataFixture();
beforeAll(() => fixture.start(), 60_000);
afterEach(() => fixture.cleanUp());
afterAll(() => fixture.stop());

const textOf = async (client: Client, path: string) => String((await client.get(path)).data);

test('many that add at once get each number once', async () => {
  const clients = await Promise.all([fixture.client(), fixture.client(), fixture.client()]);
  const sums = await Promise.all(
    clients.map(async (client) => {
      await using counter = new Counter(client, '/count/many');
      return Promise.all(Array.from({ length: 20 }, () => counter.add(1)));
    }),
  );
  const sorted = sums.flat().sort((a, b) => Number(a - b));
  expect(sorted).toEqual(Array.from({ length: 60 }, (_, i) => BigInt(i + 1)));
  expect(await textOf(clients[0], '/count/many')).toBe('60');
  expect(await clients[0].children('/count/many-writers')).toEqual([]);
});

test('begins where it is told, and with numbers of any size', async () => {
  const client = await fixture.client();
  await using counter = new Counter(client, '/count/big', { initial: 2n ** 70n });
  expect(await counter.get()).toBe(2n ** 70n);
  expect(await counter.add(-1)).toBe(2n ** 70n - 1n);
});

test.each(['reply', 'request'] as const)('an addition whose %s is lost is made once', async (what) => {
  const { client, link } = await fixture.linked();
  const path = `/count/lost-${what}`;
  await using counter = new Counter(client, path);
  await counter.add(1);
  for (let i = 2; i <= 4; i++) {
    link.lose(what, Op.multi);
    expect(await counter.add(1)).toBe(BigInt(i));
    expect(link.lost).toBe(i - 1);
  }
  expect(await textOf(client, path)).toBe('4');
});

test('when the session is lost with the answer, it says that nobody can know', async () => {
  const linked = await fixture.linked();
  await using counter = new Counter(linked.client, '/count/doubt');
  await counter.add(1);
  linked.link.lose('reply', Op.multi);
  const adding = counter.add(1);
  adding.catch(() => {});
  await eventually(() => linked.link.lost === 1);
  await fixture.expire(linked);
  await expect(adding).rejects.toMatchObject({ name: 'SessionExpired', maybeApplied: true });
  expect(await textOf(linked.client, '/count/doubt')).toBe('2');
  expect(await counter.add(1)).toBe(3n); // and goes on in the new session
});

test('a lost session without a lost answer costs nothing', async () => {
  const linked = await fixture.linked();
  await using counter = new Counter(linked.client, '/count/session');
  expect(await counter.add(1)).toBe(1n);
  await fixture.expireAndStayAway(linked);
  const adding = counter.add(1);
  linked.link.open();
  expect(await adding).toBe(2n);
});

test('a node that is no number is refused in words, and an abort ends the wait', async () => {
  const { client, link } = await fixture.linked();
  await client.create('/nonsense', 'seven');
  await using counter = new Counter(client, '/nonsense');
  await expect(counter.add(1)).rejects.toThrow('"seven" is no number (DataInconsistency)');
  link.close();
  await eventually(() => client.state === 'SUSPENDED');
  const abort = new AbortController();
  const adding = new Counter(client, '/unreachable').add(1, { signal: abort.signal });
  abort.abort(new Error('enough'));
  await expect(adding).rejects.toThrow('enough');
  link.open();
});

test('compareAndSet succeeds once, and knows its own effect after a lost answer', async () => {
  const { client, link } = await fixture.linked();
  await using value = new SharedValue(client, '/value', { initial: 'red' });
  const { data, version } = await value.get();
  expect([data?.toString(), version]).toEqual(['red', 0]);
  link.lose('reply', Op.multi);
  expect(await value.compareAndSet(version, 'green')).toBe(true);
  expect(await value.compareAndSet(version, 'blue')).toBe(false);
  expect(await value.update((now) => `${now} and blue`)).toBe('green and blue');
  expect(await textOf(client, '/value')).toBe('green and blue');
  expect((await value.get()).version).toBe(2);
});

test('set writes where there is nothing, and values() follows', async () => {
  const client = await fixture.client();
  await using value = new SharedValue(await fixture.client(), '/deep/er/value');
  const values = new SharedValue(client, '/deep/er/value').values();
  expect((await values.next()).value).toBeNull();
  await value.set('one');
  expect((await values.next()).value).toMatchObject({ data: Buffer.from('one'), version: 0 });
  await client.delete('/deep/er/value');
  expect((await values.next()).value).toBeNull();
  await value.set('two');
  expect((await values.next()).value).toMatchObject({ data: Buffer.from('two') });
  await values.return();
  expect((await client.get('/deep/er/value')).stat.ephemeralOwner).toBe(0n);
});

test('a slot serves one transaction at a time, and is used again', async () => {
  const client = await fixture.client();
  await client.create('/once', '');
  const writer = new OnceWriter(client, '/once-writers');
  const write = (text: string) => writer.commit((transaction) => transaction.set('/once', text));
  await Promise.all([write('a'), write('b'), write('c')]);
  expect(await client.children('/once-writers')).toHaveLength(3);
  await Promise.all([write('a'), write('b'), write('c')]);
  expect(await client.children('/once-writers')).toHaveLength(3);
  await expect(writer.commit((transaction) => transaction.check('/once', 77))).rejects.toMatchObject({
    name: 'BadVersion',
    operationIndex: 1,
  });
  await client.delete(`/once-writers/${(await client.children('/once-writers'))[0]}`); // somebody tidies up
  await Promise.all([write('a'), write('b'), write('c')]);
  await writer.close();
  expect(await client.children('/once-writers')).toEqual([]);
  await expect(write('late')).rejects.toMatchObject({ name: 'ClientClosed' });
});
