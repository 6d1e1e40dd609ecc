/** Nobody moves, ends or disturbs a session without its password, on whichever server he tries. */
import type { EnsembleSetup, VirtualServer } from '../../../../src/testing/index.js';
import { VirtualClient } from '../../../../src/testing/index.js';
import { ensembleScene } from '../../../conformance/ensemble-scene.js';

const WRONG = new Uint8Array(16).fill(7);
const SETUP: EnsembleSetup = { voters: 3 };
const KNOWN_NOWHERE = 123n;

/** The owner has a session on one follower; the other has not heard of it, since the leader's messages do not reach it. */
function lagging() {
  const scene = ensembleScene(SETUP);
  const { ensemble, leader, followers } = scene;
  const [home, behind] = followers as [VirtualServer, VirtualServer];
  scene.settle();
  ensemble.network.cutOneWay(leader.id, behind.id);
  const owner = scene.client(home);
  expect(behind.replica.world.sessions.get(Number(owner.sessionId))).toBeUndefined();
  return { ...scene, home, behind, owner };
}

function outcome(client: VirtualClient): string {
  const last = client.received.at(-1);
  if (last === undefined) return 'nothing';
  return last.kind === 'connect' ? (last.timeoutMs === 0 ? 'refused' : 'resumed') : last.kind;
}

/** Everything this client may still do, one after the other. */
function isAlive(owner: VirtualClient): boolean {
  return owner.isConnected && owner.call('exists', { path: '/', watch: false }).code === 0;
}

test.each(['leader', 'home', 'another follower'])('a wrong password on %s changes nothing', (where) => {
  const scene = ensembleScene(SETUP);
  const [home, other] = scene.followers as [VirtualServer, VirtualServer];
  const owner = scene.client(home);
  scene.settle();
  const target = { leader: scene.leader, home, 'another follower': other }[where] as VirtualServer;
  const stranger = new VirtualClient(scene.world);
  stranger.connected(target, { sessionId: owner.sessionId, password: WRONG });
  expect(stranger.received[0]).toMatchObject({ kind: 'connect', timeoutMs: 0, sessionId: 0n });
  scene.settle();
  expect(isAlive(owner)).toBe(true);
});

test('a learner that does not know the session yet neither believes nor disturbs', () => {
  const { world, ensemble, leader, behind, owner } = lagging();
  const stranger = new VirtualClient(world);
  stranger.connect(behind, { sessionId: owner.sessionId, password: WRONG });
  // What comes before the answer must not be taken for the session's either.
  stranger.send('closeSession', undefined);
  world.run(20);
  expect(outcome(stranger)).toBe('nothing');
  expect(isAlive(owner)).toBe(true);
  ensemble.network.healLink(leader.id, behind.id);
  world.runUntil(() => !stranger.isConnected, 'the stranger to be turned away');
  expect(stranger.received.map(({ kind }) => kind)).toEqual(['connect', 'closed']);
  expect(stranger.received[0]).toMatchObject({ timeoutMs: 0, sessionId: 0n });
  expect(isAlive(owner)).toBe(true);
});

test('the owner itself is let in there, once the learner knows as much', () => {
  const { world, ensemble, leader, behind, owner } = lagging();
  const stranger = new VirtualClient(world);
  const again = new VirtualClient(world);
  const { sessionId, password } = owner;
  again.connect(behind, { sessionId, password });
  stranger.connect(behind, { sessionId, password: WRONG });
  again.send('exists', { path: '/', watch: false });
  world.run(20);
  expect([outcome(again), outcome(stranger)]).toEqual(['nothing', 'nothing']);
  expect(isAlive(owner)).toBe(true);
  ensemble.network.healLink(leader.id, behind.id);
  world.runUntil(() => outcome(again) === 'reply' && !stranger.isConnected, 'both to be answered');
  expect(stranger.received[0]).toMatchObject({ timeoutMs: 0 });
  expect(again.received[0]).toMatchObject({ kind: 'connect', sessionId, timeoutMs: 10_000 });
  expect(isAlive(again)).toBe(true);
});

test('a session that nobody knows is refused by a follower as well, and leaves nothing behind', () => {
  const { world, followers } = ensembleScene(SETUP);
  const client = new VirtualClient(world);
  client.connected(followers[0] as VirtualServer, { sessionId: KNOWN_NOWHERE, password: WRONG });
  expect(client.received[0]).toMatchObject({ kind: 'connect', timeoutMs: 0 });
  world.runUntil(() => !client.isConnected, 'it to be closed');
  expect(followers[0]?.replica.clients.size).toBe(0);
});

test('a session that is just being opened is not taken from its opener by its number', () => {
  const { world, followers } = ensembleScene(SETUP);
  const [home] = followers as [VirtualServer];
  const opener = new VirtualClient(world);
  opener.connect(home);
  world.runUntil(() => [...home.replica.clients].some(({ session }) => session > 0), 'its request to arrive');
  const [opening] = home.replica.clients;
  const sessionId = BigInt(opening?.session ?? 0);
  expect([sessionId > 0n, opening?.state]).toEqual([true, 'opening']);
  const stranger = new VirtualClient(world);
  stranger.connect(home, { sessionId, password: WRONG });
  world.runUntil(() => outcome(opener) === 'resumed' && !stranger.isConnected, 'both to be answered');
  expect(stranger.received[0]).toMatchObject({ timeoutMs: 0 });
  expect(opener.sessionId).toBe(sessionId);
  expect(isAlive(opener)).toBe(true);
});

test.each(['leader', 'follower'])('an id that a %s gives a second time stays with the first client', (where) => {
  const scene = ensembleScene(SETUP);
  const server = where === 'leader' ? scene.leader : (scene.followers[0] as VirtualServer);
  const owner = scene.client(server);
  scene.settle();
  // As after a restart with the clock set back, while the owner's entry was still on its way.
  server.replica.nextSessionId = () => Number(owner.sessionId);
  owner.disconnect();
  const second = new VirtualClient(scene.world);
  second.connected(server);
  expect(second.received[0]).toMatchObject({ kind: 'connect', timeoutMs: 0, sessionId: 0n });
  expect(scene.leader.stoppedBecause).toBeNull();
  owner.resumed(server);
  expect(outcome(owner)).toBe('resumed');
});
