/** The checker of linearizability is shown histories whose verdict is known, and compared with a search that tries all. */
import fc from 'fast-check';
import type { Operation } from '../../chaos/history.js';
import { checkLinearizable } from '../../chaos/linearizable.js';
import { REGISTER } from '../../chaos/workloads/register.js';

type Outcome = Operation['outcome'];

function operation(
  name: string,
  [startMs, endMs]: readonly [number, number],
  input: unknown,
  output?: unknown,
  outcome: Outcome = 'ok',
): Operation {
  return { workload: 'register', process: 0, name, key: '/r', input, startMs, endMs, outcome, output };
}

const set = (at: readonly [number, number], value: string, version?: number, outcome: Outcome = 'ok') =>
  operation('set', at, { value }, version, outcome);
const cas = (at: readonly [number, number], value: string, on: number, output?: unknown, outcome: Outcome = 'ok') =>
  operation('cas', at, { value, version: on }, output, outcome);
const read = (at: readonly [number, number], value: string, version: number) =>
  operation('read', at, undefined, { value, version });

const isLinearizable = (...operations: Operation[]) => checkLinearizable(operations, REGISTER).isLinearizable;

describe('accepted', () => {
  test.each<[string, Operation[]]>([
    ['nothing', []],
    ['one after the other', [set([0, 1], 'a', 1), read([2, 3], 'a', 1), cas([4, 5], 'b', 1, 2), read([6, 7], 'b', 2)]],
    ['a read during a write, of the state before', [set([0, 10], 'a', 1), read([1, 2], '', 0), read([3, 4], 'a', 1)]],
    ['writes at the same time, in either order', [set([0, 10], 'a', 2), set([0, 10], 'b', 1), read([11, 12], 'a', 2)]],
    [
      'a write that was never answered and is seen much later',
      [set([0, 1], 'a', undefined, 'unknown'), read([50, 51], '', 0), read([60, 61], 'a', 1)],
    ],
    ['a write that was never answered and never seen', [set([0, 1], 'a', undefined, 'unknown'), read([2, 3], '', 0)]],
    ['a failed write that nobody sees', [set([0, 1], 'a', undefined, 'failed'), read([2, 3], '', 0)]],
    ['a compare-and-set that comes too late', [set([0, 1], 'a', 1), cas([2, 3], 'b', 0, 'BadVersion')]],
    [
      'a lost compare-and-set that comes too late',
      [cas([0, 1], 'b', 0, undefined, 'unknown'), set([2, 3], 'a', 1), read([4, 5], 'a', 1)],
    ],
  ])('%s', (_, operations) => {
    expect(isLinearizable(...operations)).toBe(true);
  });
});

describe('refused', () => {
  test.each<[string, Operation[]]>([
    ['a stale read', [set([0, 1], 'a', 1), read([2, 3], '', 0)]],
    ['a read of what was not written yet', [read([0, 1], 'a', 1), set([2, 3], 'a', 1)]],
    ['a value that nobody wrote', [set([0, 1], 'a', 1), read([2, 3], 'c', 1)]],
    ['a lost write', [set([0, 1], 'a', 1), set([2, 3], 'b', 1)]],
    ['two writes with one version', [set([0, 10], 'a', 1), set([0, 10], 'b', 1)]],
    ['reads that go back', [set([0, 10], 'a', 1), read([1, 2], 'a', 1), read([3, 4], '', 0)]],
    ['a failed write that is seen', [set([0, 1], 'a', undefined, 'failed'), read([2, 3], 'a', 1)]],
    ['a compare-and-set on another version', [set([0, 1], 'a', 1), cas([2, 3], 'b', 0, 2)]],
    ['a compare-and-set refused for a version that it was', [cas([0, 1], 'a', 0, 'BadVersion'), read([2, 3], '', 0)]],
    ['two that both win', [cas([0, 10], 'a', 0, 1), cas([0, 10], 'b', 0, 1)]],
    [
      'a write that is undone by a failover',
      [set([0, 1], 'a', 1), read([2, 3], 'a', 1), set([4, 5], 'b', undefined, 'unknown'), read([6, 7], '', 0)],
    ],
  ])('%s', (_, operations) => {
    expect(isLinearizable(...operations)).toBe(false);
  });
});

test('names the operation that cannot be explained', () => {
  const stale = read([4, 5], '', 0);
  const verdict = checkLinearizable([set([0, 1], 'a', 1), read([2, 3], 'a', 1), stale], REGISTER);
  expect(verdict).toEqual({ isLinearizable: false, explained: 2, stuckAt: [stale] });
});

/** All orders, tried one by one. */
function bruteForce(operations: readonly Operation[]): boolean {
  const search = (left: readonly Operation[], state: { version: number; value: string }): boolean => {
    if (left.every(({ outcome }) => outcome !== 'ok')) return true;
    return left.some((next) => {
      const isFirst = left.every((other) => other === next || other.outcome !== 'ok' || other.endMs >= next.startMs);
      const after = isFirst ? REGISTER.apply(state, next) : undefined;
      return (
        after !== undefined &&
        search(
          left.filter((one) => one !== next),
          after,
        )
      );
    });
  };
  return search(
    operations.filter(({ outcome }) => outcome !== 'failed'),
    REGISTER.initial,
  );
}

test('agrees with trying all orders', () => {
  const times = fc.tuple(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 1, max: 6 }));
  const version = fc.integer({ min: 0, max: 3 });
  const value = fc.constantFrom('', 'a', 'b');
  const outcome = fc.constantFrom<Outcome>('ok', 'ok', 'ok', 'unknown', 'failed');
  const any = fc.oneof(
    fc.tuple(times, value, version, outcome).map(([[at, ms], one, after, how]) => set([at, at + ms], one, after, how)),
    fc
      .tuple(times, value, version, fc.boolean())
      .map(([[at, ms], one, on, isMatch]) => cas([at, at + ms], one, on, isMatch ? on + 1 : 'BadVersion')),
    fc.tuple(times, value, version).map(([[at, ms], one, seen]) => read([at, at + ms], one, seen)),
  );
  let accepted = 0;
  fc.assert(
    fc.property(fc.array(any, { maxLength: 6 }), (operations) => {
      const verdict = isLinearizable(...operations);
      if (verdict && operations.length > 2) accepted++;
      expect(verdict).toBe(bruteForce(operations));
    }),
    { numRuns: 3000 },
  );
  expect(accepted).toBeGreaterThan(10);
});

test('a long history with many lost answers is judged without trying everything', () => {
  const operations: Operation[] = [];
  let version = 0;
  for (let i = 0; i < 400; i++) {
    const at = [i * 10, i * 10 + 15] as const;
    if (i % 10 === 3) operations.push(set(at, `lost ${i}`, undefined, 'unknown'));
    else operations.push(set(at, `v${i}`, ++version));
  }
  operations.push(read([5000, 5001], 'v399', version));
  expect(isLinearizable(...operations)).toBe(true);
  expect(isLinearizable(...operations, read([6000, 6001], 'v399', version - 1))).toBe(false);
});
