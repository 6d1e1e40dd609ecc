import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Database from 'better-sqlite3';
import {
  FENCING_HEADER,
  FencedResource,
  fencedTransaction,
  fencedUpdate,
  fencingHeaders,
  fencingTokenOf,
  Lock,
  StaleTokenError,
} from '../../../src/recipes/index.js';
import { Fixture } from './fixture.js';

const fixture = new Fixture();
beforeAll(() => fixture.start(), 60_000);
afterEach(() => fixture.cleanUp());
afterAll(() => fixture.stop());

/** Tokens of two holders, the first of which was thrown out. */
async function zombieAndHolder(path: string) {
  const client = await fixture.client();
  const other = await fixture.client();
  const zombie = await new Lock(client, path).acquire();
  await other.delete(zombie.path);
  const holder = await new Lock(other, path).acquire();
  return { client, other, zombie, holder };
}

test('a table refuses the older token, in one statement', async () => {
  const { zombie, holder } = await zombieAndHolder('/fencing/table');
  const db = new Database(':memory:');
  db.exec('CREATE TABLE accounts (id INTEGER, owner TEXT, balance INTEGER, fencing_token INTEGER NOT NULL DEFAULT 0)');
  db.exec("INSERT INTO accounts (id, owner, balance) VALUES (7, 'ann', 1), (8, 'ann', 1)");
  const write = (balance: number, token: bigint) => {
    const where = { id: 7, owner: 'ann' };
    const { text, values } = fencedUpdate({ table: 'accounts', set: { balance }, where, token, placeholder: '?' });
    return db.prepare(text).run(...values).changes;
  };
  expect(write(2, zombie.token)).toBe(1);
  expect(write(3, holder.token)).toBe(1);
  expect(write(4, zombie.token)).toBe(0);
  expect(write(5, holder.token)).toBe(1); // the holder may write as often as it likes
  expect(db.prepare('SELECT balance FROM accounts ORDER BY id').pluck().all()).toEqual([5, 1]);
  db.close();
});

test('the statement with numbered parameters, and names that are none', () => {
  const options = { table: 'bank.accounts', set: { balance: 5 }, where: { id: 7 }, token: 9n } as const;
  expect(fencedUpdate(options)).toEqual({
    text: 'UPDATE bank.accounts SET balance = $1, fencing_token = $2 WHERE id = $3 AND fencing_token <= $4',
    values: [5, 9n, 7, 9n],
  });
  expect(() => fencedUpdate({ ...options, table: 'a; DROP TABLE b' })).toThrow(RangeError);
  expect(() => fencedUpdate({ ...options, set: { 'a = 1 --': 1 } })).toThrow(RangeError);
  expect(() => fencedUpdate({ ...options, where: {} })).toThrow(RangeError);
});

test('a service behind HTTP refuses the older token', async () => {
  const { zombie, holder } = await zombieAndHolder('/fencing/http');
  let highest = 0n;
  const service = createServer((request, response) => {
    const token = fencingTokenOf(request.headers);
    response.statusCode = token === null ? 428 : token < highest ? 409 : 204;
    if (token !== null && token > highest) highest = token;
    response.end();
  });
  service.listen(0, '127.0.0.1');
  await once(service, 'listening');
  const url = `http://127.0.0.1:${(service.address() as AddressInfo).port}/`;
  const put = async (headers: Record<string, string>) => (await fetch(url, { method: 'PUT', headers })).status;
  expect(await put(fencingHeaders(zombie))).toBe(204);
  expect(await put(fencingHeaders(holder))).toBe(204);
  expect(await put(fencingHeaders(zombie))).toBe(409);
  expect(await put({})).toBe(428);
  service.close();
  service.closeAllConnections();

  expect(fencingTokenOf(new Headers(fencingHeaders({ token: 12n })))).toBe(12n);
  expect(() => fencingTokenOf({ [FENCING_HEADER]: '-1' })).toThrow(RangeError);
  expect(() => fencingTokenOf({ [FENCING_HEADER]: ['1', '2'] })).toThrow(RangeError);
});

test('a write to the ensemble itself goes with the node of the lease', async () => {
  const { client, other, zombie, holder } = await zombieAndHolder('/fencing/own');
  await other.create('/fencing/value');
  await expect(fencedTransaction(client, zombie).set('/fencing/value', 'zombie').commit()).rejects.toMatchObject({
    name: 'NoNode',
    operationIndex: 0,
  });
  await fencedTransaction(other, holder).set('/fencing/value', 'holder').commit();
  expect((await client.get('/fencing/value')).data?.toString()).toBe('holder');
});

test('a resource for tests', () => {
  const resource = new FencedResource(0);
  expect(resource.write(5n, (n) => n + 1)).toBe(1);
  expect(resource.write(7n, (n) => n + 1)).toBe(2);
  expect(() => resource.write(5n, (n) => n + 1)).toThrow(StaleTokenError);
  expect(resource).toMatchObject({ value: 2, highestToken: 7n, refused: 1 });
});
