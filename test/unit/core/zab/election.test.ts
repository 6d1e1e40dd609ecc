/** Leader election, message by message (E73–E77). */
import fc from 'fast-check';
import { NOBODY, type PeerMessageOf } from '../../../../protocol/peer/messages.js';
import { Election, isBetter, NO_VOTE, type Vote } from '../../../../src/core/zab/election.js';
import { Quorum, type Voter } from '../../../../src/core/zab/quorum.js';
import { OPTIONS, show, z } from './fixture.js';

const EQUAL: readonly Voter[] = OPTIONS.voters;

/** A server that has come as far as 3:7; a better vote names a later place. */
const vote = (leader: number, epoch = 3, zxid = z(3, 7)): Vote => ({ leader, epoch, zxid });

const looking = (wanted: Vote, round = 1): PeerMessageOf<'vote'> => ({
  type: 'vote',
  round,
  ...wanted,
  state: 'looking',
});

const settled = (leader: number, state: 'following' | 'observing' | 'leading' | 'established') => ({
  ...looking(vote(leader)),
  state,
});

class Voting {
  readonly election: Election;
  private lines: string[] = [];

  /** Server 1 looks, linked to these, at time 0. */
  constructor(linked: readonly number[] = [2, 3], mine = vote(1), voters = EQUAL) {
    this.election = new Election(1, new Quorum(voters), { ...OPTIONS, voters }, (to, message) => {
      this.lines.push(`to ${to.join()}: ${message.leader} of ${show(message.zxid)} in ${message.round}`);
    });
    for (const peer of linked) this.election.peerConnected(peer);
    this.election.start(mine, 0);
    this.lines = [];
  }

  hear(from: number, message: PeerMessageOf<'vote'>, nowMs = 0): void {
    this.election.heard(from, message, nowMs);
  }

  outcome(nowMs = 0): number | null {
    return this.election.outcome(nowMs);
  }

  /** What comes of it when nothing more is heard. */
  later(): number | null {
    return this.outcome(10_000) ?? this.outcome(20_000);
  }

  said(): string[] {
    const { lines } = this;
    this.lines = [];
    return lines;
  }
}

describe('the order of votes (E73)', () => {
  test.each([
    ['a newer epoch before a longer log', vote(1, 4, z(3, 1)), vote(3, 3, z(3, 9))],
    ['a longer log before a greater id', vote(1, 3, z(3, 9)), vote(3, 3, z(3, 8))],
    ['a greater id', vote(3), vote(2)],
    ['any candidate before none', vote(1, 0, 0), NO_VOTE],
  ])('%s', (_, better, worse) => {
    expect([isBetter(better, worse), isBetter(worse, better)]).toEqual([true, false]);
  });

  test('no vote is better than itself, and of two different ones exactly one is', () => {
    const any = fc.record({ leader: fc.integer({ min: 1, max: 3 }), epoch: fc.nat(2), zxid: fc.nat(2) });
    fc.assert(
      fc.property(any, any, (a, b) => {
        const isSame = a.leader === b.leader && a.epoch === b.epoch && a.zxid === b.zxid;
        expect(Number(isBetter(a, b)) + Number(isBetter(b, a))).toBe(isSame ? 0 : 1);
      }),
    );
  });
});

describe('within a round', () => {
  test('a better vote is taken over and told to all, a worse one is answered, one like its own is not', () => {
    const voting = new Voting();
    voting.hear(2, looking(vote(2, 3, z(3, 5))));
    expect(voting.said()).toEqual(['to 2: 1 of 3:7 in 1']);
    voting.hear(2, looking(vote(1)));
    expect(voting.said()).toEqual([]);
    voting.hear(3, looking(vote(3, 3, z(3, 8))));
    expect(voting.said()).toEqual(['to 2,3: 3 of 3:8 in 1']);
  });

  test('all voters within reach want the same and are a quorum: decided at once', () => {
    const voting = new Voting([2]);
    expect(voting.outcome()).toBe(null);
    voting.hear(2, looking(vote(2)));
    expect(voting.outcome()).toBe(2);
  });

  test('a quorum wants the same, another voter in reach was not heard: decided a moment later (E75)', () => {
    const voting = new Voting([2, 3]);
    voting.hear(2, looking(vote(2)));
    expect(voting.outcome(0)).toBe(null);
    expect(voting.outcome(OPTIONS.voteSettleMs - 1)).toBe(null);
    expect(voting.outcome(OPTIONS.voteSettleMs)).toBe(2);
  });

  test('a better vote that comes in that moment wins', () => {
    const voting = new Voting([2, 3]);
    voting.hear(2, looking(vote(2)));
    expect(voting.outcome(0)).toBe(null);
    voting.hear(3, looking(vote(3)), 10);
    // Server 2 has not been heard to want 3, but 1 and 3 are a quorum: a moment from now on.
    expect(voting.outcome(10)).toBe(null);
    expect(voting.outcome(OPTIONS.voteSettleMs)).toBe(null);
    voting.hear(2, looking(vote(3)), OPTIONS.voteSettleMs);
    expect(voting.outcome(OPTIONS.voteSettleMs)).toBe(3);
  });

  test('no quorum, no leader, however long it takes', () => {
    const voting = new Voting(
      [2],
      vote(1),
      [1, 2, 3, 4, 5].map((id) => ({ id, weight: 1, group: 0 })),
    );
    voting.hear(2, looking(vote(2)));
    expect(voting.later()).toBe(null);
  });

  test('nothing is decided twice, and nothing is heard after it', () => {
    const voting = new Voting([2]);
    voting.hear(2, looking(vote(2)));
    expect([voting.outcome(), voting.outcome()]).toEqual([2, null]);
    voting.said();
    voting.hear(2, looking(vote(2, 9), 7));
    expect([voting.said(), voting.election.round]).toEqual([[], 1]);
  });
});

describe('rounds (E74)', () => {
  test('a later round: votes are forgotten, and it begins again with its own vote', () => {
    const voting = new Voting();
    voting.hear(3, looking(vote(3, 9)));
    voting.said();
    voting.hear(2, looking(vote(2, 2), 5));
    expect(voting.said()).toEqual(['to 2,3: 1 of 3:7 in 5']);
    expect(voting.election.round).toBe(5);
    // Its own vote and that of server 2 in this round: no two of the three want the same.
    expect(voting.later()).toBe(null);
    voting.hear(2, looking(vote(1), 5), 30_000);
    expect([voting.outcome(30_000), voting.outcome(30_000 + OPTIONS.voteSettleMs)]).toEqual([null, 1]);
  });

  test('a vote of an earlier round is none in this one', () => {
    const voting = new Voting();
    voting.hear(3, looking(vote(1)));
    voting.hear(2, looking(vote(2, 2), 5));
    expect(voting.later()).toBe(null);
  });

  test('a later round with a better vote', () => {
    const voting = new Voting();
    voting.hear(2, looking(vote(2, 4), 5));
    expect(voting.said()).toEqual(['to 2,3: 2 of 3:7 in 5']);
  });

  test('an earlier round: only an answer, so that the other catches up', () => {
    const voting = new Voting([2]);
    voting.hear(2, looking(vote(2), 4));
    expect(voting.outcome()).toBe(2);
    voting.election.start(vote(1), 0); // round 5
    voting.said();
    voting.hear(2, looking(vote(2, 9), 4));
    expect(voting.said()).toEqual(['to 2: 1 of 3:7 in 5']);
    expect(voting.later()).toBe(null);
  });

  test('a candidate that is gone is forgotten by all, in a new round (E77)', () => {
    const voting = new Voting();
    voting.hear(3, looking(vote(3)));
    voting.said();
    voting.election.peerDisconnected(3, 5);
    expect(voting.said()).toEqual(['to 2: 1 of 3:7 in 2']);
    voting.hear(2, looking(vote(3), 1), 5); // still of the old round
    expect(voting.later()).toBe(null);
  });

  test('what a voter said that is gone does not count', () => {
    const voting = new Voting([2, 3], vote(1, 9));
    voting.hear(2, looking(vote(1, 9)));
    voting.election.peerDisconnected(2, 0);
    expect(voting.election.round).toBe(1);
    expect(voting.later()).toBe(null);
  });
});

describe('telling', () => {
  test('a vote is repeated, more and more rarely (E75)', () => {
    const voting = new Voting([2]);
    const times: number[] = [];
    for (let nowMs = 0; nowMs < 500; nowMs++) {
      voting.election.tick(nowMs);
      if (voting.said().length > 0) times.push(nowMs);
    }
    expect(times).toEqual([20, 60, 140, 240, 340, 440]);
  });

  test('who gets in touch hears the vote at once, and only then (E77)', () => {
    const voting = new Voting([]);
    voting.election.peerConnected(3);
    expect(voting.said()).toEqual(['to 3: 1 of 3:7 in 1']);
  });
});

describe('an ensemble that is at work is joined (E76)', () => {
  test('when its leader says so and a quorum follows', () => {
    const voting = new Voting();
    voting.hear(2, settled(3, 'following'));
    expect(voting.later()).toBe(null);
    voting.hear(3, settled(3, 'leading'));
    expect(voting.later()).toBe(3);
  });

  test('not on the word of a leader that is not established', () => {
    const voting = new Voting();
    voting.hear(3, settled(3, 'leading'));
    expect(voting.later()).toBe(null);
    voting.hear(3, settled(3, 'established'));
    expect(voting.later()).toBe(3);
  });

  test('not on the word of another', () => {
    const voting = new Voting();
    voting.hear(2, settled(3, 'established'));
    expect(voting.later()).toBe(null);
  });

  test('not when the leader is dead, whatever its followers say', () => {
    const voting = new Voting(
      [2, 3, 4, 5],
      vote(1),
      [1, 2, 3, 4, 5].map((id) => ({ id, weight: 1, group: 0 })),
    );
    for (const follower of [2, 3, 4]) voting.hear(follower, settled(5, 'following'));
    expect(voting.later()).toBe(null);
    voting.hear(5, looking(vote(5, 0)));
    expect(voting.later()).toBe(null);
  });

  test('observers do not make the quorum', () => {
    const voting = new Voting([3, 4, 5]);
    voting.hear(3, settled(3, 'leading'));
    for (const observer of [4, 5]) voting.hear(observer, settled(3, 'observing'));
    expect(voting.later()).toBe(null);
  });

  test('what a leader said is forgotten when it is gone, or looks again', () => {
    const voting = new Voting();
    voting.hear(3, settled(3, 'established'));
    voting.election.peerDisconnected(3, 0);
    expect(voting.outcome()).toBe(null);
    voting.hear(3, settled(3, 'established'));
    voting.hear(3, looking(vote(3)));
    expect(voting.outcome()).toBe(null);
  });
});

describe('who has no say', () => {
  test('looks without a vote, is not disturbed by votes, and waits for a leader', () => {
    const voting = new Voting([2, 3], NO_VOTE);
    voting.election.tick(OPTIONS.voteRepeatMsMin);
    expect(voting.said()).toEqual([`to 2,3: ${NOBODY} of 0 in 1`]);
    for (const from of [2, 3]) voting.hear(from, looking(vote(3), 7));
    expect([voting.said(), voting.election.round, voting.later()]).toEqual([[], 1, null]);
    voting.hear(3, settled(3, 'established'));
    expect(voting.later()).toBe(3);
  });

  test.each<[string, number, Vote]>([
    ['a server without a vote', 3, NO_VOTE],
    ['an observer', 4, vote(1, 9)],
    ['one who wants an observer', 3, vote(4, 9)],
    ['one who wants a server of weight 0', 3, vote(2, 9)],
  ])('%s changes neither round nor vote', (_, from, wanted) => {
    const voters = EQUAL.map((voter) => (voter.id === 2 ? { ...voter, weight: 0 } : voter));
    const voting = new Voting([2, 3, 4], vote(1), voters);
    voting.hear(from, looking(wanted, 7));
    expect([voting.said(), voting.election.round, voting.later()]).toEqual([[], 1, null]);
  });
});
