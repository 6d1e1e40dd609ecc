/** A leader whose learners are not there: tests speak for them, with plain messages. Server 1 of three; its log ends at 3:5. */
import type { PeerMessage } from '../../../../protocol/peer/messages.js';
import { Leader } from '../../../../src/core/zab/leader.js';
import { batchAt, type ServerSetup, TestServer, z } from './fixture.js';

/** Where a learner stands; what is left out is as on the leader. */
export interface Place {
  readonly currentEpoch?: number;
  /** Of its log. */
  readonly ends?: readonly number[];
  readonly counts?: boolean;
}

export class LeaderFixture {
  readonly server: TestServer;
  readonly leader: Leader;

  constructor(setup: ServerSetup = {}) {
    this.server = new TestServer({ acceptedEpoch: 3, ...setup }).has(3, 5);
    this.leader = new Leader(this.server, this.server.storedZxid);
    this.leader.start(new Map());
  }

  /** Leads epoch 4 with these learners, which have all it has. */
  static leading(learners: readonly number[] = [2, 3], setup: ServerSetup = {}): LeaderFixture {
    const one = new LeaderFixture(setup);
    for (const id of learners) one.follow(id);
    for (const id of learners) one.accept(id);
    one.storeEpochs();
    one.storeEpochs();
    for (const id of learners) one.hear(id, { type: 'newLeaderStored', epoch: 4 });
    one.take();
    return one;
  }

  take(...beginnings: readonly string[]): string[] {
    return this.server.take(...beginnings);
  }

  hear(from: number, message: PeerMessage): void {
    this.leader.handle(from, message);
  }

  follow(from: number, acceptedEpoch = 3, kind: { isObserver?: boolean; isVoting?: boolean } = {}): void {
    this.hear(from, { type: 'follow', acceptedEpoch, isObserver: false, isVoting: true, ...kind });
  }

  /** It has stored the leader's epoch; and where it stands. */
  accept(from: number, place: Place = {}): void {
    const all = { currentEpoch: 3, ends: [z(3, 5)], counts: true, ...place };
    this.hear(from, { type: 'epochAccepted', epoch: this.leader.epoch, ...all });
  }

  /** The leader's disk has the epochs it was asked to store last. */
  storeEpochs(): void {
    this.leader.epochsStored(this.server.acceptedEpoch, this.server.currentEpoch);
  }

  propose(length = 1, byteCount = 1): void {
    this.leader.propose(batchAt(this.leader.nextZxid, length), new Uint8Array(byteCount));
  }

  ack(from: number, zxid: number): void {
    this.hear(from, { type: 'ack', zxid });
  }

  /** Time passes, and these learners answer every ping. */
  wait(durationMs: number, alive: readonly number[] = []): void {
    const { notebook } = this.server;
    for (const endMs = notebook.nowMs + durationMs; notebook.nowMs < endMs; ) {
      notebook.nowMs += 10;
      for (const id of alive) this.hear(id, { type: 'pong', round: 0, sessions: [] });
      this.leader.tick();
    }
  }
}
