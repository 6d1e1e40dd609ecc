/**
 * A leader that is alive and alone: stopped for longer than its followers wait, cut off, or with links that swallow
 * everything. The others elect a new one; the old one acknowledges nothing in the meantime, and joins them again.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { jest } from '@jest/globals';
import { connect } from '../../src/client/index.js';
import { connectVia, Ensemble, type Member } from '../helpers/ensemble.js';
import { createBody, dataOf, FrameClient, Op, readBody, requestFrame } from '../helpers/frame-client.js';
import { Load } from '../helpers/load.js';
import { JuteWriter } from '../interop/wire/jute.js';

jest.setTimeout(60_000);

const SYNC = 9;
const SESSION_MS = 4000;
/** Longer than that, and than the others wait for their leader (syncLimit, 2 s). */
const STOPPED_MS = 5500;

let ensemble: Ensemble;
let leader: Member;
let others: Member[];
beforeAll(async () => {
  ensemble = await Ensemble.start({ cuttable: true });
});
beforeEach(async () => {
  leader = await ensemble.serving();
  others = ensemble.others(leader);
});
afterAll(() => ensemble?.[Symbol.asyncDispose]());

/** A client that only the old leader knows, and that waits for what it has to say. */
async function forlorn(path: string): Promise<FrameClient> {
  const client = await FrameClient.session(leader.server.port, { timeoutMs: 30_000 });
  expect((await client.call(Op.create, createBody(path, Buffer.from('old')))).err).toBe(0);
  return client;
}

/** Sends a write, a sync and a read in one piece. */
function ask(client: FrameClient, path: string): void {
  client.send(
    Buffer.concat([
      requestFrame(1001, Op.create, createBody(`${path}/never`)),
      requestFrame(1002, SYNC, new JuteWriter().string('/').bytes()),
      requestFrame(1003, Op.getData, readBody(path)),
    ]),
  );
}

/** Either nothing is acknowledged, or the old leader has joined the others before it answered. */
async function expectNothingStale(client: FrameClient): Promise<void> {
  for (;;) {
    const reply = await client.nextReply();
    if (reply === 'closed') return;
    if (reply.xid === 1001) expect(reply.err).not.toBe(0);
    if (reply.xid === 1003) expect(String(dataOf(reply))).toBe('new');
  }
}

test('a stopped leader: sessions move, and what it acknowledges when it goes on is not stale', async () => {
  await using load = await Load.start(ensemble, '/stopped');
  const mover = await connectVia(ensemble, leader, { sessionTimeoutMs: SESSION_MS });
  const states: string[] = [];
  mover.onState(({ state }) => states.push(state));
  await mover.create('/mover', 'x', { ephemeral: true });
  const alone = await forlorn('/stale-read');

  leader.pause();
  const pausedMs = Date.now();
  ask(alone, '/stale-read');
  const next = await ensemble.serving(others);
  await using writer = await connect(next.address);
  await writer.set('/stale-read', 'new');
  await load.progress();
  await sleep(pausedMs + STOPPED_MS - Date.now());
  expect(await writer.exists('/mover')).toMatchObject({ ephemeralOwner: mover.session.id });
  leader.resume();

  await expectNothingStale(alone);
  await ensemble.serving();
  expect(await next.mode()).toBe('leader');
  expect(await writer.exists('/stale-read/never')).toBeNull();
  expect(states).toContain('RECONNECTED');
  expect(states).not.toContain('LOST');
  await load.progress();
  await load.check();
  await mover.close();
});

test('a leader that is cut off from both others serves nobody, and joins them when the links are back', async () => {
  await using load = await Load.start(ensemble, '/cut');
  const alone = await forlorn('/cut-read');
  await load.progress();
  ensemble.isolate(leader);
  ask(alone, '/cut-read');
  await ensemble.notServing([leader]);
  const next = await ensemble.serving(others);
  await using writer = await connect(next.address);
  await writer.set('/cut-read', 'new');
  await expectNothingStale(alone);
  await load.progress(); // its clients have moved
  await expect(connect(leader.address, { connectTimeoutMs: 600 })).rejects.toMatchObject({ name: 'ConnectionLoss' });
  ensemble.heal(leader);
  await ensemble.serving();
  expect(await next.mode()).toBe('leader'); // whoever comes back disturbs nobody
  await load.progress();
  await load.check();
});

test('links that stay and swallow everything are noticed by both sides', async () => {
  await using load = await Load.start(ensemble, '/swallowed');
  await load.progress();
  const alone = await forlorn('/swallowed-read');
  ensemble.blackhole(leader);
  ask(alone, '/swallowed-read');
  const next = await ensemble.serving(others);
  await using writer = await connect(next.address);
  await writer.set('/swallowed-read', 'new');
  await ensemble.notServing([leader]);
  await expectNothingStale(alone);
  await load.progress();
  ensemble.heal(leader);
  await ensemble.serving();
  await load.progress();
  await load.check();
});

test('a follower that is cut off takes no more part, and the others go on without a new election', async () => {
  await using load = await Load.start(ensemble, '/follower-cut');
  const [follower] = others;
  await load.progress();
  ensemble.isolate(follower);
  await ensemble.notServing([follower]);
  await load.progress();
  expect(await leader.mode()).toBe('leader');
  ensemble.heal(follower);
  await ensemble.serving();
  expect(await leader.mode()).toBe('leader');
  await load.progress();
  await load.check();
});

test('the link between two followers is not needed: who has one to the leader can join', async () => {
  const [one, two] = others;
  ensemble.cutBetween(one, two);
  await using load = await Load.start(ensemble, '/triangle');
  await load.progress();
  await one.kill();
  await load.progress();
  await one.start();
  expect(await ensemble.serving()).toBe(leader);
  ensemble.mendBetween(one, two);
  await load.progress();
  await load.check();
});
