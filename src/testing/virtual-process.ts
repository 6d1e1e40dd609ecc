// A process that uses the SDK, in a virtual world: the client as it is, with the world's time for its clock and virtual
// sockets for its connections. Servers are reached by the names s1, s2, s3 …
//
// The network between the process and the servers can fail (cut, block), the process can stand still (freeze), as in a
// long pause of garbage collection: time goes on, and what happens meanwhile is noticed when it is over. And it can be
// killed: its connections end, and nothing of it runs any more.

import { Client } from '../client/client.js';
import type { Clock } from '../client/clock.js';
import type { Host } from '../client/connect-string.js';
import type { ConnectionEvents } from '../client/connection.js';
import { SessionDriver } from '../client/driver.js';
import { type ClientOptions, resolveOptions } from '../client/options.js';
import type { Link, Surroundings } from '../client/surroundings.js';
import type { Random } from '../std/random.js';
import { type LinkTap, VirtualLink } from './virtual-link.js';
import type { VirtualServer } from './virtual-server.js';
import type { VirtualWorld } from './virtual-world.js';

/** What is due first when a process goes on: as the event loop of Node has it. */
const ORDER = { timer: 0, network: 1, alarm: 2 } as const;
type Kind = keyof typeof ORDER;

const PORT = 2181;

export class VirtualProcess implements Surroundings {
  readonly clock: Clock;
  readonly world: VirtualWorld;
  /** Sees the bytes of every connection. */
  tap: LinkTap | null = null;
  private readonly servers: readonly VirtualServer[];
  private readonly random: Random;
  private readonly links = new Set<VirtualLink>();
  private readonly blocked = new Set<number>();
  private killed = false;
  private frozen = false;
  private backlog: { readonly kind: Kind; readonly action: () => void }[] = [];

  constructor(world: VirtualWorld, servers: readonly VirtualServer[]) {
    this.world = world;
    this.servers = servers;
    this.random = world.random.fork();
    this.clock = { nowMs: () => world.nowMs, after: (delayMs, ring) => this.callAfter(delayMs, 'timer', ring) };
  }

  get connectString(): string {
    return this.servers.map(({ id }) => `s${id}:${PORT}`).join(',');
  }

  /** A client of all servers, that does not wait for its connection; as createClient() of the SDK. */
  createClient(options: ClientOptions = {}): Client {
    const seed = this.random.uint32();
    const resolved = resolveOptions(this.connectString, { seed, ...options });
    return new Client(resolved, this, (events) => new SessionDriver(resolved, this, events).start());
  }

  // --- what can go wrong

  /** All connections are lost, with what is under way. */
  cut(): void {
    for (const link of this.links) link.cut();
  }

  /** Nothing gets through to or from these servers (default: all) any more, until unblock(). */
  block(ids: readonly number[] = this.servers.map(({ id }) => id)): void {
    for (const id of ids) this.blocked.add(id);
  }

  /** What was held up arrives now. */
  unblock(): void {
    this.blocked.clear();
    for (const link of [...this.links]) link.goOn();
  }

  isBlocked(serverId: number): boolean {
    return this.blocked.has(serverId);
  }

  get isFrozen(): boolean {
    return this.frozen;
  }

  get isKilled(): boolean {
    return this.killed;
  }

  freeze(): void {
    this.frozen = true;
  }

  thaw(): void {
    this.frozen = false;
    const due = this.backlog.sort((a, b) => ORDER[a.kind] - ORDER[b.kind]);
    this.backlog = [];
    for (const { kind, action } of due) this.world.after(0, () => this.run(kind, action));
  }

  /** The process is gone; its kernel closes the connections. */
  kill(): void {
    this.killed = true;
    this.backlog = [];
    for (const link of [...this.links]) link.destroy();
  }

  /** Runs a part of the process: at once, or, while it is frozen, when it goes on. */
  run(kind: Kind, action: () => void): void {
    if (this.killed) return;
    if (this.frozen) {
      this.backlog.push({ kind, action });
      return;
    }
    this.world.stir();
    action();
  }

  // --- Surroundings

  dial(host: Host, events: ConnectionEvents): Link {
    const server = this.serverOf(host);
    const link = new VirtualLink(this, server, events, this.tap, () => this.links.delete(link));
    this.links.add(link);
    return link;
  }

  isWritable(host: Host): Promise<boolean> {
    const server = this.serverOf(host);
    return new Promise((resolve) => {
      this.callAfter(this.world.networkDelayMsMax, 'network', () =>
        resolve(!this.isBlocked(server.id) && server.isUp && server.replica.isServing),
      );
    });
  }

  soon(callback: () => void): void {
    this.callAfter(0, 'alarm', callback);
  }

  alarm(delayMs: number, ring: () => void): () => void {
    return this.callAfter(delayMs, 'alarm', ring);
  }

  uniqueId(): string {
    const hex = Buffer.from(this.random.bytes(16)).toString('hex');
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
  }

  private callAfter(delayMs: number, kind: Kind, callback: () => void): () => void {
    if (delayMs === Number.POSITIVE_INFINITY) return () => {};
    let isOff = false;
    this.world.after(Math.max(0, delayMs), () => {
      if (!isOff) this.run(kind, () => isOff || callback());
    });
    return () => {
      isOff = true;
    };
  }

  private serverOf({ host }: Host): VirtualServer {
    const server = this.servers.find(({ id }) => `s${id}` === host);
    if (server === undefined) throw new RangeError(`there is no server ${host}`);
    return server;
  }
}
