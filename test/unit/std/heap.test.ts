import fc from 'fast-check';
import { Heap } from '../../../src/std/heap.js';

describe('Heap', () => {
  test('gives the least first, like a sorted array, with pushes and pops mixed', () => {
    const step = fc.oneof(fc.integer({ min: -50, max: 50 }), fc.constant('pop' as const));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: 'max' }), (steps) => {
        const heap = new Heap<number>((a, b) => a - b);
        const twin: number[] = [];
        for (const value of steps) {
          if (value === 'pop') expect(heap.pop()).toBe(twin.shift());
          else {
            heap.push(value);
            twin.push(value);
            twin.sort((a, b) => a - b);
          }
          expect(heap.peek()).toBe(twin[0]);
          expect(heap.length).toBe(twin.length);
        }
      }),
    );
  });

  test('goes by its comparator, and can be cleared', () => {
    const heap = new Heap<{ name: string; rank: number }>((a, b) => b.rank - a.rank);
    for (const [name, rank] of [
      ['low', 1],
      ['high', 9],
      ['middle', 5],
    ] as const)
      heap.push({ name, rank });
    expect(heap.pop()?.name).toBe('high');
    expect(heap.pop()?.name).toBe('middle');
    heap.clear();
    expect(heap.pop()).toBeUndefined();
  });
});
