/** Which way a learner comes to its leader's history, case by case (E81). */
import { History } from '../../../../src/core/zab/history.js';
import { chooseSync } from '../../../../src/core/zab/sync.js';
import { batchAt, show, z } from './fixture.js';

/** In memory 3:6-3:8, 3:9, 3:10, 5:1, 5:2-5:3 after 3:5; what is older is on disk. */
function history(): History {
  const made = new History(1_000_000);
  made.reset(z(3, 5));
  for (const [epoch, counter, length] of [
    [3, 6, 3],
    [3, 9, 1],
    [3, 10, 1],
    [5, 1, 1],
    [5, 2, 2],
  ]) {
    made.append(batchAt(z(epoch, counter), length), new Uint8Array(1));
  }
  return made;
}

test.each<[string, lastZxid: number, committedZxid: number, string]>([
  ['it has everything', z(5, 3), z(5, 1), 'after 5:3'],
  ['its log ends where a batch of mine does', z(3, 9), z(3, 5), 'after 3:9'],
  ['its log ends where the window begins', z(3, 5), z(3, 5), 'after 3:5'],
  ['its log ends with an epoch of mine', z(3, 10), z(3, 8), 'after 3:10'],
  ['a tail within an epoch of mine is cut at the end of mine', z(3, 12), z(3, 8), 'after 3:10, truncated'],
  ['the same in the newest epoch', z(5, 9), z(5, 1), 'after 5:3, truncated'],
  ['the same though what it has committed is long gone from memory', z(3, 12), z(3, 1), 'after 3:10, truncated'],
  ['an epoch I never heard of: back to what it knows is committed', z(4, 3), z(3, 8), 'after 3:8, truncated'],
  ['an epoch that came to nothing, later than all of mine', z(6, 1), z(5, 1), 'after 5:1, truncated'],
  ['all of the tail it has in common is committed', z(3, 12), z(3, 10), 'after 3:10, truncated'],
  ['too far back for the window', z(3, 4), z(3, 4), 'search'],
  ['an unknown epoch, and what it has committed is too far back', z(4, 3), z(3, 2), 'search'],
  ['an empty one', 0, 0, 'search'],
])('%s', (_, lastZxid, committedZxid, expected) => {
  const sync = chooseSync({ lastZxid, committedZxid }, history());
  const shown =
    sync.kind === 'search' ? 'search' : `after ${show(sync.afterZxid)}${sync.truncate ? ', truncated' : ''}`;
  expect(shown).toBe(expected);
});

test('an empty learner of a leader that has all of its log in memory gets all of it', () => {
  const young = new History(1_000_000);
  young.append(batchAt(z(1, 1)), new Uint8Array(1));
  expect(chooseSync({ lastZxid: 0, committedZxid: 0 }, young)).toEqual({ kind: 'diff', afterZxid: 0, truncate: false });
});
