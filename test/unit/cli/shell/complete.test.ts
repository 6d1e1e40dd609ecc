import { complete } from '../../../../src/cli/shell/complete.js';
import type { Client } from '../../../../src/client/index.js';

const TREE: Record<string, string[]> = {
  '/': ['zoo', 'app', 'two words', 'two worlds'],
  '/app': ['b', 'a'],
  '/big': Array.from({ length: 101 }, (_, i) => `child-${i}`),
};
const client = {
  children: async (path: string) => TREE[path] ?? Promise.reject(new Error('no node')),
} as unknown as Client;

test.each<[string, string[], string]>([
  ['del', ['delete ', 'deleteall ', 'delquota '], 'del'],
  ['create -', ['-s ', '-e ', '-c ', '-t '], '-'],
  ['reconfig -m', ['-members '], '-m'],
  ['addWatch -m ', ['PERSISTENT ', 'PERSISTENT_RECURSIVE '], ''],
  ['addWatch -m PERSISTENT /a', ['/app'], '/a'],
  ['printwatches o', ['on ', 'off '], 'o'],
  ['session li', ['list '], 'li'],
  ['ls /', ['/app', '"/two words', '"/two worlds', '/zoo'], '/'],
  ['ls "/two wor', ['"/two words', '"/two worlds'], '"/two wor'],
  ['ls -s /a', ['/app'], '/a'],
  ['ls /app/', ['/app/a', '/app/b'], '/app/'],
  ['ls /none/x', [], '/none/x'],
  ['set /app some', [], 'some'],
  ['help getA', ['getAcl', 'getAllChildrenNumber'], 'getA'],
  ['nosuch -', [], '-'],
])('%j', async (line, candidates, word) => {
  expect(await complete(line, client)).toEqual({ candidates, word, hidden: 0 });
});

test('without a server there are no paths, but all commands', async () => {
  expect(await complete('ls /', undefined)).toEqual({ candidates: [], word: '/', hidden: 0 });
  expect((await complete('', undefined)).candidates).toContain('ls ');
});

test('too many to show: what they have in common, and how many there are', async () => {
  expect(await complete('ls /big/', client)).toEqual({ candidates: ['/big/child-'], word: '/big/', hidden: 101 });
  expect(await complete('ls /big/child-', client)).toEqual({ candidates: [], word: '/big/child-', hidden: 101 });
  expect((await complete('ls /big/child-9', client)).candidates).toHaveLength(11);
});
