/** Where the logs of a learner and its leader part (E81). */

import fc from 'fast-check';
import { epochOf } from '../../../../protocol/ids.js';
import { History } from '../../../../src/core/zab/history.js';
import { partsAt } from '../../../../src/core/zab/sync.js';
import { batchAt, z } from './fixture.js';

test.each([
  ['the leader has the same end', z(3, 9), z(3, 9), true],
  ['the learner has more of that epoch', z(3, 12), z(3, 10), true],
  ['all that the learner has of that epoch is unknown', z(5, 2), z(4, 9), false],
  ['two that have nothing', 0, 0, true],
])('%s', (_, learnersEnd, nearest, expected) => {
  expect(partsAt(learnersEnd, nearest)).toBe(expected);
});

/**
 * Logs as they come about: of each epoch one whole log, of which each server has some beginning, or nothing; a server
 * that has an epoch's entries has those of the earlier epoch that this epoch's leader had.
 */
const logs = fc.array(fc.record({ length: fc.nat(4), parent: fc.nat(3), cut: fc.nat(4) }), {
  minLength: 1,
  maxLength: 6,
});

test('the point that is found is the last one that both have: nothing in common is ever cut', () => {
  fc.assert(
    fc.property(logs, fc.nat(), fc.nat(), (epochs, a, b) => {
      const grown = grow(epochs);
      const [mine, its] = [grown[a % grown.length], grown[b % grown.length]];
      const leader = historyOf(mine);
      const common = mine.filter((zxid) => its.includes(zxid)).at(-1) ?? 0;
      const found = historyOf(its)
        .ends(0)
        .map((end) => [end, leader.endBefore(end) as number] as const)
        .find(([end, nearest]) => partsAt(end, nearest));
      expect(found?.[1]).toBe(common);
    }),
    { numRuns: 500 },
  );
});

/** Each epoch begins with what its leader had, some beginning of an earlier log, and adds entries of its own. */
function grow(epochs: readonly { length: number; parent: number; cut: number }[]): number[][] {
  const grown: number[][] = [[]];
  epochs.forEach(({ length, parent, cut }, index) => {
    const inherited = grown[Math.max(0, grown.length - 1 - parent)];
    const kept = inherited.slice(0, Math.max(0, inherited.length - cut));
    grown.push([...kept, ...Array.from({ length }, (_, i) => z(index + 1, i + 1))]);
  });
  // Of each epoch a server may have any beginning of its leader's log.
  return grown.flatMap((log) => log.map((_, i) => log.slice(0, i + 1)).concat([[]]));
}

function historyOf(log: readonly number[]): History {
  const history = new History(1_000_000);
  for (const zxid of log) {
    expect(epochOf(zxid)).toBeGreaterThan(0);
    history.append(batchAt(zxid), new Uint8Array(1));
  }
  return history;
}
