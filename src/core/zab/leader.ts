// The leader's part of Zab: a new epoch that a quorum has on disk before it is used (E79, E80), learners brought to the
// leader's history (learner-handler.ts), proposals committed in order once a quorum has stored them (E86, E87).
//
//   gathering ─ a quorum asks to be led ─▶ opening ─ a quorum has stored the epoch ─▶ synchronising ─ a quorum has stored
//   the history and, behind it, the epoch as its own ─▶ leading
//
// The leader counts like any other voter, and its own word only once its disk has reported. History of earlier epochs
// is committed with the epoch, never by counting (the case of Raft's figure 8). When the counter of an epoch is used up
// the leader opens the next one with its learners, from `opening` on, while everybody keeps its clients (E90, better).

import { counterOf, EPOCH_LIMIT, epochOf, makeZxid } from '../../../protocol/ids.js';
import type { Batch } from '../../../protocol/peer/entries.js';
import { batchLength, lastZxid } from '../../../protocol/peer/entries.js';
import type { PeerMessage, PeerMessageOf, PeerPage } from '../../../protocol/peer/messages.js';
import { assert } from '../../std/assert.js';
import type { History } from './history.js';
import { type HandlerContext, LearnerHandler } from './learner-handler.js';
import type { LeaderContext } from './role-context.js';
import type { Surroundings } from './surroundings.js';

export type LeaderPhase = 'gathering' | 'opening' | 'synchronising' | 'leading';

export class Leader implements HandlerContext {
  phase: LeaderPhase = 'gathering';
  /** 0 until there is one. */
  epoch = 0;
  /** When it was established, on the surroundings' clock. */
  leadingSinceMs = 0;
  inheritedZxid: number;
  private readonly context: LeaderContext;
  private readonly handlers = new Map<number, LearnerHandler>();
  /** How far each voter's disk is, of those that have stored this epoch. */
  private readonly progress = new Map<number, number>();
  private highestAccepted = 0;
  private hasStoredEpoch = false;
  private committed = 0;
  private announcedZxid = 0;
  private next = 0;
  private round = 0;
  private confirmedRound = 0;
  private nextPingMs: number;
  /** When the present phase on the way to leading began. */
  private sinceMs: number;
  private quorumLostMs = -1;
  private keptAfter = Number.POSITIVE_INFINITY;
  private storedZxid: number;

  /** `storedZxid`: how far this server's own disk is. */
  constructor(context: LeaderContext, storedZxid: number) {
    this.context = context;
    this.storedZxid = storedZxid;
    this.inheritedZxid = context.history.lastZxid;
    this.highestAccepted = context.acceptedEpoch;
    this.sinceMs = context.surroundings.nowMs;
    this.nextPingMs = this.sinceMs + context.options.pingMs;
  }

  /** An epoch above everything that was ever accepted (E79). Throws RangeError when there is none left. */
  static nextEpoch(acceptedEpoch: number): number {
    if (acceptedEpoch + 1 >= EPOCH_LIMIT) throw new RangeError(`epoch ${acceptedEpoch} is the last one`);
    return acceptedEpoch + 1;
  }

  // --- what handlers ask

  get history(): History {
    return this.context.history;
  }

  get surroundings(): Surroundings {
    return this.context.surroundings;
  }

  get checkpointZxid(): number {
    return this.context.machine.checkpointZxid;
  }

  nextReader(): number {
    return this.context.nextReader();
  }

  mayCopy(): boolean {
    let copies = 0;
    for (const { phase } of this.handlers.values()) if (phase === 'copying') copies++;
    return copies < this.context.options.snapshotsMax;
  }

  drop(learner: number, reason: string): void {
    this.surroundings.note('warn', `server ${learner} is left behind: ${reason}`);
    this.forget(learner);
    this.surroundings.resetLink(learner, reason);
  }

  // --- what others want to know

  get isLeading(): boolean {
    return this.phase === 'leading';
  }

  /** The zxid that the next entry gets. */
  get nextZxid(): number {
    return this.next;
  }

  /** The epoch is to end: its counter is used up (E90), or a server waits that has accepted a later one. */
  get isEpochOver(): boolean {
    return counterOf(this.next) - 1 >= this.context.options.epochEntriesMax || this.highestAccepted > this.epoch;
  }

  /** The zxid of what is proposed next, in this epoch or in the one that is about to be opened. */
  get upcomingZxid(): number {
    if (this.phase !== 'leading') return makeZxid(this.epoch, 1);
    return this.isEpochOver ? makeZxid(Leader.nextEpoch(this.highestAccepted), 1) : this.next;
  }

  get learners(): IterableIterator<LearnerHandler> {
    return this.handlers.values();
  }

  // --- discovery

  /** Learners that asked before this server knew that it leads. */
  start(waiting: ReadonlyMap<number, PeerMessageOf<'follow'>>): void {
    for (const [peer, message] of waiting) this.join(peer, message);
    this.gathered();
  }

  private join(peer: number, { acceptedEpoch, isObserver, isVoting }: PeerMessageOf<'follow'>): void {
    this.forget(peer);
    const handler = new LearnerHandler(peer, isObserver || !this.context.quorum.includes(peer), isVoting, this);
    this.handlers.set(peer, handler);
    if (this.phase === 'gathering') {
      this.highestAccepted = Math.max(this.highestAccepted, acceptedEpoch);
      this.gathered();
    } else if (acceptedEpoch > this.epoch) {
      // Somebody tried to lead it and failed. It can only come back under an epoch beyond that one.
      this.highestAccepted = Math.max(this.highestAccepted, acceptedEpoch);
    } else this.surroundings.send([peer], { type: 'newEpoch', epoch: this.epoch });
  }

  /** A quorum asks to be led: opens an epoch above all that any of them has accepted. */
  private gathered(): void {
    const { quorum, serverId } = this.context;
    const asks = (id: number) => id === serverId || this.handlers.get(id)?.isVoting === true;
    if (this.phase === 'gathering' && quorum.isQuorum(asks)) this.open(Leader.nextEpoch(this.highestAccepted));
  }

  private open(epoch: number): void {
    this.phase = 'opening';
    this.sinceMs = this.surroundings.nowMs;
    this.epoch = epoch;
    this.highestAccepted = epoch;
    this.inheritedZxid = this.history.lastZxid;
    this.hasStoredEpoch = false;
    this.progress.clear();
    for (const handler of this.handlers.values()) handler.beginEpoch();
    this.context.acceptEpoch(epoch);
    this.surroundings.send([...this.handlers.keys()], { type: 'newEpoch', epoch });
  }

  /** This server's own epochs are on disk. */
  epochsStored(acceptedEpoch: number, currentEpoch: number): void {
    if (acceptedEpoch !== this.epoch) return;
    if (currentEpoch === this.epoch) {
      this.hasStoredEpoch = true;
      this.progress.set(this.context.serverId, Math.max(this.storedZxid, this.inheritedZxid));
      this.establish();
    } else {
      this.hasStoredEpoch = true;
      this.accepted();
    }
  }

  private epochAccepted(handler: LearnerHandler, message: PeerMessageOf<'epochAccepted'>): void {
    if (handler.phase !== 'accepting' || message.epoch !== this.epoch) return;
    const { currentEpoch } = this.context;
    const { history, phase } = this;
    // Whoever knows more must lead (E80).
    const isNewer =
      message.currentEpoch > currentEpoch ||
      (message.currentEpoch === currentEpoch && message.ends[0] > history.lastZxid);
    if (phase === 'opening' && isNewer && handler.isVoting && !handler.isObserver) {
      this.context.stepDown(`server ${handler.id} has a newer history`);
      return;
    }
    handler.phase = 'accepted';
    handler.counts = message.counts && handler.isVoting;
    handler.ends = message.ends;
    if (phase === 'opening') this.accepted();
    else handler.synchronise();
  }

  private accepted(): void {
    if (this.phase !== 'opening' || !this.hasStoredEpoch) return;
    const { quorum, serverId } = this.context;
    const has = (id: number) => id === serverId || this.handlers.get(id)?.counts === true;
    if (!quorum.isQuorum(has)) return;
    this.phase = 'synchronising';
    this.hasStoredEpoch = false;
    this.context.adoptEpoch(this.epoch);
    for (const handler of this.handlers.values()) if (handler.phase === 'accepted') handler.synchronise();
  }

  /** A quorum has the history, and the epoch behind it: all of it is committed, and this server leads (E85). */
  private establish(): void {
    if (this.phase !== 'synchronising') return;
    const { quorum } = this.context;
    if (!this.hasStoredEpoch || !quorum.isQuorum((id) => this.progress.has(id))) return;
    const isFirst = this.next === 0;
    this.phase = 'leading';
    this.next = makeZxid(this.epoch, 1);
    this.commitUpTo(this.inheritedZxid);
    this.surroundings.note('info', `leading epoch ${this.epoch}`, { committed: this.committed });
    if (isFirst) {
      this.leadingSinceMs = this.surroundings.nowMs;
      this.context.established();
      this.context.machine.serves('leader');
    }
    for (const handler of this.handlers.values()) this.welcome(handler);
  }

  /** Tells a learner that has come close enough to serve clients. */
  private welcome(handler: LearnerHandler): void {
    if (this.phase !== 'leading' || !handler.isJoined || handler.isUpToDate) return;
    if (handler.ackedZxid < Math.min(this.committed, handler.targetZxid)) return;
    handler.isUpToDate = true;
    this.surroundings.send([handler.id], { type: 'upToDate', zxid: this.committed });
  }

  // --- messages

  handle(peer: number, message: PeerMessage): void {
    if (message.type === 'follow') {
      this.join(peer, message);
      return;
    }
    const handler = this.handlers.get(peer);
    if (handler === undefined) return;
    handler.heardMs = this.surroundings.nowMs;
    switch (message.type) {
      case 'epochAccepted':
        this.epochAccepted(handler, message);
        break;
      case 'truncated':
        handler.truncated(message.lastZxid);
        break;
      case 'snapshotTaken':
        handler.snapshotTaken();
        break;
      case 'ack':
        this.acknowledged(handler, message.zxid);
        break;
      case 'newLeaderStored':
        if (message.epoch === this.epoch) this.newLeaderStored(handler);
        break;
      case 'pong':
        this.pong(handler, message);
        break;
    }
  }

  private acknowledged(handler: LearnerHandler, zxid: number): void {
    if (zxid > handler.sent) {
      this.drop(handler.id, `it acknowledges ${zxid}, which it was not sent`);
      return;
    }
    handler.acknowledged(zxid);
    this.count(handler);
    this.welcome(handler);
  }

  private newLeaderStored(handler: LearnerHandler): void {
    handler.stored(this.committed);
    this.count(handler);
    this.establish();
    this.welcome(handler);
  }

  private count(handler: LearnerHandler): void {
    if (!handler.isJoined || handler.isObserver) return;
    this.progress.set(handler.id, handler.ackedZxid);
    this.commit();
  }

  disconnected(peer: number): void {
    this.forget(peer);
    const { quorum, serverId, connected } = this.context;
    // Nobody else can come: the others have to find out what to do without this one.
    const canBeQuorum = quorum.isQuorum((id) => id === serverId || connected.has(id));
    if (this.phase !== 'leading' && !canBeQuorum) this.context.stepDown(`server ${peer} is gone, and with it a quorum`);
  }

  private forget(peer: number): void {
    const handler = this.handlers.get(peer);
    if (handler === undefined) return;
    handler.close();
    this.handlers.delete(peer);
    this.progress.delete(peer);
  }

  logRead(reader: number, batches: Parameters<LearnerHandler['logRead']>[0]): void {
    this.readerOf(reader)?.logRead(batches);
  }

  logEndFound(reader: number, end: number | null): void {
    this.readerOf(reader)?.logEndFound(end);
  }

  snapshotOpened(reader: number, zxid: number, header: Uint8Array): void {
    this.readerOf(reader)?.snapshotOpened(zxid, header);
  }

  snapshotRead(reader: number, pages: readonly PeerPage[]): void {
    this.readerOf(reader)?.snapshotRead(pages);
  }

  private readerOf(reader: number): LearnerHandler | undefined {
    for (const handler of this.handlers.values()) if (handler.reader === reader) return handler;
    return undefined;
  }

  // --- broadcast

  /** Gives a batch to this server's disk and to all learners, at once. */
  propose(batch: Batch, bytes: Uint8Array): void {
    assert(this.phase === 'leading', 'only who leads proposes');
    assert(batch.firstZxid === this.next, `batch ${batch.firstZxid} proposed where ${this.next} is due`);
    assert(batchLength(batch) > 0 && epochOf(lastZxid(batch)) === this.epoch, 'a batch lies within one epoch');
    const { history, surroundings } = this;
    const abreast = [...this.handlers.values()].filter((handler) => handler.isAbreast && handler.newLeader !== 'due');
    history.append(batch, bytes);
    const last = lastZxid(batch);
    this.next = last + 1;
    surroundings.append(batch.firstZxid, last, bytes);
    if (abreast.length === 0) return;
    const to = abreast.map(({ id }) => id);
    surroundings.send(to, { type: 'propose', firstZxid: batch.firstZxid, lastZxid: last, batch: bytes });
    for (const handler of abreast) handler.sentTo(last, bytes.length);
  }

  /** This server's own disk has everything up to `zxid`. */
  stored(zxid: number): void {
    this.storedZxid = Math.max(this.storedZxid, zxid);
    if (this.progress.has(this.context.serverId)) {
      this.progress.set(this.context.serverId, this.storedZxid);
      this.commit();
    }
  }

  /**
   * Commits what a quorum has stored, entries of this epoch only; and not before this server's own disk has it, so that
   * its tree is never ahead of its log.
   */
  private commit(): void {
    if (this.phase !== 'leading') return;
    const reached = Math.min(this.context.quorum.reachedBy(this.progress), this.storedZxid);
    if (reached > this.inheritedZxid) this.commitUpTo(reached);
  }

  /**
   * Takes back what was proposed from `zxid` on; its zxids are given out again. Only for a server that is alone, whose
   * disk refused the batches: nobody else can have seen them.
   */
  withdraw(zxid: number): Batch[] {
    const { history } = this;
    assert(this.context.isAlone, 'a proposal that others may have stored cannot be taken back');
    const end = history.endBefore(zxid - 1);
    if (end === null || end === history.lastZxid) return [];
    const lost = history.truncateAfter(end).map(({ batch }) => batch);
    this.next = lost[0].firstZxid;
    return lost;
  }

  private commitUpTo(zxid: number): void {
    const { machine, history } = this.context;
    if (zxid <= this.committed) return;
    this.committed = zxid;
    history.executeUpTo(zxid, (batch) => machine.execute(batch));
  }

  /** At the end of a turn: one word on everything that was committed in it. */
  announceCommit(): void {
    if (this.phase !== 'leading' || this.announcedZxid === this.committed) return;
    this.announcedZxid = this.committed;
    const to = [...this.handlers.values()].filter(({ phase }) => phase === 'sending').map(({ id }) => id);
    if (to.length > 0) this.sendCommit(to);
  }

  /** What it gets from now on may be committed already: it need not keep it unexecuted. */
  announceTo(learner: number): void {
    if (this.phase === 'leading') this.sendCommit([learner]);
  }

  private sendCommit(to: readonly number[]): void {
    const { high, low } = this.context.machine.digest();
    this.surroundings.send(to, { type: 'commit', zxid: this.committed, digestHigh: high, digestLow: low });
  }

  /** The epoch is to end, and everything of it is committed: opens the next one with the same learners (E90). */
  openNextEpoch(): void {
    assert(this.phase === 'leading' && this.history.pending === 0, 'an epoch ends when all of it is committed');
    for (const handler of [...this.handlers.values()]) {
      if (!handler.mayChangeEpoch) this.drop(handler.id, 'the epoch changes while it is synchronised');
    }
    this.open(Leader.nextEpoch(this.highestAccepted));
  }

  // --- liveness

  /** Asks every learner whether it still follows. `machine.confirmed` follows when a quorum has answered this round. */
  ping(): number {
    this.round++;
    // Also between two epochs: whoever serves clients has to report them.
    const to = [...this.handlers.values()].filter((one) => one.isJoined || one.isUpToDate).map(({ id }) => id);
    if (to.length > 0) this.surroundings.send(to, { type: 'ping', round: this.round });
    return this.round;
  }

  private pong(handler: LearnerHandler, { round, sessions }: PeerMessageOf<'pong'>): void {
    handler.pongRound = round;
    this.context.machine.heard(handler.id, sessions);
    this.confirm();
  }

  /** Tells how far a quorum has answered, if that is news. */
  confirm(): void {
    const { quorum, serverId, machine } = this.context;
    if (this.phase !== 'leading') return;
    const answered = new Map([[serverId, this.round]]);
    for (const { id, pongRound } of this.handlers.values()) answered.set(id, pongRound);
    const reached = quorum.reachedBy(answered);
    if (reached <= this.confirmedRound) return;
    this.confirmedRound = reached;
    machine.confirmed(reached);
  }

  tick(): void {
    const { options, surroundings, quorum, serverId } = this.context;
    const now = surroundings.nowMs;
    // Whoever has voted for it asks at once; initLimit is for the transfer of history.
    const limitMs = this.phase === 'gathering' ? options.pingMs * 2 : options.initLimitMs;
    if (this.phase !== 'leading' && now - this.sinceMs > limitMs) {
      this.context.stepDown(`no quorum within ${limitMs} ms`);
      return;
    }
    for (const handler of [...this.handlers.values()]) {
      const patienceMs = handler.isUpToDate ? options.syncLimitMs : options.initLimitMs;
      const silentMs = now - handler.heardMs;
      if (silentMs > patienceMs) this.drop(handler.id, `silent for ${Math.round(silentMs)} ms`);
      else if (handler.isUpToDate && now - (handler.waitingSinceMs ?? now) > patienceMs) {
        this.drop(handler.id, `it has not stored what it was sent ${patienceMs} ms ago`);
      } else if (handler.phase === 'accepted' && this.phase !== 'opening') handler.synchronise();
    }
    this.keepLog();
    if (this.phase === 'leading') {
      const isQuorate = quorum.isQuorum((id) => id === serverId || this.handlers.get(id)?.isJoined === true);
      if (isQuorate) this.quorumLostMs = -1;
      else if (this.quorumLostMs < 0) this.quorumLostMs = now;
      else if (now - this.quorumLostMs > options.pingMs * 2) {
        this.context.stepDown('it has lost its quorum');
        return;
      }
    }
    if (now >= this.nextPingMs) {
      this.nextPingMs = now + options.pingMs;
      this.ping();
    }
  }

  private keepLog(): void {
    let after = Number.POSITIVE_INFINITY;
    for (const handler of this.handlers.values()) after = Math.min(after, handler.keepAfter);
    if (after === this.keptAfter) return;
    this.keptAfter = after;
    this.surroundings.keepLog(after);
  }

  /** Its time is over: whoever follows it has to look for another. */
  close(reason: string): void {
    for (const handler of this.handlers.values()) handler.close();
    for (const peer of this.handlers.keys()) this.surroundings.resetLink(peer, reason);
    this.handlers.clear();
    if (this.keptAfter !== Number.POSITIVE_INFINITY) this.surroundings.keepLog(Number.POSITIVE_INFINITY);
  }
}
