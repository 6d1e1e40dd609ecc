/** Which role may follow which: the whole table, written down once more. */

import { changeRole, type Role } from '../../../../src/core/zab/role.js';
import { AssertionFailure } from '../../../../src/std/assert.js';

const ROLES: readonly Role[] = ['recovering', 'looking', 'discovering', 'leading', 'stalled', 'stopped'];
const ALLOWED: ReadonlySet<string> = new Set([
  'recovering looking',
  'recovering stopped',
  'looking discovering',
  'looking stopped',
  'discovering leading',
  'discovering looking',
  'discovering stopped',
  'leading stalled',
  'leading discovering',
  'leading looking',
  'leading stopped',
  'stalled leading',
  'stalled looking',
  'stalled stopped',
]);

const PAIRS = ROLES.flatMap((from) => ROLES.map((to) => [from, to] as const));

test.each(PAIRS)('%s to %s', (from, to) => {
  if (ALLOWED.has(`${from} ${to}`)) expect(changeRole(from, to)).toBe(to);
  else expect(() => changeRole(from, to)).toThrow(AssertionFailure);
});
