/**
 * Checks that every write that was answered is in the committed history, at the zxid it was answered with and with
 * exactly that answer; that a write that was refused is not; that history has no gaps inside an epoch; and that it
 * reaches as far as anything that a client has seen.
 *
 * Leaves out writes that were never answered: they may or may not have happened. That they are not half there follows
 * from the digest (state.ts): the state is what the whole entries of the log make.
 */
import { Code } from '../../../protocol/client/errors.js';
import { operations } from '../../../protocol/client/operations.js';
import { counterOf, epochOf } from '../../../protocol/ids.js';
import { committedInOrder } from '../facts.js';
import { repliesWithRequests, WRITES } from '../history.js';
import type { Replay } from '../replay.js';
import type { Run } from '../scenario.js';
import { check, equalBytes } from './check.js';

const REFUSALS: ReadonlySet<number> = new Set([Code.SystemError, Code.MarshallingError, Code.Unimplemented]);

export function checkDurability(run: Run, replay: Replay): void {
  for (const { sent, reply, observation } of repliesWithRequests(run.history)) {
    if (sent === undefined || !WRITES.has(sent.operation)) continue;
    const session = Number(sent.sessionId);
    if (REFUSALS.has(reply.code)) {
      const key = `${session}/${sent.xid}`;
      check(!replay.requests.has(key), 'a refused write has not happened', () => observation);
      continue;
    }
    const outcome = replay.outcomes.get(reply.zxid);
    const isThere =
      outcome !== undefined &&
      outcome.session === session &&
      outcome.cxid === sent.xid &&
      outcome.operation === operations[sent.operation].code &&
      outcome.code === reply.code &&
      equalBytes(outcome.body, reply.body);
    check(isThere, 'an answered write is in the history, with its answer', () => ({ sent, reply, outcome }));
  }
  let last = 0;
  for (const { firstZxid, lastZxid } of committedInOrder(run.facts)) {
    const follows = firstZxid === last + 1 || (epochOf(firstZxid) > epochOf(last) && counterOf(firstZxid) === 1);
    check(follows, 'history has no gaps', () => ({ last, firstZxid }));
    last = lastZxid;
  }
  for (const observation of run.history) {
    if (observation.kind !== 'received' || observation.item.kind !== 'reply') continue;
    check(observation.item.zxid <= last, 'what a client has seen is history', () => ({ last, observation }));
  }
}
