// Fast leader election (E73-E77): a server that looks for a leader tells everybody whom it wants, changes its mind when
// it hears of a better candidate, and is done when a quorum wants the same one. Rounds keep the votes of one search
// apart from those of an earlier one. A server that is led, or leads, answers with whom it follows, so that a late one
// joins; but only if that leader itself says so, or a dead one could be followed (E76). A server without a say (an
// observer, a weight of 0, a lost disk) asks with no vote and waits for such a leader.
//
// No clock and no randomness in here: time comes with every call.

import { NOBODY, type PeerMessageOf, type VoterState } from '../../../protocol/peer/messages.js';
import type { Quorum } from './quorum.js';
import type { EnsembleOptions } from './surroundings.js';

/** Whom a server wants: the one with the newest history (E73). NOBODY: it has no say, and only asks. */
export interface Vote {
  readonly leader: number;
  /** Current epoch and last logged zxid of the candidate. */
  readonly epoch: number;
  readonly zxid: number;
}

export const NO_VOTE: Vote = { leader: NOBODY, epoch: 0, zxid: 0 };

/** The order of candidates: newer epoch, then longer log, then greater id (E73). */
export function isBetter(a: Vote, b: Vote): boolean {
  if (b.leader === NOBODY || a.leader === NOBODY) return a.leader !== NOBODY;
  if (a.epoch !== b.epoch) return a.epoch > b.epoch;
  if (a.zxid !== b.zxid) return a.zxid > b.zxid;
  return a.leader > b.leader;
}

type VoteMessage = PeerMessageOf<'vote'>;

/** What a server that does not look says about itself. */
interface Settled {
  readonly leader: number;
  readonly state: VoterState;
}

export class Election {
  private readonly serverId: number;
  private readonly quorum: Quorum;
  private readonly options: EnsembleOptions;
  private readonly send: (to: readonly number[], message: VoteMessage) => void;
  private readonly connected = new Set<number>();
  private currentRound = 0;
  private initial: Vote = NO_VOTE;
  private vote: Vote = NO_VOTE;
  /** What voters want in this round, this server among them. */
  private readonly votes = new Map<number, Vote>();
  /** What servers say that follow or lead. */
  private readonly settled = new Map<number, Settled>();
  private isLooking = false;
  private repeatAtMs = 0;
  private repeatMs = 0;
  /** Since when the vote has had a quorum, or -1. */
  private quorumSinceMs = -1;

  constructor(
    serverId: number,
    quorum: Quorum,
    options: EnsembleOptions,
    send: (to: readonly number[], message: VoteMessage) => void,
  ) {
    this.serverId = serverId;
    this.quorum = quorum;
    this.options = options;
    this.send = send;
  }

  get round(): number {
    return this.currentRound;
  }

  /** Begins to look; `mine` is this server as a candidate, or NO_VOTE for one that has no say. */
  start(mine: Vote, nowMs: number): void {
    this.isLooking = true;
    this.initial = mine;
    this.currentRound++;
    this.settled.clear();
    this.beginRound(mine, nowMs);
  }

  private beginRound(vote: Vote, nowMs: number): void {
    this.votes.clear();
    this.repeatMs = this.options.voteRepeatMsMin;
    this.want(vote, nowMs);
  }

  private want(vote: Vote, nowMs: number): void {
    this.vote = vote;
    this.quorumSinceMs = -1;
    if (this.hasSay) this.votes.set(this.serverId, vote);
    this.tellAll(nowMs);
  }

  private tellAll(nowMs: number): void {
    this.repeatAtMs = nowMs + this.repeatMs;
    if (this.connected.size > 0) this.send([...this.connected], this.message());
  }

  private message(): VoteMessage {
    return { type: 'vote', round: this.currentRound, ...this.vote, state: 'looking' };
  }

  peerConnected(peer: number): void {
    this.connected.add(peer);
    if (this.isLooking) this.send([peer], this.message());
  }

  /** What it said is repeated when it comes back (E77). */
  peerDisconnected(peer: number, nowMs: number): void {
    this.connected.delete(peer);
    this.votes.delete(peer);
    this.settled.delete(peer);
    // A candidate that is gone cannot lead: a new round, so that everybody forgets it.
    if (this.isLooking && this.vote.leader === peer) {
      this.currentRound++;
      this.beginRound(this.initial, nowMs);
    }
  }

  /** A vote of a server came in while this one looks. Ask `outcome` afterwards. */
  heard(from: number, message: VoteMessage, nowMs: number): void {
    if (!this.isLooking) return;
    if (message.state === 'looking') this.heardLooking(from, message, nowMs);
    else if (message.leader !== NOBODY) this.settled.set(from, { leader: message.leader, state: message.state });
  }

  private heardLooking(from: number, message: VoteMessage, nowMs: number): void {
    this.settled.delete(from);
    const { round } = message;
    const vote: Vote = { leader: message.leader, epoch: message.epoch, zxid: message.zxid };
    if (!this.hasSay || !this.isEligible(vote) || !this.quorum.includes(from)) return;
    if (round < this.currentRound) {
      this.send([from], this.message()); // so that it catches up (E74)
      return;
    }
    if (round > this.currentRound) {
      this.currentRound = round;
      this.beginRound(isBetter(vote, this.initial) ? vote : this.initial, nowMs);
    } else if (isBetter(vote, this.vote)) this.want(vote, nowMs);
    else if (isBetter(this.vote, vote)) this.send([from], this.message()); // told before it looked, and lost on it
    this.votes.set(from, vote);
  }

  private get hasSay(): boolean {
    return this.initial.leader !== NOBODY;
  }

  private isEligible({ leader }: Vote): boolean {
    return this.quorum.voters.some(({ id, weight }) => id === leader && weight > 0);
  }

  /** Time passes: repeats the vote, more and more rarely (E75). */
  tick(nowMs: number): void {
    if (!this.isLooking || nowMs < this.repeatAtMs) return;
    this.repeatMs = Math.min(this.repeatMs * 2, this.options.voteRepeatMsMax);
    this.tellAll(nowMs);
  }

  /** This server has a say and has heard of nobody better than itself. */
  get isCandidate(): boolean {
    return this.isLooking && this.hasSay && this.vote.leader === this.serverId;
  }

  /** The search is over: it was decided otherwise. */
  stop(): void {
    this.isLooking = false;
  }

  /** Who leads, as soon as that is decided; null before. Then the search is over. */
  outcome(nowMs: number): number | null {
    if (!this.isLooking) return null;
    const leader = this.runningLeader() ?? this.electedLeader(nowMs);
    if (leader !== null) this.isLooking = false;
    return leader;
  }

  /**
   * The leader of an ensemble that is at work: it says itself that it leads, and a quorum follows it (E76). If it says
   * that too, it is believed, for who follows it may be out of reach from here: a leader that is none any more takes
   * nobody in, since its epoch is not accepted.
   */
  private runningLeader(): number | null {
    for (const [id, { state, leader }] of this.settled) {
      if (leader !== id) continue;
      if (state === 'established') return id;
      if (state === 'leading' && this.quorum.isQuorum((voter) => this.settled.get(voter)?.leader === id)) return id;
    }
    return null;
  }

  private electedLeader(nowMs: number): number | null {
    const { vote } = this;
    const wants = (id: number) => this.votes.get(id)?.leader === vote.leader;
    if (vote.leader === NOBODY || !this.quorum.isQuorum(wants)) {
      this.quorumSinceMs = -1;
      return null;
    }
    if (this.quorumSinceMs < 0) this.quorumSinceMs = nowMs;
    // A better vote can only come from a voter that was not heard yet; who is out of reach gets a moment to appear.
    const isUnanimous = this.quorum.voters.every(({ id }) => wants(id) || !this.isReachable(id));
    if (!isUnanimous && nowMs - this.quorumSinceMs < this.options.voteSettleMs) return null;
    return vote.leader;
  }

  private isReachable(id: number): boolean {
    return id === this.serverId || this.connected.has(id);
  }
}
