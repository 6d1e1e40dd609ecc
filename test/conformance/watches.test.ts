/** Checklist 18–23: when watches fire, in which order, for whom. */
import { AddWatchMode, CreateFlag, EventType, Perms, WatcherType } from '../../protocol/client/constants.js';
import { Code } from '../../protocol/client/errors.js';
import { ANN, authenticate, code, create, events, inShort, OPEN_ACL, scene } from './scene.js';

const { nodeCreated, nodeDeleted, nodeDataChanged, nodeChildrenChanged } = EventType;

describe('18: the event comes before the reply that shows the change (E54, E58, E59)', () => {
  test('of an own write', () => {
    const { client } = scene();
    const one = client();
    create(one, '/a');
    code(one, 'getData', { path: '/a', watch: true });
    const from = one.received.length;
    const { xid, zxid } = one.call('setData', { path: '/a', data: null, version: -1 });
    expect(inShort(one, from)).toEqual([`event ${nodeDataChanged} /a`, `reply ${xid}`]);
    expect(events(one, from)[0].zxid).toBe(zxid);
  });

  test('of another session, before any read that shows it', () => {
    const { client } = scene();
    const [writer, reader] = [client(), client()];
    create(writer, '/a');
    code(reader, 'getData', { path: '/a', watch: true });
    const from = reader.received.length;
    for (let i = 0; i < 20; i++) {
      writer.send('setData', { path: '/a', data: null, version: -1 });
      reader.send('exists', { path: '/a', watch: false });
    }
    reader.call('sync', { path: '/' });
    const items = reader.received.slice(from);
    const event = items.findIndex(({ kind }) => kind === 'event');
    const shown = items.findIndex(
      (item) => item.kind === 'reply' && (item.response as { stat?: { version: number } })?.stat?.version !== 0,
    );
    expect(event).toBeGreaterThanOrEqual(0);
    expect(event).toBeLessThan(shown);
    expect(items.filter(({ kind }) => kind === 'event')).toHaveLength(1);
  });

  test('of a multi: all its events in the order of its operations, with its zxid', () => {
    const { client } = scene();
    const one = client();
    create(one, '/b');
    code(one, 'exists', { path: '/a', watch: true });
    code(one, 'getData', { path: '/b', watch: true });
    code(one, 'getChildren', { path: '/', watch: true });
    const from = one.received.length;
    const { xid, zxid } = one.call('multi', [
      { op: 'setData', request: { path: '/b', data: null, version: -1 } },
      { op: 'create', request: { path: '/a', data: null, acl: OPEN_ACL, flags: 0 } },
    ]);
    expect(inShort(one, from)).toEqual([
      `event ${nodeDataChanged} /b`,
      `event ${nodeCreated} /a`,
      `event ${nodeChildrenChanged} /`,
      `reply ${xid}`,
    ]);
    expect(events(one, from).map((event) => event.zxid)).toEqual([zxid, zxid, zxid]);
  });

  test('of the end of a session', () => {
    const { client } = scene();
    const [owner, watcher] = [client(), client()];
    create(owner, '/e', { flags: CreateFlag.ephemeral });
    code(owner, 'exists', { path: '/e', watch: true });
    code(watcher, 'exists', { path: '/e', watch: true });
    const [ownFrom, from] = [owner.received.length, watcher.received.length];
    const closing = owner.send('closeSession', undefined);
    owner.awaitReceived(ownFrom, ({ kind }) => kind === 'closed', 'the end');
    expect(inShort(owner, ownFrom)).toEqual([`event ${nodeDeleted} /e`, `reply ${closing}`, 'closed']);
    expect(code(watcher, 'exists', { path: '/e', watch: false })).toBe(Code.NoNode);
    expect(inShort(watcher, from)[0]).toBe(`event ${nodeDeleted} /e`);
  });
});

test('19: the deletion of a node watched by data, child and parent makes exactly two events (E58)', () => {
  const { client } = scene();
  const one = client();
  create(one, '/p');
  create(one, '/p/a');
  code(one, 'getData', { path: '/p/a', watch: true });
  code(one, 'exists', { path: '/p/a', watch: true });
  code(one, 'getChildren', { path: '/p/a', watch: true });
  code(one, 'getChildren2', { path: '/p', watch: true });
  const from = one.received.length;
  code(one, 'delete', { path: '/p/a', version: -1 });
  expect(events(one, from)).toMatchObject([
    { type: nodeDeleted, path: '/p/a' },
    { type: nodeChildrenChanged, path: '/p' },
  ]);
});

test('19: ten reads with a watch give one event (E56)', () => {
  const { client } = scene();
  const one = client();
  create(one, '/a');
  for (let i = 0; i < 10; i++) code(one, 'getData', { path: '/a', watch: true });
  const from = one.received.length;
  for (let i = 0; i < 3; i++) code(one, 'setData', { path: '/a', data: null, version: -1 });
  expect(events(one, from)).toHaveLength(1);
});

test('20: persistent, recursive and one-shot on one path: one event a change, and the first two stay (E64)', () => {
  const { client } = scene();
  const one = client();
  create(one, '/a');
  code(one, 'addWatch', { path: '/a', mode: AddWatchMode.persistent });
  code(one, 'addWatch', { path: '/a', mode: AddWatchMode.persistentRecursive });
  code(one, 'getData', { path: '/a', watch: true });
  const from = one.received.length;
  code(one, 'setData', { path: '/a', data: null, version: -1 });
  code(one, 'setData', { path: '/a', data: null, version: -1 });
  create(one, '/a/b');
  create(one, '/a/b/c');
  expect(events(one, from).map(({ type, path }) => `${type} ${path}`)).toEqual([
    `${nodeDataChanged} /a`,
    `${nodeDataChanged} /a`,
    `${nodeCreated} /a/b`,
    `${nodeChildrenChanged} /a`,
    `${nodeCreated} /a/b/c`,
  ]);
  const types = [WatcherType.data, WatcherType.persistent, WatcherType.persistentRecursive];
  const present = types.map((type) => code(one, 'checkWatches', { path: '/a', type }));
  expect(present).toEqual([Code.NoWatcher, 0, 0]);
});

describe('21: setWatches in all nine cases (E62)', () => {
  const lists = ['dataWatches', 'existWatches', 'childWatches'] as const;
  const NOTHING = { dataWatches: [], existWatches: [], childWatches: [] };
  const cases: [(typeof lists)[number], 'missing' | 'changed' | 'unchanged', number | null][] = [
    ['dataWatches', 'missing', nodeDeleted],
    ['dataWatches', 'changed', nodeDataChanged],
    ['dataWatches', 'unchanged', null],
    ['existWatches', 'missing', null],
    ['existWatches', 'changed', nodeCreated],
    ['existWatches', 'unchanged', nodeCreated],
    ['childWatches', 'missing', nodeDeleted],
    ['childWatches', 'changed', nodeChildrenChanged],
    ['childWatches', 'unchanged', null],
  ];
  test.each(cases)('%s, %s since: event %s', (list, state, expected) => {
    const { server, client } = scene();
    const one = client();
    if (state !== 'missing') create(one, '/a');
    const relativeZxid = BigInt(server.replica.appliedZxid);
    if (state === 'changed') {
      code(one, 'setData', { path: '/a', data: null, version: -1 });
      create(one, '/a/child');
    }
    const from = one.received.length;
    one.send('setWatches', { relativeZxid, ...NOTHING, [list]: ['/a'] });
    one.replyTo(-8, from);
    const expectedItems = expected === null ? ['reply -8'] : [`event ${expected} /a`, 'reply -8'];
    expect(inShort(one, from)).toEqual(expectedItems);
    if (expected !== null) {
      expect(events(one, from)[0].zxid).toBe(-1);
      return;
    }
    // It was set: the next change fires it.
    if (state === 'missing') create(one, '/a');
    else if (list === 'childWatches') create(one, '/a/next');
    else code(one, 'setData', { path: '/a', data: null, version: -1 });
    expect(events(one, from)).toHaveLength(1);
  });

  test('events come in list order: data, exist, child', () => {
    const { client } = scene();
    const one = client();
    create(one, '/there');
    const from = one.received.length;
    const all = { dataWatches: ['/x', '/there'], existWatches: ['/there'], childWatches: ['/there', '/y'] };
    one.send('setWatches2', {
      relativeZxid: 0n,
      ...all,
      persistentWatches: ['/p'],
      persistentRecursiveWatches: ['/r'],
    });
    one.replyTo(-8, from);
    expect(events(one, from).map(({ type, path }) => `${type} ${path}`)).toEqual([
      `${nodeDeleted} /x`,
      `${nodeDataChanged} /there`,
      `${nodeCreated} /there`,
      `${nodeChildrenChanged} /there`,
      `${nodeDeleted} /y`,
    ]);
    expect(code(one, 'checkWatches', { path: '/p', type: WatcherType.persistent })).toBe(0);
    expect(code(one, 'checkWatches', { path: '/r', type: WatcherType.persistentRecursive })).toBe(0);
  });
});

describe('22: who may not read does not hear, and the watch is spent all the same (E46)', () => {
  const withoutRead = [{ perms: Perms.all - Perms.read, id: { scheme: 'world', id: 'anyone' } }];
  const annReads = [
    { perms: Perms.all - Perms.read, id: { scheme: 'world', id: 'anyone' } },
    { perms: Perms.read, id: { scheme: 'digest', id: ANN } },
  ];

  test('a node', () => {
    const { client } = scene();
    const [writer, stranger, ann] = [client(), client(), client()];
    authenticate(ann, 'ann:secret');
    for (const one of [stranger, ann]) code(one, 'exists', { path: '/a', watch: true });
    const [from, annFrom] = [stranger.received.length, ann.received.length];
    create(writer, '/a', { acl: annReads });
    for (const one of [stranger, ann]) code(one, 'ping', undefined);
    expect(events(stranger, from)).toEqual([]);
    expect(events(ann, annFrom)).toHaveLength(1);
    code(writer, 'setACL', { path: '/a', acl: OPEN_ACL, version: -1 });
    code(writer, 'setData', { path: '/a', data: null, version: -1 });
    code(stranger, 'ping', undefined);
    expect(events(stranger, from)).toEqual([]);
  });

  test('children: it is the parent that counts', () => {
    const { client } = scene();
    const one = client();
    create(one, '/open');
    create(one, '/hidden');
    code(one, 'getChildren', { path: '/open', watch: true });
    code(one, 'getChildren', { path: '/hidden', watch: true });
    code(one, 'setACL', { path: '/hidden', acl: withoutRead, version: -1 });
    const from = one.received.length;
    create(one, '/open/a', { acl: withoutRead });
    create(one, '/hidden/a');
    expect(events(one, from)).toMatchObject([{ type: nodeChildrenChanged, path: '/open' }]);
  });
});

describe('23: removeWatches of all five types, present and absent (E66)', () => {
  const { data, children, any, persistent, persistentRecursive } = WatcherType;
  test.each([
    ['data', data],
    ['children', children],
    ['any', any],
    ['persistent', persistent],
    ['persistent recursive', persistentRecursive],
  ])('%s', (_what, type) => {
    const { client } = scene();
    const one = client();
    create(one, '/a');
    expect(code(one, 'removeWatches', { path: '/a', type })).toBe(Code.NoWatcher);
    code(one, 'getData', { path: '/a', watch: true });
    code(one, 'getChildren', { path: '/a', watch: true });
    code(one, 'addWatch', { path: '/a', mode: AddWatchMode.persistent });
    code(one, 'addWatch', { path: '/a', mode: AddWatchMode.persistentRecursive });
    expect(code(one, 'checkWatches', { path: '/a', type })).toBe(0);
    const from = one.received.length;
    expect(code(one, 'removeWatches', { path: '/a', type })).toBe(0);
    expect(code(one, 'removeWatches', { path: '/a', type })).toBe(Code.NoWatcher);
    expect(events(one, from)).toEqual([]);
    const left = [data, children, persistent, persistentRecursive].filter(
      (other) => code(one, 'checkWatches', { path: '/a', type: other }) === 0,
    );
    const expected =
      type === any ? [] : [data, children, persistent, persistentRecursive].filter((one) => one !== type);
    expect(left).toEqual(expected);
  });
});
