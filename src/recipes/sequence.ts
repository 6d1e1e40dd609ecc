// The order of contenders: the number that the server put behind each sequential node's name (E26). It is a signed 32-bit
// counter that wraps around, so two numbers are compared by their distance, which stays right as long as fewer than
// 2^31 lie between the oldest and the newest contender.

import { unprotectedName } from '../client/index.js';

export interface Contestant {
  readonly name: string;
  readonly sequence: number;
}

/** Negative when `a` was created before `b`. */
export function compareSequence(a: number, b: number): number {
  return (a - b) | 0;
}

/** The children that are `prefix` plus a number, with or without the prefix of a protected create, oldest first. */
export function inOrder(children: readonly string[], prefix: string): Contestant[] {
  const contestants: Contestant[] = [];
  for (const name of children) {
    const plain = unprotectedName(name);
    const digits = plain.slice(prefix.length);
    if (plain.startsWith(prefix) && /^-?\d{9,}$/.test(digits)) contestants.push({ name, sequence: Number(digits) });
  }
  return contestants.sort((a, b) => compareSequence(a.sequence, b.sequence));
}
