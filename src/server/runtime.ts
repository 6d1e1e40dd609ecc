// The loop around the replica: the only place that owns a clock. It feeds inputs in as they come, and at the end of
// each turn of the event loop carries out the effects. Everything that happened in one turn is thereby one batch to the
// disk and one write to each socket.
//
// The end of a turn is a `setImmediate`, which Node runs after it has read every socket that was ready. A tick is given
// in then as well, never straight from its timer: after a long pause of the process the pings that wait in the sockets
// must be read before anybody is said to have been silent. The tick after such a pause is left out altogether, since
// clients that lost their connection meanwhile need a turn to be accepted and another one to be read.

import type { Effect, Input } from '../core/io.js';
import type { Replica } from '../core/replica.js';
import type { Logger } from './logging.js';
import type { ClientListener } from './net/client-listener.js';
import type { Storage } from './storage/storage.js';

/** How often the replica is told that time passes, in ms: paces checkpoint slices and bounds how late expiry is. */
const TICK_MS = 20;
/** A tick that comes later than this after the one before follows a pause. */
const PAUSE_MS = 500;

export class Runtime {
  private readonly replica: Replica;
  private readonly storage: Storage;
  private readonly logger: Logger;
  private readonly onServing: (epoch: number) => void;
  private readonly onBroken: (error: Error) => void;
  private listener: ClientListener | null = null;
  private inTurn = false;
  private tickDue = false;
  private lastTickMs = performance.now();
  private wasPaused = false;
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
    this.ticker = setInterval(() => this.tick(), TICK_MS);
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

  private tick(): void {
    const nowMs = performance.now();
    // One tick is left out, never two in a row: a server whose every turn is long must still see time pass.
    this.wasPaused = !this.wasPaused && nowMs - this.lastTickMs > PAUSE_MS;
    this.lastTickMs = nowMs;
    if (this.wasPaused) return;
    this.tickDue = true;
    this.beginTurn();
  }

  private beginTurn(): void {
    if (this.inTurn || this.stopped) return;
    this.inTurn = true;
    this.replica.handle({ type: 'clock', wallMs: Date.now(), monotonicMs: performance.now() });
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
        storage.setEpochs(effect.acceptedEpoch, effect.currentEpoch).then(
          () => this.input({ type: 'epochsStored' }),
          (error) => this.broken(error),
        );
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
