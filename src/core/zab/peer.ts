// One server as the others see it: looks for a leader, leads or follows, and looks again. Holds what outlives a role:
// the history, the epochs, the links. Everything it is told goes to the role of the moment; what a former role asked for
// and is answered late is recognised and ignored.
//
//   looking ── election ─┬─ this server: Leader ─────┐
//      ▲                 └─ another one: Learner ──┐ │
//      └──────────── leave, stepDown ──────────────┴─┘

import { decodeBatch } from '../../../protocol/peer/codec.js';
import type { Batch } from '../../../protocol/peer/entries.js';
import {
  NOBODY,
  type PeerMessage,
  type PeerMessageOf,
  type PeerPage,
  type VoterState,
} from '../../../protocol/peer/messages.js';
import { Election, NO_VOTE } from './election.js';
import { History } from './history.js';
import { Leader } from './leader.js';
import { Learner } from './learner.js';
import { Quorum } from './quorum.js';
import { changeRole, type Role } from './role.js';
import type { LeaderContext, LearnerContext } from './role-context.js';
import type { EnsembleOptions, StateMachine, Surroundings } from './surroundings.js';

/** What a server finds on its disk when it starts, beside its history. */
export interface Recovered {
  readonly acceptedEpoch: number;
  readonly currentEpoch: number;
  /** False after its disk was lost: what it had acknowledged is gone, so it has no say until it has a copy. Default true. */
  readonly isVoting?: boolean;
}

const NOT_LEADING = 'this server does not lead';

export class Peer implements LeaderContext, LearnerContext {
  readonly serverId: number;
  readonly options: EnsembleOptions;
  readonly quorum: Quorum;
  readonly history: History;
  readonly surroundings: Surroundings;
  readonly machine: StateMachine;
  readonly isObserver: boolean;
  /** No other server is in the ensemble. */
  readonly isAlone: boolean;
  acceptedEpoch = 0;
  currentEpoch = 0;
  isVoting = true;
  /** The current epoch as the disk has it: the other one may be on its way there, behind history that is lost yet. */
  private storedEpoch = 0;
  private currentRole: Role = 'recovering';
  private leaderRole: Leader | null = null;
  private learnerRole: Learner | null = null;
  private readonly election: Election;
  readonly connected = new Set<number>();
  /** Learners that ask before this server knows that it leads. */
  private readonly asking = new Map<number, PeerMessageOf<'follow'>>();
  storedZxid = 0;
  private lastReader = 0;

  /** Throws RangeError when no voter has any weight. */
  constructor(serverId: number, options: EnsembleOptions, surroundings: Surroundings, machine: StateMachine) {
    this.serverId = serverId;
    this.options = options;
    this.surroundings = surroundings;
    this.machine = machine;
    this.quorum = new Quorum(options.voters);
    this.isObserver = !this.quorum.includes(serverId);
    this.isAlone = !this.isObserver && options.voters.length === 1 && options.observers.length === 0;
    this.history = new History(this.isAlone ? 0 : options.historyBytesMax);
    this.election = new Election(serverId, this.quorum, options, (to, message) => surroundings.send(to, message));
  }

  get role(): Role {
    return this.currentRole;
  }

  /** The leader, if it is this server and a quorum has made it so. */
  get leader(): Leader | null {
    return this.leaderRole?.isLeading === true ? this.leaderRole : null;
  }

  /** This server leads, or tries to: also between two epochs of its own. */
  get leaderTerm(): Leader | null {
    return this.leaderRole;
  }

  get isFollowing(): boolean {
    return this.learnerRole?.isFollowing === true;
  }

  /** How far this server is with the others, in words of the protocol. */
  get phase(): 'looking' | 'discovering' | 'synchronising' | 'broadcasting' {
    const { leaderRole, learnerRole } = this;
    if (leaderRole !== null) return LEADER_PHASES[leaderRole.phase];
    return learnerRole === null ? 'looking' : LEARNER_PHASES[learnerRole.phase];
  }

  /** Whom this server follows, or is about to; NOBODY when it looks for one. */
  get leaderId(): number {
    return this.leaderRole !== null ? this.serverId : (this.learnerRole?.leader ?? NOBODY);
  }

  nextReader(): number {
    return ++this.lastReader;
  }

  decode(bytes: Uint8Array): Batch {
    return decodeBatch(bytes);
  }

  // --- from start to role

  /** The history was read. */
  start(recovered: Recovered): void {
    this.acceptedEpoch = recovered.acceptedEpoch;
    this.currentEpoch = recovered.currentEpoch;
    this.isVoting = recovered.isVoting ?? true;
    this.storedEpoch = recovered.currentEpoch;
    this.storedZxid = this.history.lastZxid;
    this.look();
  }

  private look(): void {
    this.become('looking');
    // What it would stand for is about to change.
    if (this.machine.isCopyStoring) return;
    this.stand();
  }

  /** Stands for election, if it has a say. */
  private stand(): void {
    const weight = this.quorum.voters.find(({ id }) => id === this.serverId)?.weight ?? 0;
    const mine = { leader: this.serverId, epoch: this.currentEpoch, zxid: this.history.lastZxid };
    this.election.start(weight > 0 && this.isVoting ? mine : NO_VOTE, this.surroundings.nowMs);
    this.decide();
  }

  private decide(): void {
    if (this.currentRole !== 'looking') return;
    let elected = this.election.outcome(this.surroundings.nowMs);
    if (elected === null && this.isAskedByQuorum()) {
      this.election.stop();
      elected = this.serverId;
    }
    if (elected === null) return;
    if (elected === this.serverId) this.lead();
    else this.follow(elected);
  }

  /** Whoever asks to be led has decided, in a round that this server may have missed. */
  private isAskedByQuorum(): boolean {
    const { election, quorum, serverId, asking } = this;
    return (
      election.isCandidate &&
      asking.size > 0 &&
      quorum.isQuorum((id) => id === serverId || asking.get(id)?.isVoting === true)
    );
  }

  private lead(): void {
    this.become('leading');
    this.surroundings.note('info', 'elected to lead', { round: this.election.round });
    this.leaderRole = new Leader(this, this.storedZxid);
    this.tellState();
    const asking = new Map(this.asking);
    this.asking.clear();
    this.leaderRole.start(asking);
  }

  private follow(leader: number): void {
    this.become(this.isObserver ? 'observing' : 'following');
    this.surroundings.note('info', `following server ${leader}`, { round: this.election.round });
    this.learnerRole = new Learner(leader, this);
    for (const peer of this.asking.keys()) this.surroundings.resetLink(peer, NOT_LEADING);
    this.asking.clear();
    this.tellState();
    if (this.connected.has(leader)) this.learnerRole.ask();
  }

  private become(role: Role): void {
    this.currentRole = changeRole(this.currentRole, role);
  }

  /** The leader's part is over: looks again. */
  stepDown(reason: string): void {
    if (this.leaderRole === null) return;
    this.surroundings.note('warn', `leads no longer: ${reason}`);
    this.leaveRole(reason);
    this.look();
  }

  /** The learner's part is over: looks again. */
  leave(reason: string): void {
    if (this.learnerRole === null) return;
    this.surroundings.note('warn', `server ${this.learnerRole.leader} is left: ${reason}`);
    this.leaveRole(reason);
    this.look();
  }

  private leaveRole(reason: string): void {
    const { leaderRole, learnerRole } = this;
    this.leaderRole = null;
    this.learnerRole = null;
    leaderRole?.close(reason);
    if (learnerRole !== null) {
      learnerRole.close();
      this.surroundings.resetLink(learnerRole.leader, reason);
    }
    if (leaderRole !== null || learnerRole !== null) this.machine.serveNoMore(reason);
  }

  // --- the disk

  /** This server promises to follow nobody of an older epoch; answered by `epochsStored`. */
  acceptEpoch(epoch: number): void {
    this.acceptedEpoch = epoch;
    this.surroundings.storeEpochs(epoch, this.currentEpoch);
  }

  /** Its history is that of this epoch; answered by `epochsStored`. */
  adoptEpoch(epoch: number): void {
    this.currentEpoch = epoch;
    this.surroundings.storeEpochs(this.acceptedEpoch, epoch);
  }

  epochsStored(acceptedEpoch: number, currentEpoch: number): void {
    this.storedEpoch = currentEpoch;
    if (currentEpoch > 0 && !this.isVoting) {
      // It has a copy: from now on it has a say, also in an election that is under way.
      this.isVoting = true;
      if (this.currentRole === 'looking') this.stand();
    }
    this.leaderRole?.epochsStored(acceptedEpoch, currentEpoch);
    this.learnerRole?.epochsStored(acceptedEpoch, currentEpoch);
  }

  stored(zxid: number): void {
    this.storedZxid = zxid;
    this.leaderRole?.stored(zxid);
    this.learnerRole?.stored(zxid);
  }

  truncated(afterZxid: number): void {
    this.storedZxid = afterZxid;
    this.learnerRole?.truncated(afterZxid);
  }

  /** A full copy from the leader is on disk. */
  copyStored(zxid: number): void {
    this.machine.adoptCopy();
    this.history.reset(zxid);
    this.storedZxid = zxid;
    this.learnerRole?.copyStored(zxid);
    if (this.currentRole === 'looking') this.stand();
  }

  copyFailed(): void {
    this.machine.abandonCopy();
    if (this.currentRole === 'looking') this.stand();
    else this.leave('its copy could not be stored');
  }

  /** The disk took nothing from this zxid on: in an ensemble this server leaves it to the others for the time being. */
  storeFailed(firstLostZxid: number, reason: string): void {
    this.leaveRole(reason);
    if (this.currentRole !== 'stalled') this.become('stalled');
    const kept = this.history.endBefore(firstLostZxid - 1);
    if (kept !== null && kept < this.history.lastZxid) this.history.truncateAfter(kept);
    // An epoch that was to come behind what is lost is lost with it: whoever kept it would win elections with a history
    // that it does not have (E83).
    this.currentEpoch = this.storedEpoch;
  }

  storeResumed(): void {
    if (this.currentRole === 'stalled') this.look();
  }

  logRead(reader: number, batches: Parameters<Leader['logRead']>[1]): void {
    this.leaderRole?.logRead(reader, batches);
  }

  logEndFound(reader: number, end: number | null): void {
    this.leaderRole?.logEndFound(reader, end);
  }

  snapshotOpened(reader: number, zxid: number, header: Uint8Array): void {
    this.leaderRole?.snapshotOpened(reader, zxid, header);
  }

  snapshotRead(reader: number, pages: readonly PeerPage[]): void {
    this.leaderRole?.snapshotRead(reader, pages);
  }

  // --- links

  peerConnected(peer: number): void {
    this.connected.add(peer);
    this.election.peerConnected(peer);
    if (this.currentRole !== 'looking') this.tellStateTo([peer]);
    if (this.learnerRole?.leader === peer) this.learnerRole.ask();
  }

  peerDisconnected(peer: number): void {
    this.connected.delete(peer);
    this.asking.delete(peer);
    this.election.peerDisconnected(peer, this.surroundings.nowMs);
    this.leaderRole?.disconnected(peer);
    if (this.learnerRole?.leader === peer) this.leave('the link is broken');
    this.decide();
  }

  /** True when the message was one of zab's. */
  handle(peer: number, message: PeerMessage): void {
    switch (message.type) {
      case 'vote':
        this.heardVote(peer, message);
        break;
      case 'follow':
        if (this.leaderRole !== null) this.leaderRole.handle(peer, message);
        else if (this.currentRole === 'looking') {
          this.asking.set(peer, message);
          this.decide();
        } else this.surroundings.resetLink(peer, NOT_LEADING);
        break;
      default:
        this.leaderRole?.handle(peer, message);
        if (this.learnerRole?.leader === peer) this.learnerRole.handle(message);
    }
  }

  private heardVote(peer: number, message: PeerMessageOf<'vote'>): void {
    if (message.state === 'looking') this.asking.delete(peer);
    if (this.currentRole === 'looking') {
      this.election.heard(peer, message, this.surroundings.nowMs);
      this.decide();
    } else if (message.state === 'looking') this.tellStateTo([peer]);
    else if (message.leader === peer && peer !== this.leaderId) this.reconsider(peer);
  }

  /** Another server leads, while this one waits for followers, or for a leader, that may never come. */
  private reconsider(other: number): void {
    const reason = `server ${other} leads`;
    if (this.leaderRole?.phase === 'gathering') this.stepDown(reason);
    else if (this.learnerRole?.phase === 'asking') this.leave(reason);
  }

  /** Whoever looks for a leader learns at once that there is one. */
  established(): void {
    this.tellState();
  }

  private tellState(): void {
    if (this.connected.size > 0) this.tellStateTo([...this.connected]);
  }

  private tellStateTo(peers: readonly number[]): void {
    const { leaderId, currentEpoch, history, election } = this;
    const state = this.leader !== null ? 'established' : STATES[this.currentRole];
    if (state === undefined || leaderId === NOBODY) return;
    const { round } = election;
    this.surroundings.send(peers, {
      type: 'vote',
      round,
      leader: leaderId,
      epoch: currentEpoch,
      zxid: history.lastZxid,
      state,
    });
  }

  tick(): void {
    if (this.currentRole === 'looking') {
      this.election.tick(this.surroundings.nowMs);
      this.decide();
    }
    this.leaderRole?.tick();
    this.learnerRole?.tick();
  }
}

const LEADER_PHASES = {
  gathering: 'discovering',
  opening: 'discovering',
  synchronising: 'synchronising',
  leading: 'broadcasting',
} as const;

const LEARNER_PHASES = {
  asking: 'discovering',
  accepting: 'discovering',
  synchronising: 'synchronising',
  following: 'broadcasting',
} as const;

const STATES: Readonly<Partial<Record<Role, VoterState>>> = {
  following: 'following',
  observing: 'observing',
  leading: 'leading',
};
