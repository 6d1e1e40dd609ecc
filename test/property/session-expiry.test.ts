// However unevenly time is read, a session is never expired before it has been silent for its timeout, and always by
// one tick after that, at the first look at the clock from then on (E17). The twin is a list of last signs of life.

import fc from 'fast-check';
import { SessionExpiry } from '../../src/core/sessions/expiry.js';

interface Twin {
  lastMs: number;
  timeoutMs: number;
}

const id = fc.integer({ min: 1, max: 6 });
const timeoutMs = fc.integer({ min: 1, max: 900 });
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('touch' as const), id, timeoutMs }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('track' as const), id, timeoutMs }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), id }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('expire' as const) }) },
);
const elapsedMs = fc.oneof(
  fc.constant(0),
  fc.integer({ min: 0, max: 120 }),
  fc.double({ min: 0, max: 50, noNaN: true }),
  fc.integer({ min: 0, max: 2000 }),
);

test('never early, at most one tick late, under jittered clocks', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100 }),
      fc.array(fc.tuple(elapsedMs, step), { maxLength: 100, size: 'max' }),
      (tickMs, steps) => {
        const expiry = new SessionExpiry(tickMs);
        const live = new Map<number, Twin>();
        const closing = new Set<number>();
        let nowMs = 0;
        for (const [elapsed, action] of steps) {
          nowMs += elapsed;
          if (action.kind === 'touch') {
            const twin = live.get(action.id);
            expect(expiry.touch(action.id, nowMs, action.timeoutMs)).toBe(twin !== undefined);
            if (twin) live.set(action.id, { lastMs: nowMs, timeoutMs: action.timeoutMs });
          } else if (action.kind === 'track') {
            if (live.has(action.id) || closing.has(action.id)) continue;
            expiry.track(action.id, nowMs, action.timeoutMs);
            live.set(action.id, { lastMs: nowMs, timeoutMs: action.timeoutMs });
          } else if (action.kind === 'remove') {
            expiry.remove(action.id);
            live.delete(action.id);
            closing.delete(action.id);
          } else {
            for (const due of expiry.expire(nowMs)) {
              const twin = live.get(due)!; // fails here when a session expires twice, or one that is unknown
              expect(nowMs - twin.lastMs).toBeGreaterThanOrEqual(twin.timeoutMs - 1e-6);
              live.delete(due);
              closing.add(due);
            }
            for (const { lastMs, timeoutMs } of live.values()) {
              expect(nowMs).toBeLessThan(lastMs + timeoutMs + tickMs + 1e-6);
            }
          }
          expect(expiry.size).toBe(live.size + closing.size);
          const listed = expiry.deadlines().flatMap(([, ids]) => ids);
          expect(listed.sort()).toEqual([...live.keys()].sort());
          // A caller that sleeps until nextMs misses nobody.
          for (const [deadlineMs] of expiry.deadlines()) expect(expiry.nextMs!).toBeLessThanOrEqual(deadlineMs);
        }
      },
    ),
    { numRuns: 200 },
  );
});
