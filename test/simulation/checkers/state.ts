/**
 * Checks that the state is what history makes: the digest of every server, whenever it has executed something, when it
 * has loaded its checkpoint, and at the end, equals that of a replica that has only executed the history; at the end it
 * also equals the digest computed anew from all nodes. After a restart the state comes from the last checkpoint and the
 * log behind it, after a full copy from another server, so this is also the check of checkpoints and copies.
 *
 * Leaves out the watches and the connections, which are no state.
 */
import type { Replay } from '../replay.js';
import type { Run } from '../scenario.js';
import { check } from './check.js';

export function checkState(run: Run, replay: Replay): void {
  const { executions, recoveries, divergences } = run.facts;
  check(divergences.length === 0, 'no server finds its state to be another than its leader\u2019s', () => divergences);
  for (const { server, zxid, digest } of [...recoveries, ...executions]) {
    if (zxid === 0) continue;
    const expected = replay.digests.get(zxid);
    check(digest === expected, 'the state is what history makes', () => ({ server, zxid, digest, expected }));
  }
  for (const { server, zxid, digest, recomputedDigest } of run.finals) {
    check(digest === recomputedDigest, 'the digest is the sum of the nodes', () => ({ server, digest }));
    check(zxid === replay.lastZxid, 'in the end all have all', () => ({ server, zxid, last: replay.lastZxid }));
    check(digest === replay.digests.get(zxid), 'in the end all have the same state', () => ({ server, digest }));
  }
}
