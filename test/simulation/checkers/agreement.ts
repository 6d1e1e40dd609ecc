/**
 * Checks what Zab promises, from what happened inside the servers: an epoch has one leader; a new leader has all that
 * was committed in earlier epochs; a zxid names one batch, in whatever log it stands; every server executes the same
 * batches in the same order, none left out; and nothing is executed before a quorum of voters has it on disk.
 *
 * Leaves out batches that were logged and never committed, but for their names.
 */
import { committedInOrder, type Execution, type Facts } from '../facts.js';
import { check } from './check.js';

export function checkAgreement(facts: Facts): void {
  checkLeaders(facts);
  checkNames(facts);
  const history = committedInOrder(facts);
  const indexes = new Map(history.map(({ lastZxid }, index) => [lastZxid, index]));
  const executed = new Set<number>();
  for (const execution of facts.executions) {
    const { server, afterZxid, zxid } = execution;
    let index = afterZxid === 0 ? -1 : indexes.get(afterZxid);
    check(index !== undefined, 'a server has executed whole batches', () => brief(execution));
    for (const { firstZxid, lastZxid, hash, storedBy } of execution.batches) {
      const expected = history[++(index as number)];
      const isNext = expected?.firstZxid === firstZxid && expected.lastZxid === lastZxid && expected.hash === hash;
      check(isNext, 'all execute the same batches in the same order', () => ({ server, firstZxid, expected }));
      if (executed.has(lastZxid)) continue;
      executed.add(lastZxid);
      const isQuorum = storedBy.length * 2 > facts.voters.length;
      check(isQuorum, 'what is executed is on the disks of a quorum', () => ({ server, firstZxid, storedBy }));
    }
    index = zxid === 0 ? -1 : indexes.get(zxid);
    const isComplete = zxid === (execution.batches.at(-1)?.lastZxid ?? afterZxid);
    check(isComplete && index !== undefined, 'a server executes what is in its log', () => brief(execution));
  }
}

function brief({ server, afterZxid, zxid, batches }: Execution): unknown {
  return { server, afterZxid, zxid, batches: batches.length };
}

function checkLeaders({ leaderships }: Facts): void {
  const leaders = new Map<number, number>();
  for (const leadership of leaderships) {
    const { epoch, server, lastZxid, committedZxid } = leadership;
    const other = leaders.get(epoch) ?? server;
    check(other === server, 'an epoch has one leader', () => ({ epoch, server, other }));
    leaders.set(epoch, server);
    check(lastZxid >= committedZxid, 'a leader has all that was committed before', () => leadership);
  }
}

function checkNames({ logged, voters }: Facts): void {
  // The disk of a server that is alone may refuse a batch that nobody else has seen: its zxids are given out again.
  if (voters.length === 1) return;
  const names = new Map<number, string>();
  for (const { server, firstZxid, lastZxid, hash } of logged) {
    const name = `${lastZxid} ${hash}`;
    const other = names.get(firstZxid) ?? name;
    check(other === name, 'a zxid names one batch', () => ({ server, firstZxid, name, other }));
    names.set(firstZxid, name);
  }
}
