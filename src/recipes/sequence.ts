// The order of contenders: the number that the server put behind each sequential node's name (E26). It is a signed 32-bit
// counter that wraps around, so two numbers are compared by their distance, which stays right as long as fewer than
// 2^31 lie between the oldest and the newest contender.

import { unprotectedName } from '../client/index.js';

export interface Contestant {
  /** The node's name as it stands in the directory. */
  readonly name: string;
  /** What stands before the number: what kind of contender it is. */
  readonly kind: string;
  readonly sequence: number;
}

/** Kazoo makes names unique with this before the kind, where Curator and we put the prefix of a protected create. */
const KAZOO_UNIQUE = /^[0-9a-f]{32}(?=__)/;

/** Negative when `a` was created before `b`. */
export function compareSequence(a: number, b: number): number {
  return (a - b) | 0;
}

/** The children that are one of these kinds plus a number, whatever makes their names unique, oldest first. */
export function inOrder(children: readonly string[], kinds: readonly string[]): Contestant[] {
  const contestants: Contestant[] = [];
  for (const name of children) {
    const plain = unprotectedName(name).replace(KAZOO_UNIQUE, '');
    const kind = kinds.find((prefix) => plain.startsWith(prefix));
    if (kind === undefined) continue;
    const digits = plain.slice(kind.length);
    if (/^-?\d{9,}$/.test(digits)) contestants.push({ name, kind, sequence: Number(digits) });
  }
  return contestants.sort((a, b) => compareSequence(a.sequence, b.sequence));
}
