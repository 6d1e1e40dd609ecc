/** Whole peers on a little bus: election, synchronisation and broadcast together, and what outlives a role. */
import { encodeBatch } from '../../../../protocol/peer/codec.js';
import { NOBODY, type PeerMessage } from '../../../../protocol/peer/messages.js';
import { Peer } from '../../../../src/core/zab/peer.js';
import type { EnsembleOptions } from '../../../../src/core/zab/surroundings.js';
import { batchAt, Notebook, OPTIONS, proposal, show, z } from './fixture.js';

/** A server whose disk and links answer when the bus runs. */
class Station extends Notebook {
  readonly peer: Peer;

  constructor(
    private readonly bus: Bus,
    id: number,
    options: EnsembleOptions,
  ) {
    super();
    this.peer = new Peer(id, options, this, this);
  }

  override send(to: readonly number[], message: PeerMessage): void {
    super.send(to, message);
    for (const other of to)
      this.bus.post(this.peer.serverId, other, (peer) => peer.handle(this.peer.serverId, message));
  }
  override resetLink(other: number): void {
    super.resetLink(other);
    this.bus.reset(this.peer.serverId, other);
  }
  override append(first: number, last: number): void {
    super.append(first, last);
    this.bus.answer(() => this.peer.stored(last));
  }
  override truncate(afterZxid: number): void {
    super.truncate(afterZxid);
    this.bus.answer(() => this.peer.truncated(afterZxid));
  }
  override storeEpochs(accepted: number, current: number): void {
    super.storeEpochs(accepted, current);
    this.bus.answer(() => this.peer.epochsStored(accepted, current));
  }
}

/** Everything in the order it was asked for. A link that is cut, or was reset, loses what is under way. */
class Bus {
  readonly stations = new Map<number, Station>();
  private queue: (() => void)[] = [];
  private readonly cuts = new Set<number>();
  /** Of each link, how often it broke. */
  private readonly breaks = new Map<string, number>();

  constructor(ids: readonly number[], options: Partial<EnsembleOptions> = {}) {
    for (const id of ids) this.stations.set(id, new Station(this, id, { ...OPTIONS, ...options }));
  }

  peer(id: number): Peer {
    return this.station(id).peer;
  }

  station(id: number): Station {
    return this.stations.get(id) as Station;
  }

  private nameOf(a: number, b: number): string {
    return `${Math.min(a, b)}-${Math.max(a, b)}`;
  }

  answer(action: () => void): void {
    this.queue.push(action);
  }

  post(from: number, to: number, deliver: (peer: Peer) => void): void {
    const name = this.nameOf(from, to);
    const breaks = this.breaks.get(name);
    this.queue.push(() => {
      if (this.breaks.get(name) === breaks && this.peer(from).connected.has(to)) deliver(this.peer(to));
    });
  }

  reset(a: number, b: number): void {
    const name = this.nameOf(a, b);
    this.breaks.set(name, (this.breaks.get(name) ?? 0) + 1);
    this.queue.push(() => {
      for (const [one, other] of [
        [a, b],
        [b, a],
      ])
        if (this.peer(one).connected.has(other)) this.peer(one).peerDisconnected(other);
      this.link(a, b);
    });
  }

  private link(a: number, b: number): void {
    if (this.cuts.has(a) || this.cuts.has(b) || this.peer(a).connected.has(b)) return;
    this.peer(a).peerConnected(b);
    this.peer(b).peerConnected(a);
  }

  /** Nothing goes to or from this server until `heal`. */
  cut(id: number): void {
    this.cuts.add(id);
    for (const other of this.stations.keys()) if (other !== id) this.reset(id, other);
  }

  heal(id: number): void {
    this.cuts.delete(id);
    for (const other of this.stations.keys()) if (other !== id) this.link(id, other);
  }

  start(...ids: readonly number[]): void {
    for (const id of ids) this.peer(id).start({ acceptedEpoch: 0, currentEpoch: 0 });
    for (const a of ids) for (const b of ids) if (a < b) this.link(a, b);
  }

  /** Time passes for everybody. */
  run(durationMs: number): void {
    for (let passed = 0; passed <= durationMs; passed += 10) {
      for (let next = this.queue.shift(); next !== undefined; next = this.queue.shift()) next();
      for (const station of this.stations.values()) {
        station.nowMs += 10;
        if (station.peer.role !== 'recovering') station.peer.tick();
        station.peer.leader?.announceCommit();
      }
    }
  }

  roles(): string[] {
    return [...this.stations.values()].map(
      ({ peer }) => `${peer.role} ${peer.leaderId === NOBODY ? '-' : peer.leaderId}`,
    );
  }

  propose(leader: number): void {
    const term = this.peer(leader).leader;
    if (term === null) throw new Error(`server ${leader} does not lead`);
    const batch = batchAt(term.nextZxid);
    term.propose(batch, encodeBatch(batch));
  }

  applied(): string[] {
    return [...this.stations.values()].map(({ appliedZxid }) => show(appliedZxid));
  }
}

function three(): Bus {
  const bus = new Bus([1, 2, 3]);
  bus.start(1, 2, 3);
  bus.run(200);
  return bus;
}

test('three that know nothing elect the greatest id, and everybody has what it proposes', () => {
  const bus = three();
  expect(bus.roles()).toEqual(['following 3', 'following 3', 'leading 3']);
  for (let i = 0; i < 3; i++) bus.propose(3);
  bus.run(20);
  expect(bus.applied()).toEqual(['1:3', '1:3', '1:3']);
  expect([...bus.stations.values()].map(({ peer }) => peer.phase)).toEqual(new Array(3).fill('broadcasting'));
});

test('an observer follows and gets everything; alone with the leader it makes no quorum', () => {
  const bus = new Bus([1, 2, 3, 4], { observers: [4] });
  bus.start(1, 2, 3, 4);
  bus.run(200);
  expect(bus.roles()).toEqual(['following 3', 'following 3', 'leading 3', 'observing 3']);
  bus.propose(3);
  bus.run(20);
  expect(bus.applied()).toEqual(new Array(4).fill('1:1'));
  bus.cut(1);
  bus.cut(2);
  bus.run(OPTIONS.syncLimitMs);
  expect([bus.peer(3).leader, bus.peer(4).isFollowing]).toEqual([null, false]);
});

test('the leader is cut off: the others go on in a new epoch; what only it had is cut when it comes back', () => {
  const bus = three();
  bus.propose(3);
  bus.run(20);
  bus.cut(3);
  bus.run(0);
  bus.propose(3); // nobody else sees it
  bus.run(500);
  expect(bus.roles()).toEqual(['following 2', 'leading 2', 'looking -']);
  expect(bus.peer(2).currentEpoch).toBe(2);
  bus.propose(2);
  bus.run(20);
  bus.heal(3);
  bus.station(3).take();
  bus.run(200);
  expect(bus.station(3).take('truncate')).toEqual(['truncate 1:1']);
  expect(bus.applied()).toEqual(['2:1', '2:1', '2:1']);
});

test('what a leader logged and could not commit is committed by the next one that has it (E88)', () => {
  const bus = three();
  bus.cut(1);
  bus.run(0);
  bus.propose(3);
  bus.peer(2).handle(3, proposal(z(1, 1))); // it arrives at 2, whose word does not come back
  bus.cut(3);
  bus.run(0);
  expect(bus.applied()).toEqual(['0', '0', '0']);
  bus.heal(1);
  bus.run(500);
  expect(bus.roles().slice(0, 2)).toEqual(['following 2', 'leading 2']);
  expect(bus.applied().slice(0, 2)).toEqual(['1:1', '1:1']);
});

test('one that starts late joins the leader that is there, whatever its id', () => {
  const bus = new Bus([1, 2, 3]);
  bus.start(1, 2);
  bus.run(200);
  bus.propose(2);
  bus.run(20);
  bus.peer(3).start({ acceptedEpoch: 0, currentEpoch: 0 });
  bus.heal(3);
  bus.run(200);
  expect(bus.roles()).toEqual(['following 2', 'leading 2', 'following 2']);
  expect(bus.applied()).toEqual(['1:1', '1:1', '1:1']);
});

test('a server that is alone leads at once', () => {
  const bus = new Bus([1], { voters: [{ id: 1, weight: 1, group: 0 }] });
  bus.peer(1).start({ acceptedEpoch: 4, currentEpoch: 3 });
  bus.run(0);
  expect(bus.station(1).take('epochs', 'serves')).toEqual(['epochs 5/3', 'epochs 5/5', 'serves leader']);
  bus.propose(1);
  bus.run(0);
  expect(bus.applied()).toEqual(['5:1']);
});

describe('one server, its disk and its neighbours', () => {
  /** Server 1, which has nothing and looks, linked to 2 and 3. */
  function one(recovered = { acceptedEpoch: 3, currentEpoch: 3 }) {
    const notebook = new Notebook();
    const peer = new Peer(1, OPTIONS, notebook, notebook);
    peer.start(recovered);
    for (const id of [2, 3]) peer.peerConnected(id);
    notebook.take();
    const says = (from: number, leader: number, state: 'looking' | 'following' | 'leading' | 'established') =>
      peer.handle(from, { type: 'vote', round: 1, leader, epoch: 3, zxid: 0, state });
    /** It follows server 3 and has been sent this much of epoch 4, and the epoch, none of which is on disk. */
    const synchronise = (entries: number) => {
      says(3, 3, 'established');
      peer.handle(3, { type: 'newEpoch', epoch: 4 });
      peer.epochsStored(4, 3);
      for (let counter = 1; counter <= entries; counter++) peer.handle(3, proposal(z(3, counter)));
      peer.handle(3, { type: 'newLeader', epoch: 4 });
      notebook.take();
    };
    return { notebook, peer, says, synchronise };
  }

  const follow = { type: 'follow', acceptedEpoch: 5, isObserver: false, isVoting: true } as const;

  test('who asks to be led has decided: with its question there may be a quorum', () => {
    const { notebook, peer } = one();
    peer.handle(2, { ...follow, isVoting: false });
    expect(notebook.take()).toEqual([]);
    peer.handle(3, follow);
    expect(peer.role).toBe('leading');
    expect(notebook.take('epochs', 'to 2,3: newEpoch')).toEqual(['epochs 6/3', 'to 2,3: newEpoch 6']);
  });

  test('nobody is led by a server that knows of a better one, nor by one that has no say', () => {
    const { peer, says } = one();
    says(3, 3, 'looking');
    peer.handle(2, follow);
    expect(peer.role).toBe('looking');
    const notebook = new Notebook();
    const lost = new Peer(1, OPTIONS, notebook, notebook);
    lost.start({ acceptedEpoch: 3, currentEpoch: 0, isVoting: false });
    lost.peerConnected(2);
    lost.handle(2, follow);
    expect(lost.role).toBe('looking');
  });

  test('a question is withdrawn by looking again', () => {
    const { peer, says } = one();
    says(3, 3, 'looking');
    peer.handle(2, follow);
    says(2, 2, 'looking');
    peer.peerDisconnected(3); // now its own vote is for itself again
    expect(peer.role).toBe('looking');
  });

  test('who asks a server that follows is sent away, also when it had asked before', () => {
    const { notebook, peer, says } = one();
    peer.handle(2, { ...follow, isVoting: false });
    says(3, 3, 'established');
    expect(notebook.take('reset')).toEqual(['reset 2']);
    peer.handle(2, follow);
    expect(notebook.take('reset')).toEqual(['reset 2']);
  });

  test('who looks is told whom this server follows', () => {
    const { notebook, says } = one();
    says(3, 3, 'established');
    notebook.take();
    says(2, 2, 'looking');
    expect(notebook.take()).toEqual(['to 2: vote 1 3 3 0 following']);
  });

  test('another leads while this one still waits for an answer: it looks again', () => {
    const { peer, says } = one();
    says(3, 3, 'established');
    expect(peer.leaderId).toBe(3);
    says(2, 2, 'leading');
    expect([peer.role, peer.leaderId]).toEqual(['looking', NOBODY]);
  });

  test('another leads while this one still waits for followers: it looks again', () => {
    const { peer, says } = one();
    for (const id of [2, 3]) says(id, 1, 'looking');
    expect(peer.role).toBe('leading');
    says(3, 2, 'following'); // only a leader's own word counts
    expect(peer.role).toBe('leading');
    says(2, 2, 'leading');
    expect(peer.role).toBe('looking');
  });

  test('what its disk lost is not its history, nor is the epoch that was to come behind it (E83)', () => {
    const { notebook, peer, synchronise, says } = one();
    synchronise(3);
    expect(peer.currentEpoch).toBe(4);
    peer.stored(z(3, 1));
    peer.storeFailed(z(3, 2), 'full');
    expect([peer.role, peer.history.lastZxid, peer.currentEpoch]).toEqual(['stalled', z(3, 1), 3]);
    notebook.take();
    peer.storeResumed();
    expect(notebook.take('to')).toEqual(['to 2,3: vote 2 1 3 3:1 looking']);
    says(3, 3, 'established');
    expect(peer.role).toBe('following');
  });

  test('an epoch that is on disk stays', () => {
    const { peer, synchronise } = one();
    synchronise(1);
    peer.stored(z(3, 1));
    peer.epochsStored(4, 4);
    peer.storeFailed(z(4, 1), 'full');
    expect([peer.currentEpoch, peer.history.lastZxid]).toEqual([4, z(3, 1)]);
  });

  test('a server that lost its disk asks without a vote, and has one again when a new epoch is stored', () => {
    const notebook = new Notebook();
    const peer = new Peer(1, OPTIONS, notebook, notebook);
    peer.start({ acceptedEpoch: 3, currentEpoch: 0, isVoting: false });
    peer.peerConnected(3);
    expect(notebook.take('to')).toEqual([`to 3: vote 1 ${NOBODY} 0 0 looking`]);
    peer.epochsStored(4, 0);
    expect(peer.isVoting).toBe(false);
    peer.epochsStored(4, 4);
    expect(peer.isVoting).toBe(true);
    expect(notebook.take('to')).toEqual(['to 3: vote 2 1 0 0 looking']);
  });

  test('a whole copy becomes the state when it is on disk, whoever leads by then; before that it stands for nothing', () => {
    const { notebook, peer, says } = one();
    says(3, 3, 'established');
    peer.handle(3, { type: 'newEpoch', epoch: 4 });
    peer.epochsStored(4, 3);
    peer.handle(3, { type: 'snapshot', zxid: z(3, 9), header: new Uint8Array(1) });
    peer.handle(3, { type: 'snapshotEnd' });
    notebook.isCopyStoring = true;
    peer.peerDisconnected(3);
    expect(peer.role).toBe('looking');
    expect(notebook.take('to 2: vote 2', 'adopt', 'abandon')).toEqual([]);
    notebook.isCopyStoring = false;
    peer.copyStored(z(3, 9));
    expect([peer.history.lastZxid, peer.history.start, peer.storedZxid]).toEqual([z(3, 9), z(3, 9), z(3, 9)]);
    expect(notebook.take('adopt', 'to 2')).toEqual(['adoptCopy', 'to 2: vote 2 1 3 3:9 looking']);
  });

  test('a copy that could not be stored is given up, and the leader with it', () => {
    const { notebook, peer, says } = one();
    says(3, 3, 'established');
    notebook.take();
    peer.copyFailed();
    expect(notebook.take('abandon', 'reset')).toEqual(['abandonCopy', 'reset 3']);
    expect(peer.role).toBe('looking');
  });

  test('without weight it leads nobody', () => {
    const notebook = new Notebook();
    const voters = OPTIONS.voters.map((voter) => ({ ...voter, weight: voter.id === 1 ? 0 : 1 }));
    const peer = new Peer(1, { ...OPTIONS, voters }, notebook, notebook);
    peer.start({ acceptedEpoch: 3, currentEpoch: 3 });
    peer.peerConnected(2);
    expect(notebook.take('to')).toEqual([`to 2: vote 1 ${NOBODY} 0 0 looking`]);
  });

  test('a leader whose disk is full leaves the others to themselves', () => {
    const bus = three();
    bus.propose(3);
    bus.station(3).take();
    bus.peer(3).storeFailed(z(1, 1), 'full');
    expect(bus.station(3).take().sort()).toEqual(['reset 1', 'reset 2', 'serves no more']);
    bus.run(500);
    expect(bus.roles()).toEqual(['following 2', 'leading 2', 'stalled -']);
  });
});
