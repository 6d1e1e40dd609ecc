/** A virtual ensemble as its users see it: it elects, replicates, survives, and tells who leads. */
import { VirtualClient, VirtualEnsemble, VirtualWorld } from '../../../src/testing/index.js';
import { OPEN_ACL } from '../../helpers/world.js';

function fixture(setup = {}) {
  const world = new VirtualWorld({ seed: 3 });
  const ensemble = new VirtualEnsemble(world, setup);
  ensemble.start();
  return { world, ensemble };
}

test('finds one leader that all others follow, observers too', () => {
  const { ensemble } = fixture({ voters: 3, observers: 2 });
  expect([ensemble.leader(), ensemble.isWhole]).toEqual([null, false]);
  const leader = ensemble.awaitWhole();
  expect(ensemble.voterIds).toContain(leader.id);
  expect(ensemble.servers.map(({ replica }) => replica.role).sort()).toEqual([
    'following',
    'following',
    'leading',
    'observing',
    'observing',
  ]);
});

test('a session goes on at another server when its own is gone, and sees what it has written', () => {
  const { world, ensemble } = fixture();
  const leader = ensemble.awaitWhole();
  const [first, second] = ensemble.servers.filter((server) => server !== leader);
  const client = new VirtualClient(world);
  client.connected(first);
  const { sessionId } = client;
  expect(client.call('create', { path: '/a', data: null, acl: OPEN_ACL, flags: 1 }).code).toBe(0);
  ensemble.crash(first.id);
  client.awaitReceived(0, ({ kind }) => kind === 'closed', 'the end of the connection');
  client.resumed(second);
  expect(client.sessionId).toBe(sessionId);
  expect(client.call('exists', { path: '/a', watch: false }).code).toBe(0);
});

test('a minority of servers serves nobody; the rest goes on without it', () => {
  const { world, ensemble } = fixture();
  const old = ensemble.awaitWhole();
  ensemble.network.isolate(old.id);
  world.runUntil(() => !old.replica.isServing, 'the old leader to give up');
  const next = ensemble.awaitLeader();
  expect(next).not.toBe(old);
  expect(new VirtualClient(world).connected(old).kind).toBe('closed');
  ensemble.network.heal();
  expect(ensemble.awaitWhole()).toBe(next);
});

test('after a power failure everywhere it goes on with what was acknowledged', () => {
  const { world, ensemble } = fixture();
  const client = new VirtualClient(world);
  client.connected(ensemble.awaitWhole());
  client.call('create', { path: '/a', data: null, acl: OPEN_ACL, flags: 0 });
  ensemble.crashAll();
  expect(ensemble.leader()).toBeNull();
  ensemble.start();
  client.connected(ensemble.awaitWhole());
  expect(client.call('exists', { path: '/a', watch: false }).code).toBe(0);
});

test('a server crashes between two effects, when it is told to', () => {
  const { world, ensemble } = fixture();
  const leader = ensemble.awaitWhole();
  leader.witness = { effect: ({ type }) => type === 'append' };
  const client = new VirtualClient(world);
  expect(client.connected(leader).kind).toBe('closed'); // the session could not be logged
  expect(leader.isUp).toBe(false);
});

test('the same seed gives the same history', () => {
  const hash = (seed: number) => {
    const world = new VirtualWorld({ seed });
    const ensemble = new VirtualEnsemble(world);
    ensemble.start();
    world.run(1000);
    return world.traceHash;
  };
  expect(hash(1)).toBe(hash(1));
  expect(hash(1)).not.toBe(hash(2));
});

test('who asks for a server that does not exist is told so', () => {
  expect(() => fixture().ensemble.server(9)).toThrow(RangeError);
});
