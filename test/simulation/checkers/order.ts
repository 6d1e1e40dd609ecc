/**
 * Checks the order of what clients see. Per connection: replies come in the order of the requests (E8). Per session,
 * over all its connections: the zxid in replies never falls (E3), so a session sees its own writes and never goes back
 * in time. Over all clients: writes are linearizable. Each has taken effect at its zxid, so it is enough that a write
 * sent after another answer had arrived has a greater zxid than that. And a session's writes are in history in the order
 * in which they were sent, over all its connections: what came through one that it has left does not happen later.
 *
 * Leaves out reads across sessions, which ZooKeeper does not order (E71), and the zxid of auth replies, which is 0.
 */
import { repliesWithRequests, WRITES } from '../history.js';
import type { Replay } from '../replay.js';
import type { Run } from '../scenario.js';
import { check } from './check.js';

export function checkOrder(run: Run, replay: Replay): void {
  const seenBySession = new Map<bigint, number>();
  for (const { sent, reply, observation } of repliesWithRequests(run.history)) {
    check(sent?.xid === reply.xid, 'replies come in the order of requests', () => ({ sent, observation }));
    const seen = seenBySession.get(observation.sessionId) ?? 0;
    check(reply.zxid >= seen, 'a session never goes back in time', () => ({ seen, observation }));
    seenBySession.set(observation.sessionId, reply.zxid);
  }
  checkLinearizability(run, replay);
  checkSessionWrites(replay);
}

/** The clients of the simulation number their requests over all connections. */
function checkSessionWrites({ outcomes }: Pick<Replay, 'outcomes'>): void {
  const last = new Map<number, number>();
  for (const [zxid, { session, cxid }] of outcomes) {
    if (cxid === 0) continue; // of the server itself
    const before = last.get(session) ?? 0;
    check(cxid > before, 'the writes of a session happen in their order', () => ({ zxid, session, cxid, before }));
    last.set(session, cxid);
  }
}

function checkLinearizability(run: Run, replay: Replay): void {
  let answered = 0;
  const answeredBefore = new Map<string, number>();
  for (const observation of run.history) {
    const { connection } = observation;
    if (observation.kind === 'sent') {
      if (WRITES.has(observation.operation)) answeredBefore.set(`${connection}/${observation.xid}`, answered);
    } else if (observation.kind === 'received' && observation.item.kind === 'reply') {
      const { xid, zxid } = observation.item;
      const before = answeredBefore.get(`${connection}/${xid}`);
      // A write that was refused before it came to the log has no place of its own in the order.
      const isLogged = replay.requests.has(`${observation.sessionId}/${xid}`);
      const isOrdered = before === undefined || !isLogged || zxid > before;
      check(isOrdered, 'a later write has a greater zxid', () => ({ before, observation }));
      answered = Math.max(answered, zxid);
    }
  }
}
