/**
 * Checks that the state is what the log makes: the digest of the server at the end and after each restart equals that
 * of a replica that has only replayed the log, and equals the digest computed anew from all nodes. After a restart the
 * state comes from the last checkpoint and the log behind it, so this is also the check of checkpoints.
 *
 * Leaves out the watches and the connections, which are no state.
 */
import { digestText, type Replay } from '../replay.js';
import type { Run } from '../scenario.js';
import { check } from './check.js';

export function checkState(run: Run, replay: Replay): void {
  const { replica } = run.server;
  for (const recovery of run.recoveries) {
    const expected = recovery.zxid === 0 ? recovery.digest : replay.digests.get(recovery.zxid);
    check(recovery.digest === expected, 'a restart has the state of the log', () => ({ recovery, expected }));
  }
  const digest = digestText(replica.world);
  const anew = replica.world.tree.recomputeDigest();
  check(
    digest === `${anew.high.toString(16)}:${anew.low.toString(16)}`,
    'the digest is the sum of the nodes',
    () => anew,
  );
  check(replica.appliedZxid === replay.lastZxid, 'all that is stored is executed', () => replica.appliedZxid);
  check(digest === digestText(replay.world), 'the state is what the log makes', () => digest);
}
