/**
 * Durable storage of one server: the log, the epochs and the checkpoint, in one SQLite database.
 *
 * The owner hands over batches as they are made and hears back, cumulatively, what an fsync has made safe; it never
 * waits. A worker thread does the work: all batches that have come in while one fsync was running share the next one.
 * This file is the owner's side: it forwards commands, turns answers into callbacks and promises, and makes sure that
 * no failure is silent. `worker.ts` schedules, `engine.ts` knows the database.
 *
 * Zxids are safe integers, epoch * 2^32 + counter. Storage knows nothing else of what it stores.
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import type { Recovered, StorageOptions, StorageSnapshot, StorageStats } from './contract.js';
import { fromPlain, StorageError, toStorageError } from './errors.js';
import type { StoredBatch } from './log-table.js';
import {
  COUNTER_COUNT,
  type Command,
  Counter,
  type FoundEnd,
  type Opened,
  type OpenedSnapshot,
  type Reply,
  type Report,
  type RequestCommand,
  type WorkerData,
} from './messages.js';
import type { Page } from './page-table.js';
import { stream } from './stream.js';

const LOG_RETAIN_BYTES = 64 * 1024 * 1024;
const LOG_RETAIN_BATCHES = 100_000;
const SLOW_SYNC_WARN_MS = 1000;
const CHUNK_BYTES = 1024 * 1024;

/** A request without its id: what distributes over the union. */
type Unnumbered<T> = T extends { id: number } ? Omit<T, 'id'> : never;

interface Waiting {
  resolve(value: Reply): void;
  reject(error: StorageError): void;
}

export class Storage {
  /** Everything up to `zxid` is stored and synced. */
  onStored: (zxid: number) => void = () => {};
  /** The disk is full. Every batch from `firstLostZxid` on is lost, also those appended since, until `resume`. */
  onStoreFailed: (error: StorageError, firstLostZxid: number) => void = () => {};
  /** The checkpoint at `zxid` is durable; the next recovery starts from it. */
  onCheckpointed: (zxid: number) => void = () => {};
  /** The disk is full and the checkpoint at `zxid` given up; the previous one still holds. It can be begun again. */
  onCheckpointFailed: (error: StorageError, zxid: number) => void = () => {};
  /** All pages handed over so far are written: a good moment for more. */
  onCheckpointDrained: () => void = () => {};
  /** A group commit took `ms`, at least `slowSyncWarnMs`. */
  onSlowSync: (ms: number) => void = () => {};
  /** Storage has stopped for good, and the server must stop too. Never retried. By default the error is thrown. */
  onFatal: (error: StorageError) => void = (error) => {
    throw error;
  };

  private readonly worker: Worker;
  private readonly port: MessagePort;
  private readonly signal = new Int32Array(new SharedArrayBuffer(4));
  private readonly counters = new Float64Array(new SharedArrayBuffer(8 * COUNTER_COUNT));
  private readonly waiting = new Map<number, Waiting>();
  private requestCount = 0;
  private checkpointBytes = 0;
  /** Of the checkpoint begun last. */
  private isFullCheckpoint = false;
  /** First zxids of the batches in flight, oldest first; `inFlightStart` is the index of the oldest. */
  private inFlight: number[] = [];
  private inFlightStart = 0;
  private state: 'opening' | 'open' | 'closing' | 'stopped' = 'opening';
  /** Why it stopped by itself. */
  private failure: StorageError | null = null;
  private readonly opened: Promise<Opened>;
  private settleOpening!: { resolve(opened: Opened): void; reject(error: StorageError): void };

  private constructor(options: StorageOptions) {
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    const data: WorkerData = {
      options: {
        directory: options.directory,
        address: options.busyInfo?.address,
        logRetainBytes: options.logRetainBytes ?? LOG_RETAIN_BYTES,
        logRetainBatches: options.logRetainBatches ?? LOG_RETAIN_BATCHES,
        sync: options.sync ?? true,
        databaseBytesMax: options.databaseBytesMax ?? 0,
      },
      slowSyncWarnMs: options.slowSyncWarnMs ?? SLOW_SYNC_WARN_MS,
      port: port2,
      signal: this.signal.buffer as SharedArrayBuffer,
      counters: this.counters.buffer as SharedArrayBuffer,
    };
    this.opened = new Promise((resolve, reject) => {
      this.settleOpening = { resolve, reject };
    });
    this.port.on('message', (report: Report) => this.receive(report));
    this.worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: data, transferList: [port2] });
    this.worker.on('error', (error) => this.stop(toStorageError(error, 'The storage worker failed')));
    this.worker.on('exit', () => this.workerEnded());
  }

  /**
   * Opens the database in `options.directory`, creating both when missing, and holds it until `close`.
   * Throws StorageError: LOCKED, DAMAGED, VERSION, ACCESS, IO, FULL.
   */
  static async open(options: StorageOptions): Promise<{ storage: Storage; recovered: Recovered }> {
    const storage = new Storage(options);
    const { epochs, checkpoint, header, lastZxid } = await storage.opened;
    const recovered: Recovered = {
      acceptedEpoch: epochs.accepted,
      currentEpoch: epochs.current,
      isVoting: epochs.copyNeeded !== true,
      checkpoint: checkpoint.zxid === null ? null : { zxid: checkpoint.zxid, header },
      lastZxid,
      pages: () => storage.streamPages(),
      batches: (afterZxid = checkpoint.zxid ?? 0) => storage.streamBatches(afterZxid),
    };
    return { storage, recovered };
  }

  /**
   * Queues a batch; `onStored` tells when it is safe. The bytes are copied before this returns. Batches form a chain:
   * `firstZxid` is the previous batch's (or, on an empty log, the checkpoint's) last zxid plus one, or the first of a
   * later epoch (counter 1). A gap is fatal.
   */
  append(firstZxid: number, lastZxid: number, bytes: Uint8Array): void {
    const copy = new Uint8Array(bytes);
    this.inFlight.push(firstZxid);
    this.post({ kind: 'append', firstZxid, lastZxid, bytes: copy }, copy.buffer);
  }

  /**
   * Stores both epochs at once. Everything asked for before is durable when this resolves: batches, a truncation, a full
   * checkpoint. Rejects with FULL, and the old ones still hold, when the disk took them not or lost something of that;
   * throws RangeError when current is beyond accepted (E78).
   */
  async setEpochs(acceptedEpoch: number, currentEpoch: number): Promise<void> {
    if (!(Number.isSafeInteger(acceptedEpoch) && currentEpoch >= 0 && currentEpoch <= acceptedEpoch)) {
      throw new RangeError(`currentEpoch ${currentEpoch} must be at most acceptedEpoch ${acceptedEpoch}`);
    }
    await this.request({ kind: 'setEpochs', accepted: acceptedEpoch, current: currentEpoch });
  }

  /**
   * Removes the batches after `zxid`, in order with everything asked for before. Rejects with ORDER, changing nothing,
   * when that would cut through a batch or behind the checkpoint. Rejects with FULL when the disk is full: it must be
   * asked for again (or a full checkpoint be stored), and until one succeeds no batch and no epoch is taken.
   */
  async truncateAfter(zxid: number): Promise<void> {
    await this.request({ kind: 'truncateAfter', zxid });
  }

  /**
   * Begins a checkpoint at `zxid`, giving up one that is in progress. Pages that are not handed over keep their content,
   * unless `isFull`, which makes the new pages the only ones. `header` is copied.
   *
   * A full checkpoint is a copy of another server's history, at any `zxid`: when it ends nothing is left of the old log,
   * and `endCheckpoint` has its place in the order of appends, truncations and epochs. Batches that continue it may be
   * appended right after. Should it fail, they are lost with it, as are all up to `onCheckpointFailed`.
   */
  beginCheckpoint(zxid: number, header: Uint8Array, options: { isFull?: boolean } = {}): void {
    const copy = new Uint8Array(header);
    this.isFullCheckpoint = options.isFull ?? false;
    this.post({ kind: 'beginCheckpoint', zxid, header: copy, isFull: this.isFullCheckpoint }, copy.buffer);
  }

  /**
   * Hands over pages of the checkpoint in progress; empty bytes remove the page. The bytes are copied. They are written
   * between group commits: watch `stats().checkpointBytesPending` or wait for `onCheckpointDrained`.
   */
  checkpointPages(pages: readonly Page[]): void {
    const byteCount = pages.reduce((sum, { bytes }) => sum + bytes.length, 0);
    const buffer = new Uint8Array(byteCount);
    let offset = 0;
    const copies = pages.map(({ page, bytes }) => {
      const copy = buffer.subarray(offset, offset + bytes.length);
      copy.set(bytes);
      offset += bytes.length;
      return { page, bytes: copy };
    });
    this.checkpointBytes += byteCount;
    this.post({ kind: 'checkpointPages', pages: copies, byteCount }, buffer.buffer);
  }

  /** Makes the checkpoint in progress the valid one, atomically; then `onCheckpointed`, and the log is cut behind it. */
  endCheckpoint(): void {
    this.post({ kind: 'endCheckpoint', isFull: this.isFullCheckpoint });
  }

  /** After a full disk: whether a write succeeds again. */
  async probe(): Promise<boolean> {
    return (await this.request({ kind: 'probe' })) === true;
  }

  /**
   * After `onStoreFailed`: batches are taken again, beginning with `nextZxid`, which must continue what is stored. Leave it
   * out when history has turned since (a truncation, a full checkpoint); each batch is checked in any case.
   */
  resume(nextZxid?: number): void {
    this.forgetAllInFlight();
    this.post({ kind: 'resume', nextZxid });
  }

  /**
   * Batches that hold something later than `afterZxid`, in order, until `bytesMax` is reached. [] at the end, and when
   * the log does not reach back to `afterZxid`.
   */
  async readLog(afterZxid: number, bytesMax = CHUNK_BYTES): Promise<StoredBatch[]> {
    return (await this.request({ kind: 'readLog', afterZxid, bytesMax, isContiguous: true })) as StoredBatch[];
  }

  /**
   * The greatest end of a batch at or before `zxid`, that before the oldest batch included; null when the log does not
   * reach back that far.
   */
  async findLogEnd(zxid: number): Promise<number | null> {
    return ((await this.request({ kind: 'findLogEnd', zxid })) as FoundEnd).end;
  }

  /**
   * Batches that hold something later than `afterZxid` are not cut behind checkpoints, however many there are to be
   * retained. Infinity, as it is at first, lifts that. Truncations and full checkpoints remove them all the same.
   */
  keepLog(afterZxid: number): void {
    this.post({ kind: 'keepLog', afterZxid });
  }

  /**
   * Opens a view of the last finished checkpoint and of the log behind it, as they are now. There may be several at once.
   * Rejects with FULL when the disk has no room to tidy up after earlier ones.
   */
  async openSnapshot(): Promise<StorageSnapshot> {
    const opened = (await this.request({ kind: 'openSnapshot' })) as OpenedSnapshot;
    const { snapshot, zxid, checkpointZxid, header } = opened;
    let isOpen = true;
    const read = (kind: 'readSnapshotPages' | 'readSnapshotBatches') =>
      this.request({ kind, snapshot, bytesMax: CHUNK_BYTES });
    const readPages = () => read('readSnapshotPages') as Promise<Page[]>;
    const readBatches = () => read('readSnapshotBatches') as Promise<StoredBatch[]>;
    return {
      zxid,
      checkpointZxid: checkpointZxid ?? 0,
      header: checkpointZxid === null ? null : header,
      readPages,
      readBatches,
      pages: () => stream(readPages),
      batches: () => stream(readBatches),
      close: () => {
        if (isOpen && this.state === 'open') void this.request({ kind: 'closeSnapshot', snapshot }).catch(() => {});
        isOpen = false;
      },
    };
  }

  stats(): StorageStats {
    const at = (counter: keyof typeof Counter) => this.counters[Counter[counter]];
    return {
      batches: at('batches'),
      bytes: at('bytes'),
      syncs: at('groups'),
      lastSyncMs: at('lastSyncMs'),
      avgSyncMs: at('groups') === 0 ? 0 : at('totalSyncMs') / at('groups'),
      maxSyncMs: at('maxSyncMs'),
      queuedBatches: this.inFlight.length - this.inFlightStart,
      logBatches: at('logBatches'),
      logBytes: at('logBytes'),
      databaseBytes: at('databaseBytes'),
      checkpoints: at('checkpoints'),
      checkpointBytesPending: this.checkpointBytes - at('checkpointBytesDone'),
      walCheckpoints: at('walCheckpoints'),
      maxWalCheckpointMs: at('maxWalCheckpointMs'),
    };
  }

  /**
   * Stores what is queued (a checkpoint only if `endCheckpoint` was called), writes the WAL back and releases the
   * directory. Callbacks for the queued batches still come. Calling it again does nothing; after a fatal error it only
   * waits until the directory is released.
   */
  async close(): Promise<void> {
    if (this.failure) await this.worker.terminate();
    if (this.state !== 'open') return;
    const closed = this.request({ kind: 'close' });
    this.state = 'closing';
    await closed;
    this.state = 'stopped';
    this.port.close();
    await this.worker.terminate();
  }

  private async *streamPages(): AsyncGenerator<Page[]> {
    yield* stream(
      (last) =>
        this.request({ kind: 'readPages', fromPage: last ? last.page + 1 : 0, bytesMax: CHUNK_BYTES }) as Promise<
          Page[]
        >,
    );
  }

  private async *streamBatches(afterZxid: number): AsyncGenerator<StoredBatch[]> {
    yield* stream((last) => {
      const from = last?.lastZxid ?? afterZxid;
      const command = { kind: 'readLog', afterZxid: from, bytesMax: CHUNK_BYTES, isContiguous: false } as const;
      return this.request(command) as Promise<StoredBatch[]>;
    });
  }

  private request(
    command: Unnumbered<RequestCommand> | Unnumbered<Extract<Command, { kind: 'setEpochs' | 'truncateAfter' }>>,
  ): Promise<Reply> {
    const id = ++this.requestCount;
    return new Promise((resolve, reject) => {
      if (this.failure) throw this.failure;
      this.post({ ...command, id } as Command);
      this.waiting.set(id, { resolve, reject });
    });
  }

  /** After a fatal error commands go nowhere: the owner has been told, and is on its way out. */
  private post(command: Command, transfer?: ArrayBuffer): void {
    if (this.failure) return;
    if (this.state !== 'open') throw new StorageError('CLOSED', 'The storage is closed.');
    this.port.postMessage(command, transfer === undefined ? [] : [transfer]);
    Atomics.add(this.signal, 0, 1);
    Atomics.notify(this.signal, 0);
  }

  private receive(report: Report): void {
    if (typeof report === 'number') {
      this.forgetInFlight(report);
      this.onStored(report);
      return;
    }
    switch (report.kind) {
      case 'opened':
        this.state = 'open';
        this.settleOpening.resolve(report.opened);
        break;
      case 'reply':
        this.take(report.id)?.resolve(report.value);
        break;
      case 'rejected':
        this.take(report.id)?.reject(fromPlain(report.error));
        break;
      case 'storeFailed':
        this.forgetAllInFlight();
        this.onStoreFailed(fromPlain(report.error), report.firstLostZxid);
        break;
      case 'checkpointed':
        this.onCheckpointed(report.zxid);
        break;
      case 'checkpointFailed':
        if (report.isFull) {
          this.forgetAllInFlight();
          if (this.state === 'open') this.post({ kind: 'acknowledgeFailure' });
        }
        this.onCheckpointFailed(fromPlain(report.error), report.zxid);
        break;
      case 'checkpointDrained':
        this.onCheckpointDrained();
        break;
      case 'slowSync':
        this.onSlowSync(report.ms);
        break;
      case 'fatal':
        this.stop(fromPlain(report.error));
    }
  }

  private take(id: number): Waiting | undefined {
    const waiting = this.waiting.get(id);
    this.waiting.delete(id);
    return waiting;
  }

  private forgetInFlight(storedZxid: number): void {
    while (this.inFlightStart < this.inFlight.length && this.inFlight[this.inFlightStart] <= storedZxid) {
      this.inFlightStart++;
    }
    if (this.inFlightStart === this.inFlight.length) this.forgetAllInFlight();
  }

  private forgetAllInFlight(): void {
    this.inFlight = [];
    this.inFlightStart = 0;
  }

  /** The news that the worker is gone can overtake its last words, which say why. */
  private workerEnded(): void {
    for (;;) {
      const received = this.state === 'stopped' ? undefined : receiveMessageOnPort(this.port);
      if (!received) break;
      this.receive(received.message);
    }
    const isAnswered = this.state === 'closing' && this.waiting.size === 0;
    if (!isAnswered) this.stop(new StorageError('INTERNAL', 'The storage worker ended unexpectedly.'));
  }

  /** Ends everything with `error`, once. */
  private stop(error: StorageError): void {
    if (this.state === 'stopped') return;
    this.failure = error;
    const wasOpening = this.state === 'opening';
    this.state = 'stopped';
    this.port.close();
    void this.worker.terminate();
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
    if (wasOpening) this.settleOpening.reject(error);
    else this.onFatal(error);
  }
}
