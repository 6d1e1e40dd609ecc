import { setTimeout as sleep } from 'node:timers/promises';
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

test('lead() does the work whenever it leads, stands again behind the others, and stops when told', async () => {
  const path = '/selector';
  const stop = new AbortController();
  const terms: { name: string; token: bigint }[] = [];
  let working = 0;
  const leads = ['a', 'b', 'c'].map(async (name) =>
    new Election(await fixture.client(), path, { data: name }).lead(
      async ({ token }, signal) => {
        expect(++working).toBe(1);
        terms.push({ name, token });
        if (terms.length < 9) await sleep(5);
        else await aborted(signal);
        working--;
      },
      { signal: stop.signal },
    ),
  );
  const client = await fixture.client();
  while (terms.length < 9) await sleep(20);
  await childCount(client, path, 3);
  for (let i = 3; i < 9; i++) {
    expect(terms[i].name).toBe(terms[i - 3].name); // in turn
    expect(terms[i].token).toBeGreaterThan(terms[i - 1].token);
  }
  stop.abort(new Error('that is all'));
  await Promise.all(leads);
  expect(working).toBe(0);
  await childCount(client, path, 0);
}, 30_000);

test('lead() after a lost leadership: the work is told, and it leads again', async () => {
  const path = '/selector-lost';
  const client = await fixture.client();
  const other = await fixture.client();
  const stop = new AbortController();
  const reasons: unknown[] = [];
  const leading = new Election(client, path).lead(
    async ({ path: node }, signal) => {
      if (reasons.length === 0) await other.delete(node);
      else stop.abort(new Error('twice is enough'));
      reasons.push(await aborted(signal));
      signal.throwIfAborted(); // its way to stop is no error
    },
    { signal: stop.signal },
  );
  await leading;
  expect(reasons).toMatchObject([{ why: 'deleted' }, { message: 'twice is enough' }]);
});

test('lead() rejects with what the work throws by itself, and resigns; once only, where that is wanted', async () => {
  const path = '/selector-throws';
  const election = new Election(await fixture.client(), path);
  await expect(election.lead(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  expect(await election.leader()).toBeNull();
  let terms = 0;
  await election.lead(async () => void terms++, { requeue: false });
  expect(terms).toBe(1);
});

test('a campaign may have a deadline', async () => {
  const election = new Election(await fixture.client(), '/deadline');
  await election.campaign({ timeoutMs: 10_000 });
  await expect(election.campaign({ timeoutMs: 50 })).rejects.toMatchObject({ name: 'TimeoutError' });
  await childCount(await fixture.client(), '/deadline', 1);
});
