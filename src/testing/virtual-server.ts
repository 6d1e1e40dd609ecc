// A whole server in a virtual world: a real Replica with a virtual disk, virtual sockets and links to its peers, driven
// as the runtime of the real server drives it: inputs collect for a turn, then the effects are carried out, in order. It
// can crash at any moment, also between two effects, lose what was not synced, and start again from its disk.

import { decodeBatch } from '../../protocol/peer/codec.js';
import type { PeerMessage } from '../../protocol/peer/messages.js';
import type { Effect, Input, ReplicaOptions } from '../core/io.js';
import { limits } from '../core/limits.js';
import { Connection } from '../core/pipeline/connections.js';
import { Replica } from '../core/replica.js';
import type { EnsembleOptions } from '../core/zab/surroundings.js';
import { createAuthenticate } from '../server/auth.js';
import { FrameAssembler } from '../server/net/frames.js';
import { VirtualDisk } from './virtual-disk.js';
import type { Host, VirtualNetwork } from './virtual-network.js';
import { type PipeEnd, VirtualSocket } from './virtual-socket.js';
import type { VirtualWorld } from './virtual-world.js';

/** The ensemble of a virtual server that is on its own, and the patience of all virtual ensembles. */
export const DEFAULT_ENSEMBLE_OPTIONS: EnsembleOptions = {
  voters: [{ id: 1, weight: 1, group: 0 }],
  observers: [],
  initLimitMs: 1000,
  syncLimitMs: 500,
  pingMs: 50,
  voteRepeatMsMin: 20,
  voteRepeatMsMax: 200,
  voteSettleMs: 40,
  snapshotsMax: 2,
  historyBytesMax: 16_777_216,
  epochEntriesMax: limits.epochEntriesMax,
};

/** What a virtual server runs with where the caller says nothing else: short ticks, TTL nodes on. */
export const DEFAULT_REPLICA_OPTIONS: ReplicaOptions = {
  serverId: 1,
  ensemble: DEFAULT_ENSEMBLE_OPTIONS,
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
  authenticate: createAuthenticate({ superDigest: null, digestAlgorithm: 'SHA1', digestEnabled: true }),
  hashSeed: 0,
};

/** As in the real server's runtime. */
const TICK_MS = 20;
/** From a database that was set aside to the next start. */
const START_AGAIN_MS = 50;
const FRAME_BYTES_MAX = 1_048_575;

/** What a checker may want to know while a server runs. */
export interface ServerWitness {
  /** An input is about to be handled; a message of a peer was sent at `sentMs`. */
  input?(input: Input, server: VirtualServer, sentMs: number): void;
  /** The server has started and rebuilt its state from its disk. */
  recovered?(server: VirtualServer): void;
  /** An effect is about to be carried out. True as an answer has the server crash before it is. */
  effect?(effect: Effect, server: VirtualServer): unknown;
  /** All effects of a turn were carried out. */
  turned?(server: VirtualServer): void;
  /** The process is gone: it crashed, or stopped by itself. */
  crashed?(server: VirtualServer): void;
}

interface Link {
  readonly connection: Connection;
  readonly socket: VirtualSocket;
}

type TimedInput = Input & { readonly sentMs?: number };

export class VirtualServer implements Host {
  readonly id: number;
  readonly disk: VirtualDisk;
  readonly world: VirtualWorld;
  readonly options: ReplicaOptions;
  /** While true a stopped process: nothing is read, no time is noticed. */
  isFrozen = false;
  /** How far its wall clock is from the world's, in ms. */
  wallSkewMs = 0;
  witness: ServerWitness = {};
  /** Why the server has stopped by itself, or null. */
  stoppedBecause: string | null = null;
  private readonly network: VirtualNetwork | null;
  private current: Replica | null = null;
  private links = new Map<Connection, Link>();
  private connectionCount = 0;
  private inputs: TimedInput[] = [];
  private turnScheduled = false;
  private tickDue = false;
  /** Rises with every start and crash, so that what was scheduled before is void. */
  private life = 0;

  /** `network`: of the ensemble it belongs to. */
  constructor(world: VirtualWorld, options: Partial<ReplicaOptions> = {}, network: VirtualNetwork | null = null) {
    this.world = world;
    this.id = options.serverId ?? DEFAULT_REPLICA_OPTIONS.serverId;
    const alone = { ...DEFAULT_ENSEMBLE_OPTIONS, voters: [{ id: this.id, weight: 1, group: 0 }] };
    this.options = { ...DEFAULT_REPLICA_OPTIONS, ensemble: alone, ...options };
    this.disk = new VirtualDisk(world);
    this.network = network;
    network?.add(this);
  }

  private get wallMs(): number {
    return this.world.wallMs + this.wallSkewMs;
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
    for (const { bytes } of disk.logBehindCheckpoint) replica.recoverBatch(decodeBatch(bytes), bytes);
    this.current = replica;
    this.stoppedBecause = null;
    this.life++;
    disk.attach({
      stored: (zxid) => this.input({ type: 'stored', zxid }),
      storeFailed: (firstLostZxid) => this.input({ type: 'storeFailed', firstLostZxid, reason: 'the disk is full' }),
      storeResumed: () => this.input({ type: 'storeResumed' }),
      epochsStored: (acceptedEpoch, currentEpoch) => this.input({ type: 'epochsStored', acceptedEpoch, currentEpoch }),
      truncated: (afterZxid) => this.input({ type: 'truncated', afterZxid }),
      checkpointed: (zxid) => this.input({ type: 'checkpointed', zxid }),
      checkpointFailed: (zxid) => this.input({ type: 'checkpointFailed', zxid }),
      logEndFound: (reader, end) => this.input({ type: 'logEndFound', reader, end }),
      logRead: (reader, batches) => this.input({ type: 'logRead', reader, batches }),
      snapshotOpened: (reader, zxid, header) => this.input({ type: 'snapshotOpened', reader, zxid, header }),
      snapshotRead: (reader, pages) => this.input({ type: 'snapshotRead', reader, pages }),
    });
    this.witness.recovered?.(this);
    replica.handle({ type: 'clock', wallMs: this.wallMs, monotonicMs: world.nowMs });
    const { acceptedEpoch, currentEpoch, isVoting } = disk;
    replica.start({ acceptedEpoch, currentEpoch, isVoting });
    this.network?.started(this);
    this.scheduleTurn();
    this.tickLater();
  }

  /** The process is gone, at once. What was not synced is lost, or a part of it is not: the seed decides. */
  crash(keepUnsynced = this.world.random.bool()): void {
    if (this.current === null) return;
    this.witness.crashed?.(this);
    this.current = null;
    this.life++;
    this.isFrozen = false;
    this.inputs = [];
    this.turnScheduled = false;
    this.tickDue = false;
    this.disk.crash(keepUnsynced);
    this.network?.crashed(this);
    for (const { socket } of this.links.values()) socket.cut();
    this.links = new Map();
  }

  /** Its state is not that of the others: the database is set aside, and it begins again with an empty one. */
  private beginAnew(reason: string): void {
    this.crash(false);
    this.disk.lose();
    this.stoppedBecause = reason;
    const { life } = this;
    this.world.after(START_AGAIN_MS, () => {
      if (life === this.life) this.start();
    });
  }

  // --- the links to its peers

  peerConnected(peer: number): void {
    this.input({ type: 'peerConnected', peer });
  }

  peerDisconnected(peer: number): void {
    this.input({ type: 'peerDisconnected', peer });
  }

  peerMessage(peer: number, message: PeerMessage, sentMs: number): void {
    this.input({ type: 'peerMessage', peer, message, sentMs });
  }

  // --- its clients

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

  /** As if all clients that are connected had just said something. */
  hearClients(): void {
    if (this.current === null || this.isFrozen) return;
    for (const connection of this.links.keys()) {
      this.current.liveness.touch(connection.session, this.world.nowMs, connection.timeoutMs);
    }
  }

  private hangUp(connection: Connection): void {
    this.links.get(connection)?.socket.toClient.end();
    this.links.delete(connection);
  }

  private input(input: TimedInput): void {
    if (this.current === null) return;
    this.inputs.push(input);
    this.scheduleTurn();
  }

  private scheduleTurn(): void {
    if (this.turnScheduled) return;
    this.turnScheduled = true;
    const { life } = this;
    this.world.after(this.world.delayUpTo(this.world.turnDelayMsMax), () => {
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
    replica.handle({ type: 'clock', wallMs: this.wallMs, monotonicMs: world.nowMs });
    const inputs = this.inputs;
    this.inputs = [];
    for (const input of inputs) {
      this.witness.input?.(input, this, input.sentMs ?? world.nowMs);
      replica.handle(input);
    }
    if (this.tickDue) {
      this.tickDue = false;
      replica.handle({ type: 'tick' });
    }
    replica.handle({ type: 'turnEnd' });
    const { life } = this;
    for (const effect of replica.takeEffects()) {
      world.trace.text(effect.type);
      if (this.witness.effect?.(effect, this) === true) this.crash();
      if (life !== this.life) return;
      this.carryOut(effect);
    }
    if (inputs.some(({ type }) => type === 'storeFailed')) this.disk.awaitRoom();
    this.witness.turned?.(this);
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
      case 'truncate':
        disk.truncate(effect.afterZxid);
        break;
      case 'send':
        this.network?.send(this.id, effect.to, effect.message);
        break;
      case 'resetLink':
        this.network?.resetLink(this.id, effect.peer);
        break;
      case 'readLog':
        disk.readLog(effect.reader, effect.afterZxid);
        break;
      case 'findLogEnd':
        disk.findLogEnd(effect.reader, effect.zxid);
        break;
      case 'openSnapshot':
        disk.openSnapshot(effect.reader);
        break;
      case 'readSnapshot':
        disk.readSnapshot(effect.reader);
        break;
      case 'closeSnapshot':
        disk.closeSnapshot(effect.reader);
        break;
      case 'keepLog':
        disk.keepLog(effect.afterZxid);
        break;
      case 'diverged':
        this.beginAnew(effect.reason);
        break;
      case 'beginCheckpoint':
        disk.beginCheckpoint(effect.zxid, effect.header, effect.isFull);
        break;
      case 'checkpointPages':
        disk.checkpointPages(effect.pages);
        break;
      case 'endCheckpoint':
        disk.endCheckpoint();
        break;
      case 'serving':
      case 'notServing':
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
