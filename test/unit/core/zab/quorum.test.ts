/** Quorums against a twin that tries every set of servers and does nothing clever (E91). */
import fc from 'fast-check';
import { Quorum, type Voter } from '../../../../src/core/zab/quorum.js';

/** The words of E91, one by one. */
function isQuorumSlowly(voters: readonly Voter[], agreed: ReadonlySet<number>): boolean {
  const groups = [...new Set(voters.map(({ group }) => group))];
  const weigh = (group: number, counts: (id: number) => boolean) =>
    voters.filter((voter) => voter.group === group && counts(voter.id)).reduce((sum, { weight }) => sum + weight, 0);
  const counting = groups.filter((group) => weigh(group, () => true) > 0);
  const won = counting.filter((group) => weigh(group, (id) => agreed.has(id)) > weigh(group, () => true) / 2);
  return won.length > counting.length / 2;
}

const voters = fc
  .array(fc.record({ weight: fc.nat(4), group: fc.nat(3) }), { minLength: 1, maxLength: 7 })
  .map((list) => list.map((voter, id) => ({ id, ...voter })))
  .filter((list) => list.some(({ weight }) => weight > 0));

test('every set of servers is judged as the twin judges it', () => {
  fc.assert(
    fc.property(voters, (list) => {
      const quorum = new Quorum(list);
      for (let set = 0; set < 1 << list.length; set++) {
        const agreed = new Set(list.map(({ id }) => id).filter((id) => (set >> id) & 1));
        expect(quorum.isQuorum((id) => agreed.has(id))).toBe(isQuorumSlowly(list, agreed));
      }
    }),
    { numRuns: 200 },
  );
});

test('any two quorums share a server: what one has stored the next one knows', () => {
  fc.assert(
    fc.property(voters, fc.nat(), fc.nat(), (list, a, b) => {
      const quorum = new Quorum(list);
      const has = (set: number) => (id: number) => ((set >> id) & 1) === 1;
      if (quorum.isQuorum(has(a)) && quorum.isQuorum(has(b))) expect(a & b & ((1 << list.length) - 1)).not.toBe(0);
    }),
    { numRuns: 2000 },
  );
});

test('reachedBy is the greatest zxid that a quorum has reached', () => {
  const zxid = fc.integer({ min: 1, max: 20 });
  fc.assert(
    fc.property(voters, fc.array(fc.option(zxid), { minLength: 7, maxLength: 7 }), (list, reached) => {
      const progress = new Map(list.flatMap(({ id }) => (reached[id] === null ? [] : [[id, reached[id] as number]])));
      let expected = 0;
      for (let at = 1; at <= 20; at++) {
        const there = new Set(list.filter(({ id }) => (progress.get(id) ?? 0) >= at).map(({ id }) => id));
        if (isQuorumSlowly(list, there)) expected = at;
      }
      expect(new Quorum(list).reachedBy(progress)).toBe(expected);
    }),
    { numRuns: 500 },
  );
});

test.each([
  [1, 1],
  [2, 2],
  [3, 2],
  [4, 3],
  [5, 3],
])('of %i equal servers %i are needed', (servers, needed) => {
  const quorum = Quorum.majority(Array.from({ length: servers }, (_, i) => i + 1));
  expect(quorum.isQuorum((id) => id <= needed)).toBe(true);
  expect(quorum.isQuorum((id) => id < needed)).toBe(false);
});

test('a quorum without weight is none; strangers do not count', () => {
  expect(() => new Quorum([])).toThrow(RangeError);
  expect(() => new Quorum([{ id: 1, weight: 0, group: 0 }])).toThrow(RangeError);
  const quorum = Quorum.majority([1, 2, 3]);
  expect(
    quorum.reachedBy(
      new Map([
        [7, 5],
        [8, 5],
        [1, 5],
      ]),
    ),
  ).toBe(0);
  expect([quorum.includes(3), quorum.includes(7)]).toEqual([true, false]);
});
