import { NodeTakenError, NoInstanceError, ServiceDiscovery } from '../../../../src/recipes/index.js';
import { DataFixture, eventually } from '../data-fixture.js';
import { aborted } from '../fixture.js';

const fixture = new DataFixture();
beforeAll(() => fixture.start(), 60_000);
afterEach(() => fixture.cleanUp());
afterAll(() => fixture.stop());

const idsOf = (instances: readonly { id: string }[]) => instances.map(({ id }) => id);

test('instances register, report and leave, and views follow', async () => {
  const client = await fixture.client();
  const discovery = new ServiceDiscovery(client, '/services');
  await using view = await discovery.watch<{ zone: string }>('api');
  const lists = view.values();
  expect((await lists.next()).value).toEqual([]);
  expect(() => view.pick()).toThrow(NoInstanceError);
  await using one = await discovery.register({
    name: 'api',
    id: 'one',
    address: 'h1',
    port: 1,
    metadata: { zone: 'a' },
  });
  expect(idsOf((await lists.next()).value ?? [])).toEqual(['one']);
  const two = await discovery.register({ name: 'api', id: 'two', address: 'h2', sslPort: 2, metadata: { zone: 'b' } });
  expect((await lists.next()).value).toMatchObject([
    { name: 'api', id: 'one', address: 'h1', port: 1, sslPort: null, metadata: { zone: 'a' }, health: 'up', load: 0 },
    { id: 'two', port: null, sslPort: 2, metadata: { zone: 'b' } },
  ]);
  expect(view.pick({ accept: ({ metadata }) => metadata.zone === 'b' }).id).toBe('two');
  await one.update({ health: 'down' });
  expect((await lists.next()).value?.[0].health).toBe('down');
  expect([view.pick().id, view.pick().id]).toEqual(['two', 'two']);
  await two.close();
  expect(idsOf((await lists.next()).value ?? [])).toEqual(['one']);
  expect(() => view.pick()).toThrow('no instance of api: of 1 that are registered none is up and fits');
  expect(await discovery.services()).toEqual(['api']);
  await lists.return();
});

test('the list survives an outage and says how old it is; then it is brought up to date', async () => {
  const linked = await fixture.linked();
  const stable = new ServiceDiscovery(await fixture.client(), '/outage');
  await using _one = await stable.register({ name: 'db', id: 'one', address: 'h1' });
  const two = await stable.register({ name: 'db', id: 'two', address: 'h2' });
  await using view = await new ServiceDiscovery(linked.client, '/outage').watch('db');
  await fixture.expireAndStayAway(linked);
  await eventually(() => !view.isFresh);
  await two.close();
  await using _three = await stable.register({ name: 'db', id: 'three', address: 'h3' });
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(idsOf(view.instances)).toEqual(['one', 'two']);
  expect(view.ageMs).toBeGreaterThanOrEqual(50);
  expect(view.pick().id).toBe('one');
  expect(() => view.pick({ ageMsMax: 10 })).toThrow(/the list is \d+ ms old, and may be 10/);
  linked.link.open();
  await eventually(() => view.isFresh);
  expect(idsOf(view.instances)).toEqual(['one', 'three']);
});

test('a registration comes back after a lost session, with what it said last; one with the same id ends it', async () => {
  const linked = await fixture.linked();
  const discovery = new ServiceDiscovery(await fixture.client(), '/returning');
  await using view = await discovery.watch<string>('api');
  const registration = await new ServiceDiscovery(linked.client, '/returning').register({
    name: 'api',
    id: 'x',
    address: 'old',
    metadata: 'first',
  });
  await registration.update({ metadata: 'second', load: 3 });
  await fixture.expire(linked);
  await eventually(() => view.instances[0]?.metadata === 'second' && view.instances[0].load === 3);
  await using fresh = await discovery.register({ name: 'api', id: 'x', address: 'new' });
  expect(await aborted(registration.signal)).toBeInstanceOf(NodeTakenError);
  await registration.close();
  await eventually(() => view.instances[0]?.address === 'new');
  expect(fresh.signal.aborted).toBe(false);
});

test('an instance with a content that is no instance, or refused by the schema, is left out and named', async () => {
  const client = await fixture.client();
  const discovery = new ServiceDiscovery(client, '/refusing');
  await using _good = await discovery.register({ name: 's', id: 'good', address: 'h', metadata: 7 });
  await using _bad = await discovery.register({ name: 's', id: 'text', address: 'h', metadata: 'seven' });
  await client.create('/refusing/s/nonsense', 'nonsense');
  await client.create('/refusing/s/number', '7');
  const schema = {
    parse: (input: unknown): number => {
      if (typeof input !== 'number') throw new Error('not a number');
      return input;
    },
  };
  await using view = await discovery.watch('s', { schema });
  expect(idsOf(view.instances)).toEqual(['good']);
  expect([...view.refused.keys()].sort()).toEqual(['nonsense', 'number', 'text']);
  expect(view.refused.get('text')).toMatchObject({ message: 'not a number' });
  await expect(discovery.register({ name: 'a/b', address: 'h' })).rejects.toThrow(RangeError);
});

test('reads and writes the JSON of Curator', async () => {
  const client = await fixture.client();
  const discovery = new ServiceDiscovery(client, '/curator');
  await using _ = await discovery.register({ name: 'api', id: 'ours', address: 'h1', port: 80, metadata: { a: 1 } });
  expect(JSON.parse(String((await client.get('/curator/api/ours')).data))).toEqual({
    ...{ name: 'api', id: 'ours', address: 'h1', port: 80, sslPort: null },
    ...{ payload: { metadata: { a: 1 }, load: 0 }, serviceType: 'DYNAMIC', uriSpec: null, enabled: true },
  });
  const theirs = {
    ...{ name: 'api', id: 'theirs', address: 'h2', port: null, sslPort: 443, payload: { '@class': 'x', a: 2 } },
    ...{ registrationTimeUTC: 1, serviceType: 'DYNAMIC', uriSpec: null, enabled: false },
  };
  await client.create('/curator/api/theirs', JSON.stringify(theirs));
  await using view = await discovery.watch('api');
  expect(view.instances[1]).toEqual({
    ...{ name: 'api', id: 'theirs', address: 'h2', port: null, sslPort: 443, health: 'down', load: 0 },
    metadata: { '@class': 'x', a: 2 },
  });
});
