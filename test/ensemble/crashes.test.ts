/**
 * Servers end under load, in every way a server can end. As long as a quorum lives the others go on; what was
 * acknowledged is found on all of them, no session is lost, and all trees are the same in the end.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { jest } from '@jest/globals';
import { Ensemble } from '../helpers/ensemble.js';
import { Load } from '../helpers/load.js';

jest.setTimeout(90_000);

let ensemble: Ensemble;
beforeAll(async () => {
  // Several checkpoints in each test.
  ensemble = await Ensemble.start({ settings: { snapCount: '500' } });
});
afterAll(() => ensemble?.[Symbol.asyncDispose]());

/** A moment that differs from round to round. */
const moment = (round: number) => sleep(100 + ((round * 137) % 250));

test('the leader is killed, again and again', async () => {
  await using load = await Load.start(ensemble, '/leaders');
  for (let round = 1; round <= 3; round++) {
    const leader = await ensemble.serving();
    await load.progress();
    await moment(round);
    await leader.kill();
    await load.progress(); // two of three
    await leader.start();
    const next = await ensemble.serving();
    expect(next).not.toBe(leader);
  }
  await load.progress();
  await load.check();
});

test('each follower is killed in turn, and nobody notices but its own clients', async () => {
  await using load = await Load.start(ensemble, '/followers');
  const leader = await ensemble.serving();
  for (const follower of ensemble.others(leader)) {
    await load.progress();
    await follower.kill();
    await load.progress();
    expect(await leader.mode()).toBe('leader');
    await follower.start();
    await ensemble.serving();
  }
  expect(await leader.mode()).toBe('leader');
  await load.progress();
  await load.check();
});

test('all are killed at once and started again', async () => {
  await using load = await Load.start(ensemble, '/all');
  for (let round = 1; round <= 2; round++) {
    await load.progress();
    await moment(round);
    await Promise.all(ensemble.members.map((member) => member.kill()));
    await Promise.all(ensemble.members.map((member) => member.start()));
    await ensemble.serving();
  }
  await load.progress();
  await load.check();
});

test('all are restarted one by one with SIGTERM, the leader last', async () => {
  await using load = await Load.start(ensemble, '/rolling');
  const leader = await ensemble.serving();
  for (const member of [...ensemble.others(leader), leader]) {
    await load.progress();
    await member.stop();
    await load.progress();
    await member.start();
    await ensemble.serving();
  }
  await load.progress();
  await load.check();
});
