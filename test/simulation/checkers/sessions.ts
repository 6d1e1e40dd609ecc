/**
 * Checks the life of sessions: none is expired before it has been silent for its timeout (E17), all that are silent are
 * expired in the end, and with a session all its ephemeral nodes are gone, in the same entry (E21).
 *
 * Leaves out how soon after its deadline a session expires while the server is frozen, down or without disk.
 */
import type { Replay } from '../replay.js';
import type { Run } from '../scenario.js';
import { check } from './check.js';

export function checkSessions(run: Run, replay: Replay): void {
  for (const expiry of run.expiries) {
    check(expiry.silentMs >= expiry.timeoutMs, 'a session is never expired early', () => expiry);
  }
  check(replay.orphans.length === 0, 'an ephemeral ends with its session', () => replay.orphans);
  const { world } = run.server.replica;
  check(world.sessions.size === 0, 'silent sessions expire', () => [...world.sessions].map(({ id }) => id));
  check(world.tree.ephemeralCount === 0, 'ephemerals end with the last session', () => world.tree.ephemeralCount);
}
