/** The links of a virtual ensemble: order, incarnations, partitions. */
import type { PeerMessage } from '../../../protocol/peer/messages.js';
import { type Host, VirtualNetwork, VirtualWorld } from '../../../src/testing/index.js';

class TestHost implements Host {
  isUp = true;
  isFrozen = false;
  readonly seen: string[] = [];

  constructor(readonly id: number) {}

  peerConnected(peer: number): void {
    this.seen.push(`+${peer}`);
  }

  peerDisconnected(peer: number): void {
    this.seen.push(`-${peer}`);
  }

  peerMessage(peer: number, message: PeerMessage): void {
    if (message.type === 'ack') this.seen.push(`${peer}:${message.zxid}`);
  }

  /** Since the last call. */
  take(): string {
    return this.seen.splice(0).join(' ');
  }
}

function fixture(seed = 1, count = 2) {
  const world = new VirtualWorld({ seed, networkDelayMsMax: 5 });
  const network = new VirtualNetwork(world);
  const hosts = Array.from({ length: count }, (_, i) => new TestHost(i + 1));
  for (const host of hosts) network.add(host);
  for (const host of hosts) network.started(host);
  world.run(100);
  const send = (from: number, to: number, zxid: number) => network.send(from, [to], { type: 'ack', zxid });
  return { world, network, hosts, send };
}

test('a link comes up at both ends, and keeps order', () => {
  const { world, hosts, send } = fixture();
  for (let zxid = 1; zxid <= 20; zxid++) send(1, 2, zxid);
  world.run(200);
  expect(hosts[0].take()).toBe('+2');
  expect(hosts[1].take()).toBe(`+1 ${Array.from({ length: 20 }, (_, i) => `1:${i + 1}`).join(' ')}`);
});

test('nothing of an old link arrives on a new one', () => {
  const lost = new Set<number>();
  for (let seed = 1; seed <= 30; seed++) {
    const { world, network, hosts, send } = fixture(seed);
    for (let zxid = 1; zxid <= 3; zxid++) {
      send(1, 2, zxid);
      send(2, 1, zxid);
    }
    network.resetLink(1, 2);
    send(1, 2, 99); // there is no link to send on
    world.run(100);
    send(1, 2, 4);
    world.run(100);
    expect(hosts[0].take()).toBe('+2 -2 +2');
    const seen = hosts[1].take();
    expect(seen).toMatch(/^\+1 (1:1 )?(1:2 )?(1:3 )?-1 \+1 1:4$/);
    lost.add(seen.length);
  }
  expect(lost.size).toBeGreaterThan(2); // sometimes more, sometimes less of it was lost
});

test('a cut holds messages until it heals; an end that gives up is noticed only then', () => {
  const { world, network, hosts, send } = fixture();
  network.cut(1, 2);
  send(1, 2, 1);
  world.run(1000);
  expect(hosts[1].take()).toBe('+1');
  network.heal();
  world.run(100);
  expect(hosts[1].take()).toBe('1:1');
  network.cut(1, 2);
  network.resetLink(1, 2);
  world.run(1000);
  expect([hosts[0].take(), hosts[1].take()]).toEqual(['+2 -2', '']);
  network.heal();
  world.run(100);
  expect([hosts[0].take(), hosts[1].take()]).toEqual(['+2', '-1 +1']);
});

test('a cut one way leaves the other way open', () => {
  const { world, network, hosts, send } = fixture();
  network.cutOneWay(1, 2);
  send(1, 2, 1);
  send(2, 1, 2);
  world.run(100);
  expect([hosts[0].take(), hosts[1].take()]).toEqual(['+2 2:2', '+1']);
  expect([network.isBlocked(1, 2), network.isBlocked(2, 1)]).toEqual([true, false]);
});

test('a server that crashes is noticed, and linked again when it starts', () => {
  const { world, network, hosts } = fixture();
  hosts[0].isUp = false;
  network.crashed(hosts[0]);
  world.run(500);
  expect(hosts[1].take()).toBe('+1 -1');
  hosts[0].isUp = true;
  network.started(hosts[0]);
  world.run(100);
  expect([hosts[0].take(), hosts[1].take()]).toEqual(['+2 +2', '+1']);
  expect(network.isLinked(1, 2)).toBe(true);
});

test('a partition cuts between groups only; who is in both is a bridge', () => {
  const { network } = fixture(1, 5);
  network.partition([1, 2, 3], [3, 4, 5]);
  expect([network.isBlocked(1, 4), network.isBlocked(5, 2)]).toEqual([true, true]);
  expect([network.isBlocked(1, 3), network.isBlocked(3, 5), network.isBlocked(4, 5)]).toEqual([false, false, false]);
});

test('what arrives is a copy', () => {
  const world = new VirtualWorld();
  const network = new VirtualNetwork(world);
  const batch = new Uint8Array([1, 2, 3]);
  let arrived: Uint8Array | null = null;
  const sender = new TestHost(1);
  const receiver = new (class extends TestHost {
    override peerMessage(_peer: number, message: PeerMessage): void {
      if (message.type === 'forward') arrived = message.batch;
    }
  })(2);
  for (const host of [sender, receiver]) network.add(host);
  network.started(sender);
  world.run(100);
  network.send(1, [2], { type: 'forward', batch });
  batch[0] = 9;
  world.run(100);
  expect(arrived).toEqual(new Uint8Array([1, 2, 3]));
});
