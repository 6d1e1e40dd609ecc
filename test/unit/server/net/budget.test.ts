/** What all may hold together, and who has to go when it is too much. */
import { Budget } from '../../../../src/server/net/budget.js';

const [a, b, c] = [{ name: 'a' }, { name: 'b' }, { name: 'c' }];

test('nobody has to go as long as all is within the budget', () => {
  const budget = new Budget<object>(100);
  expect([budget.set(a, 60), budget.set(b, 40), budget.set(a, 50), budget.set(c, 10)]).toEqual([
    null,
    null,
    null,
    null,
  ]);
  expect(budget.bytes).toBe(100);
});

test('who has held something for the longest goes, and frees what it held', () => {
  const budget = new Budget<object>(100);
  budget.set(a, 40);
  budget.set(b, 40);
  budget.set(a, 50); // it grows, and stays the oldest
  expect(budget.set(c, 40)).toBe(a);
  expect(budget.bytes).toBe(80);
});

test('who gives some of it back is spared', () => {
  const budget = new Budget<object>(100);
  budget.set(a, 40);
  budget.set(b, 40);
  budget.set(a, 30);
  expect(budget.set(c, 50)).toBe(b);
  budget.set(a, 0);
  budget.set(c, 0);
  expect(budget.bytes).toBe(0);
});

test('one who needs more than there is goes itself', () => {
  const budget = new Budget<object>(100);
  expect(budget.set(a, 101)).toBe(a);
  expect(budget.bytes).toBe(0);
});
