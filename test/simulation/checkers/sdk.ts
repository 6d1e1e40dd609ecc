/**
 * Checks what the SDK's session tells its user, beyond what goes over the wire: a one-shot watch is called at most once,
 * only after a change, and is never lost, whatever happens to connections and sessions: when it was not called, what it
 * watches is in the newest state that the client has seen as it was when the watch was set. And a session is not expired
 * by the servers while the client counts it as safe, which is what the signal of a lock hangs on.
 *
 * Leaves out a node that came and went again while the client was away from it: a watch for its creation is not told of
 * that (E62). Leaves out persistent watches.
 */
import { OpCode } from '../../../protocol/client/constants.js';
import type { WatchPromise } from '../machine-client.js';
import type { Replay } from '../replay.js';
import type { Run } from '../scenario.js';
import { check } from './check.js';

export function checkSdk(run: Run, replay: Replay): void {
  for (const watch of run.sdk.watches) {
    check(watch.fired <= 1, 'a one-shot watch is called once', () => watch);
    if (watch.fired === 0) check(isUnchanged(watch, replay), 'a watch is never lost', () => watch);
    else check(hasChange(watch, replay), 'a watch is called for a change', () => watch);
  }
  checkSafety(run, replay);
}

function isUnchanged({ path, kind, setZxid, seenZxid }: WatchPromise, replay: Replay): boolean {
  const before = replay.stateAt(path, setZxid);
  const after = replay.stateAt(path, seenZxid);
  if (path === '/') return (before?.pzxid ?? 0) === (after?.pzxid ?? 0); // the log does not tell how it began
  if (kind === 'exist') return after === null;
  if (before === null || after === null) return false;
  return kind === 'child' ? before.pzxid === after.pzxid : before.mzxid === after.mzxid;
}

function hasChange({ path, setZxid }: WatchPromise, replay: Replay): boolean {
  return replay.changes.some((change) => change.zxid > setZxid && (change.path === path || change.parentPath === path));
}

function checkSafety({ sdk, facts }: Run, replay: Replay): void {
  const executedMs = new Map<number, number>();
  for (const { timeMs, batches } of facts.executions) {
    for (const { firstZxid, lastZxid } of batches) {
      for (let zxid = firstZxid; zxid <= lastZxid; zxid++) {
        if (!executedMs.has(zxid)) executedMs.set(zxid, timeMs);
      }
    }
  }
  for (const [zxid, { operation, session, cxid }] of replay.outcomes) {
    if (operation !== OpCode.closeSession || cxid !== 0) continue;
    const safeUntilMs = sdk.safeUntilMs.get(session) ?? 0;
    const endMs = executedMs.get(zxid) ?? Number.POSITIVE_INFINITY;
    check(endMs >= safeUntilMs, 'a session is not expired while its client counts it as safe', () => ({
      session,
      endMs,
      safeUntilMs,
    }));
  }
}
