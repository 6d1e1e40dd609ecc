/**
 * Checks that when nothing goes wrong any more the ensemble finds together: all servers run, one leads and all others
 * follow it, a client of each can write, and whatever clients have asked for is answered.
 *
 * Leaves out how long that takes, within the generous limit of the scenario.
 */
import type { Run } from '../scenario.js';
import { check } from './check.js';

export function checkConvergence(run: Pick<Run, 'convergence' | 'finals'>, servers: number): void {
  const { convergence, finals } = run;
  check(convergence.leaderMs !== null, 'when all is well one leads and all others follow', () => convergence);
  check(convergence.writableMs !== null, 'when all is well every server takes writes', () => convergence);
  check(
    convergence.unanswered.every((count) => count === 0),
    'when all is well all is answered',
    () => convergence,
  );
  check(finals.length === servers, 'when all is well all servers run', () => finals.map(({ server }) => server));
}
