import fc from 'fast-check';
import { AssertionFailure } from '../../../src/std/assert.js';
import { Ring } from '../../../src/std/ring.js';

describe('Ring', () => {
  test('behaves like an array of the same items, through growth and wrap-around', () => {
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.constant('push' as const) },
      { weight: 4, arbitrary: fc.constant('shift' as const) },
      { weight: 1, arbitrary: fc.constant('pushMany' as const) },
    );
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 80, size: 'max' }),
        fc.integer({ min: 1, max: 60 }),
        (steps, lengthMax) => {
          const ring = new Ring<number>(lengthMax);
          const twin: number[] = [];
          let next = 0;
          for (const kind of steps) {
            if (kind === 'shift') expect(ring.shift()).toBe(twin.shift());
            else {
              for (let left = kind === 'pushMany' ? 13 : 1; left > 0 && !ring.isFull; left--) {
                ring.push(next);
                twin.push(next++);
              }
            }
            expect(ring.length).toBe(twin.length);
            expect(ring.isFull).toBe(twin.length === lengthMax);
            expect(ring.peek()).toBe(twin[0]);
            expect(Array.from({ length: ring.length + 2 }, (_, i) => ring.at(i - 1))).toEqual([
              undefined,
              ...twin,
              undefined,
            ]);
          }
        },
      ),
    );
  });

  test('refuses an item beyond its bound and a bound that is none', () => {
    const ring = new Ring<string>(2);
    ring.push('a');
    ring.push('b');
    expect(() => ring.push('c')).toThrow(AssertionFailure);
    expect(ring.shift()).toBe('a');
    ring.push('c');
    expect(ring.length).toBe(2);
    for (const lengthMax of [0, -1, 1.5, Number.NaN, 2 ** 31])
      expect(() => new Ring(lengthMax)).toThrow(AssertionFailure);
  });

  test('is empty and usable after clear', () => {
    const ring = new Ring<number>(100);
    for (let i = 0; i < 50; i++) ring.push(i);
    ring.clear();
    expect(ring.length).toBe(0);
    expect(ring.shift()).toBeUndefined();
    ring.push(7);
    expect(ring.peek()).toBe(7);
  });
});
