/** Who has no quorum serves nobody; observers serve, and count for nothing. */
import { jest } from '@jest/globals';
import { type Client, connect, type WatchEvent } from '../../src/client/index.js';
import { connectVia, Ensemble, expectRefused, type Member } from '../helpers/ensemble.js';
import { fourLetterWord } from '../helpers/processes.js';

jest.setTimeout(60_000);

async function expectNobodyServed(member: Member): Promise<void> {
  await expectRefused(member, 700);
  expect(await fourLetterWord(member.server.port, 'srvr')).toContain('not currently serving requests');
  expect(await fourLetterWord(member.server.port, 'ruok')).toBe('imok');
}

function statesOf(client: Client): string[] {
  const states: string[] = [];
  client.onState(({ state }) => states.push(state));
  return states;
}

test('without its quorum a server serves nobody; with it everything goes on, sessions too', async () => {
  await using ensemble = await Ensemble.start();
  const leader = await ensemble.serving();
  const [follower, last] = ensemble.others(leader);
  await using client = await connectVia(ensemble, last, { sessionTimeoutMs: 5000 });
  const states = statesOf(client);
  await client.create('/kept', 'x', { ephemeral: true });

  for (const [first, second] of [
    [leader, follower],
    [follower, leader],
  ]) {
    await first.kill();
    await second.kill();
    await ensemble.notServing([last]);
    await ensemble.until(() => (client.state === 'SUSPENDED' ? true : undefined), `the client is ${client.state}`);
    await expectNobodyServed(last);
    states.length = 0;
    await first.start();
    await ensemble.serving([first, last]);
    await client.set('/kept', 'y');
    expect(states).toEqual(['RECONNECTED']);
    await second.start();
    await ensemble.serving();
  }
  await ensemble.expectSameTrees();
});

test('a server that is started alone waits for the others', async () => {
  await using ensemble = await Ensemble.prepare();
  const [one, two] = ensemble.members;
  await one.start();
  await expectNobodyServed(one);
  await two.start();
  await ensemble.serving([one, two]);
  await using client = await connect(one.address);
  await client.create('/together');
});

test('an observer serves reads, watches and writes, and does not count', async () => {
  await using ensemble = await Ensemble.start({ voters: 3, observers: 1 });
  const leader = await ensemble.serving();
  const observer = ensemble.member(4);
  expect(await observer.mode()).toBe('observer');
  await using client = await connect(observer.address, { sessionTimeoutMs: 20_000 });
  await using other = await connect(leader.address);
  const events: WatchEvent[] = [];
  await client.create('/observed', 'v0', { ephemeral: true });
  await client.get('/observed', { watch: (event) => events.push(event) });
  await other.set('/observed', 'v1');
  await client.sync('/');
  expect(String((await client.get('/observed')).data)).toBe('v1');
  expect(events).toMatchObject([{ type: 'dataChanged' }]);
  await ensemble.expectSameTrees();

  // Two of the three that count are gone: with the observer there are two servers, and no service.
  const voters = ensemble.others(leader, observer);
  await voters[0].kill();
  await client.set('/observed', 'v2');
  await voters[1].kill();
  await ensemble.notServing([leader, observer]);
  await expectNobodyServed(observer);
  await voters[1].start();
  await ensemble.serving([leader, voters[1], observer]);
  expect(await observer.mode()).toBe('observer');
  await client.set('/observed', 'v3');
  expect(await client.exists('/observed')).toMatchObject({ ephemeralOwner: client.session.id });

  // And without it nothing is missing.
  await observer.kill();
  const survivor = await connect(leader.address);
  await survivor.create('/without-observer');
  await survivor.close();
  await observer.start();
  await ensemble.serving([leader, voters[1], observer]);
  await client.sync('/');
  expect(await client.exists('/without-observer')).not.toBeNull();
  await ensemble.expectSameTrees([leader, voters[1], observer]);
});
