// What a server is at the moment, and what it may become. A role is a value: changing it rebuilds no object, so the
// tree, the sessions and the connections stay where they are.

import { assert } from '../../std/assert.js';

export type Role =
  /** Reading its own disk. */
  | 'recovering'
  /** Looking for a leader. */
  | 'looking'
  /** Elected; its new epoch is on its way to disk (E79). */
  | 'discovering'
  /** Leads and serves. */
  | 'leading'
  /** Leads, but its disk takes no writes: reads are served, writes are refused. */
  | 'stalled'
  | 'stopped';

const TRANSITIONS: Readonly<Record<Role, readonly Role[]>> = {
  recovering: ['looking', 'stopped'],
  looking: ['discovering', 'stopped'],
  discovering: ['leading', 'looking', 'stopped'],
  leading: ['stalled', 'discovering', 'looking', 'stopped'],
  stalled: ['leading', 'looking', 'stopped'],
  stopped: [],
};

export function changeRole(from: Role, to: Role): Role {
  assert(TRANSITIONS[from].includes(to), `no way from ${from} to ${to}`);
  return to;
}
