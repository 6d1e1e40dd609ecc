/**
 * The storage thread: sleeps until there is something to do, then does all of it with as few fsyncs as possible.
 *
 * Each turn commits one group (everything the main thread has asked for so far, E87), answers one request, does one slice of
 * background work when one is due, and copies the WAL when it has grown enough. So a group waits for one slice at most,
 * and background work advances even when groups follow each other without a pause: it gets a third of the time then, so
 * that a checkpoint is a small burden for a while and not a wall (`Pace`).
 *
 * The end of a full checkpoint, a copy of another server's, is the one piece of background work that has its place among
 * the groups: what was asked for before it is done before it, and what comes behind it rests on it (E83).
 *
 * A full disk loses the group that met it and what was asked for behind it (`losses.ts`). Any other failure is fatal: it
 * is reported and the thread ends.
 */
import { performance } from 'node:perf_hooks';
import { type MessagePort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { Engine } from './engine.js';
import { StorageError, type StorageErrorCode, toPlain } from './errors.js';
import { follows } from './log-table.js';
import { Losses } from './losses.js';
import {
  type BackgroundCommand,
  type Command,
  Counter,
  type EndCheckpoint,
  type ForegroundCommand,
  type Reply,
  type Report,
  type RequestCommand,
  type WorkerData,
} from './messages.js';
import { Pace } from './pace.js';
import { answer } from './requests.js';

const GROUP_BYTES_MAX = 8 * 1024 * 1024;
const IDLE_MS = 20;
/** So long after a group the disk counts as busy: background work is then done in small slices, and paced. */
const BUSY_MS = 5;
const BACKGROUND_SHARE = 1 / 3;
const SLICE_BYTES_MAX = 256 * 1024;
const SLICE_BYTES_MIN = 16 * 1024;
const SLICE_BYTES_PER_SYNC_MS = 128 * 1024;
/** Failures of a request that concern nobody else. */
const REJECTING: ReadonlySet<StorageErrorCode> = new Set(['DAMAGED', 'STALE', 'CLOSED', 'FULL']);

type GroupCommand = Extract<ForegroundCommand, { kind: 'append' | 'setEpochs' }>;
type CheckpointCommand = Extract<BackgroundCommand, { kind: 'beginCheckpoint' }>;

class StorageWorker {
  private readonly foreground: ForegroundCommand[] = [];
  private readonly background: BackgroundCommand[] = [];
  private readonly requests: RequestCommand[] = [];
  /** The checkpoint in progress; null between checkpoints and after one was abandoned. */
  private checkpoint: CheckpointCommand | null = null;
  /** How far the first of `background` is written, when it is pages. */
  private pagesDone = 0;
  /** The end of a full checkpoint whose turn has come. */
  private dueEnd: EndCheckpoint | null = null;
  private readonly losses = new Losses();
  /** After a full disk: no tidying until something shows that there is room again. */
  private isTidyBlocked = false;
  private isClosed = false;
  private lastGroupAtMs = Number.NEGATIVE_INFINITY;
  private readonly pace = new Pace(BACKGROUND_SHARE);
  private readonly port: MessagePort;
  private readonly signal: Int32Array;
  private readonly counters: Float64Array;

  constructor(
    private readonly engine: Engine,
    private readonly data: WorkerData,
  ) {
    this.port = data.port;
    this.signal = new Int32Array(data.signal);
    this.counters = new Float64Array(data.counters);
  }

  run(): void {
    this.updateSizes();
    while (!this.isClosed) {
      const seen = Atomics.load(this.signal, 0);
      this.receive();
      const hasCommitted = this.commitGroup();
      const hasAnswered = this.answerRequest();
      if (this.isClosed) return;
      const waitMs = this.isPaced ? Math.min(BUSY_MS, this.pace.waitMs(performance.now())) : 0;
      const hasAdvanced = waitMs === 0 && this.advancePaced();
      let isIdle = false;
      if (!hasCommitted && !hasAnswered && !hasAdvanced) isIdle = this.sleep(seen, waitMs);
      if (this.engine.isWalWorthCheckpoint(isIdle)) this.checkpointWal();
    }
  }

  /** Until something is asked for, or background work is due again. Returns whether it was quiet for long. */
  private sleep(seen: number, waitMs: number): boolean {
    if (waitMs > 0) {
      Atomics.wait(this.signal, 0, seen, waitMs);
      return false;
    }
    const timeoutMs = this.engine.isWalWorthCheckpoint(true) ? IDLE_MS : Number.POSITIVE_INFINITY;
    return Atomics.wait(this.signal, 0, seen, timeoutMs) === 'timed-out';
  }

  /** A full checkpoint is a learner's that serves nobody yet: it is not to wait. */
  private get isPaced(): boolean {
    return this.isBusy && this.checkpoint?.isFull !== true;
  }

  private get isBusy(): boolean {
    return performance.now() - this.lastGroupAtMs <= BUSY_MS;
  }

  private advancePaced(): boolean {
    const { isPaced } = this;
    const startMs = performance.now();
    const hasAdvanced = this.advanceBackground();
    if (hasAdvanced && isPaced) this.pace.worked(startMs, performance.now());
    return hasAdvanced;
  }

  private receive(): void {
    for (;;) {
      const received = receiveMessageOnPort(this.port);
      if (!received) return;
      const command: Command = received.message;
      switch (command.kind) {
        case 'append':
        case 'setEpochs':
        case 'truncateAfter':
        case 'resume':
        case 'acknowledgeFailure':
          this.foreground.push(command);
          break;
        case 'endCheckpoint':
          if (command.isFull) this.foreground.push(command);
          this.background.push(command);
          break;
        case 'beginCheckpoint':
        case 'checkpointPages':
          this.background.push(command);
          break;
        case 'keepLog':
          this.engine.keepLog(command.afterZxid);
          break;
        default:
          this.requests.push(command);
      }
    }
  }

  /** Returns whether there was something to commit. */
  private commitGroup(): boolean {
    const group: GroupCommand[] = [];
    let bytes = 0;
    let taken = 0;
    for (; taken < this.foreground.length && bytes < GROUP_BYTES_MAX; taken++) {
      const command = this.foreground[taken];
      if (command.kind !== 'append' && command.kind !== 'setEpochs') {
        if (group.length > 0) break;
        this.carryOut(command);
      } else if (this.losses.isLosing) {
        this.lose(command);
      } else {
        group.push(command);
        if (command.kind === 'append') bytes += command.bytes.length;
      }
    }
    if (taken === 0) return false;
    this.foreground.splice(0, taken);
    if (group.length > 0) this.store(group, bytes);
    return true;
  }

  /** What stands between groups. */
  private carryOut(command: Exclude<ForegroundCommand, GroupCommand>): void {
    switch (command.kind) {
      case 'resume':
        this.resume(command.nextZxid);
        break;
      case 'truncateAfter':
        this.truncate(command.id, command.zxid);
        break;
      case 'endCheckpoint':
        this.endFullCheckpoint(command);
        break;
      case 'acknowledgeFailure':
        this.losses.failureHeard();
    }
  }

  /** What comes behind a loss is lost as well. */
  private lose(command: GroupCommand): void {
    const error = new StorageError('FULL', 'The disk is full: something was lost that this was to come after.');
    if (command.kind === 'setEpochs') this.reject(command.id, error);
    else if (this.losses.batchLost()) this.reportLoss(error, command.firstZxid);
  }

  private reportLoss(error: StorageError, firstLostZxid: number): void {
    this.report({ kind: 'storeFailed', error: toPlain(error), firstLostZxid });
  }

  private store(group: readonly GroupCommand[], bytes: number): void {
    const first = group.find((command) => command.kind === 'append');
    const startMs = performance.now();
    try {
      this.engine.group(() => {
        for (const command of group) {
          if (command.kind === 'append') this.engine.append(command);
          else this.engine.setEpochs(command.accepted, command.current);
        }
      });
    } catch (error) {
      const failure = this.fullOrThrow(error, 'Cannot store a group of batches');
      if (first) {
        this.losses.batchLost();
        this.reportLoss(failure, first.firstZxid);
      }
      for (const command of group) if (command.kind === 'setEpochs') this.reject(command.id, failure);
      return;
    }
    this.lastGroupAtMs = performance.now();
    this.countGroup(group, bytes, this.lastGroupAtMs - startMs);
    this.answerGroup(group);
  }

  /** In the order of the commands, with one word for all batches between two epochs. */
  private answerGroup(group: readonly GroupCommand[]): void {
    let storedZxid = -1;
    for (const command of group) {
      if (command.kind === 'append') {
        storedZxid = command.lastZxid;
        continue;
      }
      if (storedZxid >= 0) this.report(storedZxid);
      storedZxid = -1;
      this.reply(command.id, true);
    }
    if (storedZxid >= 0) this.report(storedZxid);
  }

  private countGroup(group: readonly GroupCommand[], bytes: number, ms: number): void {
    this.counters[Counter.groups]++;
    this.counters[Counter.bytes] += bytes;
    for (const command of group) if (command.kind === 'append') this.counters[Counter.batches]++;
    this.counters[Counter.lastSyncMs] = ms;
    this.counters[Counter.totalSyncMs] += ms;
    this.counters[Counter.maxSyncMs] = Math.max(ms, this.counters[Counter.maxSyncMs]);
    this.counters[Counter.logBatches] = this.engine.log.totals.batches;
    this.counters[Counter.logBytes] = this.engine.log.totals.bytes;
    if (ms >= this.data.slowSyncWarnMs) this.report({ kind: 'slowSync', ms });
  }

  private truncate(id: number, zxid: number): void {
    try {
      if (this.losses.isLosing && zxid > this.engine.log.totals.lastZxid) {
        throw new StorageError('FULL', `The disk is full: zxid ${zxid}, where the log was to end, was lost.`);
      }
      this.engine.group(() => this.engine.truncateAfter(zxid));
      this.losses.truncated();
      this.updateSizes();
      this.reply(id, true);
    } catch (error) {
      const failure = this.engine.failure(error, 'Cannot truncate the log');
      if (failure.code !== 'ORDER' && failure.code !== 'FULL') throw failure;
      if (failure.code === 'FULL') this.losses.truncationFailed();
      this.reject(id, failure);
    }
  }

  private resume(nextZxid: number | undefined): void {
    const { lastZxid } = this.engine.log.totals;
    const wasLosing = this.losses.isLosing;
    this.losses.resumed();
    this.isTidyBlocked = false;
    const isChecked = nextZxid !== undefined && wasLosing && !this.losses.isLosing;
    if (isChecked && !follows(lastZxid, nextZxid)) {
      throw new StorageError('ORDER', `Cannot resume with zxid ${nextZxid}: the log ends at ${lastZxid}.`);
    }
  }

  /** Everything asked for before it is done; what comes behind it has to wait for the whole of it. */
  private endFullCheckpoint(end: EndCheckpoint): void {
    this.dueEnd = end;
    while (this.background.includes(end)) this.advanceBackground();
    this.dueEnd = null;
    this.losses.copyEnded();
  }

  private answerRequest(): boolean {
    const request = this.requests.shift();
    if (!request) return false;
    try {
      if (request.kind === 'close') this.close();
      const value = request.kind === 'close' ? true : answer(this.engine, request, SLICE_BYTES_MAX);
      if (value === null) {
        this.requests.unshift(request);
        return true;
      }
      if (request.kind === 'probe' && value === true) this.isTidyBlocked = false;
      this.reply(request.id, value);
    } catch (error) {
      const failure = this.engine.failure(error, `Cannot ${request.kind}`);
      if (!REJECTING.has(failure.code)) throw failure;
      this.reject(request.id, failure);
    }
    return true;
  }

  private close(): void {
    while (this.commitGroup());
    while (this.background.some(({ kind }) => kind === 'endCheckpoint')) this.advanceBackground();
    this.engine.close();
    this.isClosed = true;
  }

  /** One slice. Returns whether there was something to do. */
  private advanceBackground(): boolean {
    if (this.background.length === 0) return this.tidy();
    const command = this.background[0];
    // Its turn comes among the groups.
    if (command.kind === 'endCheckpoint' && command.isFull && command !== this.dueEnd) return this.tidy();
    try {
      if (!this.advanceCheckpoint(command)) return true;
    } catch (error) {
      const failure = this.fullOrThrow(error, 'Cannot write the checkpoint');
      const { zxid, isFull } = command.kind === 'beginCheckpoint' ? command : this.checkpoint!;
      this.engine.abandonCheckpoint();
      this.checkpoint = null;
      this.isTidyBlocked = true;
      if (isFull) this.losses.copyFailed();
      this.report({ kind: 'checkpointFailed', zxid, isFull, error: toPlain(failure) });
    }
    this.background.shift();
    this.pagesDone = 0;
    if (command.kind === 'checkpointPages') {
      this.counters[Counter.checkpointBytesDone] += command.byteCount;
      if (this.background.length === 0) this.report({ kind: 'checkpointDrained' });
    }
    return true;
  }

  /** Returns whether the command is done with. */
  private advanceCheckpoint(command: BackgroundCommand): boolean {
    if (command.kind === 'beginCheckpoint') {
      this.engine.abandonCheckpoint();
      this.checkpoint = null;
      if (this.engine.hasLeftovers) {
        this.engine.tidy(this.sliceBytes());
        return false;
      }
      if (!command.isFull && command.zxid < this.engine.checkpointZxid) {
        throw new StorageError('ORDER', `A checkpoint at ${command.zxid} would go back from a later one.`);
      }
      this.checkpoint = command;
      this.losses.copyBegun();
      return true;
    }
    // Not begun, or abandoned on a full disk: what still arrives for it is dropped.
    if (!this.checkpoint) return true;
    if (command.kind === 'checkpointPages') {
      this.pagesDone = this.engine.writePages(command.pages, this.pagesDone, this.sliceBytes());
      return this.pagesDone === command.pages.length;
    }
    const { zxid, header, isFull } = this.checkpoint;
    this.engine.finishCheckpoint(zxid, header, isFull);
    if (isFull) this.losses.copied();
    this.checkpoint = null;
    this.isTidyBlocked = false;
    this.counters[Counter.checkpoints]++;
    this.report({ kind: 'checkpointed', zxid });
    return true;
  }

  private tidy(): boolean {
    if (this.isTidyBlocked) return false;
    try {
      const hasTidied = this.engine.tidy(this.sliceBytes());
      if (hasTidied) this.updateSizes();
      return hasTidied;
    } catch (error) {
      this.fullOrThrow(error, 'Cannot tidy the database');
      this.isTidyBlocked = true;
      return false;
    }
  }

  private sliceBytes(): number {
    if (!this.isBusy) return SLICE_BYTES_MAX;
    const bytes = this.counters[Counter.lastSyncMs] * SLICE_BYTES_PER_SYNC_MS;
    return Math.min(SLICE_BYTES_MAX, Math.max(SLICE_BYTES_MIN, bytes));
  }

  private checkpointWal(): void {
    const startMs = performance.now();
    this.engine.checkpointWal();
    const endMs = performance.now();
    const ms = endMs - startMs;
    // What background work has written is copied too: it counts as part of it.
    if (this.background.length > 0 && this.isPaced) this.pace.worked(startMs, endMs);
    this.counters[Counter.walCheckpoints]++;
    this.counters[Counter.maxWalCheckpointMs] = Math.max(ms, this.counters[Counter.maxWalCheckpointMs]);
    this.updateSizes();
  }

  private updateSizes(): void {
    this.counters[Counter.logBatches] = this.engine.log.totals.batches;
    this.counters[Counter.logBytes] = this.engine.log.totals.bytes;
    this.counters[Counter.databaseBytes] = this.engine.databaseBytes;
  }

  private fullOrThrow(error: unknown, doing: string): StorageError {
    const failure = this.engine.failure(error, doing);
    if (failure.code !== 'FULL') throw failure;
    return failure;
  }

  private reply(id: number, value: Reply): void {
    const buffer = Array.isArray(value) ? value[0]?.bytes.buffer : undefined;
    this.port.postMessage({ kind: 'reply', id, value } satisfies Report, buffer instanceof ArrayBuffer ? [buffer] : []);
  }

  private reject(id: number, error: StorageError): void {
    this.report({ kind: 'rejected', id, error: toPlain(error) });
  }

  private report(report: Report): void {
    this.port.postMessage(report);
  }
}

function main(data: WorkerData): void {
  let engine: Engine | undefined;
  try {
    engine = Engine.open(data.options);
    const { epochs, checkpoint, checkpointHeader: header } = engine;
    const opened = { epochs, checkpoint, header, lastZxid: engine.log.totals.lastZxid };
    data.port.postMessage({ kind: 'opened', opened } satisfies Report);
    new StorageWorker(engine, data).run();
  } catch (error) {
    data.port.postMessage({ kind: 'fatal', error: toPlain(error) } satisfies Report);
    engine?.abort();
  }
}

main(workerData);
