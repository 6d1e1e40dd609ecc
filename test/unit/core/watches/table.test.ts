// The tables of E58, E64 and E66, event by event. A watcher is an object with a name; `log` is what was delivered.

import { Code } from '../../../../protocol/client/errors.js';
import { limits } from '../../../../src/core/limits.js';
import { WatchTable } from '../../../../src/core/watches/table.js';

interface Watcher {
  name: string;
}

const TYPE_NAMES = ['', 'created', 'deleted', 'data', 'children'];
const TYPES = { children: 1, data: 2, any: 3, persistent: 4, persistentRecursive: 5 };

function setUp(onDeliver: (watcher: Watcher) => void = () => {}) {
  const log: string[] = [];
  const table = new WatchTable<Watcher>((watcher, type, path) => {
    log.push(`${watcher.name} ${TYPE_NAMES[type]} ${path}`);
    onDeliver(watcher);
  });
  return { table, drain: () => log.splice(0), a: { name: 'a' }, b: { name: 'b' }, c: { name: 'c' } };
}

describe('which event fires (E58)', () => {
  test('create: data table on the path, then child table on the parent', () => {
    const { table, drain, a, b, c } = setUp();
    table.addChild('/p', c);
    table.addChild('/p/n', b);
    table.addData('/p/n', a);
    table.addData('/p', b);
    table.nodeCreated('/p/n', '/p');
    expect(drain()).toEqual(['a created /p/n', 'c children /p']);
  });

  test('delete: data table, child table, parent; a watcher of both tables is told once', () => {
    const { table, drain, a, b, c } = setUp();
    table.addChild('/p', c);
    table.addChild('/p/n', b);
    table.addChild('/p/n', a);
    table.addData('/p/n', a);
    table.addData('/p', c);
    table.nodeDeleted('/p/n', '/p');
    expect(drain()).toEqual(['a deleted /p/n', 'b deleted /p/n', 'c children /p']);
    expect(table.contains('/p/n', a, TYPES.any)).toBe(false); // the child watch was consumed unheard
  });

  test('delete of a node that one connection watches by data, child and parent: exactly two events', () => {
    const { table, drain, a } = setUp();
    table.addData('/n', a);
    table.addChild('/n', a);
    table.addChild('/', a);
    table.nodeDeleted('/n', '/');
    expect(drain()).toEqual(['a deleted /n', 'a children /']);
    expect(table.isEmpty).toBe(true);
  });

  test('set data: data table only', () => {
    const { table, drain, a, b } = setUp();
    table.addData('/n', a);
    table.addChild('/n', b);
    table.addChild('/', b);
    table.nodeDataChanged('/n');
    expect(drain()).toEqual(['a data /n']);
  });

  test('a one-shot watch fires once, however often it was set', () => {
    const { table, drain, a } = setUp();
    for (let i = 0; i < 10; i++) table.addData('/n', a);
    table.nodeDataChanged('/n');
    table.nodeDataChanged('/n');
    expect(drain()).toEqual(['a data /n']);
  });
});

describe('addWatch (E64)', () => {
  test('persistent: node and children of the node, again and again, nothing below', () => {
    const { table, drain, a } = setUp();
    table.addPersistent('/n', a);
    for (let round = 0; round < 2; round++) {
      table.nodeCreated('/n', '/');
      table.nodeDataChanged('/n');
      table.nodeCreated('/n/k', '/n');
      table.nodeDataChanged('/n/k');
      table.nodeDeleted('/n/k', '/n');
      table.nodeDeleted('/n', '/');
      expect(drain()).toEqual(['a created /n', 'a data /n', 'a children /n', 'a children /n', 'a deleted /n']);
    }
  });

  test('recursive: node and descendants, never children changed', () => {
    const { table, drain, a } = setUp();
    table.addRecursive('/n', a);
    for (let round = 0; round < 2; round++) {
      table.nodeCreated('/n', '/');
      table.nodeCreated('/n/k', '/n');
      table.nodeCreated('/n/k/l', '/n/k');
      table.nodeDataChanged('/n/k/l');
      table.nodeDeleted('/n/k/l', '/n/k');
      table.nodeDeleted('/n/k', '/n');
      table.nodeDeleted('/n', '/');
      table.nodeCreated('/nn', '/'); // a sibling whose name begins alike
      expect(drain()).toEqual([
        'a created /n',
        'a created /n/k',
        'a created /n/k/l',
        'a data /n/k/l',
        'a deleted /n/k/l',
        'a deleted /n/k',
        'a deleted /n',
      ]);
    }
  });

  test('recursive at the root sees everything', () => {
    const { table, drain, a } = setUp();
    table.addRecursive('/', a);
    table.nodeCreated('/x', '/');
    table.nodeDataChanged('/x/y/z');
    table.nodeDataChanged('/');
    expect(drain()).toEqual(['a created /x', 'a data /x/y/z', 'a data /']);
  });

  test('all modes on one path: one event per change, only the one-shot goes', () => {
    const { table, drain, a } = setUp();
    table.addData('/n', a);
    table.addPersistent('/n', a);
    table.addRecursive('/n', a);
    table.addRecursive('/', a);
    table.nodeDataChanged('/n');
    expect(drain()).toEqual(['a data /n']);
    expect(table.contains('/n', a, TYPES.data)).toBe(false);
    expect(table.contains('/n', a, TYPES.persistent)).toBe(true);
    expect(table.contains('/n', a, TYPES.persistentRecursive)).toBe(true);
    table.nodeDataChanged('/n');
    table.nodeCreated('/n/k', '/n');
    table.nodeDeleted('/n', '/');
    expect(drain()).toEqual(['a data /n', 'a created /n/k', 'a children /n', 'a deleted /n']);
  });

  test('a recursive watcher above does not hear of a delete twice through its child watch', () => {
    const { table, drain, a, b } = setUp();
    table.addRecursive('/', a);
    table.addChild('/n', a);
    table.addChild('/n', b);
    table.nodeDeleted('/n', '/');
    expect(drain()).toEqual(['a deleted /n', 'b deleted /n']);
  });

  test('parents are no longer climbed for a recursive watch that is gone, and still for one that is left', () => {
    const { table, drain, a, b } = setUp();
    table.addRecursive('/n', a);
    table.addRecursive('/n', a);
    table.addRecursive('/n', b);
    table.removeWatcher(b);
    table.nodeDataChanged('/n/k');
    expect(drain()).toEqual(['a data /n/k']);
    expect(table.remove('/n', a, TYPES.persistentRecursive)).toBe(true);
    table.addPersistent('/n', a);
    table.nodeDataChanged('/n/k');
    expect(drain()).toEqual([]);
  });
});

describe('checkWatches and removeWatches (E66)', () => {
  const setters: Record<string, (table: WatchTable<Watcher>, watcher: Watcher) => void> = {
    children: (table, watcher) => table.addChild('/n', watcher),
    data: (table, watcher) => table.addData('/n', watcher),
    persistent: (table, watcher) => table.addPersistent('/n', watcher),
    persistentRecursive: (table, watcher) => table.addRecursive('/n', watcher),
  };

  for (const set of Object.keys(setters)) {
    for (const [asked, type] of Object.entries(TYPES)) {
      const present = asked === set || asked === 'any';
      test(`set ${set}, asked for ${asked}: ${present ? 'present' : 'absent'}`, () => {
        const { table, drain, a, b } = setUp();
        setters[set](table, a);
        setters[set](table, b);
        expect(table.contains('/n', a, type)).toBe(present);
        expect(table.contains('/other', a, type)).toBe(false);
        expect(table.remove('/other', a, type)).toBe(false);
        expect(table.remove('/n', a, type)).toBe(present);
        expect(table.remove('/n', a, type)).toBe(false);
        expect(table.contains('/n', a, TYPES.any)).toBe(!present);
        expect(table.contains('/n', b, TYPES[set as keyof typeof TYPES])).toBe(true);
        expect(drain()).toEqual([]);
        table.nodeCreated('/n/k', '/n');
        table.nodeDeleted('/n', '/');
        expect(drain().some((event) => event.startsWith('a'))).toBe(!present);
      });
    }
  }

  test('removing one mode leaves the others; an unknown type is nothing', () => {
    const { table, a } = setUp();
    for (const set of Object.values(setters)) set(table, a);
    expect(table.remove('/n', a, TYPES.persistent)).toBe(true);
    expect(table.contains('/n', a, TYPES.persistent)).toBe(false);
    for (const type of [TYPES.children, TYPES.data, TYPES.persistentRecursive]) {
      expect(table.contains('/n', a, type)).toBe(true);
    }
    for (const type of [0, 6, -1]) {
      expect(table.contains('/n', a, type)).toBe(false);
      expect(table.remove('/n', a, type)).toBe(false);
    }
    expect(table.remove('/n', a, TYPES.any)).toBe(true);
    expect(table.isEmpty).toBe(true);
  });
});

describe('the table under way', () => {
  test('500 watchers of one path are told in order, while deliver removes, closes and sets watches again', () => {
    const watchers = Array.from({ length: 500 }, (_, i) => ({ name: `w${i}` }));
    const { table, drain } = setUp((watcher) => {
      const index = Number(watcher.name.slice(1));
      table.removeWatcher(watchers[(index + 250) % 500]);
      table.remove('/n', watchers[(index + 1) % 500], TYPES.any);
      table.addData('/n', watcher);
    });
    for (const watcher of watchers) {
      table.addData('/n', watcher);
      table.addPersistent('/n', watcher);
    }
    table.nodeDataChanged('/n');
    expect(drain()).toEqual(watchers.map(({ name }) => `${name} data /n`));
  });

  test('a watch set while a delete is told does not hear of that delete', () => {
    const { table, drain, a, b } = setUp(() => table.addChild('/n', b));
    table.addData('/n', a);
    table.nodeDeleted('/n', '/');
    expect(drain()).toEqual(['a deleted /n']);
    table.nodeDeleted('/n', '/');
    expect(drain()).toEqual(['b deleted /n']);
  });

  test('a closed connection is forgotten, and only that', () => {
    const { table, drain, a, b } = setUp();
    for (const watcher of [a, b]) {
      for (let i = 0; i < 100; i++) table.addData(`/n${i}`, watcher);
      table.addPersistent('/p', watcher);
    }
    table.removeWatcher(a);
    table.removeWatcher(a);
    expect(table.size).toBe(102);
    table.nodeDataChanged('/n7');
    table.nodeDeleted('/p', '/');
    expect(drain()).toEqual(['b data /n7', 'b deleted /p']);
    table.removeWatcher(b);
    expect(table.isEmpty).toBe(true);
    expect(table.counts('child')).toEqual({ watchers: 0, paths: 0, total: 0 });
  });

  test('a watcher has as many as it may: those of both tables, long paths several times, none twice', () => {
    const table = new WatchTable<object>(() => {}, 3);
    const [a, b] = [{}, {}];
    expect(table.addData('/x', a)).toBe(0);
    expect(table.addPersistent('/y', a)).toBe(0);
    expect(table.addChild('/z', a)).toBe(Code.QuotaExceeded);
    expect(table.addData('/x', a)).toBe(0);
    expect(table.addRecursive('/x', a)).toBe(Code.QuotaExceeded);
    expect(table.addData(`/${'b'.repeat(3 * limits.watchCharacters)}`, b)).toBe(0);
    expect(table.addData('/b', b)).toBe(Code.QuotaExceeded);
    table.nodeDataChanged('/x');
    expect(table.addChild('/z', a)).toBe(0);
    expect(table.size).toBe(4);
    table.removeWatcher(a);
    table.memoryIsScarce = true;
    expect(table.addData('/x', a)).toBe(Code.ThrottledOp);
    expect(table.size).toBe(1);
  });

  test('counts and lists for the four-letter words', () => {
    const { table, a, b } = setUp();
    expect(table.isEmpty).toBe(true);
    table.addData('/x', a);
    table.addData('/x', b);
    table.addData('/y', a);
    table.addRecursive('/y', a);
    table.addChild('/z', b);
    expect(table.isEmpty).toBe(false);
    expect(table.counts('data')).toEqual({ watchers: 2, paths: 2, total: 3 });
    expect(table.counts('child')).toEqual({ watchers: 1, paths: 1, total: 1 });
    expect(table.size).toBe(4);
    expect([...table.byPath('data')]).toEqual([
      ['/x', [a, b]],
      ['/y', [a]],
    ]);
    expect([...table.byWatcher('data')]).toEqual([
      [a, ['/x', '/y']],
      [b, ['/x']],
    ]);
    expect([...table.byPath('child')]).toEqual([['/z', [b]]]);
  });
});
