/**
 * Where an answer of ours may differ from ZooKeeper 3.8.0's, each with its reason. Anything else that differs is a
 * bug. What would spoil all that follows is not here but avoided by the generator (AVOIDED in generator.ts).
 */
import type { Seen } from './observe.js';
import type { Step } from './steps.js';

export interface Difference {
  readonly name: string;
  readonly reason: string;
  /** True when this pair of frames, which are not equal, is this difference. */
  readonly allows: (reference: Seen, ours: Seen, step: Step) => boolean;
}


interface MultiResult {
  readonly type: number;
  readonly path?: string;
}

function multiResults(seen: Seen): readonly MultiResult[] {
  return (seen.body as { results?: readonly MultiResult[] } | undefined)?.results ?? [];
}

export const DIFFERENCES: readonly Difference[] = [
  {
    name: 'create2 of a plain node inside a multi',
    reason: '3.8.0 answers type 1 with the path only, 3.9.5 type 15 with path and Stat (E52)',
    allows: (reference, ours) => {
      if (reference.op !== 'multi' || ours.op !== 'multi' || reference.err !== ours.err) return false;
      const [theirs, mine] = [multiResults(reference), multiResults(ours)];
      const plain = (result: MultiResult) => ({ type: 1, headerErr: 0, path: result.path });
      return (
        theirs.length === mine.length &&
        theirs.every((result, i) => {
          const upgraded = result.type === 1 && mine[i].type === 15;
          return JSON.stringify(upgraded ? plain(result) : result) === JSON.stringify(upgraded ? plain(mine[i]) : mine[i]);
        })
      );
    },
  },
  {
    name: 'exists without READ',
    reason: '3.8.0 returns the Stat, 3.9.5 answers -102 when the node exists (E41)',
    allows: (reference, ours) => reference.op === 'exists' && reference.err === 0 && ours.err === -102,
  },
];

/** Frames that differ with no entry in the table, as [reference, ours]; a missing frame is undefined. */
export function unexplained(
  reference: readonly Seen[],
  ours: readonly Seen[],
  step: Step,
): Array<readonly [Seen | undefined, Seen | undefined]> {
  const pairs = Array.from({ length: Math.max(reference.length, ours.length) }, (_, i) => [reference[i], ours[i]] as const);
  return pairs.filter(([theirs, mine]) => {
    if (JSON.stringify(theirs) === JSON.stringify(mine)) return false;
    return !(theirs && mine && DIFFERENCES.some((difference) => difference.allows(theirs, mine, step)));
  });
}
