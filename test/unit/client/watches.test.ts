// The client's side of watches: which event takes which of the maps (E60), and who is told of it.

import { eventName, type WatchEvent, type WatchKind, WatchRegistry } from '../../../src/client/watches.js';

const ONE_SHOT = ['data', 'exist', 'child'] as const;

function registryWith(...kinds: WatchKind[]): { registry: WatchRegistry; name: (watchers: Set<unknown>) => string[] } {
  const registry = new WatchRegistry();
  const names = new Map<unknown, string>();
  for (const kind of kinds) {
    const watcher = () => {};
    names.set(watcher, kind);
    registry.add({ kind, path: '/a', watcher });
  }
  return { registry, name: (watchers) => [...watchers].map((watcher) => names.get(watcher) ?? '?').sort() };
}

describe('one-shot watches (E60)', () => {
  test.each([
    ['created', ['data', 'exist'], ['child']],
    ['dataChanged', ['data', 'exist'], ['child']],
    ['deleted', ['child', 'data', 'exist'], []],
    ['childrenChanged', ['child'], ['data', 'exist']],
  ] as const)('%s fires %j and leaves %j', (event, fired, left) => {
    const { registry, name } = registryWith(...ONE_SHOT);
    expect(name(registry.fire(event, '/a'))).toEqual(fired);
    expect(ONE_SHOT.filter((kind) => registry.has('/a', [kind])).sort()).toEqual([...left].sort());
    expect(name(registry.fire(event, '/a'))).toEqual([]);
  });

  test('the same callback counts once, on one map and on several (E56)', () => {
    const registry = new WatchRegistry();
    const events: WatchEvent[] = [];
    const watcher = (event: WatchEvent) => events.push(event);
    for (const kind of ['data', 'data', 'exist', 'child', 'persistent'] as const) {
      registry.add({ kind, path: '/a', watcher });
    }
    expect(registry.fire('deleted', '/a').size).toBe(1);
    expect(registry.has('/a', ONE_SHOT)).toBe(false);
    expect(registry.has('/a', ['persistent'])).toBe(true);
  });
});

describe('persistent watches (E64)', () => {
  test('a persistent one hears everything of its node, a recursive one all below but no lists of children', () => {
    const { registry, name } = registryWith('persistent', 'recursive');
    expect(name(registry.fire('childrenChanged', '/a'))).toEqual(['persistent']);
    expect(name(registry.fire('dataChanged', '/a'))).toEqual(['persistent', 'recursive']);
    expect(name(registry.fire('created', '/a/b/c'))).toEqual(['recursive']);
    expect(name(registry.fire('childrenChanged', '/a/b'))).toEqual([]);
    expect(name(registry.fire('created', '/ab'))).toEqual([]);
    expect(name(registry.fire('deleted', '/a'))).toEqual(['persistent', 'recursive']);
  });

  test('a recursive watch of the root hears all', () => {
    const registry = new WatchRegistry();
    registry.add({ kind: 'recursive', path: '/', watcher: () => {} });
    expect(registry.fire('created', '/x').size).toBe(1);
    expect(registry.fire('dataChanged', '/').size).toBe(1);
  });
});

describe('removal and what is left', () => {
  test('one callback or all, of some kinds', () => {
    const registry = new WatchRegistry();
    const [first, second] = [() => {}, () => {}];
    registry.add({ kind: 'data', path: '/a', watcher: first });
    registry.add({ kind: 'data', path: '/a', watcher: second });
    registry.add({ kind: 'child', path: '/a', watcher: first });
    expect(registry.hasOther('/a', ['data'], first)).toBe(true);
    expect(registry.hasOther('/a', ['child'], first)).toBe(false);
    expect([...registry.remove('/a', ['data'], first)]).toEqual([first]);
    expect(registry.hasOther('/a', ['data'], second)).toBe(false);
    expect(registry.remove('/a', ['data', 'child']).size).toBe(2);
    expect(registry.has('/a', ['data', 'child'])).toBe(false);
    expect([...registry.groups(1000)]).toEqual([]);
  });
});

test('only events about nodes have a name', () => {
  expect([-1, 1, 2, 3, 4, 5].map(eventName)).toEqual([
    undefined,
    'created',
    'deleted',
    'dataChanged',
    'childrenChanged',
    undefined,
  ]);
});
