/**
 * Checks watches, connection by connection, against the changes of the log: a one-shot watch fires exactly once, at the
 * first change after it was set, with the right event, in the order of the changes, and before any reply that shows
 * the new state (E58, E59). A watch that is brought along by setWatches is told what it missed, or set again (E62).
 *
 * Leaves out persistent watches (the property test of the watch table has them) and the filter by ACL (E46).
 */
import { EventType, OpCode } from '../../../protocol/client/constants.js';
import type { OperationRequest } from '../../../src/testing/index.js';
import type { Observation, Sent } from '../history.js';
import type { Replay } from '../replay.js';
import type { Run } from '../scenario.js';
import { check } from './check.js';

interface SeenEvent {
  readonly type: number;
  readonly path: string;
  readonly zxid: number;
}

export function checkWatches(run: Run, replay: Replay): void {
  const connections = new Map<number, ConnectionModel>();
  for (const observation of run.history) {
    let model = connections.get(observation.connection);
    if (model === undefined) {
      model = new ConnectionModel(replay);
      connections.set(observation.connection, model);
    }
    model.observe(observation);
  }
}

/** What one connection watches, as the server must have it, and the events that are due. */
class ConnectionModel {
  private readonly data = new Set<string>();
  private readonly child = new Set<string>();
  /** Changes before this index have fired. */
  private cursor = 0;
  private readonly due: SeenEvent[] = [];
  private readonly sent: Sent[] = [];
  /** Events of setWatches that came before its reply. */
  private resumed: SeenEvent[] = [];

  constructor(private readonly replay: Replay) {}

  observe(observation: Observation): void {
    if (observation.kind === 'sent') this.sent.push(observation);
    if (observation.kind !== 'received') return;
    const { item } = observation;
    if (item.kind === 'event') this.event(item);
    if (item.kind === 'reply') {
      const sent = this.sent.shift() as Sent;
      if (sent.operation === 'setWatches') this.resume(sent.request as OperationRequest<'setWatches'>, item.zxid);
      this.fireUpTo(item.zxid);
      check(this.due.length === 0, 'an event comes before the reply that shows it', () => ({ due: this.due, item }));
      this.register(sent, item.code);
    }
  }

  private event(event: SeenEvent): void {
    if (event.zxid === -1) {
      this.resumed.push(event);
      return;
    }
    this.fireUpTo(event.zxid);
    // A session's end deletes its nodes in no particular order (E58).
    const isSessionEnd = this.replay.outcomes.get(event.zxid)?.operation === OpCode.closeSession;
    const index = isSessionEnd ? this.due.findIndex((due) => isSame(due, event)) : 0;
    const [expected] = this.due.splice(Math.max(0, index), 1);
    const isExpected = expected !== undefined && isSame(expected, event);
    check(isExpected, 'an event comes once, in order, for a watch that was set', () => ({ expected, event }));
  }

  private register(sent: Sent, code: number): void {
    const { path, watch } = sent.request === undefined ? {} : (sent.request as { path?: string; watch?: boolean });
    if (watch !== true || path === undefined) return;
    if (sent.operation === 'getChildren2' && code === 0) this.child.add(path);
    if (sent.operation === 'exists' || (sent.operation === 'getData' && code === 0)) this.data.add(path);
  }

  private resume(lists: OperationRequest<'setWatches'>, zxid: number): void {
    const seen = Number(lists.relativeZxid);
    const expected: [number, string][] = [];
    const node = (path: string) => this.replay.stateAt(path, zxid) ?? (path === '/' ? { mzxid: 0, pzxid: 0 } : null);
    for (const path of lists.dataWatches) {
      const state = node(path);
      if (state === null) expected.push([EventType.nodeDeleted, path]);
      else if (state.mzxid > seen) expected.push([EventType.nodeDataChanged, path]);
      else this.data.add(path);
    }
    for (const path of lists.existWatches) {
      if (node(path) !== null) expected.push([EventType.nodeCreated, path]);
      else this.data.add(path);
    }
    for (const path of lists.childWatches) {
      const state = node(path);
      if (state === null) expected.push([EventType.nodeDeleted, path]);
      else if (state.pzxid > seen) expected.push([EventType.nodeChildrenChanged, path]);
      else this.child.add(path);
    }
    const told = this.resumed.map(({ type, path }) => `${type} ${path}`);
    const due = expected.map(([type, path]) => `${type} ${path}`);
    check(told.join() === due.join(), 'a watch that comes back is told what it missed', () => ({ told, due }));
    this.resumed = [];
    this.skipTo(zxid);
  }

  /** The connection has only now begun to watch. */
  private skipTo(zxid: number): void {
    const { changes } = this.replay;
    while (this.cursor < changes.length && changes[this.cursor].zxid <= zxid) this.cursor++;
  }

  private fireUpTo(zxid: number): void {
    const { changes } = this.replay;
    for (; this.cursor < changes.length && changes[this.cursor].zxid <= zxid; this.cursor++) {
      const change = changes[this.cursor];
      const { kind, path, parentPath } = change;
      const fire = (set: Set<string>, type: number, on: string): boolean => {
        if (!set.delete(on)) return false;
        this.due.push({ type, path: on, zxid: change.zxid });
        return true;
      };
      if (kind === 'dataChanged') fire(this.data, EventType.nodeDataChanged, path);
      else if (kind === 'created') fire(this.data, EventType.nodeCreated, path);
      else if (fire(this.data, EventType.nodeDeleted, path)) this.child.delete(path);
      else fire(this.child, EventType.nodeDeleted, path);
      if (kind !== 'dataChanged') fire(this.child, EventType.nodeChildrenChanged, parentPath);
    }
  }
}

function isSame(a: SeenEvent, b: SeenEvent): boolean {
  return a.type === b.type && a.path === b.path && a.zxid === b.zxid;
}
