/** When memory is scarce, and when it is not any more, with figures of the test's own. */
import { MemoryGuard, startMemoryGuard } from '../../../src/server/memory-guard.js';
import { collectingLogger, Happenings } from './peers/ensemble.js';

const MIB = 1_048_576;

function scene() {
  const log = new Happenings();
  const changes: boolean[] = [];
  const limits = { heapBytes: 100 * MIB, totalBytes: 1000 * MIB };
  const guard = new MemoryGuard(limits, (isScarce) => changes.push(isScarce), collectingLogger(log));
  const use = (heap: number, total: number) => ({ heapBytes: heap * MIB, totalBytes: total * MIB });
  return { log, changes, guard, use };
}

test('either limit makes it scarce, and only falling well below both ends that', () => {
  const { log, changes, guard, use } = scene();
  guard.collected(use(84, 849));
  expect(changes).toEqual([]);
  guard.collected(use(85, 100));
  guard.collected(use(90, 900));
  expect(changes).toEqual([true]);
  guard.collected(use(74, 760));
  guard.collected(use(76, 100));
  expect(changes).toEqual([true]);
  guard.collected(use(74, 740));
  guard.collected(use(10, 850));
  expect(changes).toEqual([true, false, true]);
  expect(log.count(/^error memory is scarce/)).toBe(2);
  expect(log.count(/^info there is enough memory again/)).toBe(1);
});

test('what garbage may be part of says when it ends, never that it begins', () => {
  const { changes, guard, use } = scene();
  guard.looked(use(99, 999));
  expect(changes).toEqual([]);
  guard.collected(use(99, 999));
  guard.looked(use(80, 100));
  expect(changes).toEqual([true]);
  guard.looked(use(70, 100));
  expect(changes).toEqual([true, false]);
});

test('it watches the process it is started in', async () => {
  const log = new Happenings();
  let became: (isScarce: boolean) => void = () => {};
  const change = new Promise<boolean>((resolve) => {
    became = resolve;
  });
  const guard = startMemoryGuard(1, became, collectingLogger(log));
  const garbage = setInterval(() => Array.from({ length: 300_000 }, (_, i) => ({ i })), 1);
  expect(await change).toBe(true);
  clearInterval(garbage);
  guard.stop();
});
