/** What a session may have, and what is refused while memory is scarce: always with an answer, never by hanging up. */
import { AddWatchMode, CreateFlag } from '../../../../protocol/client/constants.js';
import { Code } from '../../../../protocol/client/errors.js';
import { VirtualClient, VirtualEnsemble, VirtualWorld } from '../../../../src/testing/index.js';
import { code, create, events, OPEN_ACL, scene } from '../../../conformance/scene.js';

const ephemeral = (path: string) => ({ path, data: null, acl: OPEN_ACL, flags: CreateFlag.ephemeral });
const setting = { path: '/', data: null, version: -1 };

describe('watches', () => {
  test('as many as may be, in whatever way; setting one again costs nothing, one that fired makes room', () => {
    const { client, server } = scene({ watchesPerSessionMax: 4 });
    const [one, other] = [client(), client()];
    create(one, '/a');
    expect(code(one, 'getData', { path: '/a', watch: true })).toBe(0);
    expect(code(one, 'getChildren', { path: '/a', watch: true })).toBe(0);
    expect(code(one, 'exists', { path: '/none', watch: true })).toBe(Code.NoNode);
    expect(code(one, 'addWatch', { path: '/', mode: AddWatchMode.persistentRecursive })).toBe(0);

    for (let i = 0; i < 3; i++) {
      expect(code(one, 'exists', { path: '/more', watch: true })).toBe(Code.QuotaExceeded);
      expect(code(one, 'addWatch', { path: '/more', mode: AddWatchMode.persistent })).toBe(Code.QuotaExceeded);
      expect(code(one, 'getChildren', { path: '/', watch: true })).toBe(Code.QuotaExceeded);
    }
    expect(code(one, 'getData', { path: '/a', watch: true })).toBe(0);
    expect(code(one, 'exists', { path: '/more', watch: false })).toBe(Code.NoNode);
    expect(code(other, 'exists', { path: '/more', watch: true })).toBe(Code.NoNode);
    expect(server.replica.clients.watches.size).toBe(5);
    expect(server.replica.stats.limitedRequests).toBe(9);

    expect(code(one, 'setData', { ...setting, path: '/a' })).toBe(0);
    expect(code(one, 'exists', { path: '/more', watch: true })).toBe(Code.NoNode);
    expect(code(one, 'exists', { path: '/yet-more', watch: true })).toBe(Code.QuotaExceeded);
  });

  test('watches on long paths count for several', () => {
    const { client } = scene({ watchesPerSessionMax: 10 });
    const one = client();
    expect(code(one, 'exists', { path: `/${'x'.repeat(4000)}`, watch: true })).toBe(Code.NoNode);
    expect(code(one, 'exists', { path: '/a', watch: true })).toBe(Code.QuotaExceeded);
  });

  test('a client that comes back with too many is told, and those that fit are set', () => {
    const { client, server } = scene({ watchesPerSessionMax: 2 });
    const one = client();
    const lists = { dataWatches: ['/'], existWatches: ['/a', '/b'], childWatches: [] };
    expect(code(one, 'setWatches', { relativeZxid: 1_000_000n, ...lists })).toBe(Code.QuotaExceeded);
    expect(server.replica.clients.watches.size).toBe(2);
    create(one, '/a');
    expect(events(one)).toHaveLength(1);
  });
});

describe('ephemeral nodes', () => {
  test('those under way count, those that are gone do not; the log hears of it once', () => {
    const { client, world, server } = scene({ ephemeralsPerSessionMax: 3 }, 50);
    const notes: string[] = [];
    server.witness.effect = (effect) => {
      if (effect.type === 'note') notes.push(effect.message);
    };
    const [one, other] = [client(), client()];
    const from = one.received.length;
    for (let i = 0; i < 5; i++) one.send('create', ephemeral(`/e${i}`));
    world.run(500);
    const codes = one.received.slice(from).map((item) => (item.kind === 'reply' ? item.code : null));
    expect(codes).toEqual([0, 0, 0, Code.QuotaExceeded, Code.QuotaExceeded]);
    expect(code(one, 'create', { ...ephemeral('/p'), flags: CreateFlag.persistent })).toBe(0);
    expect(code(one, 'delete', { path: '/e1', version: -1 })).toBe(0);
    expect(code(one, 'create', ephemeral('/again'))).toBe(0);
    expect(code(one, 'create', ephemeral('/again'))).toBe(Code.QuotaExceeded);
    expect(code(other, 'create', ephemeral('/other'))).toBe(0);
    expect(notes.filter((message) => message.includes('ephemeral'))).toHaveLength(1);
  });

  test('a creation that failed does not count', () => {
    const { client } = scene({ ephemeralsPerSessionMax: 1 });
    const one = client();
    for (let i = 0; i < 5; i++) expect(code(one, 'create', ephemeral('/no/parent'))).toBe(Code.NoNode);
    expect(code(one, 'create', ephemeral('/e'))).toBe(0);
  });
});

describe('while memory is scarce', () => {
  test('what needs more is refused; reads, deletes, pings, new sessions and closes go on', () => {
    const { client, server, world } = scene();
    const one = client();
    create(one, '/a');
    server.replica.handle({ type: 'memory', isScarce: true });
    const before = server.replica.appliedZxid;
    expect(code(one, 'create', { path: '/b', data: null, acl: OPEN_ACL, flags: 0 })).toBe(Code.ThrottledOp);
    expect(code(one, 'setData', setting)).toBe(Code.ThrottledOp);
    expect(code(one, 'exists', { path: '/b', watch: true })).toBe(Code.ThrottledOp);
    expect(server.replica.appliedZxid).toBe(before); // a refusal costs nothing that stays
    expect(server.replica.stats.memoryRefusals).toBe(2);

    expect(code(one, 'getData', { path: '/a', watch: false })).toBe(0);
    expect(code(one, 'ping', undefined)).toBe(0);
    expect(code(one, 'delete', { path: '/a', version: -1 })).toBe(0);
    const late = client();
    const from = late.received.length;
    late.send('closeSession', undefined);
    world.run(100);
    expect(late.received.slice(from).map(({ kind }) => kind)).toEqual(['reply', 'closed']);

    server.replica.handle({ type: 'memory', isScarce: false });
    expect(code(one, 'setData', setting)).toBe(0);
  });

  test('a leader in need refuses what comes through its learners as well, and their clients hear why', () => {
    const world = new VirtualWorld();
    const ensemble = new VirtualEnsemble(world);
    ensemble.start();
    const leader = ensemble.awaitWhole();
    const learner = ensemble.servers.find((server) => server !== leader);
    if (learner === undefined) throw new Error('no learner');
    const client = new VirtualClient(world);
    client.connected(learner);
    create(client, '/a');
    leader.replica.handle({ type: 'memory', isScarce: true });
    expect(code(client, 'setData', { ...setting, path: '/a' })).toBe(Code.ThrottledOp);
    expect(code(client, 'getData', { path: '/a', watch: false })).toBe(0);
    expect(code(client, 'delete', { path: '/a', version: -1 })).toBe(0);
    leader.replica.handle({ type: 'memory', isScarce: false });
    expect(code(client, 'setData', setting)).toBe(0);
  });
});
