/**
 * A server for the tests of Zab that is nothing but a notebook: what a leader or a learner asks of the world, of the
 * state machine and of its server is written down as short lines, which `take` hands out.
 *
 *   to 2,3: propose 4:1 4:3      append 4:1-4:3      epochs 4/3      execute 4:1-4:3      reset 2      leaves
 *
 * A zxid is written as epoch:counter. Bytes, digests and flags that are false are left out.
 */
import { counterOf, epochOf, makeZxid } from '../../../../protocol/ids.js';
import { decodeBatch, encodeBatch } from '../../../../protocol/peer/codec.js';
import { type Batch, lastZxid } from '../../../../protocol/peer/entries.js';
import type { PeerMessage, PeerMessageOf, PeerPage } from '../../../../protocol/peer/messages.js';
import { History } from '../../../../src/core/zab/history.js';
import type { Leader } from '../../../../src/core/zab/leader.js';
import type { Learner } from '../../../../src/core/zab/learner.js';
import { Quorum } from '../../../../src/core/zab/quorum.js';
import type { Digest, EnsembleOptions, StateMachine, Surroundings } from '../../../../src/core/zab/surroundings.js';

type LeaderContext = ConstructorParameters<typeof Leader>[0];
type LearnerContext = ConstructorParameters<typeof Learner>[1];

export const OPTIONS: EnsembleOptions = {
  voters: [1, 2, 3].map((id) => ({ id, weight: 1, group: 0 })),
  observers: [],
  initLimitMs: 1000,
  syncLimitMs: 500,
  pingMs: 50,
  voteRepeatMsMin: 20,
  voteRepeatMsMax: 100,
  voteSettleMs: 40,
  snapshotsMax: 1,
  historyBytesMax: 1_000_000,
  epochEntriesMax: 1000,
};

export const z = makeZxid;

/** A zxid as epoch:counter. */
export function show(zxid: number): string {
  return zxid < z(1, 0) || !Number.isFinite(zxid) ? `${zxid}` : `${epochOf(zxid)}:${counterOf(zxid)}`;
}

/** Entries that mean nothing, with `bytes` of requests. */
export function batchAt(firstZxid: number, length = 1, bytes = 0): Batch {
  const column = new Array<number>(length).fill(0);
  return {
    firstZxid,
    timeMs: 1,
    rules: 1,
    flags: 0,
    operations: column,
    sessions: column,
    cxids: column,
    callers: column,
    requestEnds: column.map(() => bytes),
    identityLists: [[]],
    requests: new Uint8Array(bytes),
  };
}

/** As it travels, or stands in the log. */
export function stored(batch: Batch): { firstZxid: number; lastZxid: number; bytes: Uint8Array } {
  return { firstZxid: batch.firstZxid, lastZxid: lastZxid(batch), bytes: encodeBatch(batch) };
}

export function proposal(firstZxid: number, length = 1): PeerMessageOf<'propose'> {
  const { lastZxid: last, bytes } = stored(batchAt(firstZxid, length));
  return { type: 'propose', firstZxid, lastZxid: last, batch: bytes };
}

function showMessage({ type, ...fields }: PeerMessage): string {
  const shown = Object.entries(fields).flatMap(([name, value]) => {
    if (name === 'ends') return [`[${(value as readonly number[]).map(show).join()}]`];
    if (name.startsWith('digest') || value === false || typeof value === 'object') return [];
    return [value === true ? name : typeof value === 'number' ? show(value) : `${value}`];
  });
  return [type, ...shown].join(' ');
}

export class Notebook implements Surroundings, StateMachine {
  nowMs = 0;
  appliedZxid = 0;
  checkpointZxid = z(1, 1);
  /** What `endCopy` finds wrong. */
  copyFault: string | null = null;
  /** Sessions for the next `takeHeard`. */
  sessions: number[] = [];
  isCopyStoring = false;
  private lines: string[] = [];

  /** The lines since the last call that begin with one of the given words; all without any. */
  take(...beginnings: readonly string[]): string[] {
    const { lines } = this;
    this.lines = [];
    return beginnings.length === 0 ? lines : lines.filter((line) => beginnings.some((word) => line.startsWith(word)));
  }

  write(line: string): void {
    this.lines.push(line);
  }

  send(to: readonly number[], message: PeerMessage): void {
    this.write(`to ${to.join()}: ${showMessage(message)}`);
  }
  resetLink(peer: number): void {
    this.write(`reset ${peer}`);
  }
  append(firstZxid: number, last: number): void {
    this.write(`append ${show(firstZxid)}-${show(last)}`);
  }
  truncate(afterZxid: number): void {
    this.write(`truncate ${show(afterZxid)}`);
  }
  storeEpochs(acceptedEpoch: number, currentEpoch: number): void {
    this.write(`epochs ${acceptedEpoch}/${currentEpoch}`);
  }
  readLog(reader: number, afterZxid: number): void {
    this.write(`readLog #${reader} ${show(afterZxid)}`);
  }
  findLogEnd(reader: number, zxid: number): void {
    this.write(`findLogEnd #${reader} ${show(zxid)}`);
  }
  openSnapshot(reader: number): void {
    this.write(`openSnapshot #${reader}`);
  }
  readSnapshot(reader: number): void {
    this.write(`readSnapshot #${reader}`);
  }
  closeSnapshot(reader: number): void {
    this.write(`closeSnapshot #${reader}`);
  }
  keepLog(afterZxid: number): void {
    this.write(`keepLog ${show(afterZxid)}`);
  }
  note(): void {}

  execute(batch: Batch): void {
    this.appliedZxid = lastZxid(batch);
    this.write(`execute ${show(batch.firstZxid)}-${show(this.appliedZxid)}`);
  }
  /** Of the state at `appliedZxid`: any other state has another one. */
  digest(): Digest {
    return { high: epochOf(this.appliedZxid), low: counterOf(this.appliedZxid) };
  }
  beginCopy(zxid: number): void {
    this.write(`beginCopy ${show(zxid)}`);
  }
  copyPages(pages: readonly PeerPage[]): void {
    this.write(`copyPages ${pages.map(({ page }) => page).join()}`);
  }
  endCopy(): string | null {
    this.write('endCopy');
    return this.copyFault;
  }
  adoptCopy(): void {
    this.write('adoptCopy');
  }
  abandonCopy(): void {
    this.write('abandonCopy');
  }
  diverged(): void {
    this.write('diverged');
  }
  takeHeard(): readonly number[] {
    const { sessions } = this;
    this.sessions = [];
    return sessions;
  }
  heard(learner: number, sessions: readonly number[]): void {
    this.write(`heard ${learner}: ${sessions.join()}`);
  }
  serves(as: 'leader' | 'learner'): void {
    this.write(`serves ${as}`);
  }
  serveNoMore(): void {
    this.write('serves no more');
  }
  confirmed(round: number): void {
    this.write(`confirmed ${round}`);
  }
}

export interface ServerSetup {
  readonly serverId?: number;
  readonly options?: Partial<EnsembleOptions>;
  readonly acceptedEpoch?: number;
  readonly currentEpoch?: number;
  readonly isObserver?: boolean;
}

/** What a Leader or a Learner is told about the server it is on. */
export class TestServer implements LeaderContext, LearnerContext {
  readonly notebook = new Notebook();
  readonly surroundings: Surroundings = this.notebook;
  readonly machine: StateMachine = this.notebook;
  readonly serverId: number;
  readonly options: EnsembleOptions;
  readonly quorum: Quorum;
  readonly history: History;
  readonly isObserver: boolean;
  readonly isVoting = true;
  readonly isAlone: boolean;
  readonly connected: Set<number>;
  acceptedEpoch: number;
  currentEpoch: number;
  storedZxid = 0;
  private lastReader = 0;

  constructor(setup: ServerSetup = {}) {
    this.serverId = setup.serverId ?? 1;
    this.options = { ...OPTIONS, ...setup.options };
    this.quorum = new Quorum(this.options.voters);
    this.history = new History(this.options.historyBytesMax);
    this.isObserver = setup.isObserver ?? false;
    this.isAlone = this.options.voters.length === 1;
    this.connected = new Set(this.options.voters.map(({ id }) => id).filter((id) => id !== this.serverId));
    this.acceptedEpoch = setup.acceptedEpoch ?? 0;
    this.currentEpoch = setup.currentEpoch ?? this.acceptedEpoch;
  }

  /** Batches of one entry each that are on this server's disk, up to this counter. */
  has(epoch: number, upTo: number): this {
    for (let counter = 1; counter <= upTo; counter++) {
      const batch = batchAt(z(epoch, counter));
      this.history.append(batch, encodeBatch(batch));
    }
    this.storedZxid = this.history.lastZxid;
    return this;
  }

  take(...beginnings: readonly string[]): string[] {
    return this.notebook.take(...beginnings);
  }

  nextReader(): number {
    return ++this.lastReader;
  }
  decode(bytes: Uint8Array): Batch {
    return decodeBatch(bytes);
  }
  acceptEpoch(epoch: number): void {
    this.acceptedEpoch = epoch;
    this.surroundings.storeEpochs(epoch, this.currentEpoch);
  }
  adoptEpoch(epoch: number): void {
    this.currentEpoch = epoch;
    this.surroundings.storeEpochs(this.acceptedEpoch, epoch);
  }
  established(): void {
    this.notebook.write('established');
  }
  stepDown(): void {
    this.notebook.write('steps down');
  }
  leave(): void {
    this.notebook.write('leaves');
  }
}
