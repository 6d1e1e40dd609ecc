import fc from 'fast-check';
import { GapTracker, lengthMs } from '../../bench/gaps.js';

describe('GapTracker', () => {
  test('knows nothing at first', () => {
    const tracker = new GapTracker(5);
    expect(tracker.longestMs).toBe(0);
    expect(tracker.longest).toEqual([]);
  });

  test('counts from the start to the first mark, and says when the longest was', () => {
    const tracker = new GapTracker(100, 2);
    for (const atMs of [103, 104, 111, 113]) tracker.mark(atMs);
    expect(tracker.longestMs).toBe(7);
    expect(tracker.longest).toEqual([
      { fromMs: 104, toMs: 111 },
      { fromMs: 100, toMs: 103 },
    ]);
  });

  test('keeps the longest of any gaps, in order', () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 50 });
    fc.assert(
      fc.property(gaps, fc.integer({ min: 1, max: 6 }), (lengths, keep) => {
        const tracker = new GapTracker(0, keep);
        let nowMs = 0;
        for (const length of lengths) {
          nowMs += length;
          tracker.mark(nowMs);
        }
        const longest = [...lengths].sort((a, b) => b - a).slice(0, keep);
        expect(tracker.longest.map(lengthMs)).toEqual(longest);
        expect(tracker.longestMs).toBe(longest[0] ?? 0);
      }),
    );
  });
});
