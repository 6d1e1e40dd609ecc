import { setTimeout as sleep } from 'node:timers/promises';
import { Barrier, DoubleBarrier } from '../../../src/recipes/index.js';
import { aborted, childCount, Fixture } from './fixture.js';

const fixture = new Fixture();
beforeAll(() => fixture.start(), 60_000);
afterEach(() => fixture.cleanUp());
afterAll(() => fixture.stop());

test('a barrier holds everybody back until it is opened', async () => {
  const barriers = await Promise.all([1, 2, 3].map(async () => new Barrier(await fixture.client(), '/gates/one')));
  const [owner, ...others] = barriers;
  await owner.wait(); // no node: open
  const token = await owner.close();
  expect(await others[0].close()).toBe(token);
  expect(await owner.isClosed()).toBe(true);
  const passed: number[] = [];
  const waiting = others.map(async (barrier, i) => {
    await barrier.wait();
    passed.push(i);
  });
  await sleep(50);
  expect(passed).toEqual([]);
  expect(await owner.open()).toBe(true);
  await Promise.all(waiting);
  expect(await owner.open()).toBe(false);
  expect(await owner.close()).toBeGreaterThan(token);
});

test('waiting at a barrier survives a lost connection, and ends with the signal', async () => {
  const { client, link } = await fixture.linkedClient();
  const owner = new Barrier(await fixture.client(), '/gate');
  await owner.close();
  const abort = new AbortController();
  const given = new Barrier(client, '/gate').wait({ signal: abort.signal });
  const waiting = new Barrier(client, '/gate').wait();
  await client.sync();
  abort.abort(new Error('no longer'));
  await expect(given).rejects.toThrow('no longer');
  link.close();
  await owner.open();
  link.open();
  await waiting;
}, 30_000);

test('members of a double barrier begin together and end together, round after round', async () => {
  const clients = await Promise.all([1, 2, 3].map(() => fixture.client()));
  let working = 0;
  const begun = [0, 0, 0, 0];
  const ended = [0, 0, 0, 0];
  await Promise.all(
    clients.map(async (client, i) => {
      const barrier = new DoubleBarrier(client, '/rounds', clients.length);
      for (let round = 0; round < begun.length; round++) {
        await sleep(i * 10);
        const entering = barrier.enter();
        begun[round]++;
        const member = await entering;
        expect(begun[round]).toBe(clients.length);
        expect(member.signal.aborted).toBe(false);
        working++;
        await sleep(i * 10);
        working--;
        ended[round]++;
        await member.leave();
        expect(ended[round]).toBe(clients.length);
      }
    }),
  );
  expect(working).toBe(0);
}, 30_000);

test('too few wait; the ones too many form the next round', async () => {
  const client = await fixture.client();
  const barrier = new DoubleBarrier(client, '/many', 2);
  const entered: number[] = [];
  const entering: ReturnType<DoubleBarrier['enter']>[] = [];
  const enter = async (i: number) => {
    const member = barrier.enter();
    entering.push(member);
    member.then(() => entered.push(i));
    await childCount(client, '/many', i);
  };
  await enter(1);
  await sleep(50);
  expect(entered).toEqual([]);
  await enter(2);
  await enter(3);
  await Promise.all(entering.slice(0, 2));
  await sleep(50);
  expect(entered.sort()).toEqual([1, 2]);
  await enter(4);
  const members = await Promise.all(entering);
  await Promise.all([members[0].leave(), members[1].leave()]);
  expect(await client.children('/many')).toHaveLength(2); // the second round is not touched by the end of the first
  await Promise.all([members[2].leave(), members[3].leave()]);
  expect(await client.children('/many')).toEqual([]);
});

test('a member that dies counts as one that has left', async () => {
  const clients = await Promise.all([1, 2].map(() => fixture.client()));
  const { client: dying, link } = await fixture.linkedClient();
  const [dead, ...members] = await Promise.all(
    [dying, ...clients].map((client) => new DoubleBarrier(client, '/mortal', 3).enter()),
  );
  link.close();
  await Promise.all(members.map((member) => member.leave()));
  expect(dead.signal.reason).toMatchObject({ why: 'unsafe' });
}, 30_000);

test('who gives up entering leaves nothing behind and is not counted', async () => {
  const client = await fixture.client();
  const barrier = new DoubleBarrier(client, '/given-up', 2);
  const abort = new AbortController();
  const entering = barrier.enter({ signal: abort.signal });
  await childCount(client, '/given-up', 1);
  abort.abort(new Error('no time'));
  await expect(entering).rejects.toThrow('no time');
  await childCount(client, '/given-up', 0);
  let alone = true;
  const second = barrier.enter();
  second.then(() => {
    alone = false;
  });
  await childCount(client, '/given-up', 1);
  await sleep(50);
  expect(alone).toBe(true);
  const members = await Promise.all([second, barrier.enter()]);
  await Promise.all(members.map((member) => member.leave()));
});

test('members enter and leave under killed connections', async () => {
  const members = await Promise.all([1, 2, 3].map(() => fixture.linkedClient({ sessionTimeoutMs: 4000 })));
  let n = 0;
  const cutter = setInterval(() => members[n++ % members.length].link.cut(), 40);
  const inRound = [0, 0, 0];
  try {
    await Promise.all(
      members.map(async ({ client }) => {
        for (let round = 0; round < inRound.length; round++) {
          const member = await new DoubleBarrier(client, '/shaken', members.length).enter();
          inRound[round]++;
          await member.leave();
          expect(inRound[round]).toBe(members.length);
        }
      }),
    );
  } finally {
    clearInterval(cutter);
  }
}, 60_000);

test('who gives up when the round has just been formed has entered: by all or by none', async () => {
  const path = '/all-or-none';
  const [client, other] = [await fixture.client(), await fixture.client()];
  const abort = new AbortController();
  const slow = new Proxy(client, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...args: { watch?: unknown }[]) => {
        const result: unknown = Reflect.apply(value, target, args);
        // It never hears that it is in a round before it gives up.
        const isLook = name === 'get' && args[1]?.watch !== undefined && !abort.signal.aborted;
        return isLook ? aborted(abort.signal).then((reason) => Promise.reject(reason)) : result;
      };
    },
  });
  const hesitating = new DoubleBarrier(slow, path, 2).enter({ signal: abort.signal });
  await childCount(client, path, 1);
  const prompt = await new DoubleBarrier(other, path, 2).enter();
  abort.abort(new Error('too long'));
  const member = await hesitating;
  expect(member.signal.aborted).toBe(false);
  expect(await other.children(path)).toHaveLength(2);
  await Promise.all([member.leave(), prompt.leave()]);
});

test('waits have deadlines: at the gate, at the beginning and at the end of a round', async () => {
  const client = await fixture.client();
  const gate = new Barrier(client, '/deadlines/gate');
  await gate.close();
  await expect(gate.wait({ timeoutMs: 50 })).rejects.toMatchObject({ name: 'TimeoutError' });
  const barrier = new DoubleBarrier(client, '/deadlines/rounds', 2);
  await expect(barrier.enter({ timeoutMs: 50 })).rejects.toMatchObject({ name: 'TimeoutError' });
  await childCount(client, '/deadlines/rounds', 0);
  const [first, second] = await Promise.all([barrier.enter(), barrier.enter()]);
  await expect(first.leave({ timeoutMs: 50 })).rejects.toMatchObject({ name: 'TimeoutError' });
  await second.leave({ timeoutMs: 10_000 }); // who gave up counts as having left
});

test('a member that dies before the round leaves it to the others: nobody begins with too few', async () => {
  const { client: dying, link } = await fixture.linkedClient();
  const [client, other] = [await fixture.client(), await fixture.client()];
  const dead = new DoubleBarrier(dying, '/died-early', 2).enter().catch((error: unknown) => error);
  await childCount(client, '/died-early', 1);
  link.close();
  await childCount(client, '/died-early', 0);
  let hasEntered = false;
  const first = new DoubleBarrier(client, '/died-early', 2).enter();
  first.then(() => {
    hasEntered = true;
  });
  await childCount(client, '/died-early', 1);
  await sleep(50);
  expect(hasEntered).toBe(false);
  const second = new DoubleBarrier(other, '/died-early', 2).enter();
  await Promise.all([first, second].map(async (member) => (await member).leave()));
  link.open();
  await dying.close();
  expect(await dead).toMatchObject({ name: 'ClientClosed' });
}, 30_000);
