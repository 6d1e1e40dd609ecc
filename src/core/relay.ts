// What a server's clients need from the leader, and what the leader does for the clients of its learners:
//
//   learner                                     leader
//   forward     writes of its clients        →  into the open batch, if the session is still that learner's (E19)
//   revalidate  sessions that come back      →  alive? its owner is this learner from now on (E4, E19)
//   sync        reads that must be current   →  a round of pings: it still leads (design: "sync", better than E70);
//                                               who asks is heard of, so an answer proves that the session lives
//   pong        who was heard of (E16)       →  deadlines move
//
// Whatever comes together in one turn goes in one message. The leader's own clients take the same road without the
// messages. All of it ends with the leader's term: then clients have to connect again.

import { OpCode } from '../../protocol/client/constants.js';
import { Code } from '../../protocol/client/errors.js';
import { JuteReader } from '../../protocol/jute/reader.js';
import { decodeBatch, encodeBatch } from '../../protocol/peer/codec.js';
import type { EntrySink, Identity } from '../../protocol/peer/entries.js';
import type { PeerMessage, PeerMessageOf } from '../../protocol/peer/messages.js';
import type { ReplicaOptions } from './io.js';
import { errorEntry } from './ops/error.js';
import type { World } from './ops/operation.js';
import { writeOperation } from './ops/table.js';
import type { Outbox } from './outbox.js';
import { freesMemory } from './pipeline/admit.js';
import { OpenBatch } from './pipeline/stamp.js';
import type { SessionExpiry } from './sessions/expiry.js';

/** A sync that waits for its zxid. */
export interface SyncBarrier {
  /** Infinity until it is known what must be executed before the answer. */
  zxid: number;
}

/** What the relay needs from the replica it belongs to. */
export interface Station {
  readonly options: Pick<ReplicaOptions, 'serverId' | 'tickTimeMs'>;
  readonly world: World;
  readonly expiry: SessionExpiry;
  readonly monotonicMs: number;
  readonly proposedZxid: number;
  /** Whom this server follows. */
  readonly leaderId: number;
  readonly isLeading: boolean;
  /** A leader in need refuses what learners' clients write, as it refuses its own clients. */
  readonly clients: { readonly memoryIsScarce: boolean };
  readonly outbox: Pick<Outbox, 'send' | 'resetLink'>;
  /** A write takes its place in the leader's open batch. */
  release: EntrySink;
  /** Asks the learners whether they still follow; `Relay.confirmed` follows. Returns the round. */
  ping(): number;
  /** Calls `Relay.confirmed` if a quorum has answered already, as it has where this server is one. */
  confirm(): void;
  /** The session is carried by another server now: its connection here is to be closed. */
  moved(session: number): void;
  /** The leader has answered: see Openings. */
  revalidated(session: number, isAlive: boolean, zxid: number): void;
  /** Syncs know what they wait for. */
  syncsReady(): void;
}

/** A learner's syncs up to `id`, or one of this server's own, and the ping round that has to be answered first. */
interface PendingSync {
  readonly barrier: SyncBarrier | null;
  readonly learner: number;
  readonly id: number;
  readonly zxid: number;
  /** 0 until the next ping. */
  round: number;
}

interface Owner {
  readonly server: number;
  /** Negotiated when the session was resumed, in ms; 0: as when it was created. */
  readonly timeoutMs: number;
}

/** A forwarded batch has no zxids yet. */
const NO_ZXID = 1;
/** The entry in the place of a write that the leader does not take. */
const OVERLOADED = errorEntry(Code.ThrottledOp);

export class Relay {
  private readonly station: Station;
  private readonly forwards = new OpenBatch({ enforceQuota: false, skipAcl: false });
  private revalidations: { session: number; timeoutMs: number }[] = [];
  /** This learner's syncs, by rising id. */
  private asked: { readonly id: number; readonly barrier: SyncBarrier; readonly session: number }[] = [];
  private lastSyncId = 0;
  private sentSyncId = 0;
  /** The leader's: which server carries a session, and how long it may be silent if not as it was created. */
  private readonly owners = new Map<number, Owner>();
  private pendingSyncs: PendingSync[] = [];

  constructor(station: Station) {
    this.station = station;
  }

  /** A term has ended. */
  reset(): void {
    if (this.forwards.length > 0) this.forwards.close(NO_ZXID, 0);
    this.revalidations = [];
    this.asked = [];
    this.sentSyncId = this.lastSyncId;
    this.owners.clear();
    this.pendingSyncs = [];
  }

  // --- for this server's clients

  /** A learner's client writes. */
  forward(
    operation: number,
    session: number,
    cxid: number,
    caller: readonly Identity[],
    request: Uint8Array,
    start: number,
    end: number,
  ): void {
    this.forwards.add(operation, session, cxid, caller, request, start, end);
    if (this.forwards.isFull) this.sendForwards();
  }

  /** A client comes back with a session; `Station.revalidated` follows. */
  revalidate(session: number, timeoutMs: number): void {
    this.revalidations.push({ session, timeoutMs });
  }

  /** A session lives here from now on: on the leader. */
  own(session: number): void {
    this.owners.set(session, { server: this.station.options.serverId, timeoutMs: 0 });
  }

  hasOwner(session: number): boolean {
    return this.owners.has(session);
  }

  /** Its zxid is set when the leader has proved that it leads. `session`: who asks; 0 when that is not sure. */
  sync(barrier: SyncBarrier, session: number): void {
    const { station } = this;
    if (station.isLeading) {
      this.pendingSyncs.push({ barrier, learner: 0, id: 0, zxid: station.proposedZxid, round: 0 });
    } else this.asked.push({ id: ++this.lastSyncId, barrier, session });
  }

  /** Sends what has come together; writes first, since a sync comes behind them. */
  endTurn(): void {
    const { station } = this;
    if (station.isLeading) {
      if (!this.pendingSyncs.some(({ round }) => round === 0)) return;
      const round = station.ping();
      for (const sync of this.pendingSyncs) if (sync.round === 0) sync.round = round;
      station.confirm();
      return;
    }
    this.sendForwards();
    if (this.revalidations.length > 0) {
      const sessions = this.revalidations.map(({ session }) => session);
      const timeoutsMs = this.revalidations.map(({ timeoutMs }) => timeoutMs);
      this.revalidations = [];
      station.outbox.send([station.leaderId], { type: 'revalidate', sessions, timeoutsMs });
    }
    if (this.sentSyncId !== this.lastSyncId) {
      const sessions = new Set<number>();
      for (const { id, session } of this.asked) if (id > this.sentSyncId && session !== 0) sessions.add(session);
      this.sentSyncId = this.lastSyncId;
      station.outbox.send([station.leaderId], { type: 'sync', id: this.lastSyncId, sessions: [...sessions] });
    }
  }

  private sendForwards(): void {
    if (this.forwards.length === 0) return;
    const batch = encodeBatch(this.forwards.close(NO_ZXID, 0));
    this.station.outbox.send([this.station.leaderId], { type: 'forward', batch });
  }

  // --- messages

  handle(peer: number, message: PeerMessage): void {
    const { station } = this;
    if (station.isLeading) {
      if (message.type === 'forward') this.forwarded(peer, message);
      else if (message.type === 'revalidate') this.revalidateFor(peer, message);
      else if (message.type === 'sync') this.syncFor(peer, message);
    } else if (peer === station.leaderId) {
      if (message.type === 'revalidated') {
        message.sessions.forEach((session, i) => {
          station.revalidated(session, message.alive[i] === true, message.zxid);
        });
      } else if (message.type === 'moved') station.moved(message.session);
      else if (message.type === 'synced') this.synced(message);
    }
  }

  private synced({ id, zxid }: PeerMessageOf<'synced'>): void {
    let count = 0;
    while (count < this.asked.length && this.asked[count].id <= id) this.asked[count++].barrier.zxid = zxid;
    this.asked = this.asked.slice(count);
    this.station.syncsReady();
  }

  private forwarded(peer: number, { batch: bytes }: PeerMessageOf<'forward'>): void {
    const { station, owners } = this;
    const { operations, sessions, cxids, callers, identityLists, requestEnds, requests } = decodeBatch(bytes);
    let start = 0;
    for (let i = 0; i < operations.length; i++) {
      const operation = operations[i];
      const session = sessions[i];
      const end = requestEnds[i];
      const write = writeOperation(operation);
      if (write === undefined) {
        station.outbox.resetLink(peer, `it forwards the unknown operation ${operation}`);
        return;
      }
      if (operation === OpCode.createSession) owners.set(session, { server: peer, timeoutMs: 0 });
      if (owners.get(session)?.server !== peer) station.outbox.send([peer], { type: 'moved', session });
      else {
        this.touch(session);
        if (operation === OpCode.closeSession) station.expiry.close(session);
        const caller = identityLists[callers[i]];
        if (station.clients.memoryIsScarce && !freesMemory(write, new JuteReader(requests, start, end))) {
          station.release(OpCode.error, session, cxids[i], caller, OVERLOADED, 0, OVERLOADED.length);
        } else station.release(operation, session, cxids[i], caller, requests, start, end);
      }
      start = end;
    }
  }

  /** A session that is not the learner's any more, or is closing, gets no answer: its connection is closed first. */
  private syncFor(peer: number, { id, sessions }: PeerMessageOf<'sync'>): void {
    const { station, owners } = this;
    for (const session of sessions) {
      const isAlive = owners.get(session)?.server === peer && this.touch(session);
      if (!isAlive) station.outbox.send([peer], { type: 'moved', session });
    }
    this.pendingSyncs.push({ barrier: null, learner: peer, id, zxid: station.proposedZxid, round: 0 });
  }

  private revalidateFor(peer: number, { sessions, timeoutsMs }: PeerMessageOf<'revalidate'>): void {
    const { station, owners } = this;
    const alive = sessions.map((session, i) => {
      if (station.world.sessions.get(session) === undefined || station.expiry.isClosing(session)) return false;
      if (owners.get(session)?.server === station.options.serverId) station.moved(session);
      const timeoutMs = timeoutsMs[i] ?? 0;
      owners.set(session, { server: peer, timeoutMs });
      station.expiry.touch(session, station.monotonicMs, this.graceMs(session, timeoutMs));
      return true;
    });
    station.outbox.send([peer], { type: 'revalidated', sessions, alive, zxid: station.proposedZxid });
  }

  // --- the leader

  /** A quorum has answered the pings up to this round. */
  confirmed(round: number): void {
    const { station } = this;
    if (this.pendingSyncs.length === 0) return;
    const ready = this.pendingSyncs.filter((sync) => sync.round !== 0 && sync.round <= round);
    if (ready.length === 0) return;
    this.pendingSyncs = this.pendingSyncs.filter((sync) => sync.round === 0 || sync.round > round);
    for (const { barrier, learner, id, zxid } of ready) {
      if (barrier !== null) barrier.zxid = zxid;
      else station.outbox.send([learner], { type: 'synced', id, zxid });
    }
    station.syncsReady();
  }

  /** The session is gone. */
  forget(session: number): void {
    this.owners.delete(session);
  }

  /** A learner reports whom it has heard of. */
  heard(learner: number, sessions: readonly number[]): void {
    for (const session of sessions) if (this.owners.get(session)?.server === learner) this.touch(session);
  }

  /** False when it is unknown or closing. */
  private touch(session: number): boolean {
    const { station } = this;
    const created = station.world.sessions.get(session);
    if (created === undefined) return false;
    const timeoutMs = this.owners.get(session)?.timeoutMs || created.timeoutMs;
    return station.expiry.touch(session, station.monotonicMs, this.graceMs(session, timeoutMs));
  }

  /** Reports come only with every ping: a session elsewhere has that much longer, or it could expire early (E17). */
  graceMs(session: number, timeoutMs: number): number {
    const owner = this.owners.get(session);
    const isElsewhere = owner !== undefined && owner.server !== this.station.options.serverId;
    return isElsewhere ? timeoutMs + this.station.options.tickTimeMs : timeoutMs;
  }
}
