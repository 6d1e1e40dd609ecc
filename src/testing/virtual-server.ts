// A whole server in a virtual world: a real Replica with a virtual disk and virtual sockets, driven as the runtime of
// the real server drives it: inputs collect for a turn, then the effects are carried out. It can crash at any moment,
// lose what was not synced, and start again from its disk.

import { decodeBatch } from '../../protocol/peer/codec.js';
import type { Effect, Input, ReplicaOptions } from '../core/io.js';
import { limits } from '../core/limits.js';
import { Connection } from '../core/pipeline/connections.js';
import { Replica } from '../core/replica.js';
import { createAuthenticate } from '../server/auth.js';
import { FrameAssembler } from '../server/net/frames.js';
import { VirtualDisk } from './virtual-disk.js';
import { type PipeEnd, VirtualSocket } from './virtual-socket.js';
import type { VirtualWorld } from './virtual-world.js';

/** What a virtual server runs with where the caller says nothing else: short ticks, TTL nodes on. */
export const DEFAULT_REPLICA_OPTIONS: ReplicaOptions = {
  serverId: 1,
  tickTimeMs: 100,
  minSessionTimeoutMs: 200,
  maxSessionTimeoutMs: 60_000,
  outstandingMax: 1000,
  enforceQuota: true,
  skipAcl: false,
  ttlNodes: true,
  requiredSchemes: null,
  containerCheckMs: 1000,
  containersPerMinute: 10_000,
  containerNeverUsedMs: 0,
  checkpointEntries: 100_000,
  checkpointBytes: 268_435_456,
  epochEntriesMax: limits.epochEntriesMax,
  authenticate: createAuthenticate({ superDigest: null, digestAlgorithm: 'SHA1', digestEnabled: true }),
  hashSeed: 0,
};

/** As in the real server's runtime. */
const TICK_MS = 20;
const TURN_MS_MAX = 0.5;
const FRAME_BYTES_MAX = 1_048_575;

/** What a checker may want to know while a server runs. */
export interface ServerWitness {
  /** Frames of this session were read. */
  heard?(session: number, nowMs: number): void;
  /** The server has started and rebuilt its state from its disk. */
  recovered?(server: VirtualServer): void;
  effect?(effect: Effect, nowMs: number): void;
}

interface Link {
  readonly connection: Connection;
  readonly socket: VirtualSocket;
}

export class VirtualServer {
  readonly disk: VirtualDisk;
  /** While true a stopped process: nothing is read, no time is noticed. */
  isFrozen = false;
  witness: ServerWitness = {};
  /** Why the server has stopped by itself, or null. */
  stoppedBecause: string | null = null;
  private readonly world: VirtualWorld;
  private readonly options: ReplicaOptions;
  private current: Replica | null = null;
  private links = new Map<Connection, Link>();
  private connectionCount = 0;
  private inputs: Input[] = [];
  private turnScheduled = false;
  private tickDue = false;
  /** Rises with every start and crash, so that what was scheduled before is void. */
  private life = 0;

  constructor(world: VirtualWorld, options: Partial<ReplicaOptions> = {}) {
    this.world = world;
    this.options = { ...DEFAULT_REPLICA_OPTIONS, ...options };
    this.disk = new VirtualDisk(world);
  }

  get isUp(): boolean {
    return this.current !== null;
  }

  /** The running replica. Throws an Error when the server is down. */
  get replica(): Replica {
    if (this.current === null) throw new Error('the server is down');
    return this.current;
  }

  /** Rebuilds the state from the disk and starts to serve. */
  start(): void {
    const { disk, world } = this;
    const replica = new Replica(this.options);
    if (disk.checkpoint !== null) {
      for (const [page, bytes] of disk.pages) replica.loadPage({ page, bytes });
      replica.finishLoad(disk.checkpoint.header);
    }
    for (const { bytes } of disk.log) replica.recoverBatch(decodeBatch(bytes));
    this.current = replica;
    this.stoppedBecause = null;
    this.life++;
    disk.attach({
      stored: (zxid) => this.input({ type: 'stored', zxid }),
      storeFailed: (firstLostZxid) => this.input({ type: 'storeFailed', firstLostZxid, reason: 'the disk is full' }),
      storeResumed: () => this.input({ type: 'storeResumed' }),
      epochsStored: () => this.input({ type: 'epochsStored' }),
      checkpointed: (zxid) => this.input({ type: 'checkpointed', zxid }),
      checkpointFailed: () => this.input({ type: 'checkpointFailed' }),
      broken: (reason) => {
        this.crash();
        this.stoppedBecause = reason;
      },
    });
    this.witness.recovered?.(this);
    replica.handle({ type: 'clock', wallMs: world.wallMs, monotonicMs: world.nowMs });
    replica.start({ acceptedEpoch: disk.acceptedEpoch, currentEpoch: disk.currentEpoch });
    this.scheduleTurn();
    this.tickLater();
  }

  /** The process is gone, at once. What was not synced is lost, or a part of it is not: the seed decides. */
  crash(keepUnsynced = this.world.random.bool()): void {
    if (this.current === null) return;
    this.current = null;
    this.life++;
    this.inputs = [];
    this.turnScheduled = false;
    this.tickDue = false;
    this.disk.crash(keepUnsynced);
    for (const { socket } of this.links.values()) socket.cut();
    this.links = new Map();
  }

  /** A client connects; null when nobody listens. */
  accept(client: PipeEnd): VirtualSocket | null {
    if (this.current === null) return null;
    const connection = new Connection(++this.connectionCount, '127.0.0.1', this.connectionCount, this.world.wallMs);
    const assembler = new FrameAssembler(FRAME_BYTES_MAX);
    const onFrames = (bytes: Uint8Array, start: number, end: number) =>
      this.input({ type: 'frames', connection, bytes, start, end });
    const socket = new VirtualSocket(
      this.world,
      {
        bytes: (chunk) => {
          if (connection.isGone || !this.links.has(connection)) return;
          try {
            assembler.feed(chunk, onFrames);
          } catch {
            this.hangUp(connection); // bytes that are no frames: closed with no reply (E1)
            this.input({ type: 'disconnected', connection });
          }
        },
        end: () => {
          if (this.links.delete(connection)) this.input({ type: 'disconnected', connection });
        },
      },
      client,
    );
    this.links.set(connection, { connection, socket });
    this.input({ type: 'connected', connection, entropy: this.world.random.bytes(16) });
    return socket;
  }

  private hangUp(connection: Connection): void {
    this.links.get(connection)?.socket.toClient.end();
    this.links.delete(connection);
  }

  private input(input: Input): void {
    if (this.current === null) return;
    this.inputs.push(input);
    this.scheduleTurn();
  }

  private scheduleTurn(): void {
    if (this.turnScheduled) return;
    this.turnScheduled = true;
    const { life } = this;
    this.world.after(this.world.delayUpTo(TURN_MS_MAX), () => {
      if (life !== this.life) return;
      this.turnScheduled = false;
      if (this.isFrozen) this.world.after(TICK_MS, () => life === this.life && this.scheduleTurn());
      else this.turn();
    });
  }

  private tickLater(): void {
    const { life } = this;
    this.world.after(TICK_MS, () => {
      if (life !== this.life) return;
      this.tickDue = true;
      this.scheduleTurn();
      this.tickLater();
    });
  }

  private turn(): void {
    const { replica, world } = this;
    replica.handle({ type: 'clock', wallMs: world.wallMs, monotonicMs: world.nowMs });
    const inputs = this.inputs;
    this.inputs = [];
    for (const input of inputs) {
      if (input.type === 'frames') this.witness.heard?.(input.connection.session, world.nowMs);
      replica.handle(input);
    }
    if (this.tickDue) {
      this.tickDue = false;
      replica.handle({ type: 'tick' });
    }
    replica.handle({ type: 'turnEnd' });
    for (const effect of replica.takeEffects()) {
      world.trace.text(effect.type);
      this.witness.effect?.(effect, world.nowMs);
      this.carryOut(effect);
    }
  }

  private carryOut(effect: Effect): void {
    const { disk } = this;
    switch (effect.type) {
      case 'flush':
        this.flush(effect.connection);
        break;
      case 'close':
        this.flush(effect.connection);
        this.hangUp(effect.connection);
        break;
      case 'pause':
        this.links.get(effect.connection)?.socket.toServer.hold();
        break;
      case 'resume':
        this.links.get(effect.connection)?.socket.toServer.release();
        break;
      case 'append':
        disk.append(effect);
        break;
      case 'storeEpochs':
        disk.storeEpochs(effect.acceptedEpoch, effect.currentEpoch);
        break;
      case 'beginCheckpoint':
        disk.beginCheckpoint(effect.zxid, effect.header);
        break;
      case 'checkpointPages':
        disk.checkpointPages(effect.pages);
        break;
      case 'endCheckpoint':
        disk.endCheckpoint();
        break;
      case 'serving':
      case 'note':
        break;
    }
  }

  private flush(connection: Connection): void {
    const { output } = connection;
    connection.flushing = false;
    const link = this.links.get(connection);
    if (link !== undefined && output.position > 0) {
      const bytes = output.toBytes();
      this.world.trace.bytes(bytes);
      link.socket.toClient.send(bytes);
      if (connection.isFull) {
        link.socket.toClient.whenRead(() => {
          if (this.links.has(connection)) this.input({ type: 'drained', connection });
        });
      }
    }
    output.clear();
  }
}
