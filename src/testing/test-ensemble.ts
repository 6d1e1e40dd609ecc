// An ensemble for tests, inside the process of the test: real servers as far as clients can tell, reached over TCP, and
// nothing around them. Disks, the network between the servers and the clock are those of a virtual world that goes by the
// real clock, so it starts in a few milliseconds, leaves no file behind, and everything can go wrong when the test wants.
//
//   client ── TCP ── TcpDoor ── VirtualServer: the replica that runs in production
//                                   │ VirtualNetwork: partition, heal
//                                   └ VirtualDisk: slowDisk

import { Pacer } from './pacer.js';
import { TcpDoor } from './tcp-door.js';
import { VirtualEnsemble } from './virtual-ensemble.js';
import type { VirtualServer } from './virtual-server.js';
import { VirtualWorld } from './virtual-world.js';

export interface TestEnsembleOptions {
  /** Servers without a vote, beside the others. Default 0. */
  readonly observers?: number;
  /** The shortest session that is granted, in ms; the longest is an hour. Default 200. */
  readonly minSessionTimeoutMs?: number;
  /** How exact sessions expire, in ms. Default 50. */
  readonly tickTimeMs?: number;
  /** Ports of the servers, for programs that are told beforehand. Default: any that are free. */
  readonly ports?: readonly number[];
  /** For the random part of what the servers do: session ids and passwords, times of elections. Default 1. */
  readonly seed?: number;
}

/** Whose session: a client of the SDK, or the id. */
export type SessionOwner = bigint | { readonly session: { readonly id: bigint } };

const SESSION_TIMEOUT_MS_MAX = 3_600_000;
/** Longer than any election among servers that can reach each other. */
const SETTLE_MS_MAX = 30_000;
const POLL_MS = 5;
/** So long at a time only, or clients would take the servers for dead. */
const STRETCH_MS = 20;

/**
 * Servers have the ids 1, 2, 3 …, and all of them end with the ensemble.
 *
 * ```ts
 * await using ensemble = await startEnsemble(3);
 * await using client = await connect(ensemble.connectString, { sessionTimeoutMs: 2000 });
 * await ensemble.killLeader();
 * await client.create('/still-there');
 * ```
 *
 * What it is not: a server for production, nor one to measure. Data are in memory and gone with it; it listens on the
 * loopback interface only and knows neither TLS nor the four-letter words. startTestServer() has a disk and all options.
 */
export class TestEnsemble implements AsyncDisposable {
  /** For what this class has no word for. Call pace() after a change that is to show at once. */
  readonly inside: VirtualEnsemble;
  private readonly world: VirtualWorld;
  private readonly pacer: Pacer;
  private readonly doors: readonly TcpDoor[];
  private stopping: Promise<void> | null = null;

  private constructor(inside: VirtualEnsemble) {
    this.inside = inside;
    this.world = inside.world;
    this.pacer = new Pacer(inside.world);
    this.doors = inside.servers.map((server) => new TcpDoor(server, this.pacer));
  }

  /** @internal See startServer and startEnsemble. */
  static async start(voters: number, options: TestEnsembleOptions = {}): Promise<TestEnsemble> {
    const { tickTimeMs = 50, minSessionTimeoutMs = 200, observers = 0, ports = [] } = options;
    // No delays of its own: what the process and its sockets take is delay enough.
    const world = new VirtualWorld({
      seed: options.seed ?? 1,
      networkDelayMsMax: 0,
      diskDelayMsMax: 0,
      turnDelayMsMax: 0,
      wallMs: Date.now(),
    });
    const inside = new VirtualEnsemble(world, {
      voters,
      observers,
      options: { tickTimeMs, minSessionTimeoutMs, maxSessionTimeoutMs: SESSION_TIMEOUT_MS_MAX },
    });
    for (const { disk } of inside.servers) disk.keepsArchive = false;
    inside.start();
    inside.awaitWhole();
    const ensemble = new TestEnsemble(inside);
    try {
      await Promise.all(ensemble.doors.map((door, i) => door.listen(ports[i] ?? 0)));
    } catch (error) {
      await ensemble.stop();
      throw error;
    }
    return ensemble;
  }

  /** For connect(): all servers. */
  get connectString(): string {
    return this.doors.map(({ port }) => `127.0.0.1:${port}`).join(',');
  }

  /** For connect(): only these servers, in this order. */
  connectStringOf(...ids: readonly number[]): string {
    return ids.map((id) => `127.0.0.1:${this.portOf(id)}`).join(',');
  }

  /** Where a server listens. Throws RangeError when there is none with this id. */
  portOf(id: number): number {
    this.server(id);
    return this.doors[id - 1].port;
  }

  /** Of the first server. */
  get port(): number {
    return this.portOf(1);
  }

  /** Who leads; null while nobody does. */
  get leaderId(): number | null {
    return this.inside.leader()?.id ?? null;
  }

  /** Resolves when somebody leads a quorum, with its id. Rejects when that does not come to be: no quorum is there. */
  async awaitLeader(): Promise<number> {
    await this.until(() => this.leaderId !== null, 'a leader');
    return this.leaderId ?? 0;
  }

  /** Resolves when all servers are up and follow one leader. Rejects when that does not come to be. */
  async awaitWhole(): Promise<void> {
    await this.until(() => this.inside.isWhole, 'all servers together');
  }

  // --- sessions and time

  /**
   * The servers take the session for expired, as if nothing had been heard of it for its timeout: its ephemeral nodes are
   * gone when this resolves, and the client is hung up on. Rejects when there is no leader to do it.
   */
  async expireSession(owner: SessionOwner): Promise<void> {
    const id = Number(typeof owner === 'bigint' ? owner : owner.session.id);
    const leader = this.server(await this.awaitLeader());
    leader.replica.expiry.touch(id, this.world.nowMs, 0);
    const hasIt = (server: VirtualServer) =>
      server.isUp &&
      !server.isFrozen &&
      server.replica.isServing &&
      server.replica.world.sessions.get(id) !== undefined;
    this.pacer.skip(2 * leader.options.tickTimeMs);
    await this.until(() => !this.inside.servers.some(hasIt), 'the end of the session');
  }

  /**
   * Lets time pass for the servers; an hour takes seconds. Sessions of clients that are gone expire, TTL nodes and empty
   * containers go. Clients that are connected count as alive all the while, since they have no time to say so.
   */
  async advance(ms: number): Promise<void> {
    await pause(POLL_MS); // who has just hung up is gone
    const stepMs = this.inside.servers[0].options.tickTimeMs;
    let breakMs = performance.now() + STRETCH_MS;
    for (let leftMs = ms; leftMs > 0; leftMs -= stepMs) {
      for (const server of this.inside.servers) server.hearClients();
      this.pacer.skip(Math.min(stepMs, leftMs));
      if (performance.now() < breakMs) continue;
      await pause(0);
      breakMs = performance.now() + STRETCH_MS;
    }
    await pause(0);
  }

  // --- what can go wrong

  /**
   * Servers of different groups cannot reach each other any more; one that is in no group reaches nobody. Clients reach
   * all of them.
   */
  partition(...groups: readonly (readonly number[])[]): void {
    const named = new Set(groups.flat());
    for (const id of named) this.server(id);
    const others = this.inside.servers.filter(({ id }) => !named.has(id)).map(({ id }) => [id]);
    this.inside.network.partition(...groups, ...others);
    this.pace();
  }

  /** The network between the servers works again. */
  heal(): void {
    this.inside.network.heal();
    this.pace();
  }

  /** The process of a server ends, as by SIGKILL; what it had acknowledged is on its disk. */
  kill(id: number): void {
    this.server(id).crash(false);
    this.pace();
  }

  /** Kills who leads. Resolves with its id, once there was a leader; the others elect another one meanwhile. */
  async killLeader(): Promise<number> {
    const id = await this.awaitLeader();
    this.kill(id);
    return id;
  }

  /** Starts a server again, from its disk; one that runs is killed first. It takes clients when it has found a leader. */
  restart(id: number): void {
    this.server(id);
    this.inside.restart(id);
    this.pace();
  }

  /** The process of a server stands still, as by SIGSTOP: its connections stay, and nothing is answered. */
  pause(id: number): void {
    this.server(id).isFrozen = true;
  }

  resume(id: number): void {
    this.server(id).isFrozen = false;
    this.pace();
  }

  /** Each write to the disk of this server takes up to `ms` from now on; 0 as before. */
  slowDisk(id: number, ms: number): void {
    this.server(id).disk.delayMsMax = ms;
  }

  /** The disk of this server takes nothing any more, or has room again. */
  fillDisk(id: number, isFull = true): void {
    this.server(id).disk.isFull = isFull;
  }

  /** Hangs up on the clients of a server, or of all; they may come back at once, with their sessions. */
  cutClients(id?: number): void {
    for (const [i, door] of this.doors.entries()) if (id === undefined || id === i + 1) door.cut();
  }

  /** Does at once what is due. */
  pace(): void {
    this.pacer.catchUp();
  }

  /** Ends all servers and hangs up on all clients. May be called again. */
  stop(): Promise<void> {
    this.stopping ??= (async () => {
      this.pacer.stop();
      await Promise.all(this.doors.map((door) => door.close()));
    })();
    return this.stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  private server(id: number): VirtualServer {
    return this.inside.server(id);
  }

  /** In real time, since clients have to live with it. */
  private async until(isDone: () => boolean, what: string): Promise<void> {
    for (const untilMs = performance.now() + SETTLE_MS_MAX; !isDone(); ) {
      if (performance.now() > untilMs) throw new Error(`${what}: not within ${SETTLE_MS_MAX} ms`);
      await pause(POLL_MS);
      this.pace();
    }
  }
}

/** Lets sockets and timers have their turn. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** Starts one server for a test; see TestEnsemble. Rejects with the system's error when a port cannot be had. */
export function startServer(options: Omit<TestEnsembleOptions, 'observers'> = {}): Promise<TestEnsemble> {
  return TestEnsemble.start(1, options);
}

/** Starts several servers for a test that follow one leader; see TestEnsemble. Rejects as startServer. */
export function startEnsemble(servers = 3, options: TestEnsembleOptions = {}): Promise<TestEnsemble> {
  return TestEnsemble.start(servers, options);
}
