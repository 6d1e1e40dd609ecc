// What a server is at the moment, and what it may become. A role is a value: changing it rebuilds no object, so the
// tree, the sessions and the connections stay where they are.

import { assert } from '../../std/assert.js';

export type Role =
  /** Reading its own disk. */
  | 'recovering'
  /** Looking for a leader. */
  | 'looking'
  /** Follows, or is about to. */
  | 'following'
  /** The same, without a say in anything. */
  | 'observing'
  /** Leads, or is about to. */
  | 'leading'
  /** Its disk takes no writes: it has left the others until it does. */
  | 'stalled'
  | 'stopped';

const TRANSITIONS: Readonly<Record<Role, readonly Role[]>> = {
  recovering: ['looking', 'stopped'],
  looking: ['following', 'observing', 'leading', 'stalled', 'stopped'],
  following: ['looking', 'stalled', 'stopped'],
  observing: ['looking', 'stalled', 'stopped'],
  leading: ['looking', 'stalled', 'stopped'],
  stalled: ['looking', 'stopped'],
  stopped: [],
};

export function changeRole(from: Role, to: Role): Role {
  assert(TRANSITIONS[from].includes(to), `no way from ${from} to ${to}`);
  return to;
}
