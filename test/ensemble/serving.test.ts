/** Three servers are one service: what is done on one is seen on the others, and a session belongs to all of them. */
import { jest } from '@jest/globals';
import { type Client, connect, type WatchEvent } from '../../src/client/index.js';
import { connectVia, Ensemble, type Member } from '../helpers/ensemble.js';

jest.setTimeout(60_000);

let ensemble: Ensemble;
let leader: Member;
let followers: Member[];
const clients: Client[] = [];

beforeAll(async () => {
  ensemble = await Ensemble.start();
});
beforeEach(async () => {
  leader = await ensemble.serving();
  followers = ensemble.others(leader);
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
});
afterAll(() => ensemble?.[Symbol.asyncDispose]());

async function at(member: Member): Promise<Client> {
  const client = await connect(member.address);
  clients.push(client);
  return client;
}

test('one leads and the others follow, and each says so', async () => {
  const modes = await Promise.all(ensemble.members.map((member) => member.mode()));
  expect([...modes].sort()).toEqual(['follower', 'follower', 'leader']);
});

test('a write on a follower is read on all others after a sync, in the order of the writes', async () => {
  const writer = await at(followers[0]);
  await writer.create('/order');
  const created = await Promise.all(
    Array.from({ length: 200 }, () => writer.create('/order/n-', 'x', { sequential: true })),
  );
  const paths = created.map(({ path }) => path);
  expect(paths).toEqual([...paths].sort());
  for (const member of [leader, followers[1]]) {
    const reader = await at(member);
    await reader.sync('/');
    const names = await reader.children('/order');
    expect(names.map((name) => `/order/${name}`).sort()).toEqual(paths);
  }
  await ensemble.expectSameTrees();
});

test('a conditional write is decided once, wherever it comes from', async () => {
  const [one, two, three] = [await at(leader), await at(followers[0]), await at(followers[1])];
  await one.create('/race', '0');
  await Promise.all([two.sync('/'), three.sync('/')]);
  for (let version = 0; version < 20; version++) {
    const races = await Promise.allSettled([one, two, three].map((client) => client.set('/race', 'x', { version })));
    expect(races.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const race of races) {
      if (race.status === 'rejected') expect(race.reason).toMatchObject({ name: 'BadVersion' });
    }
  }
});

test('watches fire for what is done on other servers, before a read there shows it', async () => {
  const writer = await at(followers[0]);
  await writer.create('/watched', 'v0');
  const seen: { client: Client; events: WatchEvent[] }[] = [];
  for (const member of [leader, followers[1]]) {
    const client = await at(member);
    await client.sync('/');
    const events: WatchEvent[] = [];
    await client.get('/watched', { watch: (event) => events.push(event) });
    seen.push({ client, events });
  }
  await writer.set('/watched', 'v1');
  for (const { client, events } of seen) {
    await client.sync('/');
    expect(String((await client.get('/watched')).data)).toBe('v1');
    expect(events).toMatchObject([{ type: 'dataChanged', path: '/watched' }]);
  }
});

test('ephemeral nodes are seen everywhere, and go everywhere with their session', async () => {
  const owner = await at(followers[0]);
  const witness = await at(followers[1]);
  await owner.create('/ephemeral', 'x', { ephemeral: true });
  await witness.sync('/');
  expect(await witness.exists('/ephemeral')).toMatchObject({ ephemeralOwner: owner.session.id });
  await owner.close();
  await witness.sync('/');
  expect(await witness.exists('/ephemeral')).toBeNull();
});

test('a session that expires is expired on every server, by the leader', async () => {
  const silent = await connect(followers[0].address, { sessionTimeoutMs: 1000 });
  await silent.create('/expires', 'x', { ephemeral: true });
  await silent.close({ keepSession: true });
  for (const member of ensemble.members) {
    const client = await at(member);
    await ensemble.until(async () => ((await client.exists('/expires')) === null ? true : undefined), 'still there');
  }
  const { session } = silent;
  await expect(connect(followers[1].address, { session })).rejects.toMatchObject({ name: 'SessionExpired' });
});

test('a session lives over the end of its server: its ephemeral node stays, its watch fires, its writes go on', async () => {
  const [home] = followers;
  const client = await connectVia(ensemble, home, { sessionTimeoutMs: 15_000 });
  clients.push(client);
  const other = await at(leader);
  const states: string[] = [];
  client.onState(({ state }) => states.push(state));
  await client.create('/home', 'x', { ephemeral: true });
  await client.create('/home-watched', 'v0');
  const fired = new Promise<WatchEvent>((resolve) => {
    void client.get('/home-watched', { watch: resolve });
  });
  await client.sync('/');
  const { id } = client.session;
  await home.kill();
  await ensemble.until(() => (states.includes('RECONNECTED') ? true : undefined), 'no other server takes the session');
  expect(client.server).not.toBe(home.address);
  expect(client.session.id).toBe(id);
  expect(states).not.toContain('LOST');
  expect(await other.exists('/home')).toMatchObject({ ephemeralOwner: id });
  await other.set('/home-watched', 'v1');
  expect(await fired).toMatchObject({ type: 'dataChanged', path: '/home-watched' });
  await client.set('/home', 'still mine');
  await home.start();
  await ensemble.serving();
  await ensemble.expectSameTrees();
});

test('a watch fires for what happened while its session had no server (E62)', async () => {
  const [home] = followers;
  const client = await connect(home.address, { sessionTimeoutMs: 30_000 });
  clients.push(client);
  const other = await at(leader);
  await client.create('/while-away', 'v0');
  const fired = new Promise<WatchEvent>((resolve) => {
    void client.get('/while-away', { watch: resolve });
  });
  await client.sync('/');
  await home.kill();
  await other.set('/while-away', 'v1');
  await home.start();
  expect(await fired).toMatchObject({ type: 'dataChanged', path: '/while-away' });
});
