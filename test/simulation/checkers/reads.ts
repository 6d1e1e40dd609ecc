/**
 * Checks that every answer to getData, exists and getChildren2 shows exactly the state at the zxid in its header (E9):
 * data, Stat and children, byte for byte. With order.ts this makes reads part of the one history.
 *
 * Leaves out ACLs: every node of the simulation is open.
 */
import { Code } from '../../../protocol/client/errors.js';
import { ChildrenStatResponse, DataResponse, Stat, StatResponse } from '../../../protocol/client/records.js';
import { JuteReader } from '../../../protocol/jute/reader.js';
import { JuteWriter } from '../../../protocol/jute/writer.js';
import { repliesWithRequests } from '../history.js';
import type { NodeState, Replay } from '../replay.js';
import type { Run } from '../scenario.js';
import { check, equalBytes } from './check.js';

export function checkReads(run: Run, replay: Replay): void {
  for (const { sent, reply, observation } of repliesWithRequests(run.history)) {
    if (sent === undefined) continue;
    const { operation } = sent;
    if (operation !== 'getData' && operation !== 'exists' && operation !== 'getChildren2') continue;
    const { path } = sent.request as { path: string };
    const state = replay.stateAt(path, reply.zxid);
    // The root was there before the first entry: until something changes it, the log does not tell its Stat.
    if (path === '/' && state === null) continue;
    if (state === null) check(reply.code === Code.NoNode, 'what is not there is not shown', () => observation);
    else {
      const isShown = reply.code === 0 && shows(operation, reply.body, state);
      check(isShown, 'a read shows the state at its zxid', () => ({ sent, reply, state }));
    }
  }
}

function shows(operation: 'getData' | 'exists' | 'getChildren2', body: Uint8Array, state: NodeState): boolean {
  const reader = new JuteReader(body);
  if (operation === 'exists') return isStat(StatResponse.read(reader).stat, state);
  if (operation === 'getData') {
    const { data, stat } = DataResponse.read(reader);
    return equalBytes(data, state.data) && isStat(stat, state);
  }
  const { children, stat } = ChildrenStatResponse.read(reader);
  return children.sort().join() === state.children.join() && isStat(stat, state);
}

function isStat(stat: Stat, state: NodeState): boolean {
  const writer = new JuteWriter(80);
  Stat.write(writer, stat);
  return equalBytes(writer.toBytes(), state.stat);
}
