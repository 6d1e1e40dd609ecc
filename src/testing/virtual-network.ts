// The links between the servers of a virtual ensemble: one for each pair, which keeps order in both directions, takes a
// random time, and breaks as a TCP connection does. Messages cross it as bytes, so that no server ever holds an object
// of another.
//
//   down ── both up, nothing blocked, a short pause ──▶ up (both hear `connected` at the same moment)
//   up ── one end resets or dies ──▶ that end hears `disconnected` at once; the other one what was still on its way, up
//         to a random message, and then `disconnected`; nothing more. Then the link is down.
//
// A partition does not break links. What is sent over a blocked direction waits, as TCP would retransmit it, and arrives
// when the direction is open again, unless an end gives up first. That it did, the other end learns then as well.

import { decodePeerMessage, encodePeerMessage, type PeerMessage } from '../../protocol/peer/messages.js';
import type { VirtualWorld } from './virtual-world.js';

/** A server as the network sees it. */
export interface Host {
  readonly id: number;
  /** The process exists. */
  readonly isUp: boolean;
  /** It exists, but does nothing: no new link can be agreed upon. */
  readonly isFrozen: boolean;
  peerConnected(peer: number): void;
  peerDisconnected(peer: number): void;
  peerMessage(peer: number, message: PeerMessage, sentMs: number): void;
}

/** Sees every message as it leaves; `bytes` is its size. */
export type NetworkTap = (from: number, to: number, message: PeerMessage, bytes: number) => void;

const CONNECT_MS_MAX = 30;
const RETRY_MS = 10;

type Item =
  | { readonly kind: 'message'; readonly bytes: Uint8Array; readonly sentMs: number }
  | { readonly kind: 'end' };

/** For sums of virtual times that are no whole numbers. */
const EPSILON_MS = 1e-6;

/** One direction of a link. */
class Lane {
  isBlocked = false;
  /** Longest delay of a message, in ms; null: the world's. */
  delayMsMax: number | null = null;
  /** On their way, in order. */
  private queue: { readonly item: Item; readonly arrivalMs: number }[] = [];
  private lastArrivalMs = 0;

  constructor(
    private readonly world: VirtualWorld,
    private readonly arrived: (item: Item) => void,
  ) {}

  private get delayMs(): number {
    return this.world.delayUpTo(this.delayMsMax ?? this.world.networkDelayMsMax);
  }

  push(item: Item): void {
    const { world } = this;
    this.lastArrivalMs = Math.max(this.lastArrivalMs, world.nowMs + this.delayMs);
    this.queue.push({ item, arrivalMs: this.lastArrivalMs });
    world.after(this.lastArrivalMs - world.nowMs, () => this.deliver());
  }

  /** Everything that is still on its way is lost, or all but a part of it that arrives after all. */
  lose(kept = 0): void {
    this.queue = this.queue.slice(0, kept);
  }

  get length(): number {
    return this.queue.length;
  }

  unblock(): void {
    this.isBlocked = false;
    this.world.after(this.delayMs, () => this.deliver());
  }

  private deliver(): void {
    while (!this.isBlocked) {
      const next = this.queue[0];
      if (next === undefined || next.arrivalMs > this.world.nowMs + EPSILON_MS) return;
      this.queue.shift();
      this.arrived(next.item);
    }
  }
}

class Link {
  /** Which ends believe that it is up. */
  private readonly upAt = new Map<number, boolean>();
  private readonly lanes = new Map<number, Lane>();
  private isConnecting = false;

  constructor(
    private readonly world: VirtualWorld,
    private readonly a: Host,
    private readonly b: Host,
  ) {
    for (const host of [a, b]) {
      this.upAt.set(host.id, false);
      this.lanes.set(host.id, new Lane(world, (item) => this.arrived(this.other(host), item)));
    }
  }

  /** The direction out of `from`. */
  laneFrom(from: number): Lane {
    return this.lanes.get(from) as Lane;
  }

  isUpAt(id: number): boolean {
    return this.upAt.get(id) === true;
  }

  send(from: Host, bytes: Uint8Array): void {
    if (this.isUpAt(from.id)) this.laneFrom(from.id).push({ kind: 'message', bytes, sentMs: this.world.nowMs });
  }

  /** `host` gives the link up; its process is told, if there is still one. */
  reset(host: Host): void {
    if (!this.isUpAt(host.id)) return;
    const other = this.other(host);
    this.upAt.set(host.id, false);
    this.laneFrom(other.id).lose();
    if (host.isUp) host.peerDisconnected(other.id);
    if (this.isUpAt(other.id)) {
      // The end overtakes some of what is still on its way.
      const lane = this.laneFrom(host.id);
      lane.lose(this.world.random.int(lane.length + 1));
      lane.push({ kind: 'end' });
    } else this.connectLater();
  }

  /** Tries to connect, as often as it takes. */
  connectLater(): void {
    if (this.isConnecting) return;
    this.isConnecting = true;
    this.world.after(this.world.delayUpTo(CONNECT_MS_MAX), () => this.tryToConnect());
  }

  private tryToConnect(): void {
    const { a, b } = this;
    if (!a.isUp || !b.isUp) {
      this.isConnecting = false; // whoever starts begins anew
      return;
    }
    const isOpen = !this.laneFrom(a.id).isBlocked && !this.laneFrom(b.id).isBlocked && !a.isFrozen && !b.isFrozen;
    if (!isOpen || this.isUpAt(a.id) || this.isUpAt(b.id)) {
      // One end is still to learn that the old link is no more.
      this.world.after(RETRY_MS, () => this.tryToConnect());
      return;
    }
    this.isConnecting = false;
    for (const host of [a, b]) {
      this.upAt.set(host.id, true);
      this.laneFrom(host.id).lose();
    }
    a.peerConnected(b.id);
    b.peerConnected(a.id);
  }

  private arrived(at: Host, item: Item): void {
    const from = this.other(at);
    if (!this.isUpAt(at.id)) return;
    if (item.kind === 'message') {
      at.peerMessage(from.id, decodePeerMessage(item.bytes), item.sentMs);
      return;
    }
    this.upAt.set(at.id, false);
    this.laneFrom(at.id).lose();
    at.peerDisconnected(from.id);
    this.connectLater();
  }

  private other(host: Host): Host {
    return host === this.a ? this.b : this.a;
  }
}

export class VirtualNetwork {
  tap: NetworkTap = () => {};
  private readonly world: VirtualWorld;
  private readonly hosts = new Map<number, Host>();
  private readonly links = new Map<string, Link>();

  constructor(world: VirtualWorld) {
    this.world = world;
  }

  /** Adds a server, with a link to each of those that are there. */
  add(host: Host): void {
    for (const other of this.hosts.values()) this.links.set(key(host.id, other.id), new Link(this.world, host, other));
    this.hosts.set(host.id, host);
  }

  /** A server has started: its links come up. */
  started(host: Host): void {
    for (const link of this.linksOf(host.id)) link.connectLater();
  }

  /** The process of a server is gone, and with it its ends of all links. */
  crashed(host: Host): void {
    for (const link of this.linksOf(host.id)) link.reset(host);
  }

  send(from: number, to: readonly number[], message: PeerMessage): void {
    const bytes = encodePeerMessage(message);
    const { trace } = this.world;
    trace.text(message.type);
    for (const peer of to) {
      const link = this.links.get(key(from, peer));
      const host = this.hosts.get(from);
      if (link === undefined || host === undefined || !link.isUpAt(from)) continue;
      this.tap(from, peer, message, bytes.length);
      trace.number(peer);
      link.send(host, bytes);
    }
  }

  /** One end breaks the link; a new one is made when both are ready for it. */
  resetLink(from: number, peer: number): void {
    const host = this.hosts.get(from);
    if (host !== undefined) this.links.get(key(from, peer))?.reset(host);
  }

  /** Both ends believe that they are linked. */
  isLinked(a: number, b: number): boolean {
    const link = this.links.get(key(a, b));
    return link?.isUpAt(a) === true && link.isUpAt(b);
  }

  // --- partitions

  /** Nothing gets from `from` to `to`; the other way is as it was. */
  cutOneWay(from: number, to: number): void {
    const lane = this.links.get(key(from, to))?.laneFrom(from);
    if (lane !== undefined) lane.isBlocked = true;
  }

  cut(a: number, b: number): void {
    this.cutOneWay(a, b);
    this.cutOneWay(b, a);
  }

  /** Cuts all links between servers of different groups; a server in several groups is a bridge between them. */
  partition(...groups: readonly (readonly number[])[]): void {
    const areTogether = (a: number, b: number) => groups.some((group) => group.includes(a) && group.includes(b));
    const ids = [...this.hosts.keys()];
    for (const a of ids) for (const b of ids) if (a < b && !areTogether(a, b)) this.cut(a, b);
  }

  isolate(id: number): void {
    for (const other of this.hosts.keys()) if (other !== id) this.cut(id, other);
  }

  /** Every direction is open again; what waited arrives. */
  heal(): void {
    for (const link of this.links.values()) this.open(link);
  }

  healLink(a: number, b: number): void {
    const link = this.links.get(key(a, b));
    if (link !== undefined) this.open(link);
  }

  isBlocked(from: number, to: number): boolean {
    return this.links.get(key(from, to))?.laneFrom(from).isBlocked === true;
  }

  /** Messages between the two take up to this long; null: as the world's other messages. */
  setDelay(a: number, b: number, delayMsMax: number | null): void {
    const link = this.links.get(key(a, b));
    for (const id of [a, b]) {
      const lane = link?.laneFrom(id);
      if (lane !== undefined) lane.delayMsMax = delayMsMax;
    }
  }

  private open(link: Link): void {
    for (const id of this.hosts.keys()) {
      const lane = link.laneFrom(id);
      if (lane?.isBlocked === true) lane.unblock();
    }
  }

  private *linksOf(id: number): Iterable<Link> {
    for (const other of this.hosts.keys()) {
      const link = this.links.get(key(id, other));
      if (link !== undefined) yield link;
    }
  }
}

function key(a: number, b: number): string {
  return a < b ? `${a}-${b}` : `${b}-${a}`;
}
