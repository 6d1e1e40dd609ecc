// A whole server without its I/O: inputs in, effects out (io.ts). Deterministic: the same inputs give the same effects,
// so a seed replays a run exactly. This is the one place that knows the order of the stages:
//
//   client frames ─ clients ─ release ─→ open batch ─ turn's end ─→ leader.propose ─→ [append] … [stored]
//                      ↑                                                                  │
//                   replies, events ←── applier ←── leader.committable ←── acknowledged ──┘
//
// It owns no domain state: that is in the world (replicated), in the clients (this server's) and in the leader (zab).

import { OpCode } from '../../protocol/client/constants.js';
import { hex, makeZxid } from '../../protocol/ids.js';
import type { JuteWriter } from '../../protocol/jute/writer.js';
import { encodeBatch } from '../../protocol/peer/codec.js';
import type { Batch, Identity } from '../../protocol/peer/entries.js';
import { batchLength, lastZxid } from '../../protocol/peer/entries.js';
import { assert } from '../std/assert.js';
import { Checkpointing, decodeHeader } from './checkpointing.js';
import { Housekeeping } from './housekeeping.js';
import type { CheckpointPage, Effect, Input, ReplicaOptions } from './io.js';
import { limits } from './limits.js';
import { ChangeLog } from './ops/changes.js';
import type { World } from './ops/operation.js';
import { Applier } from './pipeline/apply.js';
import { Clients } from './pipeline/clients.js';
import { NO_CALLER, OpenBatch } from './pipeline/stamp.js';
import { SessionExpiry } from './sessions/expiry.js';
import { nextSessionId, SessionTable } from './sessions/table.js';
import { Stats } from './stats.js';
import { AclTable } from './tree/acl.js';
import { QuotaTable } from './tree/quota.js';
import { Tree } from './tree/tree.js';
import { Leader } from './zab/leader.js';
import { Quorum } from './zab/quorum.js';
import { changeRole, type Role } from './zab/role.js';

/** What a server finds on its disk when it starts, beside pages and batches. */
export interface Recovered {
  readonly acceptedEpoch: number;
  readonly currentEpoch: number;
}

export class Replica {
  readonly options: ReplicaOptions;
  readonly world: World;
  readonly clients: Clients;
  readonly expiry: SessionExpiry;
  readonly stats = new Stats();
  readonly checkpointing: Checkpointing;
  private readonly applier: Applier;
  private readonly openBatch: OpenBatch;
  private readonly housekeeping: Housekeeping;
  private readonly quorum: Quorum;
  private leader: Leader | null = null;
  private currentRole: Role = 'recovering';
  private acceptedEpoch = 0;
  /** Request bytes in the open batch and in all that were proposed and not executed. */
  pendingBytes = 0;
  private lastSessionId = 0;
  private effects: Effect[] = [];
  monotonicMs = 0;
  wallMs = 0;

  constructor(options: ReplicaOptions) {
    this.options = options;
    const acls = new AclTable();
    this.world = {
      tree: new Tree({ hashSeed: options.hashSeed, aclDigest: (aclId) => acls.digest(aclId) }),
      acls,
      quotas: new QuotaTable(),
      sessions: new SessionTable(),
      changes: new ChangeLog(),
    };
    this.expiry = new SessionExpiry(options.tickTimeMs);
    this.clients = new Clients(this);
    this.applier = new Applier(this.world, this.clients);
    this.openBatch = new OpenBatch(options);
    this.housekeeping = new Housekeeping(this);
    this.checkpointing = new Checkpointing(this.world, options, (effect) => this.emit(effect));
    this.quorum = Quorum.majority([options.serverId]);
  }

  // --- what the stages ask

  get role(): Role {
    return this.currentRole;
  }

  get isServing(): boolean {
    return this.leader !== null && this.currentRole !== 'stopped';
  }

  /** While a leader opens its next epoch, writes wait in the open batch. */
  get isWritable(): boolean {
    return this.isServing && this.currentRole !== 'stalled';
  }

  get epoch(): number {
    return this.leader?.epoch ?? this.acceptedEpoch;
  }

  get appliedZxid(): number {
    return this.applier.lastZxid;
  }

  get proposedZxid(): number {
    const { leader, openBatch } = this;
    // A leader that has proposed nothing yet is at its epoch's start, which no entry ever reaches.
    if (leader === null || (leader.batchesInFlight === 0 && openBatch.length === 0)) return this.appliedZxid;
    // What waits in the open batch of an epoch that is used up will belong to the next one (E90).
    const opensEpoch = openBatch.length > 0 && this.isEpochUsedUp;
    return (opensEpoch ? makeZxid(leader.epoch + 1, 1) : leader.nextZxid) + openBatch.length - 1;
  }

  private get isEpochUsedUp(): boolean {
    return this.leader !== null && this.leader.entriesInEpoch >= this.options.epochEntriesMax;
  }

  nextSessionId(): number {
    const last = Math.max(this.lastSessionId, this.world.sessions.lastIdOf(this.options.serverId));
    this.lastSessionId = nextSessionId(this.options.serverId, this.wallMs, last);
    return this.lastSessionId;
  }

  emit(effect: Effect): void {
    this.effects.push(effect);
  }

  /** The effects of all inputs so far, once. */
  takeEffects(): readonly Effect[] {
    const taken = this.effects;
    this.effects = [];
    return taken;
  }

  // --- recovery, before the first input: checkpoint into the tree, then the log behind it

  /** Pages of the checkpoint, in any order. */
  loadPage(page: CheckpointPage): void {
    this.world.tree.loadPage(page.page, page.bytes);
  }

  /** All pages are there. Throws an Error that says what is wrong when they do not make up the state they claim. */
  finishLoad(headerBytes: Uint8Array): void {
    const header = decodeHeader(headerBytes);
    const { world } = this;
    world.acls.load(header.acls);
    world.sessions.load(header.sessions);
    world.tree.finishLoad();
    world.quotas.rebuild(world.tree);
    const digest = world.tree.digest();
    if (digest.high !== header.digestHigh || digest.low !== header.digestLow) {
      throw new Error(`the checkpoint at ${hex(header.zxid)} has another digest than the state it was taken from`);
    }
    if (world.tree.nodeCount !== header.nodeCount) {
      throw new Error(
        `the checkpoint at ${hex(header.zxid)} has ${world.tree.nodeCount} nodes instead of ${header.nodeCount}`,
      );
    }
    this.applier.startAt(header.zxid);
    this.checkpointing.loaded(header.zxid);
  }

  /** A batch from the log. In an ensemble of one, what is on disk is what a quorum has. */
  recoverBatch(batch: Batch): void {
    assert(this.currentRole === 'recovering', 'the log is read before anything else');
    this.execute(batch);
  }

  /** Everything was read: stands for election, which the only voter wins, and opens a new epoch (E79). */
  start(recovered: Recovered): void {
    this.become('looking');
    this.acceptedEpoch = recovered.acceptedEpoch;
    assert(
      this.quorum.isQuorum((id) => id === this.options.serverId),
      'an ensemble of one elects itself',
    );
    this.openEpoch();
  }

  private openEpoch(): void {
    this.become('discovering');
    this.acceptedEpoch = Leader.nextEpoch(this.acceptedEpoch);
    this.emit({ type: 'storeEpochs', acceptedEpoch: this.acceptedEpoch, currentEpoch: this.acceptedEpoch });
  }

  private epochStored(): void {
    // Sessions that lived on while nobody led get their full time again (E18); a further epoch of the same leader
    // changes nothing for them.
    if (this.leader === null) this.expiry.restart(this.world.sessions, this.monotonicMs);
    this.leader = new Leader(this.acceptedEpoch, this.quorum);
    this.become('leading');
    this.emit({ type: 'serving', epoch: this.acceptedEpoch });
  }

  private become(role: Role): void {
    this.currentRole = changeRole(this.currentRole, role);
  }

  // --- inputs

  handle(input: Input): void {
    switch (input.type) {
      case 'frames':
        this.clients.frames(input.connection, input.bytes, input.start, input.end);
        break;
      case 'clock':
        this.wallMs = input.wallMs;
        this.monotonicMs = input.monotonicMs;
        break;
      case 'turnEnd':
        this.endTurn();
        break;
      case 'stored':
        this.stored(input.zxid);
        break;
      case 'connected':
        this.clients.connected(input.connection, input.entropy);
        break;
      case 'disconnected':
        this.clients.disconnected(input.connection);
        break;
      case 'drained':
        this.clients.drained(input.connection);
        break;
      case 'tick':
        this.clients.spareUnheard();
        if (this.isWritable) this.stats.sessionsExpired += this.housekeeping.tick();
        if (this.isServing) this.checkpointing.beginIfDue(this.appliedZxid);
        this.checkpointing.advance();
        break;
      case 'epochsStored':
        this.epochStored();
        break;
      case 'checkpointDrained':
        this.checkpointing.advance();
        break;
      case 'checkpointed':
        this.checkpointing.stored(input.zxid);
        break;
      case 'checkpointFailed':
        this.checkpointing.failed();
        break;
      case 'storeFailed':
        this.stall(input.firstLostZxid, input.reason);
        break;
      case 'storeResumed':
        this.become('leading');
        this.emit({ type: 'note', level: 'info', message: 'the disk takes writes again: serving as before' });
        break;
    }
  }

  /** A client's write takes its place in the open batch. */
  release(
    operation: number,
    session: number,
    cxid: number,
    caller: readonly Identity[],
    request: Uint8Array,
    start: number,
    end: number,
  ): void {
    this.pendingBytes += end - start;
    this.openBatch.add(operation, session, cxid, caller, request, start, end);
    if (this.openBatch.isFull && this.currentRole === 'leading' && !this.isEpochUsedUp) this.closeBatch();
  }

  /** The same for what the server itself asks for. */
  propose(operation: number, session: number, request: JuteWriter): void {
    this.release(operation, session, 0, NO_CALLER, request.bytes, 0, request.position);
  }

  private endTurn(): void {
    if (this.leader === null || this.currentRole !== 'leading') return;
    if (this.isEpochUsedUp) {
      // Entries wait in the open batch until everything of this epoch is committed and the next one is on disk (E90).
      if (this.leader.batchesInFlight === 0) this.openEpoch();
    } else if (this.openBatch.length > 0 && this.leader.batchesInFlight < limits.batchesInFlightMax) this.closeBatch();
  }

  private closeBatch(): void {
    const leader = this.leader as Leader;
    const batch = this.openBatch.close(leader.nextZxid, this.wallMs);
    leader.propose(batch);
    const bytes = encodeBatch(batch);
    this.stats.proposed(bytes.length);
    this.emit({ type: 'append', firstZxid: batch.firstZxid, lastZxid: lastZxid(batch), bytes });
  }

  private stored(zxid: number): void {
    const leader = this.leader as Leader;
    leader.acknowledged(this.options.serverId, zxid);
    for (const batch of leader.committable()) {
      this.execute(batch);
      this.pendingBytes -= batch.requests.length;
    }
    this.clients.settled();
    this.checkpointing.beginIfDue(this.appliedZxid);
  }

  private execute(batch: Batch): void {
    this.applier.apply(batch);
    this.checkpointing.executed(batchLength(batch), batch.requests.length);
  }

  /** The disk is full. What it did not take never happened; everybody who waits for it is told so. */
  private stall(firstLostZxid: number, reason: string): void {
    const leader = this.leader as Leader;
    if (this.currentRole === 'leading') {
      this.become('stalled');
      const message = `writes are refused: ${reason}`;
      this.emit({ type: 'note', level: 'error', message, fields: { firstLostZxid: hex(firstLostZxid) } });
    }
    const lost = leader.withdraw(firstLostZxid);
    if (this.openBatch.length > 0) lost.push(this.openBatch.close(leader.nextZxid, this.wallMs));
    // Not the zxid before the lost one: at the start of an epoch that is none any entry has.
    this.clients.withdrawn(this.proposedZxid);
    for (const { operations, sessions, cxids, requests } of lost) {
      this.pendingBytes -= requests.length;
      for (let i = 0; i < operations.length; i++) {
        // A session that was to be closed lives on, and expires later.
        if (operations[i] === OpCode.closeSession) this.revive(sessions[i]);
        this.clients.lost(sessions[i], cxids[i], operations[i]);
      }
    }
    this.clients.settled();
  }

  private revive(session: number): void {
    const alive = this.world.sessions.get(session);
    this.expiry.remove(session);
    if (alive !== undefined) this.expiry.track(session, this.monotonicMs, alive.timeoutMs);
  }
}
