import { connect } from '../../../src/client/index.js';
import { GroupMembership, NodeTakenError, PersistentNode } from '../../../src/recipes/index.js';
import { DataFixture, eventually } from './data-fixture.js';
import { aborted } from './fixture.js';
import { Op } from './lossy-link.js';

const SET_DATA = 5;
const fixture = new DataFixture();
beforeAll(() => fixture.start(), 60_000);
afterEach(() => fixture.cleanUp());
afterAll(() => fixture.stop());

test('the node is there until it is closed, with the data that it was last given', async () => {
  const client = await fixture.client();
  const node = new PersistentNode(client, '/kept/node', { data: 'one' });
  await node.ready();
  const { data, stat } = await client.get('/kept/node');
  expect([data?.toString(), stat.ephemeralOwner, stat.czxid]).toEqual(['one', client.session.id, node.token]);
  await node.set('two');
  expect((await client.get('/kept/node')).data?.toString()).toBe('two');
  await node.close();
  expect(await client.exists('/kept/node')).toBeNull();
  expect(node.signal.aborted).toBe(true);
  await expect(node.set('three')).rejects.toMatchObject({ name: 'ClientClosed' });
  await node.close();
});

test('it comes back when somebody deletes it, and after a lost session, with its present data (CURATOR-181)', async () => {
  const other = await fixture.client();
  const linked = await fixture.linked();
  await using node = new PersistentNode(linked.client, '/back', { data: 'one' });
  await node.ready();
  await node.set('two');
  const first = node.token;
  await other.delete('/back');
  await eventually(async () => (await other.exists('/back')) !== null && node.token > first);
  expect((await other.get('/back')).data?.toString()).toBe('two');
  const second = node.token;
  await fixture.expire(linked);
  await eventually(() => node.token > second);
  const { data, stat } = await other.get('/back');
  expect([data?.toString(), stat.ephemeralOwner]).toEqual(['two', linked.client.session.id]);
});

test('what others write into it stays until it is set again', async () => {
  const client = await fixture.client();
  await using node = new PersistentNode(client, '/edited', { data: 'mine' });
  await node.ready();
  await client.set('/edited', 'theirs');
  await client.sync('/');
  expect((await client.get('/edited')).data?.toString()).toBe('theirs');
  await node.set('mine again');
  expect((await client.get('/edited')).data?.toString()).toBe('mine again');
});

test('lost answers to its create and its set do no harm, nor does a wish made while it is away', async () => {
  const { client, link } = await fixture.linked();
  link.lose('reply', Op.create2);
  await using node = new PersistentNode(client, '/lossy', { data: 'one' });
  await node.ready();
  expect(link.lost).toBe(1);
  link.lose('reply', SET_DATA);
  await node.set('two');
  expect(link.lost).toBe(2);
  link.close();
  await eventually(() => client.state === 'SUSPENDED');
  const first = node.set('three');
  const second = node.set('four');
  link.open();
  await Promise.all([first, second]);
  expect((await client.get('/lossy')).data?.toString()).toBe('four');
});

test('somebody else\u2019s node is waited for, and never deleted', async () => {
  const client = await fixture.client();
  const other = await fixture.client();
  await other.create('/taken', 'theirs', { ephemeral: true });
  const node = new PersistentNode(client, '/taken', { data: 'ours' });
  await client.sync('/');
  expect((await client.get('/taken')).data?.toString()).toBe('theirs');
  const waiting = new PersistentNode(client, '/taken', { data: 'never' });
  await waiting.close();
  expect((await client.get('/taken')).data?.toString()).toBe('theirs');
  await other.delete('/taken');
  await node.ready();
  expect((await client.get('/taken')).data?.toString()).toBe('ours');
  await node.close();
});

test('a node that is not ephemeral, and a server that refuses, end it in words', async () => {
  const client = await fixture.client();
  await client.create('/solid');
  const node = new PersistentNode(client, '/solid');
  await expect(node.ready()).rejects.toThrow('there is a node that is not ephemeral');
  await node.close();
  expect(await client.exists('/solid')).not.toBeNull();
});

test('members join, change what they say, and leave; an observer sees each state', async () => {
  const client = await fixture.client();
  const group = new GroupMembership(client, '/groups/plain');
  const states = group.observe();
  const next = async () => ((await states.next()).value ?? []).map(({ id, data }) => `${id}=${data}`);
  expect(await next()).toEqual([]);
  const one = await group.join('one', '1');
  expect(await next()).toEqual(['one=1']);
  const two = await new GroupMembership(await fixture.client(), '/groups/plain').join('two', '2');
  expect(await next()).toEqual(['one=1', 'two=2']);
  await one.set('11');
  expect(await next()).toEqual(['one=11', 'two=2']);
  await one.close();
  expect(await next()).toEqual(['two=2']);
  expect(await group.members()).toMatchObject([{ id: 'two', token: two.token }]);
  await states.return();
  await two.close();
  expect(await client.checkWatches('/groups/plain', 'recursive')).toBe(false);
});

test('who comes back with the same id takes the place of a stale entry at once, and its former owner leaves', async () => {
  const group = new GroupMembership(await fixture.client(), '/groups/again');
  const crashed = await fixture.linked();
  const old = await new GroupMembership(crashed.client, '/groups/again').join('worker', 'old');
  crashed.link.close(); // its session lives on for seconds
  const fresh = await group.join('worker', 'new');
  expect(await group.members()).toMatchObject([{ id: 'worker', data: Buffer.from('new'), token: fresh.token }]);
  expect(fresh.token).toBeGreaterThan(old.token);
  crashed.link.open();
  const reason = await aborted(old.signal);
  expect(reason).toBeInstanceOf(NodeTakenError);
  await old.close();
  expect(fresh.signal.aborted).toBe(false);
  expect(await group.members()).toMatchObject([{ data: Buffer.from('new') }]); // nor does the old one take it along
  await fresh.close();
});

test('who lost his session replaces his own entry of before, which the servers still have', async () => {
  const { client, link } = await fixture.linked({ sessionTimeoutMs: 1000 });
  const group = new GroupMembership(client, '/groups/stale');
  const me = await group.join('me');
  const before = me.token;
  link.close();
  // Somebody keeps the old session alive, while its client takes it for lost by its own clock.
  await using keeper = await connect(fixture.server.connectString, { session: client.session, sessionTimeoutMs: 1000 });
  await eventually(() => client.state === 'LOST');
  link.open();
  await eventually(() => me.token > before);
  expect(keeper.session.id).not.toBe(client.session.id);
  expect(await group.members()).toMatchObject([{ id: 'me', token: me.token }]);
  expect(me.signal.aborted).toBe(false);
  await me.close();
  expect(await group.members()).toEqual([]);
});

test('close ends with the session when there is no server, and join leaves nobody behind when it is aborted', async () => {
  const { client, link } = await fixture.linked({ sessionTimeoutMs: 1000 });
  const node = new PersistentNode(client, '/away');
  await node.ready();
  link.close();
  await eventually(() => client.state === 'SUSPENDED');
  await node.close(); // by the client's own clock
  const abort = new AbortController();
  const joining = new GroupMembership(client, '/groups/aborted').join('me', null, { signal: abort.signal });
  abort.abort(new Error('enough'));
  await expect(joining).rejects.toThrow('enough');
  link.open();
  await client.sync('/');
  expect(await new GroupMembership(client, '/groups/aborted').members()).toEqual([]);
  await expect(new GroupMembership(client, '/groups').join('a/b')).rejects.toThrow(RangeError);
});
