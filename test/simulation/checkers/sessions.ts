/**
 * Checks the life of sessions: none is expired before its leader has heard nothing of it for its timeout (E17), by
 * itself or from a learner; none is refused to a client that wants it back unless it was closed; all that are silent
 * are expired in the end; and with a session all its ephemeral nodes are gone, in the same entry (E21).
 *
 * Leaves out how soon after its deadline a session expires while there is no leader. What a learner has heard and could
 * not report does not count: nobody who expires sessions can know of it.
 */
import { OpCode } from '../../../protocol/client/constants.js';
import type { Replay } from '../replay.js';
import type { Run } from '../scenario.js';
import { check } from './check.js';

export function checkSessions(run: Run, replay: Replay): void {
  for (const expiry of run.facts.expiries) {
    const outcome = replay.outcomes.get(expiry.zxid);
    // A leader that had lost its quorum without knowing may propose what never happens.
    if (outcome?.operation !== OpCode.closeSession || outcome.session !== expiry.session) continue;
    check(expiry.silentMs >= expiry.timeoutMs, 'a session is never expired early', () => expiry);
  }
  const resumed = new Map<number, bigint>();
  for (const observation of run.history) {
    if (observation.kind === 'connecting') resumed.set(observation.connection, observation.sessionId);
    if (observation.kind !== 'received' || observation.item.kind !== 'connect') continue;
    const session = Number(resumed.get(observation.connection) ?? 0n);
    if (session === 0 || observation.item.timeoutMs > 0) continue;
    check(replay.closedSessions.has(session), 'a session that lives is not refused', () => observation);
  }
  check(replay.orphans.length === 0, 'an ephemeral ends with its session', () => replay.orphans);
  for (const { server, sessions, ephemerals } of run.finals) {
    check(sessions.length === 0, 'silent sessions expire', () => ({ server, sessions }));
    check(ephemerals === 0, 'ephemerals end with the last session', () => ({ server, ephemerals }));
  }
}
