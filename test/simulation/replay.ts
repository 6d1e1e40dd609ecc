/**
 * What was committed, executed once more from the first batch to the last by a replica that knows nothing else: what
 * every entry answered, what every node looked like at every zxid, and which changes there were. The truth that
 * clients' observations are held against.
 */
import { OpCode } from '../../protocol/client/constants.js';
import { PathRequest } from '../../protocol/client/records.js';
import { JuteReader } from '../../protocol/jute/reader.js';
import { JuteWriter } from '../../protocol/jute/writer.js';
import { decodeBatch } from '../../protocol/peer/codec.js';
import { type Batch, lastZxid } from '../../protocol/peer/entries.js';
import type { Change } from '../../src/core/ops/changes.js';
import type { World } from '../../src/core/ops/operation.js';
import { Applier } from '../../src/core/pipeline/apply.js';
import { NO_NODE } from '../../src/core/tree/tree.js';
import type { StoredBatch } from '../../src/testing/index.js';
import { createWorld } from '../helpers/world.js';

export interface Outcome {
  readonly session: number;
  readonly cxid: number;
  readonly operation: number;
  readonly code: number;
  readonly body: Uint8Array;
}

/** A node from one zxid on; null: it did not exist. */
export interface NodeState {
  readonly data: Uint8Array | null;
  readonly stat: Uint8Array;
  readonly mzxid: number;
  readonly pzxid: number;
  readonly children: readonly string[];
}

export interface LoggedChange extends Change {
  readonly zxid: number;
}

export class Replay {
  readonly outcomes = new Map<number, Outcome>();
  /** session/cxid of every entry that a client asked for. */
  readonly requests = new Set<string>();
  /** Sessions that were closed or have expired, with the zxid. */
  readonly closedSessions = new Map<number, number>();
  readonly changes: LoggedChange[] = [];
  /** At the end of each batch. */
  readonly digests = new Map<number, string>();
  readonly world: World = createWorld();
  lastZxid = 0;
  /** Ephemeral nodes that were there after the end of their session: must stay empty. */
  readonly orphans: string[] = [];
  private batch: Batch | null = null;
  private readonly states = new Map<string, { zxid: number; state: NodeState | null }[]>();

  constructor(log: readonly StoredBatch[]) {
    for (const { bytes } of log) this.apply(decodeBatch(bytes));
  }

  /** The node at a zxid. */
  stateAt(path: string, zxid: number): NodeState | null {
    const versions = this.states.get(path) ?? [];
    for (let i = versions.length - 1; i >= 0; i--) if (versions[i].zxid <= zxid) return versions[i].state;
    return null;
  }

  private readonly applier = new Applier(this.world, {
    executing: () => true,
    changed: (change, zxid) => {
      this.changes.push({ ...change, zxid });
      this.note(change.path, zxid);
      this.note(change.parentPath, zxid);
    },
    executed: (session, cxid, operation, code, body) => this.executed(session, cxid, operation, code, body),
  });

  private apply(batch: Batch): void {
    this.batch = batch;
    this.applier.apply(batch);
    this.lastZxid = lastZxid(batch);
    this.digests.set(this.lastZxid, digestText(this.world));
  }

  private executed(session: number, cxid: number, operation: number, code: number, body: JuteWriter): void {
    const zxid = this.applier.lastZxid;
    const bytes = code === 0 ? body.toBytes() : new Uint8Array(0);
    this.outcomes.set(zxid, { session, cxid, operation, code, body: bytes });
    if (cxid !== 0) this.requests.add(`${session}/${cxid}`);
    if (operation === OpCode.setACL) this.note(this.pathOf(zxid), zxid); // no watch hears of it, so no change tells
    if (operation !== OpCode.closeSession) return;
    if (!this.closedSessions.has(session)) this.closedSessions.set(session, zxid);
    for (const node of this.world.tree.ephemeralsOf(session)) this.orphans.push(this.world.tree.pathText(node));
  }

  /** Of the request of an entry of the batch in execution. */
  private pathOf(zxid: number): string {
    const { firstZxid, requestEnds, requests } = this.batch as Batch;
    const i = zxid - firstZxid;
    return PathRequest.read(new JuteReader(requests, i === 0 ? 0 : requestEnds[i - 1], requestEnds[i])).path;
  }

  private note(path: string, zxid: number): void {
    const versions = this.states.get(path);
    const version = { zxid, state: nodeState(this.world, path) };
    if (versions === undefined) this.states.set(path, [version]);
    else if (versions[versions.length - 1].zxid === zxid) versions[versions.length - 1] = version;
    else versions.push(version);
  }
}

function nodeState({ tree }: World, path: string): NodeState | null {
  const node = tree.findText(path);
  if (node === NO_NODE) return null;
  const stat = new JuteWriter(80);
  tree.writeStat(node, stat);
  const children: string[] = [];
  tree.forEachChild(node, (child) => children.push(tree.nameText(child)));
  return {
    data: tree.dataCopy(node),
    stat: stat.toBytes(),
    mzxid: tree.mzxid(node),
    pzxid: tree.pzxid(node),
    children: children.sort(),
  };
}

export function digestText({ tree }: World): string {
  const { high, low } = tree.digest();
  return `${high.toString(16)}:${low.toString(16)}`;
}
