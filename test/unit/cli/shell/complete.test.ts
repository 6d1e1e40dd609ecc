import { complete } from '../../../../src/cli/shell/complete.js';
import type { Client } from '../../../../src/client/index.js';

const TREE: Record<string, string[]> = { '/': ['zoo', 'app'], '/app': ['b', 'a'] };
const client = {
  children: async (path: string) => TREE[path] ?? Promise.reject(new Error('no node')),
} as unknown as Client;

test.each<[string, string[], string]>([
  ['del', ['delete ', 'deleteall ', 'delquota '], 'del'],
  ['create -', ['-s ', '-e ', '-c ', '-t '], '-'],
  ['ls /', ['/app', '/zoo'], '/'],
  ['ls -s /a', ['/app'], '/a'],
  ['ls /app/', ['/app/a', '/app/b'], '/app/'],
  ['ls /none/x', [], '/none/x'],
  ['set /app some', [], 'some'],
  ['help getA', ['getAcl', 'getAllChildrenNumber'], 'getA'],
  ['nosuch -', [], '-'],
])('%j', async (line, candidates, word) => {
  expect(await complete(line, client)).toEqual({ candidates, word });
});

test('without a server there are no paths, but all commands', async () => {
  expect(await complete('ls /', undefined)).toEqual({ candidates: [], word: '/' });
  expect((await complete('', undefined)).candidates).toContain('ls ');
});
