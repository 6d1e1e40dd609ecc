/** Which role may follow which: the whole table, written down once more. */

import { changeRole, type Role } from '../../../../src/core/zab/role.js';
import { AssertionFailure } from '../../../../src/std/assert.js';

const ROLES: readonly Role[] = ['recovering', 'looking', 'following', 'observing', 'leading', 'stalled', 'stopped'];
const ALLOWED: ReadonlySet<string> = new Set([
  'recovering looking',
  'recovering stopped',
  'looking following',
  'looking observing',
  'looking leading',
  'looking stalled',
  'looking stopped',
  'following looking',
  'following stalled',
  'following stopped',
  'observing looking',
  'observing stalled',
  'observing stopped',
  'leading looking',
  'leading stalled',
  'leading stopped',
  'stalled looking',
  'stalled stopped',
]);

const PAIRS = ROLES.flatMap((from) => ROLES.map((to) => [from, to] as const));

test.each(PAIRS)('%s to %s', (from, to) => {
  if (ALLOWED.has(`${from} ${to}`)) expect(changeRole(from, to)).toBe(to);
  else expect(() => changeRole(from, to)).toThrow(AssertionFailure);
});
