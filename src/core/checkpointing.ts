// When to take a checkpoint and what it holds (design decision 6). It shows the state at exactly one zxid: the header
// (sessions, ACLs, digest) is encoded at that moment, and the tree delivers its changed pages in slices while it goes on
// living. What else is known in a world, such as quotas, is derived from the tree when it is loaded.

import { ProtocolError } from '../../protocol/errors.js';
import { JuteReader } from '../../protocol/jute/reader.js';
import { JuteWriter } from '../../protocol/jute/writer.js';
import type { Effect, ReplicaOptions } from './io.js';
import { limits } from './limits.js';
import type { World } from './ops/operation.js';

const HEADER_VERSION = 1;
/** After a checkpoint that failed the next one begins after the rest of the usual entries. */
const RETRY_SHARE = 0.9;

export interface CheckpointHeader {
  readonly zxid: number;
  readonly digestHigh: number;
  readonly digestLow: number;
  readonly nodeCount: number;
  readonly sessions: Uint8Array;
  readonly acls: Uint8Array;
}

export function encodeHeader(world: World, zxid: number): Uint8Array {
  world.acls.sweep();
  const writer = new JuteWriter(4096);
  const digest = world.tree.digest();
  writer.int(HEADER_VERSION);
  writer.longNumber(zxid);
  writer.int(digest.high | 0);
  writer.int(digest.low | 0);
  writer.int(world.tree.nodeCount);
  writer.buffer(world.sessions.encode());
  writer.buffer(world.acls.encode());
  return writer.toBytes();
}

/** Throws ProtocolError for bytes that are no header. */
export function decodeHeader(bytes: Uint8Array): CheckpointHeader {
  const reader = new JuteReader(bytes);
  const version = reader.int();
  if (version !== HEADER_VERSION) throw new ProtocolError(`a checkpoint header of version ${version}`, 0);
  return {
    zxid: reader.longNumber(),
    digestHigh: reader.int() >>> 0,
    digestLow: reader.int() >>> 0,
    nodeCount: reader.int(),
    sessions: reader.buffer() ?? new Uint8Array(0),
    acls: reader.buffer() ?? new Uint8Array(0),
  };
}

export class Checkpointing {
  private readonly world: World;
  private readonly options: ReplicaOptions;
  private readonly emit: (effect: Effect) => void;
  private state: 'idle' | 'capturing' | 'storing' = 'idle';
  private entriesSince = 0;
  private bytesSince = 0;
  private checkpointZxid = 0;

  constructor(world: World, options: ReplicaOptions, emit: (effect: Effect) => void) {
    this.world = world;
    this.options = options;
    this.emit = emit;
  }

  /** The zxid of the last checkpoint that is on disk. */
  get lastZxid(): number {
    return this.checkpointZxid;
  }

  loaded(zxid: number): void {
    this.checkpointZxid = zxid;
  }

  executed(entries: number, bytes: number): void {
    this.entriesSince += entries;
    this.bytesSince += bytes;
  }

  /** Called between batches and at every tick: begins a checkpoint if one is due. */
  beginIfDue(appliedZxid: number): void {
    const { checkpointEntries, checkpointBytes } = this.options;
    if (this.state !== 'idle') return;
    if (this.entriesSince < checkpointEntries && this.bytesSince < checkpointBytes) return;
    this.entriesSince = 0;
    this.bytesSince = 0;
    this.state = 'capturing';
    const header = encodeHeader(this.world, appliedZxid);
    this.world.tree.beginCheckpoint();
    this.emit({ type: 'beginCheckpoint', zxid: appliedZxid, header, isFull: false });
  }

  /** Called at every tick, and when the disk has written what it got: hands over the next slice. */
  advance(): void {
    if (this.state !== 'capturing') return;
    const pages = this.world.tree.nextCheckpointSlice(limits.checkpointSliceBytesMax);
    if (pages.length > 0) this.emit({ type: 'checkpointPages', pages });
    if (this.world.tree.checkpointPending > 0) return;
    this.state = 'storing';
    this.emit({ type: 'endCheckpoint' });
  }

  /** The disk takes something else in, which ends a checkpoint that is not finished. */
  giveUp(): void {
    if (this.state === 'capturing') this.failed();
  }

  stored(zxid: number): void {
    this.state = 'idle';
    this.checkpointZxid = zxid;
  }

  /** The disk did not take it; the pages count as changed again. The next one is due soon, not with the next batch. */
  failed(): void {
    this.world.tree.abandonCheckpoint();
    this.state = 'idle';
    this.entriesSince = Math.floor(this.options.checkpointEntries * RETRY_SHARE);
  }
}
