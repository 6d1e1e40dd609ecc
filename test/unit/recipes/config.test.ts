import { Config, type ConfigError } from '../../../src/recipes/index.js';
import { DataFixture, eventually } from './data-fixture.js';

interface Limits {
  rate: number;
}

/** As a schema of zod would be. */
const schema = {
  parse: (input: unknown): Limits => {
    if (typeof input === 'object' && input !== null && 'rate' in input && typeof input.rate === 'number') {
      if (input.rate > 0) return { rate: input.rate };
    }
    throw new Error('rate has to be a number above 0');
  },
};

const fixture = new DataFixture();
beforeAll(() => fixture.start(), 60_000);
afterEach(() => fixture.cleanUp());
afterAll(() => fixture.stop());

test('a value is typed, versioned and followed', async () => {
  const client = await fixture.client();
  await using writer = new Config(client, '/config/a', { schema, fallback: { rate: 1 } });
  await writer.ready();
  expect(writer.current).toEqual({ value: { rate: 1 }, version: -1, zxid: 0n });
  await writer.set({ rate: 2 });
  await using reader = new Config(await fixture.client(), '/config/a', { schema });
  await reader.ready();
  const values = reader.values();
  const next = async () => (await values.next()).value;
  expect(await next()).toMatchObject({ value: { rate: 2 }, version: 0 });
  expect(await writer.update(({ rate }) => ({ rate: rate * 10 }))).toEqual({ rate: 20 });
  const second = await next();
  expect(second).toMatchObject({ value: { rate: 20 }, version: 1 });
  expect(reader.current).toEqual(second);
  await values.return();
});

test('what the schema refuses is neither written nor applied; the last good value stays', async () => {
  const client = await fixture.client();
  const refused: ConfigError[] = [];
  await using config = new Config(client, '/config/b', { schema, onRefused: (error) => refused.push(error) });
  await expect(config.ready()).rejects.toMatchObject({ name: 'ConfigError', why: 'missing' });
  expect(() => config.current).toThrow('configuration /config/b: there is none');
  await expect(config.set({ rate: -1 })).rejects.toThrow('rate has to be a number above 0');
  expect(await client.exists('/config/b')).toBeNull();
  await config.set({ rate: 5 });
  await eventually(() => config.error === undefined);
  const values = config.values();
  expect((await values.next()).value).toMatchObject({ value: { rate: 5 } });
  await client.set('/config/b', '{ "rate": "fast" }');
  await eventually(() => refused.length === 1);
  expect(config.error).toMatchObject({ why: 'refused', version: 1 });
  await client.set('/config/b', 'not even JSON');
  await eventually(() => refused.length === 2);
  expect(config.current).toMatchObject({ value: { rate: 5 }, version: 0 });
  await client.delete('/config/b');
  await eventually(() => config.error?.why === 'missing');
  expect(config.current.value).toEqual({ rate: 5 });
  await config.update(({ rate }) => ({ rate: rate + 1 }));
  expect((await values.next()).value).toMatchObject({ value: { rate: 6 } });
  await values.return();
});

test('while the service is away the last good value stays, and its age grows', async () => {
  const linked = await fixture.linked();
  const other = await fixture.client();
  await other.create('/config-away', '{"rate":1}');
  await using config = new Config(linked.client, '/config-away', { schema });
  await config.ready();
  await fixture.expireAndStayAway(linked);
  await eventually(() => linked.client.state === 'SUSPENDED');
  await other.set('/config-away', '{"rate":2}');
  const age = config.ageMs;
  await new Promise((resolve) => setTimeout(resolve, 40));
  expect(config.ageMs).toBeGreaterThan(age + 30);
  expect(config.current.value.rate).toBe(1);
  linked.link.open();
  await eventually(() => config.current.value.rate === 2);
});
