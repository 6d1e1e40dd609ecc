import { inOrder } from '../../../src/recipes/sequence.js';

const names = (children: string[], prefix: string) => inOrder(children, prefix).map(({ name }) => name);

test('the number decides, not the name before it', () => {
  const late = '_c_00000000-0000-0000-0000-000000000000-lock-0000000010';
  const early = '_c_ffffffff-ffff-ffff-ffff-ffffffffffff-lock-0000000009';
  expect(names([late, early, 'lock-0000000008'], 'lock-')).toEqual(['lock-0000000008', early, late]);
});

test('nodes of others are no contenders', () => {
  expect(names(['ready', 'lock-', 'lock-x', 'read-0000000001', 'lock-0000000002'], 'lock-')).toEqual([
    'lock-0000000002',
  ]);
});

test('the order goes on where the counter wraps around', () => {
  const around = ['lock-2147483646', 'lock-2147483647', 'lock--2147483648', 'lock--2147483647'];
  expect(names([...around].reverse(), 'lock-')).toEqual(around);
});
