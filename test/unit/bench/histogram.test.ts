import fc from 'fast-check';
import { Histogram } from '../../bench/histogram.js';

describe('Histogram', () => {
  test('is empty at first', () => {
    expect(new Histogram().quantileUs(0.5)).toBe(0);
  });

  test('small values are exact', () => {
    const histogram = new Histogram();
    for (let us = 1; us <= 100; us++) histogram.record(us);
    expect([0, 0.01, 0.5, 0.99, 1].map((q) => histogram.quantileUs(q))).toEqual([1, 1, 50, 99, 100]);
  });

  test('any quantile is within one part in 128 of the value of that rank', () => {
    const values = fc.array(fc.integer({ min: 0, max: 2_000_000_000 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (recorded, quantile) => {
        const histogram = new Histogram();
        for (const us of recorded) histogram.record(us);
        const sorted = [...recorded].sort((a, b) => a - b);
        const exact = sorted[Math.max(0, Math.ceil(sorted.length * quantile) - 1)];
        expect(Math.abs(histogram.quantileUs(quantile) - exact)).toBeLessThanOrEqual(exact / 128);
        expect(histogram.count).toBe(recorded.length);
      }),
    );
  });

  test('what is out of range counts at the ends', () => {
    const histogram = new Histogram();
    histogram.record(-5);
    histogram.record(1e12);
    expect(histogram.quantileUs(0.5)).toBe(0);
    expect(histogram.quantileUs(1)).toBeGreaterThan(2e9);
  });
});
