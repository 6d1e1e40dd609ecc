import { Election } from '../../../src/recipes/index.js';
import { aborted, childCount, Fixture } from './fixture.js';

const fixture = new Fixture();
beforeAll(() => fixture.start(), 60_000);
afterEach(() => fixture.cleanUp());
afterAll(() => fixture.stop());

test('one leads, the next follows when it resigns, with a higher token', async () => {
  const path = '/hand/over';
  const first = new Election(await fixture.client(), path, { data: 'first' });
  const second = new Election(await fixture.client(), path, { data: 'second' });
  expect(await first.leader()).toBeNull();
  const leadership = await first.campaign();
  const following = second.campaign();
  await childCount(await fixture.client(), path, 2);
  expect(await second.leader()).toMatchObject({ token: leadership.token, data: Buffer.from('first') });
  expect((await second.candidates()).map(({ data }) => data?.toString())).toEqual(['first', 'second']);
  await leadership.resign();
  expect(leadership.signal.aborted).toBe(true);
  const next = await following;
  expect(next.token).toBeGreaterThan(leadership.token);
  expect(await first.leader()).toMatchObject({ data: Buffer.from('second') });
});

test('a leader that dies is followed, after its signal has told it', async () => {
  const path = '/dying';
  const { client, link } = await fixture.linkedClient();
  const leadership = await new Election(client, path).campaign();
  const following = new Election(await fixture.client(), path).campaign();
  link.close();
  const winner = await Promise.race([aborted(leadership.signal), following]);
  expect(winner).toMatchObject({ why: 'unsafe' });
  expect((await following).isHeld).toBe(true);
}, 30_000);

test('observers see every leader, none, and new data, but nothing of candidates behind it', async () => {
  const path = '/observed';
  const client = await fixture.client();
  const election = (data: string) => new Election(client, path, { data });
  const abort = new AbortController();
  const seen = election('observer').observe({ signal: abort.signal });
  const next = async () => (await seen.next()).value?.data?.toString() ?? 'none';

  expect(await next()).toBe('none');
  const a = await election('a').campaign();
  expect(await next()).toBe('a');
  const later = next();
  const campaigning = election('b').campaign();
  await childCount(client, path, 2);
  await client.set(a.path, 'a, moved');
  expect(await later).toBe('a, moved'); // and not a second time `a` when b came
  await a.resign();
  expect(await next()).toBe('b');
  await (await campaigning).resign();
  expect(await next()).toBe('none');
  const last = next();
  abort.abort(new Error('seen enough'));
  await expect(last).rejects.toThrow('seen enough');
});

test('an observer goes on after its session was lost', async () => {
  const path = '/observed-long';
  const { client, link } = await fixture.linkedClient();
  const other = await fixture.client();
  const a = await new Election(other, path, { data: 'a' }).campaign();
  const seen = new Election(client, path).observe();
  expect((await seen.next()).value).toMatchObject({ token: a.token });
  const later = seen.next();
  const lost = new Promise<void>((resolve) => {
    client.onState(({ state }) => {
      if (state === 'LOST') resolve();
    });
  });
  link.close();
  await lost;
  await a.resign();
  const b = await new Election(other, path, { data: 'b' }).campaign();
  link.open();
  expect((await later).value).toMatchObject({ token: b.token });
}, 30_000);
