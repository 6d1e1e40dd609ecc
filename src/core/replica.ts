// A whole server without its I/O: inputs in, effects out (io.ts). Deterministic: the same inputs give the same effects,
// so a seed replays a run exactly. This is the one place that knows the order of the stages:
//
//   client frames ─ clients ─ release ─┬ leader ─→ open batch ─ turn's end ─→ zab: propose ─→ [append] [send]
//                      ↑               └ learner ─ relay ─→ [send] forward ─→ the leader's open batch
//                   replies, events ←── applier ←── zab: committed ←── [stored], acknowledged by a quorum
//
// It owns no domain state: that is in the world (replicated), in the clients (this server's) and in the peer (zab).

import { OpCode } from '../../protocol/client/constants.js';
import { ProtocolError } from '../../protocol/errors.js';
import { hex } from '../../protocol/ids.js';
import type { JuteWriter } from '../../protocol/jute/writer.js';
import { encodeBatch } from '../../protocol/peer/codec.js';
import type { Batch, Identity } from '../../protocol/peer/entries.js';
import { batchLength } from '../../protocol/peer/entries.js';
import type { PeerMessage } from '../../protocol/peer/messages.js';
import { Checkpointing } from './checkpointing.js';
import { Copying } from './copying.js';
import { Housekeeping } from './housekeeping.js';
import type { CheckpointPage, Effect, Input, ReplicaOptions } from './io.js';
import { limits } from './limits.js';
import { emptyWorld, type LoadedWorld, WorldLoader } from './loading.js';
import { tellOfLoss } from './loss.js';
import type { World } from './ops/operation.js';
import { Outbox } from './outbox.js';
import { Applier } from './pipeline/apply.js';
import { Auditor } from './pipeline/audit.js';
import { Clients } from './pipeline/clients.js';
import { NO_CALLER, OpenBatch } from './pipeline/stamp.js';
import { Relay, type SyncBarrier } from './relay.js';
import { SessionExpiry } from './sessions/expiry.js';
import { HeardSessions, type Liveness } from './sessions/liveness.js';
import { nextSessionId } from './sessions/table.js';
import { Stats } from './stats.js';
import type { Leader } from './zab/leader.js';
import { Peer, type Recovered } from './zab/peer.js';
import type { Role } from './zab/role.js';
import type { Digest, StateMachine } from './zab/surroundings.js';

export type { Recovered } from './zab/peer.js';

export class Replica implements StateMachine {
  readonly options: ReplicaOptions;
  readonly world: World;
  readonly clients: Clients;
  readonly expiry: SessionExpiry;
  readonly stats = new Stats();
  readonly checkpointing: Checkpointing;
  readonly peer: Peer;
  private readonly heardSessions = new HeardSessions();
  private readonly relay: Relay;
  private readonly applier: Applier;
  private readonly openBatch: OpenBatch;
  private readonly housekeeping: Housekeeping;
  private servesAs: 'leader' | 'learner' | null = null;
  /** The disk of a server that is alone takes no writes: reads are served, writes are refused. */
  private isStalled = false;
  private isStopped = false;
  private recovery: WorldLoader | null = null;
  /** Request bytes in the open batch and in all that were proposed and not executed. */
  pendingBytes = 0;
  private lastSessionId = 0;
  /** What those who wait for entries have been told of. */
  private settledZxid = 0;
  readonly outbox = new Outbox(() => this.monotonicMs);
  private readonly copying: Copying;
  monotonicMs = 0;
  wallMs = 0;

  constructor(options: ReplicaOptions) {
    this.options = options;
    this.world = emptyWorld(options.hashSeed);
    this.expiry = new SessionExpiry(options.tickTimeMs);
    this.peer = new Peer(options.serverId, options.ensemble, this.outbox, this);
    this.relay = new Relay(this);
    this.clients = new Clients(this);
    this.applier = new Applier(this.world, this.clients);
    if (options.audit === true) {
      // An entry without a caller is the leader's own.
      const isOurs = (session: number, hasCaller: boolean) =>
        hasCaller ? this.clients.holds(session) : this.isLeading;
      this.applier.auditor = new Auditor(this.world, isOurs, (record) => this.emit({ type: 'audit', record }));
    }
    this.openBatch = new OpenBatch(options);
    this.housekeeping = new Housekeeping(this);
    this.checkpointing = new Checkpointing(this.world, options, (effect) => this.emit(effect));
    this.copying = new Copying(options.hashSeed, this.outbox);
  }

  // --- what the stages ask

  get role(): Role {
    return this.isStopped ? 'stopped' : this.isStalled ? 'stalled' : this.peer.role;
  }

  /** Clients are answered. */
  get isServing(): boolean {
    return this.servesAs !== null;
  }

  /** While a leader opens its next epoch, writes wait in the open batch. */
  get isWritable(): boolean {
    return this.isServing && !this.isStalled;
  }

  get isLeading(): boolean {
    return this.servesAs === 'leader';
  }

  get leaderId(): number {
    return this.peer.leaderId;
  }

  get liveness(): Liveness {
    return this.servesAs === 'leader' ? this.expiry : this.heardSessions;
  }

  get epoch(): number {
    return this.peer.currentEpoch;
  }

  get appliedZxid(): number {
    return this.applier.lastZxid;
  }

  get checkpointZxid(): number {
    return this.checkpointing.lastZxid;
  }

  /** On the leader: the last zxid given out so far, or due to what waits in the open batch. */
  get proposedZxid(): number {
    const { openBatch, peer } = this;
    const term = peer.leaderTerm;
    if (term === null || (peer.history.pending === 0 && openBatch.length === 0)) return this.appliedZxid;
    if (openBatch.length === 0) return peer.history.lastZxid;
    // What waits in the open batch of an epoch that is used up will belong to the next one (E90).
    return term.upcomingZxid + openBatch.length - 1;
  }

  nextSessionId(): number {
    const last = Math.max(this.lastSessionId, this.world.sessions.lastIdOf(this.options.serverId));
    this.lastSessionId = nextSessionId(this.options.serverId, this.wallMs, last);
    return this.lastSessionId;
  }

  emit(effect: Effect): void {
    this.outbox.emit(effect);
  }

  /** The effects of all inputs so far, once. */
  takeEffects(): readonly Effect[] {
    return this.outbox.take();
  }

  // --- recovery, before the first input: checkpoint into the tree, then the log behind it

  /** Pages of the checkpoint, in any order. */
  loadPage(page: CheckpointPage): void {
    this.recovery ??= new WorldLoader(this.options.hashSeed);
    this.recovery.page(page);
  }

  /** All pages are there. Throws an Error that says what is wrong when they do not make up the state they claim. */
  finishLoad(headerBytes: Uint8Array): void {
    this.adopt((this.recovery ?? new WorldLoader(this.options.hashSeed)).finish(headerBytes));
    this.recovery = null;
    this.peer.history.reset(this.appliedZxid);
  }

  private adopt({ world, zxid }: LoadedWorld): void {
    Object.assign(this.world, { ...world, changes: this.world.changes });
    this.applier.startAt(zxid);
    this.checkpointing.loaded(zxid);
  }

  /**
   * A batch from the log, and its bytes there. In an ensemble of one, what is on disk is what a quorum has; in any other
   * it is executed when a leader says that it is committed (E88).
   */
  recoverBatch(batch: Batch, bytes: Uint8Array): void {
    const { history, isAlone } = this.peer;
    history.append(batch, bytes);
    if (isAlone) history.executeUpTo(history.lastZxid, (due) => this.execute(due));
  }

  /** Everything was read: looks for a leader. */
  start(recovered: Recovered): void {
    this.peer.start(recovered);
  }

  // --- inputs

  handle(input: Input): void {
    if (this.isStopped) return;
    const { clients, peer } = this;
    switch (input.type) {
      case 'frames':
        clients.frames(input.connection, input.bytes, input.start, input.end);
        break;
      case 'clock':
        this.wallMs = input.wallMs;
        this.monotonicMs = input.monotonicMs;
        break;
      case 'turnEnd':
        this.endTurn();
        break;
      case 'stored':
        peer.stored(input.zxid);
        this.progressed();
        break;
      case 'connected':
        clients.connected(input.connection, input.entropy);
        break;
      case 'disconnected':
        clients.disconnected(input.connection);
        break;
      case 'drained':
        clients.drained(input.connection);
        break;
      case 'memory':
        clients.memory(input.isScarce);
        break;
      case 'tick':
        this.tick();
        break;
      case 'epochsStored':
        peer.epochsStored(input.acceptedEpoch, input.currentEpoch);
        this.progressed();
        break;
      case 'truncated':
        peer.truncated(input.afterZxid);
        break;
      case 'checkpointDrained':
        this.checkpointing.advance();
        break;
      case 'checkpointed':
        if (this.copying.isStoring(input.zxid)) peer.copyStored(input.zxid);
        else this.checkpointing.stored(input.zxid);
        break;
      case 'checkpointFailed':
        if (this.copying.isAt(input.zxid)) peer.copyFailed();
        else this.checkpointing.failed();
        break;
      case 'storeFailed':
        this.storeFailed(input.firstLostZxid, input.reason);
        break;
      case 'storeResumed':
        this.isStalled = false;
        peer.storeResumed();
        this.outbox.note('info', 'the disk takes writes again: serving as before');
        break;
      case 'peerConnected':
        peer.peerConnected(input.peer);
        break;
      case 'peerDisconnected':
        peer.peerDisconnected(input.peer);
        break;
      case 'peerMessage':
        this.peerMessage(input.peer, input.message);
        break;
      case 'logRead':
        peer.logRead(input.reader, input.batches);
        break;
      case 'logEndFound':
        peer.logEndFound(input.reader, input.end);
        break;
      case 'snapshotOpened':
        peer.snapshotOpened(input.reader, input.zxid, input.header);
        break;
      case 'snapshotRead':
        peer.snapshotRead(input.reader, input.pages);
        break;
    }
  }

  private peerMessage(peer: number, message: PeerMessage): void {
    try {
      this.peer.handle(peer, message);
      this.relay.handle(peer, message);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.outbox.note('error', `server ${peer} sends what cannot be read: ${error.message}`);
      this.outbox.resetLink(peer, error.message);
    }
    this.progressed();
  }

  private tick(): void {
    this.peer.tick();
    this.clients.tick();
    if (this.peer.leader !== null && this.isWritable) this.stats.sessionsExpired += this.housekeeping.tick();
    this.beginCheckpointIfDue();
    this.checkpointing.advance();
  }

  private beginCheckpointIfDue(): void {
    if (!this.copying.isUnderWay) this.checkpointing.beginIfDue(this.appliedZxid);
  }

  /** A client's write takes its place in the open batch, or is on its way to the leader. */
  release(
    operation: number,
    session: number,
    cxid: number,
    caller: readonly Identity[],
    request: Uint8Array,
    start: number,
    end: number,
  ): void {
    if (!this.isLeading) {
      this.relay.forward(operation, session, cxid, caller, request, start, end);
      return;
    }
    if (operation === OpCode.createSession && !this.relay.hasOwner(session)) this.relay.own(session);
    this.pendingBytes += end - start;
    this.openBatch.add(operation, session, cxid, caller, request, start, end);
    if (!this.openBatch.isFull || this.isStalled) return;
    const { leader } = this.peer;
    if (leader !== null && !leader.isEpochOver) this.closeBatch(leader);
  }

  /** The same for what the server itself asks for. */
  propose(operation: number, session: number, request: JuteWriter): void {
    this.release(operation, session, 0, NO_CALLER, request.bytes, 0, request.position);
  }

  private endTurn(): void {
    const { peer, openBatch } = this;
    const { leader } = peer;
    if (leader !== null && !this.isStalled) {
      // Entries wait in the open batch until everything of this epoch is committed and the next one is there (E90).
      if (leader.isEpochOver) {
        if (peer.history.pending === 0) leader.openNextEpoch();
      } else if (openBatch.length > 0 && peer.history.pending < limits.batchesInFlightMax) this.closeBatch(leader);
    }
    this.relay.endTurn();
    peer.leader?.announceCommit();
  }

  private closeBatch(leader: Leader): void {
    const batch = this.openBatch.close(leader.nextZxid, this.wallMs);
    const bytes = encodeBatch(batch);
    this.stats.proposed(bytes.length);
    leader.propose(batch, bytes);
  }

  /** Entries may have been executed: those who waited for them. */
  private progressed(): void {
    if (this.settledZxid === this.appliedZxid) return;
    this.settledZxid = this.appliedZxid;
    this.clients.settled();
    this.beginCheckpointIfDue();
  }

  // --- what the relay asks

  sync(barrier: SyncBarrier, session: number): void {
    if (this.peer.isAlone) barrier.zxid = this.proposedZxid;
    else this.relay.sync(barrier, session);
  }

  syncsReady(): void {
    this.clients.settled();
  }

  revalidate(session: number, timeoutMs: number): void {
    if (!this.isLeading) this.relay.revalidate(session, timeoutMs);
    else {
      this.relay.own(session);
      this.clients.revalidated(session, true, this.proposedZxid);
    }
  }

  revalidated(session: number, isAlive: boolean, zxid: number): void {
    this.clients.revalidated(session, isAlive, zxid);
  }

  moved(session: number): void {
    this.clients.moved(session);
  }

  ping(): number {
    return this.peer.leader?.ping() ?? 0;
  }

  confirm(): void {
    this.peer.leader?.confirm();
  }

  sessionOpened(session: number): void {
    const opened = this.world.sessions.get(session);
    if (!this.isLeading || opened === undefined || this.expiry.isTracked(session)) return;
    this.expiry.track(session, this.monotonicMs, this.relay.graceMs(session, opened.timeoutMs));
  }

  sessionClosed(session: number): void {
    this.relay.forget(session);
    this.expiry.remove(session);
    this.heardSessions.remove(session);
  }

  // --- what zab asks (StateMachine)

  execute(batch: Batch): void {
    this.applier.apply(batch);
    this.checkpointing.executed(batchLength(batch), batch.requests.length);
    if (this.isLeading) this.pendingBytes = Math.max(0, this.pendingBytes - batch.requests.length);
  }

  digest(): Digest {
    return this.world.tree.digest();
  }

  serves(as: 'leader' | 'learner'): void {
    this.servesAs = as;
    // Sessions that lived on while nobody led get their full time again (E18).
    if (as === 'leader') this.expiry.restart(this.world.sessions, this.monotonicMs);
    this.emit({ type: 'serving', epoch: this.epoch });
  }

  serveNoMore(reason: string): void {
    if (this.servesAs === null) return;
    this.servesAs = null;
    this.clients.closeAll(reason);
    this.relay.reset();
    this.heardSessions.clear();
    if (this.openBatch.length > 0) this.openBatch.close(1, 0); // whoever asked was told by the closed connection
    this.pendingBytes = 0;
    this.emit({ type: 'notServing' });
  }

  takeHeard(): readonly number[] {
    return this.heardSessions.take();
  }

  heard(learner: number, sessions: readonly number[]): void {
    this.relay.heard(learner, sessions);
  }

  confirmed(round: number): void {
    this.relay.confirmed(round);
  }

  beginCopy(zxid: number, header: Uint8Array): void {
    this.checkpointing.giveUp();
    this.copying.begin(zxid, header);
  }

  copyPages(pages: readonly CheckpointPage[]): void {
    this.copying.pages(pages);
  }

  endCopy(): string | null {
    return this.copying.end();
  }

  adoptCopy(): void {
    this.adopt(this.copying.take());
  }

  get isCopyStoring(): boolean {
    return this.copying.isComplete;
  }

  abandonCopy(): void {
    this.copying.abandon();
  }

  diverged(reason: string): void {
    this.outbox.note('error', `this replica is not like the others and stops: ${reason}`);
    this.serveNoMore(reason);
    this.isStopped = true;
    this.emit({ type: 'diverged', reason });
  }

  // --- a full disk

  /** What the disk did not take: with others there, they go on without this server; alone, it never happened. */
  private storeFailed(firstLostZxid: number, reason: string): void {
    const { peer } = this;
    if (!this.isStalled && peer.role !== 'stalled') {
      this.outbox.note('error', `writes are refused: ${reason}`, { firstLostZxid: hex(firstLostZxid) });
    }
    if (!peer.isAlone) {
      peer.storeFailed(firstLostZxid, reason);
      return;
    }
    this.isStalled = true;
    const leader = peer.leaderTerm as Leader;
    const lost = leader.withdraw(firstLostZxid);
    if (this.openBatch.length > 0) lost.push(this.openBatch.close(leader.nextZxid, this.wallMs));
    // Not the zxid before the lost one: at the start of an epoch that is none any entry has.
    this.clients.withdrawn(this.proposedZxid);
    for (const batch of lost) this.pendingBytes -= batch.requests.length;
    tellOfLoss(lost, this);
    this.clients.settled();
  }
}
