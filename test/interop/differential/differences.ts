/**
 * Where an answer of ours may differ from ZooKeeper 3.8.0's, each with its reason. Anything else that differs is a
 * bug. What would spoil all that follows is not here but avoided by the generator (AVOIDED in generator.ts).
 */
import type { Seen } from './observe.js';
import type { Step } from './steps.js';

export interface Difference {
  readonly name: string;
  readonly reason: string;
  /** True when this pair of frames, which are not equal, is this difference; undefined: there is no such frame. */
  readonly allows: (reference: Seen | undefined, ours: Seen | undefined, step: Step) => boolean;
}

interface MultiResult {
  readonly type: number;
  readonly path?: string;
}

function multiResults(seen: Seen | undefined): readonly MultiResult[] {
  return (seen?.body as { results?: readonly MultiResult[] } | undefined)?.results ?? [];
}

export const DIFFERENCES: readonly Difference[] = [
  {
    name: 'create2 of a plain node inside a multi',
    reason: '3.8.0 answers type 1 with the path only, 3.9.5 type 15 with path and Stat (E52)',
    allows: (reference, ours) => {
      if (reference?.op !== 'multi' || ours?.op !== 'multi' || reference.err !== ours.err) return false;
      const [theirs, mine] = [multiResults(reference), multiResults(ours)];
      const plain = (result: MultiResult) => ({ type: 1, headerErr: 0, path: result.path });
      return (
        theirs.length === mine.length &&
        theirs.every((result, i) => {
          const upgraded = result.type === 1 && mine[i].type === 15;
          return (
            JSON.stringify(upgraded ? plain(result) : result) === JSON.stringify(upgraded ? plain(mine[i]) : mine[i])
          );
        })
      );
    },
  },
  {
    name: 'an unknown operation',
    reason: 'ZooKeeper answers -6 and closes the connection, ours answers -6 and goes on (E11)',
    allows: (reference, ours, step) =>
      step.kind === 'bytes' &&
      step.what.startsWith('operation ') &&
      ((reference?.kind === 'closed' && ours?.op === 'closeSession') ||
        (reference === undefined && ours?.kind === 'closed')),
  },
  {
    name: 'getAllChildrenNumber of the empty path',
    reason: 'ZooKeeper finds the root under two names and counts it once too often (E37); ours counts as for /',
    allows: (reference, ours, step) =>
      step.kind === 'requests' &&
      step.requests.some(({ op, fields }) => op === 'getAllChildrenNumber' && fields.path === '') &&
      reference?.op === 'getAllChildrenNumber' &&
      ours?.op === 'getAllChildrenNumber' &&
      reference.err === ours.err,
  },
  {
    name: 'checkWatches of a path that only others watch',
    reason: '3.8.0 answers 0 when any connection watches the path; later versions look for the one that asks',
    allows: (reference, ours, step) =>
      (reference?.op === 'checkWatches' || (step.kind === 'bytes' && step.what.startsWith('checkWatches'))) &&
      reference?.err === 0 &&
      ours?.err === -121,
  },
  {
    name: 'checkWatches of what is no path',
    reason: '3.8.0 climbs to its parents whatever the mode: -5 without a leading slash, -121 for the empty one',
    allows: (reference, ours, step) =>
      step.kind === 'requests' &&
      step.requests.some(({ op, fields }) => op === 'checkWatches' && !String(fields.path).startsWith('/')) &&
      reference?.op === 'checkWatches' &&
      ours?.op === 'checkWatches',
  },
  {
    name: 'the order of the ids that `auth` stands for',
    reason:
      'ZooKeeper keeps the ids of a connection in a hash set; ours expands them in the order they were proved (E43)',
    allows: (reference, ours) => {
      const [theirs, mine] = [reference, ours].map((seen) => seen?.body as { acl?: readonly unknown[] } | undefined);
      if (reference?.op !== 'getACL' || ours?.op !== 'getACL' || theirs?.acl === undefined) return false;
      const unordered = (body: { acl?: readonly unknown[] } | undefined) =>
        JSON.stringify({ ...body, acl: body?.acl?.map((entry) => JSON.stringify(entry)).sort() });
      const isDigest = (entry: unknown) => (entry as { id: { scheme: string } }).id.scheme === 'digest';
      return unordered(theirs) === unordered(mine) && theirs.acl.filter(isDigest).length > 1;
    },
  },
];

/** Frames that differ with no entry in the table, as [reference, ours]; a missing frame is undefined. */
export function unexplained(
  reference: readonly Seen[],
  ours: readonly Seen[],
  step: Step,
): Array<readonly [Seen | undefined, Seen | undefined]> {
  const pairs = Array.from(
    { length: Math.max(reference.length, ours.length) },
    (_, i) => [reference[i], ours[i]] as const,
  );
  return pairs.filter(([theirs, mine]) => {
    if (JSON.stringify(theirs) === JSON.stringify(mine)) return false;
    return !DIFFERENCES.some((difference) => difference.allows(theirs, mine, step));
  });
}
