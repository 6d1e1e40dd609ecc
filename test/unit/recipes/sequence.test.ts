import { LOCK_LINE, READ_WRITE_LINE } from '../../../src/recipes/layouts.js';
import { inOrder } from '../../../src/recipes/sequence.js';

const names = (children: string[]) => inOrder(children, LOCK_LINE.kinds).map(({ name }) => name);

test('the number decides, not the name before it', () => {
  const late = '_c_00000000-0000-0000-0000-000000000000-lock-0000000010';
  const early = '_c_ffffffff-ffff-ffff-ffff-ffffffffffff-lock-0000000009';
  expect(names([late, early, 'lock-0000000008'])).toEqual(['lock-0000000008', early, late]);
});

test('nodes of others are no contenders', () => {
  expect(names(['ready', 'lock-', 'lock-x', 'read-0000000001', 'lock-0000000002'])).toEqual(['lock-0000000002']);
});

test('the order goes on where the counter wraps around', () => {
  const around = ['lock-2147483646', 'lock-2147483647', 'lock--2147483648', 'lock--2147483647'];
  expect(names([...around].reverse())).toEqual(around);
});

test('contenders of kazoo and of Curator stand in one line', () => {
  const kazoo = '3f0c2b0a4d5e6f708192a3b4c5d6e7f8__lock__0000000002';
  const ours = '_c_ffffffff-ffff-ffff-ffff-ffffffffffff-__lock__0000000003';
  const curator = '_c_00000000-0000-0000-0000-000000000000-lock-0000000001';
  expect(names([ours, kazoo, curator])).toEqual([curator, kazoo, ours]);
  const kinds = inOrder(
    ['3f0c2b0a4d5e6f708192a3b4c5d6e7f8__rlock__0000000005', kazoo, '__WRIT__0000000004', 'x__lock__0000000001'],
    READ_WRITE_LINE.kinds,
  ).map(({ kind }) => kind);
  expect(kinds).toEqual(['__lock__', '__WRIT__', '__rlock__']);
});
