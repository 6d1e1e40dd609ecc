import { Pace } from '../../../../src/server/storage/pace.js';

test('after work comes rest in proportion to what the work took', () => {
  const pace = new Pace(1 / 4);
  expect(pace.waitMs(1000)).toBe(0);

  pace.worked(1000, 1010);

  expect(pace.waitMs(1010)).toBe(30);
  expect(pace.waitMs(1025)).toBe(15);
  expect(pace.waitMs(1040)).toBe(0);
});

test('what is done without the rest is not forgotten', () => {
  const pace = new Pace(1 / 2);
  pace.worked(0, 10);
  pace.worked(12, 16);

  expect(pace.waitMs(16)).toBe(8);
});

test('time without work is not saved up', () => {
  const pace = new Pace(1 / 2);
  pace.worked(0, 10);
  pace.worked(1000, 1010);

  expect(pace.waitMs(1010)).toBe(10);
});
