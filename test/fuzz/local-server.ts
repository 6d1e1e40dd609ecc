/**
 * The server's core with a disk that takes no time, without sockets, threads and timers: as many cases a second as the
 * processor allows. What a client is sent is handed over as it would go into its socket. The log is kept, so that a twin
 * can show that the same entries lead to the same state.
 */
import { decodeBatch } from '../../protocol/peer/codec.js';
import type { CheckpointPage, Effect, Input, ReplicaOptions } from '../../src/core/io.js';
import { Connection } from '../../src/core/pipeline/connections.js';
import { Replica } from '../../src/core/replica.js';
import { DEFAULT_REPLICA_OPTIONS } from '../../src/testing/index.js';
import { Finding } from './target.js';

const TURNS_MAX = 10_000;

/** What a connection's socket knows. */
interface Wire {
  readonly onBytes: (bytes: Uint8Array) => void;
  paused: boolean;
  closed: boolean;
}

export class LocalServer {
  readonly replica: Replica;
  private readonly options: ReplicaOptions;
  private readonly wires = new Map<Connection, Wire>();
  /** Batches, as they stand in the log. */
  readonly log: Uint8Array[] = [];
  /** What the last checkpoint wrote. */
  checkpoint: { readonly zxid: number; readonly header: Uint8Array; readonly pages: CheckpointPage[] } | null = null;
  /** It has found that it is not like the others, and stopped. */
  hasDiverged = false;
  private connections = 0;
  private inputs: Input[] = [];
  private nowMs = 0;

  constructor(options: Partial<ReplicaOptions> = {}) {
    this.options = {
      ...DEFAULT_REPLICA_OPTIONS,
      audit: true,
      checkpointEntries: Number.MAX_SAFE_INTEGER,
      checkpointBytes: Number.MAX_SAFE_INTEGER,
      ...options,
    };
    this.replica = new Replica(this.options);
    this.replica.handle({ type: 'clock', wallMs: 1_750_000_000_000, monotonicMs: 0 });
    this.replica.start({ acceptedEpoch: 0, currentEpoch: 0 });
    this.settle();
  }

  connect(entropy: Uint8Array, onBytes: (bytes: Uint8Array) => void): Connection {
    const connection = new Connection(++this.connections, `127.0.0.${this.connections % 3}`, 1, 0);
    this.wires.set(connection, { onBytes, paused: false, closed: false });
    this.replica.handle({ type: 'connected', connection, entropy });
    return connection;
  }

  frames(connection: Connection, bytes: Uint8Array, start: number, end: number): void {
    this.replica.handle({ type: 'frames', connection, bytes, start, end });
  }

  isPaused(connection: Connection): boolean {
    return connection.paused;
  }

  isClosed(connection: Connection): boolean {
    return this.wires.get(connection)?.closed ?? true;
  }

  disconnect(connection: Connection): void {
    this.replica.handle({ type: 'disconnected', connection });
    this.wires.delete(connection);
  }

  pass(ms: number): void {
    this.nowMs += ms;
    this.replica.handle({ type: 'clock', wallMs: 1_750_000_000_000 + this.nowMs, monotonicMs: this.nowMs });
    this.replica.handle({ type: 'tick' });
    this.settle();
  }

  /** Turns until nothing is left to do. */
  settle(): void {
    for (let turn = 0; turn < TURNS_MAX; turn++) {
      this.replica.handle({ type: 'turnEnd' });
      const effects = this.replica.takeEffects();
      for (const effect of effects) this.carryOut(effect);
      const inputs = this.inputs;
      this.inputs = [];
      for (const input of inputs) this.replica.handle(input);
      if (inputs.length === 0 && effects.length === 0) return;
    }
    throw new Finding(`it does not come to rest within ${TURNS_MAX} turns`);
  }

  private carryOut(effect: Effect): void {
    switch (effect.type) {
      case 'flush':
        this.flush(effect.connection);
        break;
      case 'close': {
        this.flush(effect.connection);
        const wire = this.wires.get(effect.connection);
        if (wire !== undefined) wire.closed = true;
        break;
      }
      case 'append':
        this.log.push(effect.bytes);
        this.inputs.push({ type: 'stored', zxid: effect.lastZxid });
        break;
      case 'storeEpochs':
        this.inputs.push({ ...effect, type: 'epochsStored' });
        break;
      case 'truncate':
        this.inputs.push({ type: 'truncated', afterZxid: effect.afterZxid });
        break;
      case 'beginCheckpoint':
        this.checkpoint = { zxid: effect.zxid, header: effect.header, pages: [] };
        break;
      case 'checkpointPages':
        this.checkpoint?.pages.push(...effect.pages);
        break;
      case 'endCheckpoint':
        if (this.checkpoint !== null) this.inputs.push({ type: 'checkpointed', zxid: this.checkpoint.zxid });
        break;
      case 'readLog':
        this.inputs.push({ type: 'logRead', reader: effect.reader, batches: [] });
        break;
      case 'findLogEnd':
        this.inputs.push({ type: 'logEndFound', reader: effect.reader, end: null });
        break;
      case 'resetLink':
        this.inputs.push({ type: 'peerDisconnected', peer: effect.peer }, { type: 'peerConnected', peer: effect.peer });
        break;
      case 'diverged':
        this.hasDiverged = true;
        break;
    }
  }

  private flush(connection: Connection): void {
    connection.flushing = false;
    this.wires.get(connection)?.onBytes(connection.output.toBytes());
    connection.output.clear();
    if (connection.isFull) this.inputs.push({ type: 'drained', connection });
  }

  /** Nobody is connected any more: nothing may be left of anybody. */
  checkQuiet(): void {
    const { clients } = this.replica;
    const left = { connections: clients.size, outstanding: clients.outstanding, watches: clients.watches.size };
    if (Object.values(left).some((count) => count !== 0)) throw new Finding(`left behind: ${JSON.stringify(left)}`);
  }

  /** Executes the log from its beginning and compares. */
  checkTwin(): void {
    const twin = new Replica(this.options);
    for (const bytes of this.log) twin.recoverBatch(decodeBatch(bytes), bytes);
    const [own, other] = [this.replica.digest(), twin.digest()];
    if (own.high === other.high && own.low === other.low && twin.appliedZxid === this.replica.appliedZxid) return;
    throw new Finding('the same log leads to another state');
  }
}
