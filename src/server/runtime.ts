// The loop around the replica: the only place that owns a clock. It feeds inputs in as they come, and at the end of
// each turn of the event loop carries out the effects. Everything that happened in one turn is thereby one batch to the
// disk and one write to each socket.
//
// The end of a turn is a `setImmediate`, which Node runs after it has read every socket that was ready. A tick is given
// in then as well, never straight from its timer: after a long pause of the process the pings that wait in the sockets
// must be read before anybody is said to have been silent.
//
// For the same reason the replica's clock counts only the time in which this process could listen. While it was stopped,
// or its machine suspended, nobody could be heard; when it goes on, sessions have as much time left as they had before,
// enough for clients that have to connect again.

import type { Effect, Input } from '../core/io.js';
import type { AuditRecord } from '../core/pipeline/audit.js';
import type { Replica } from '../core/replica.js';
import type { Logger } from './logging.js';
import type { ClientListener } from './net/client-listener.js';
import type { PeerLinks } from './peers/index.js';
import { type Storage, StorageError, type StorageSnapshot } from './storage/index.js';

/** How often the replica is told that time passes, in ms: paces checkpoint slices and bounds how late expiry is. */
const TICK_MS = 20;
/** Of a time between two turns, which is a tick at most unless the process was held up, so much counts. */
const TURN_MS_MAX = 200;
/** How often a full disk is asked again for room for what cannot be left out. */
const DISK_RETRY_MS = 500;

export interface RuntimeHooks {
  onServing(epoch: number): void;
  audited(record: AuditRecord): void;
  /** An invariant is broken, or the disk: nothing more happens. */
  onBroken(error: Error): void;
  /** The replica has stopped because its state is not that of the others. */
  onDiverged(reason: string): void;
}

export class Runtime {
  private readonly replica: Replica;
  private readonly storage: Storage;
  private readonly logger: Logger;
  private readonly hooks: RuntimeHooks;
  private listener: ClientListener | null = null;
  private links: PeerLinks | null = null;
  /** By reader; a promise, since reading may be asked for before it is open. */
  private readonly snapshots = new Map<number, Promise<StorageSnapshot>>();
  /** How often something was lost, or replaced as a whole: what waited for a full disk until then is void. */
  private losses = 0;
  private waitingFor = '';
  private inTurn = false;
  private tickDue = false;
  private lastTurnMs = performance.now();
  /** Monotonic, and stands still while the process does. */
  private listeningMs = 0;
  private stopped = false;
  private readonly ticker: NodeJS.Timeout;

  constructor(replica: Replica, storage: Storage, logger: Logger, hooks: RuntimeHooks) {
    this.replica = replica;
    this.storage = storage;
    this.logger = logger;
    this.hooks = hooks;
    this.ticker = setInterval(() => {
      this.tickDue = true;
      this.beginTurn();
    }, TICK_MS);
  }

  attach(listener: ClientListener): void {
    this.listener = listener;
  }

  link(links: PeerLinks): void {
    this.links = links;
  }

  stop(): void {
    this.stopped = true;
    clearInterval(this.ticker);
  }

  /** Gives an input to the replica. A broken invariant stops the server: its state cannot be trusted any more. */
  input(input: Input): void {
    if (this.stopped) return;
    this.beginTurn();
    if (input.type === 'storeFailed' || input.type === 'checkpointFailed') this.losses++;
    try {
      this.replica.handle(input);
    } catch (error) {
      this.broken(error);
    }
  }

  /** Everything that is not an input but changes the replica, such as its start. */
  run(action: () => void): void {
    if (this.stopped) return;
    this.beginTurn();
    action();
  }

  private beginTurn(): void {
    if (this.inTurn || this.stopped) return;
    this.inTurn = true;
    const nowMs = performance.now();
    this.listeningMs += Math.min(nowMs - this.lastTurnMs, TURN_MS_MAX);
    this.lastTurnMs = nowMs;
    this.replica.handle({ type: 'clock', wallMs: Date.now(), monotonicMs: this.listeningMs });
    setImmediate(this.endTurn);
  }

  private readonly endTurn = (): void => {
    if (this.stopped) return;
    try {
      if (this.tickDue) {
        this.tickDue = false;
        this.replica.handle({ type: 'tick' });
      }
      this.replica.handle({ type: 'turnEnd' });
      this.inTurn = false;
      for (const effect of this.replica.takeEffects()) this.carryOut(effect);
      this.links?.flush();
    } catch (error) {
      this.broken(error);
    }
  };

  private broken(error: unknown): void {
    this.stop();
    this.hooks.onBroken(error instanceof Error ? error : new Error(String(error)));
  }

  /**
   * What nothing can go on without: a full disk is waited for, as with any other write. But not when something was lost
   * that this was to come behind: then the replica has been told, and asks anew for whatever it still wants (E83).
   */
  private insist(what: string, store: () => Promise<void>, done: () => void, losses = this.losses): void {
    store().then(done, (error) => {
      if (this.stopped || losses !== this.losses) return;
      if (!(error instanceof StorageError) || error.code !== 'FULL') return this.broken(error);
      if (this.waitingFor !== what) {
        this.logger.error(`waiting for the disk to ${what}: ${error.message} ${error.remedy}`);
        this.waitingFor = what;
      }
      setTimeout(() => {
        if (!this.stopped && losses === this.losses) this.insist(what, store, done, losses);
      }, DISK_RETRY_MS).unref();
    });
  }

  /** What was read is an input. */
  private read(reading: Promise<Input>): void {
    reading.then(
      (input) => this.input(input),
      (error) => {
        // It was closed meanwhile: nobody waits for it.
        const isGone = error instanceof StorageError && (error.code === 'CLOSED' || error.code === 'STALE');
        if (!this.stopped && !isGone) this.broken(error);
      },
    );
  }

  private async openSnapshot(reader: number): Promise<Input> {
    this.closeSnapshot(reader);
    const opening = this.storage.openSnapshot();
    this.snapshots.set(reader, opening);
    const { checkpointZxid: zxid, header } = await opening;
    if (header === null) throw new StorageError('INTERNAL', 'A copy was asked for where there is no checkpoint.');
    return { type: 'snapshotOpened', reader, zxid, header };
  }

  private async readSnapshot(reader: number): Promise<Input> {
    const snapshot = await this.snapshots.get(reader);
    return { type: 'snapshotRead', reader, pages: (await snapshot?.readPages()) ?? [] };
  }

  private closeSnapshot(reader: number): void {
    void this.snapshots.get(reader)?.then(
      (snapshot) => snapshot.close(),
      () => {}, // it was never open, which whoever opened it has been told
    );
    this.snapshots.delete(reader);
  }

  private carryOut(effect: Effect): void {
    const { listener, storage } = this;
    switch (effect.type) {
      case 'flush':
        listener?.flush(effect.connection);
        break;
      case 'append':
        storage.append(effect.firstZxid, effect.lastZxid, effect.bytes);
        break;
      case 'close':
        listener?.hangUp(effect.connection, effect.reason);
        break;
      case 'pause':
        listener?.pause(effect.connection);
        break;
      case 'resume':
        listener?.resume(effect.connection);
        break;
      case 'storeEpochs': {
        const { acceptedEpoch, currentEpoch } = effect;
        this.insist(
          'store an epoch',
          () => storage.setEpochs(acceptedEpoch, currentEpoch),
          () => this.input({ type: 'epochsStored', acceptedEpoch, currentEpoch }),
        );
        break;
      }
      case 'truncate': {
        const { afterZxid } = effect;
        this.insist(
          'cut its log',
          () => storage.truncateAfter(afterZxid),
          () => this.input({ type: 'truncated', afterZxid }),
        );
        break;
      }
      case 'beginCheckpoint':
        if (effect.isFull) this.losses++; // what was to be cut is replaced as a whole
        storage.beginCheckpoint(effect.zxid, effect.header, { isFull: effect.isFull });
        break;
      case 'checkpointPages':
        storage.checkpointPages(effect.pages);
        break;
      case 'endCheckpoint':
        storage.endCheckpoint();
        break;
      case 'send':
        this.links?.send(effect.to, effect.message);
        break;
      case 'resetLink':
        this.links?.reset(effect.peer, effect.reason);
        break;
      case 'readLog': {
        const { reader, afterZxid } = effect;
        this.read(storage.readLog(afterZxid).then((batches): Input => ({ type: 'logRead', reader, batches })));
        break;
      }
      case 'findLogEnd': {
        const { reader, zxid } = effect;
        this.read(storage.findLogEnd(zxid).then((end): Input => ({ type: 'logEndFound', reader, end })));
        break;
      }
      case 'openSnapshot':
        this.read(this.openSnapshot(effect.reader));
        break;
      case 'readSnapshot':
        this.read(this.readSnapshot(effect.reader));
        break;
      case 'closeSnapshot':
        this.closeSnapshot(effect.reader);
        break;
      case 'keepLog':
        storage.keepLog(effect.afterZxid);
        break;
      case 'diverged':
        this.stop();
        this.hooks.onDiverged(effect.reason);
        break;
      case 'notServing':
        this.logger.info('not serving clients until there is a leader');
        break;
      case 'audit':
        this.hooks.audited(effect.record);
        break;
      case 'serving':
        this.hooks.onServing(effect.epoch);
        break;
      case 'note':
        this.logger[effect.level](effect.message, effect.fields);
        break;
    }
  }
}
