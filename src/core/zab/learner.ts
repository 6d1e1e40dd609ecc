// A learner's part of Zab: follower or observer, from the first word to its leader until it leaves it. What it is told
// goes to its disk in the order it was told, the epoch behind the history it belongs to, and is acknowledged when the
// disk has it: the order that E83 asks for, in which most of ZooKeeper's lost data went wrong.
//
// Whatever is not as it must be (a gap, an older epoch, silence) ends it: the link is broken, and the search for a
// leader begins again. Nothing is half done by that: the log is a prefix of some leader's history at every moment.

import { hex } from '../../../protocol/ids.js';
import { lastZxid } from '../../../protocol/peer/entries.js';
import type { PeerMessage, PeerMessageOf } from '../../../protocol/peer/messages.js';
import type { LearnerContext } from './role-context.js';
import type { Digest } from './surroundings.js';

export type LearnerPhase =
  /** There is no link to the leader yet, or it has not answered. */
  | 'asking'
  /** The leader's epoch is on its way to disk. */
  | 'accepting'
  | 'synchronising'
  /** Serves clients. */
  | 'following';

interface ExpectedDigest extends Digest {
  readonly zxid: number;
}

/** Digests kept for comparison; what comes beyond that is not compared. */
const EXPECTED_MAX = 1024;

export class Learner {
  readonly leader: number;
  phase: LearnerPhase = 'asking';
  private readonly context: LearnerContext;
  /** The epoch that is being stored as accepted, or as current; 0 for none. */
  private accepting = 0;
  private adopting = 0;
  /** Whether the present epoch had been accepted before (E79). */
  private counts = true;
  private committed: number;
  /** A full copy is coming in, or on its way to disk. */
  private copy: { readonly zxid: number; isComplete: boolean } | null = null;
  private truncatingTo = -1;
  private heardMs: number;
  /** Digests of states that are not reached yet, oldest first. */
  private expected: ExpectedDigest[] = [];

  constructor(leader: number, context: LearnerContext) {
    this.leader = leader;
    this.context = context;
    this.committed = context.machine.appliedZxid;
    this.heardMs = context.surroundings.nowMs;
  }

  get isFollowing(): boolean {
    return this.phase === 'following';
  }

  /** There is a link to the leader. */
  ask(): void {
    const { acceptedEpoch, isObserver, isVoting } = this.context;
    this.send({ type: 'follow', acceptedEpoch, isObserver, isVoting });
  }

  private send(message: PeerMessage): void {
    this.context.surroundings.send([this.leader], message);
  }

  /** From the leader. */
  handle(message: PeerMessage): void {
    this.heardMs = this.context.surroundings.nowMs;
    switch (message.type) {
      case 'newEpoch':
        this.newEpoch(message.epoch);
        break;
      case 'truncate':
        this.truncate(message.afterZxid);
        break;
      case 'snapshot':
        this.beginCopy(message);
        break;
      case 'snapshotPages':
        if (this.copy === null) {
          this.context.leave('it sends pages of no copy');
          return;
        }
        this.context.machine.copyPages(message.pages);
        this.send({ type: 'snapshotTaken' });
        break;
      case 'snapshotEnd':
        this.endCopy();
        break;
      case 'propose':
        this.proposed(message);
        break;
      case 'newLeader':
        this.newLeader(message.epoch);
        break;
      case 'upToDate':
        this.upToDate(message.zxid);
        break;
      case 'commit':
        this.commit(message);
        break;
      case 'ping':
        this.send({ type: 'pong', round: message.round, sessions: this.context.machine.takeHeard() });
        break;
    }
  }

  // --- the epoch

  private newEpoch(epoch: number): void {
    const { context } = this;
    if (epoch < context.acceptedEpoch) {
      context.leave(`its epoch ${epoch} is older than ${context.acceptedEpoch}, which was accepted`);
      return;
    }
    if (this.phase !== 'following') this.phase = 'accepting';
    this.counts = epoch > context.acceptedEpoch;
    this.accepting = epoch;
    // Also when it was accepted before: the answer says that it is on disk, with all that is in the log.
    context.acceptEpoch(epoch);
  }

  epochsStored(acceptedEpoch: number, currentEpoch: number): void {
    const { accepting, adopting, context } = this;
    if (accepting !== 0 && acceptedEpoch === accepting) {
      this.accepting = 0;
      if (this.phase !== 'following') this.phase = 'synchronising';
      this.send({
        type: 'epochAccepted',
        epoch: acceptedEpoch,
        currentEpoch: context.currentEpoch,
        ends: context.history.ends(context.machine.appliedZxid),
        counts: this.counts,
      });
    } else if (adopting !== 0 && currentEpoch === adopting) {
      this.adopting = 0;
      this.send({ type: 'newLeaderStored', epoch: currentEpoch });
    }
  }

  private newLeader(epoch: number): void {
    const { context } = this;
    if (epoch !== context.acceptedEpoch || this.copy !== null || this.truncatingTo >= 0) {
      context.leave(`it announces epoch ${epoch} at the wrong moment`);
      return;
    }
    this.adopting = epoch;
    context.adoptEpoch(epoch);
  }

  // --- history

  private truncate(afterZxid: number): void {
    const { history, machine, surroundings } = this.context;
    if (afterZxid < machine.appliedZxid || !history.has(afterZxid)) {
      this.context.leave(`it cuts history at ${afterZxid}, which is not the end of a batch that may be cut`);
      return;
    }
    history.truncateAfter(afterZxid);
    this.truncatingTo = afterZxid;
    surroundings.truncate(afterZxid);
  }

  truncated(afterZxid: number): void {
    if (this.truncatingTo !== afterZxid) return;
    this.truncatingTo = -1;
    this.send({ type: 'truncated', lastZxid: afterZxid });
  }

  private beginCopy({ zxid, header }: PeerMessageOf<'snapshot'>): void {
    if (this.phase === 'following') {
      this.context.leave('it sends a copy to a server that is up to date');
      return;
    }
    this.copy = { zxid, isComplete: false };
    this.context.machine.beginCopy(zxid, header);
  }

  private endCopy(): void {
    if (this.copy === null) {
      this.context.leave('it ends no copy');
      return;
    }
    const fault = this.context.machine.endCopy();
    if (fault !== null) {
      this.context.leave(`its copy is not usable: ${fault}`);
      return;
    }
    this.copy.isComplete = true;
  }

  /** The copy is on disk, and nothing else is. */
  copyStored(zxid: number): void {
    if (this.copy === null || !this.copy.isComplete || this.copy.zxid !== zxid) return;
    this.copy = null;
    this.committed = zxid;
    this.send({ type: 'snapshotTaken' });
  }

  private proposed({ firstZxid, lastZxid: last, batch: bytes }: PeerMessageOf<'propose'>): void {
    const { context } = this;
    const batch = context.decode(bytes);
    if (batch.firstZxid !== firstZxid || lastZxid(batch) !== last) {
      context.leave('it sends a batch under another zxid');
      return;
    }
    if (this.copy !== null || this.truncatingTo >= 0 || !context.history.continuesWith(firstZxid)) {
      context.leave(`it sends batch ${firstZxid} where ${context.history.lastZxid} was the last`);
      return;
    }
    context.history.append(batch, bytes);
    context.surroundings.append(firstZxid, last, bytes);
  }

  /** This server's disk has everything up to `zxid`. */
  stored(zxid: number): void {
    if (this.phase === 'synchronising' || this.phase === 'following') {
      this.send({ type: 'ack', zxid });
      this.execute();
    }
  }

  // --- commits

  private upToDate(zxid: number): void {
    if (this.adopting !== 0) {
      this.context.leave('it is up to date before the epoch is stored');
      return;
    }
    this.committed = Math.max(this.committed, zxid);
    this.execute();
    if (this.phase === 'following') return;
    this.phase = 'following';
    this.context.machine.serves('learner');
  }

  private commit({ zxid, digestHigh, digestLow }: PeerMessageOf<'commit'>): void {
    if (zxid < this.committed) return;
    this.committed = zxid;
    if (this.expected.length < EXPECTED_MAX) this.expected.push({ zxid, high: digestHigh, low: digestLow });
    this.execute();
  }

  /** Executes what is committed and on this server's disk: the tree is never ahead of the log. */
  private execute(): void {
    const limit = Math.min(this.committed, this.context.storedZxid);
    let compared = 0;
    for (; compared < this.expected.length && this.expected[compared].zxid <= limit; compared++) {
      this.executeUpTo(this.expected[compared].zxid);
      if (!this.compare(this.expected[compared])) return;
    }
    if (compared > 0) this.expected = this.expected.slice(compared);
    this.executeUpTo(limit);
  }

  private executeUpTo(zxid: number): void {
    const { history, machine } = this.context;
    history.executeUpTo(zxid, (batch) => machine.execute(batch));
  }

  /** Same zxid, same digest (E98), or this replica must not go on. */
  private compare({ zxid, high, low }: ExpectedDigest): boolean {
    const { machine } = this.context;
    if (machine.appliedZxid !== zxid) return true;
    const digest = machine.digest();
    if (digest.high === high && digest.low === low) return true;
    machine.diverged(`the tree has another digest than the leader's at zxid ${hex(zxid)}`);
    return false;
  }

  // --- liveness

  tick(): void {
    const { options, surroundings } = this.context;
    const limitMs = this.phase === 'following' ? options.syncLimitMs : options.initLimitMs;
    if (surroundings.nowMs - this.heardMs > limitMs) this.context.leave(`silent for ${limitMs} ms`);
  }

  /** It is left: what was half done is given up. */
  close(): void {
    if (this.copy !== null && !this.context.machine.isCopyStoring) this.context.machine.abandonCopy();
  }
}
