import { Backoff } from '../../../../src/server/peers/backoff.js';

test('where nobody answers, the pause doubles from 50 ms to 200 ms, so that who comes back is noticed', () => {
  const backoff = new Backoff();
  const pauses = Array.from({ length: 5 }, () => backoff.failed());
  expect(pauses).toEqual([50, 100, 200, 200, 200]);
});

test('a link that worked is made again at once, however long nobody had answered before', () => {
  const backoff = new Backoff();
  for (let i = 0; i < 10; i++) backoff.failed();
  expect(backoff.broke(60_000)).toBe(0);
  expect(backoff.failed()).toBe(50);
});

test('links that break as soon as they are made slow down, until one lasts', () => {
  const backoff = new Backoff();
  const pauses = Array.from({ length: 9 }, () => backoff.broke(5));
  expect(pauses).toEqual([0, 50, 100, 200, 400, 800, 1600, 2000, 2000]);
  expect(backoff.broke(1000)).toBe(0);
  expect(backoff.broke(5)).toBe(50);
});
