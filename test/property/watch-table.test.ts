// The watch tables against the dumbest model that could be right: one array of watches, searched from end to end.
// Compared after every step: the events (order within one table and change aside), the counts, and what each watcher
// is found to watch. ACL and the order of events between tables are not in here; the unit tests have the latter.

import fc from 'fast-check';
import { parentPath } from '../../protocol/path.js';
import { WatchTable } from '../../src/core/watches/table.js';

interface Watch {
  table: 'data' | 'child';
  path: string;
  watcher: { name: string };
  mode: 'standard' | 'persistent' | 'recursive';
}

const CREATED = 1;
const DELETED = 2;
const DATA = 3;
const CHILDREN = 4;
const WATCHERS = ['a', 'b', 'c'].map((name) => ({ name }));

class Model {
  watches: Watch[] = [];
  events: string[] = [];

  add(...added: Watch[]): void {
    for (const watch of added) if (!this.watches.some((held) => same(held, watch))) this.watches.push(watch);
  }

  fire(table: 'data' | 'child', type: number, path: string, told = new Set<{ name: string }>()): Set<{ name: string }> {
    const heard = this.watches.filter(
      (watch) =>
        watch.table === table &&
        (watch.path === path ||
          (watch.mode === 'recursive' && path.startsWith(watch.path === '/' ? '/' : `${watch.path}/`))),
    );
    this.watches = this.watches.filter((watch) => !(heard.includes(watch) && watch.mode === 'standard'));
    const watchers = new Set(heard.map(({ watcher }) => watcher));
    for (const watcher of watchers) if (!told.has(watcher)) this.events.push(`${watcher.name} ${type} ${path}`);
    return watchers;
  }

  of(path: string, watcher: { name: string }, watcherType: number): Watch[] {
    return this.watches.filter((watch) => {
      if (watch.path !== path || watch.watcher !== watcher) return false;
      if (watcherType === 3) return true;
      if (watcherType === 4) return watch.mode === 'persistent';
      if (watcherType === 5) return watch.mode === 'recursive';
      return watch.mode === 'standard' && watch.table === (watcherType === 1 ? 'child' : 'data');
    });
  }

  pairs(table: 'data' | 'child'): string[] {
    const of = this.watches.filter((watch) => watch.table === table);
    return [...new Set(of.map(({ path, watcher }) => `${path} ${watcher.name}`))].sort();
  }
}

function same(a: Watch, b: Watch): boolean {
  return a.table === b.table && a.path === b.path && a.watcher === b.watcher && a.mode === b.mode;
}

const path = fc.constantFrom('/', '/a', '/a/b', '/a/b/c', '/ab', '/a/c');
const watcher = fc.constantFrom(...WATCHERS);
const step = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.constantFrom('data', 'child', 'persistent', 'recursive'), path, watcher) },
  { weight: 5, arbitrary: fc.tuple(fc.constantFrom('created', 'deleted', 'changed'), path, watcher) },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.constantFrom('remove1', 'remove2', 'remove3', 'remove4', 'remove5'), path, watcher),
  },
  { weight: 1, arbitrary: fc.tuple(fc.constant('closed'), path, watcher) },
);

test('the tables do what an array of watches does', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
      const model = new Model();
      const events: string[] = [];
      const table = new WatchTable<{ name: string }>((told, type, at) => {
        events.push(`${told.name} ${type} ${at}`);
      });
      for (const [kind, path, watcher] of steps) {
        const parent = parentPath(path);
        if (kind === 'data') {
          table.addData(path, watcher);
          model.add({ table: 'data', path, watcher, mode: 'standard' });
        } else if (kind === 'child') {
          table.addChild(path, watcher);
          model.add({ table: 'child', path, watcher, mode: 'standard' });
        } else if (kind === 'persistent') {
          table.addPersistent(path, watcher);
          for (const which of ['data', 'child'] as const)
            model.add({ table: which, path, watcher, mode: 'persistent' });
        } else if (kind === 'recursive') {
          table.addRecursive(path, watcher);
          model.add({ table: 'data', path, watcher, mode: 'recursive' });
        } else if (kind === 'created' && path !== '/') {
          table.nodeCreated(path, parent);
          model.fire('data', CREATED, path);
          model.fire('child', CHILDREN, parent);
        } else if (kind === 'deleted' && path !== '/') {
          table.nodeDeleted(path, parent);
          model.fire('child', DELETED, path, model.fire('data', DELETED, path));
          model.fire('child', CHILDREN, parent);
        } else if (kind === 'changed') {
          table.nodeDataChanged(path);
          model.fire('data', DATA, path);
        } else if (kind === 'closed') {
          table.removeWatcher(watcher);
          model.watches = model.watches.filter((watch) => watch.watcher !== watcher);
        } else if (kind.startsWith('remove')) {
          const type = Number(kind.slice(-1));
          const removed = model.of(path, watcher, type);
          expect(table.remove(path, watcher, type)).toBe(removed.length > 0);
          model.watches = model.watches.filter((watch) => !removed.includes(watch));
        }

        expect(events.splice(0).sort()).toEqual(model.events.splice(0).sort());
        for (const type of [1, 2, 3, 4, 5]) {
          expect(table.contains(path, watcher, type)).toBe(model.of(path, watcher, type).length > 0);
        }
        expect(table.isEmpty).toBe(model.watches.length === 0);
        for (const which of ['data', 'child'] as const) {
          const pairs = model.pairs(which);
          expect(
            [...table.byPath(which)].flatMap(([at, all]) => all.map(({ name }) => `${at} ${name}`)).sort(),
          ).toEqual(pairs);
          expect(
            [...table.byWatcher(which)].flatMap(([{ name }, all]) => all.map((at) => `${at} ${name}`)).sort(),
          ).toEqual(pairs);
          const { total, paths, watchers } = table.counts(which);
          expect(total).toBe(pairs.length);
          expect(paths).toBe(new Set(pairs.map((pair) => pair.split(' ')[0])).size);
          expect(watchers).toBe(new Set(pairs.map((pair) => pair.split(' ')[1])).size);
        }
      }
    }),
    { numRuns: 200 },
  );
});
