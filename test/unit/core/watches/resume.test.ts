// All cases of E62 and E63. The client has seen zxid 10.

import { resumeWatches } from '../../../../src/core/watches/resume.js';
import { WatchTable } from '../../../../src/core/watches/table.js';

const TYPE_NAMES = ['', 'created', 'deleted', 'data', 'children'];
const TYPES = { children: 1, data: 2, any: 3, persistent: 4, persistentRecursive: 5 };
const NODES = new Map([
  ['/old', { mzxid: 10, pzxid: 10 }],
  ['/data-changed', { mzxid: 11, pzxid: 10 }],
  ['/children-changed', { mzxid: 10, pzxid: 11 }],
]);

function resume(lists: Partial<Record<'data' | 'exist' | 'child' | 'persistent' | 'recursive', string[]>>) {
  const watcher = {};
  const events: string[] = [];
  const table = new WatchTable<object>(() => {
    throw new Error('nothing changes here');
  });
  resumeWatches(
    { find: (path) => NODES.get(path) },
    table,
    watcher,
    {
      relativeZxid: 10,
      dataWatches: lists.data ?? [],
      existWatches: lists.exist ?? [],
      childWatches: lists.child ?? [],
      ...(lists.persistent && { persistentWatches: lists.persistent }),
      ...(lists.recursive && { persistentRecursiveWatches: lists.recursive }),
    },
    (told, type, path) => {
      expect(told).toBe(watcher);
      events.push(`${TYPE_NAMES[type]} ${path}`);
    },
  );
  return { events, table, has: (path: string, type: number) => table.contains(path, watcher, type) };
}

describe('resumeWatches', () => {
  const cases: [list: 'data' | 'exist' | 'child', path: string, event: string | null][] = [
    ['data', '/missing', 'deleted'],
    ['data', '/data-changed', 'data'],
    ['data', '/children-changed', null],
    ['data', '/old', null],
    ['exist', '/missing', null],
    ['exist', '/old', 'created'],
    ['exist', '/data-changed', 'created'],
    ['child', '/missing', 'deleted'],
    ['child', '/children-changed', 'children'],
    ['child', '/data-changed', null],
    ['child', '/old', null],
  ];
  for (const [list, path, event] of cases) {
    test(`${list} ${path}: ${event ?? 'set'}`, () => {
      const { events, table, has } = resume({ [list]: [path] });
      expect(events).toEqual(event === null ? [] : [`${event} ${path}`]);
      expect(has(path, list === 'child' ? TYPES.children : TYPES.data)).toBe(event === null);
      expect(table.size).toBe(event === null ? 1 : 0);
    });
  }

  test('events come in list order: data, exist, child', () => {
    const { events } = resume({
      child: ['/missing', '/children-changed'],
      exist: ['/old'],
      data: ['/data-changed', '/old', '/missing'],
    });
    expect(events).toEqual([
      'data /data-changed',
      'deleted /missing',
      'created /old',
      'deleted /missing',
      'children /children-changed',
    ]);
  });

  test('persistent watches are set whatever was missed', () => {
    const { events, has } = resume({ persistent: ['/missing', '/data-changed'], recursive: ['/missing', '/old'] });
    expect(events).toEqual([]);
    expect(has('/missing', TYPES.persistent)).toBe(true);
    expect(has('/data-changed', TYPES.persistent)).toBe(true);
    expect(has('/old', TYPES.persistent)).toBe(false);
    expect(has('/missing', TYPES.persistentRecursive)).toBe(true);
    expect(has('/old', TYPES.persistentRecursive)).toBe(true);
  });
});

test('memory that is scarce takes no watch away from a client that comes back', () => {
  const table = new WatchTable<object>(() => {});
  const watcher = {};
  table.memoryIsScarce = true;
  const lists = { dataWatches: ['/old'], existWatches: ['/missing'], childWatches: ['/old'] };
  const more = { persistentWatches: ['/old'], persistentRecursiveWatches: ['/old'] };
  const tree = { find: (path: string) => NODES.get(path) };
  expect(resumeWatches(tree, table, watcher, { relativeZxid: 10, ...lists, ...more }, () => {})).toBe(0);
  expect(table.contains('/old', watcher, TYPES.data)).toBe(true);
  expect(table.contains('/missing', watcher, TYPES.data)).toBe(true);
  expect(table.contains('/old', watcher, TYPES.children)).toBe(true);
  expect(table.contains('/old', watcher, TYPES.persistent)).toBe(true);
  expect(table.contains('/old', watcher, TYPES.persistentRecursive)).toBe(true);
  expect(table.addData('/new', watcher)).not.toBe(0);
});
