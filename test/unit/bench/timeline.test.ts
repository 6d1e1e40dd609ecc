import { Timeline } from '../../bench/timeline.js';

function timeline(...samples: readonly (readonly [atMs: number, done: number])[]): Timeline {
  const made = new Timeline();
  for (const [atMs, done] of samples) made.add(atMs, done);
  return made;
}

describe('Timeline', () => {
  test('between two samples lies a straight line', () => {
    const line = timeline([1000, 0], [2000, 100], [3000, 500]);
    expect([1000, 1500, 2000, 2250, 3000].map((atMs) => line.doneAt(atMs))).toEqual([0, 50, 100, 200, 500]);
  });

  test('outside of the samples nothing goes on', () => {
    const line = timeline([1000, 10], [2000, 100]);
    expect(line.doneAt(0)).toBe(10);
    expect(line.doneAt(9000)).toBe(100);
    expect(new Timeline().doneAt(1)).toBe(0);
  });

  test('rates of stretches that begin and end between samples', () => {
    const line = timeline([0, 0], [1000, 1000], [2000, 1000], [3000, 4000]);
    expect(line.perSec(0, 500)).toBe(1000);
    expect(line.perSec(1000, 2000)).toBe(0);
    expect(line.perSec(500, 2500)).toBe(1000);
  });
});
