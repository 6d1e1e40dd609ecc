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
import type { Replica } from '../core/replica.js';
import type { Logger } from './logging.js';
import type { ClientListener } from './net/client-listener.js';
import { type Storage, StorageError } from './storage/index.js';

/** How often the replica is told that time passes, in ms: paces checkpoint slices and bounds how late expiry is. */
const TICK_MS = 20;
/** Of a time between two turns, which is a tick at most unless the process was held up, so much counts. */
const TURN_MS_MAX = 200;
/** How often a full disk is asked again for room for a new epoch. */
const EPOCH_RETRY_MS = 500;

export class Runtime {
  private readonly replica: Replica;
  private readonly storage: Storage;
  private readonly logger: Logger;
  private readonly onServing: (epoch: number) => void;
  private readonly onBroken: (error: Error) => void;
  private listener: ClientListener | null = null;
  private inTurn = false;
  private tickDue = false;
  private lastTurnMs = performance.now();
  /** Monotonic, and stands still while the process does. */
  private listeningMs = 0;
  private stopped = false;
  private readonly ticker: NodeJS.Timeout;

  constructor(
    replica: Replica,
    storage: Storage,
    logger: Logger,
    hooks: { onServing(epoch: number): void; onBroken(error: Error): void },
  ) {
    this.replica = replica;
    this.storage = storage;
    this.logger = logger;
    this.onServing = (epoch) => hooks.onServing(epoch);
    this.onBroken = (error) => hooks.onBroken(error);
    this.ticker = setInterval(() => {
      this.tickDue = true;
      this.beginTurn();
    }, TICK_MS);
  }

  attach(listener: ClientListener): void {
    this.listener = listener;
  }

  stop(): void {
    this.stopped = true;
    clearInterval(this.ticker);
  }

  /** Gives an input to the replica. A broken invariant stops the server: its state cannot be trusted any more. */
  input(input: Input): void {
    if (this.stopped) return;
    this.beginTurn();
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
    } catch (error) {
      this.broken(error);
    }
  };

  private broken(error: unknown): void {
    this.stop();
    this.onBroken(error instanceof Error ? error : new Error(String(error)));
  }

  /** A full disk is waited for, as with any other write; writes wait in the open batch meanwhile. */
  private storeEpochs(acceptedEpoch: number, currentEpoch: number, isRetry = false): void {
    this.storage.setEpochs(acceptedEpoch, currentEpoch).then(
      () => this.input({ type: 'epochsStored' }),
      (error) => {
        if (!(error instanceof StorageError) || error.code !== 'FULL') return this.broken(error);
        if (!isRetry) this.logger.error(`waiting for the disk to open a new epoch: ${error.message} ${error.remedy}`);
        setTimeout(() => this.storeEpochs(acceptedEpoch, currentEpoch, true), EPOCH_RETRY_MS).unref();
      },
    );
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
      case 'storeEpochs':
        this.storeEpochs(effect.acceptedEpoch, effect.currentEpoch);
        break;
      case 'beginCheckpoint':
        storage.beginCheckpoint(effect.zxid, effect.header);
        break;
      case 'checkpointPages':
        storage.checkpointPages(effect.pages);
        break;
      case 'endCheckpoint':
        storage.endCheckpoint();
        break;
      case 'serving':
        this.onServing(effect.epoch);
        break;
      case 'note':
        this.logger[effect.level](effect.message, effect.fields);
        break;
    }
  }
}
