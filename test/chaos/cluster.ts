/** Three servers, the network between them, and their disks: what a fault strikes, and what is whole again afterwards. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { removeDirectory, temporaryDirectory, waitFor } from '../helpers/processes.js';
import { Disk } from './disk.js';
import { LoopbackNetwork } from './network/loopback.js';
import { isIsolated, NamespaceNetwork } from './network/namespaces.js';
import { CLEAN, type Network, type Quality } from './network/network.js';
import { Server, type SubjectName } from './server.js';

const SERVERS = 3;
/** The host of all clients: see Network. */
const CLIENTS = 0;
const START_MS = 60_000;
const RECOVERY_MS = 60_000;
const LOG_LINES = 8;

/** Short enough that a silent server is given up within a fault, long enough for a machine with other work. */
const SETTINGS: Readonly<Record<string, string>> = {
  tickTime: '400',
  initLimit: '25',
  syncLimit: '5',
  minSessionTimeout: '800',
  maxSessionTimeout: '60000',
  maxClientCnxns: '0',
  snapCount: '500',
  '4lw.commands.whitelist': '*',
  'admin.enableServer': 'false',
};
/** ZooKeeper would take 64 MiB of a disk for each of its logs, and keeps a snapshot of the whole tree every time. */
const ZOOKEEPER_SETTINGS: Readonly<Record<string, string>> = { preAllocSize: '1024', snapCount: '5000' };

export class Cluster {
  private constructor(
    readonly subject: SubjectName,
    readonly network: Network,
    readonly servers: readonly Server[],
    /** Why its servers have no disks of their own; undefined when they have. */
    readonly whyNoDisks: string | undefined,
    private readonly directory: string,
  ) {}

  /**
   * Resolves when all servers serve.
   * @param ownSettings zoo.cfg lines on top of the usual ones
   */
  static async start(subject: SubjectName, ownSettings: Readonly<Record<string, string>>): Promise<Cluster> {
    const network = isIsolated() ? await NamespaceNetwork.open(SERVERS) : await LoopbackNetwork.open(SERVERS);
    const directory = temporaryDirectory(`chaos-${subject}`);
    // In memory: the faults are to be slow, not the disks. Without namespaces it would stay behind.
    if (isIsolated()) execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', directory]);
    const whyNoDisks = isIsolated() ? Disk.whyNot(join(directory, 'try')) : 'no disks of their own without namespaces';
    const servers: Server[] = [];
    for (let id = 1; id <= SERVERS; id++) {
      const place = join(directory, String(id));
      mkdirSync(place);
      const disk = whyNoDisks === undefined ? Disk.make(place) : undefined;
      const settings = { ...SETTINGS, ...(subject === 'zookeeper' ? ZOOKEEPER_SETTINGS : {}), ...ownSettings };
      servers.push(new Server(id, { subject, network, directory: place, disk, settings }));
    }
    for (const server of servers) server.configure(servers.map(({ id }) => id));
    const cluster = new Cluster(subject, network, servers, whyNoDisks, directory);
    try {
      for (const server of servers) server.start();
      await cluster.serving(START_MS);
      return cluster;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  get connectString(): string {
    return this.servers.map(({ address }) => address).join(',');
  }

  others(...servers: readonly Server[]): Server[] {
    return this.servers.filter((server) => !servers.includes(server));
  }

  /** Resolves when one leads and all serve; with the leader. */
  serving(timeoutMs = RECOVERY_MS): Promise<Server> {
    return waitFor(
      async () => {
        const modes = await Promise.all(this.servers.map((server) => server.mode()));
        const leaders = this.servers.filter((_, i) => modes[i] === 'leader');
        return leaders.length === 1 && !modes.includes('none') ? leaders[0] : undefined;
      },
      timeoutMs,
      () => `not all servers serve\n${this.logs()}`,
    );
  }

  /** Heals the network, wakes and starts whoever does not run, and resolves when all serve. */
  async recover(): Promise<void> {
    this.heal();
    for (const server of this.servers) {
      server.resume();
      if (!server.alive) server.start();
    }
    // A server may end by itself once more, on what it finds: whoever runs servers starts them again.
    let isRecovered = false;
    const supervise = async () => {
      while (!isRecovered) {
        await new Promise((resolve) => setTimeout(resolve, 1000));
        for (const server of this.servers) if (!isRecovered && !server.alive) server.start();
      }
    };
    const supervising = supervise();
    try {
      await this.serving();
    } finally {
      isRecovered = true;
      await supervising;
    }
  }

  /** The end of what each server has said. */
  private logs(): string {
    return this.servers
      .map(({ id, log }) => `--- server ${id}\n${log.split('\n').slice(-LOG_LINES).join('\n')}`)
      .join('\n');
  }

  /** Restarts everything when servers are to have clocks of their own, or not to have them. */
  async setOwnClocks(hasOwnClock: boolean): Promise<void> {
    if (this.servers.every((server) => server.hasOwnClock === hasOwnClock)) return;
    await Promise.all(this.servers.map((server) => server.end('SIGTERM')));
    for (const server of this.servers) server.hasOwnClock = hasOwnClock;
    await this.recover();
  }

  // --- links

  /** Sets both directions between all of the one and all of the others. */
  between(some: readonly Server[], others: readonly Server[], quality: Quality): void {
    this.fromTo(some, others, quality);
    this.fromTo(others, some, quality);
  }

  /** Sets one direction. */
  fromTo(some: readonly Server[], others: readonly Server[], quality: Quality): void {
    for (const { id: from } of some) {
      for (const { id: to } of others) if (from !== to) this.network.set(from, to, quality);
    }
  }

  /** Sets both directions between clients and these servers. */
  toClients(servers: readonly Server[], quality: Quality): void {
    for (const { id } of servers) {
      this.network.set(CLIENTS, id, quality);
      this.network.set(id, CLIENTS, quality);
    }
  }

  heal(): void {
    this.between(this.servers, this.servers, CLEAN);
    this.toClients(this.servers, CLEAN);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.servers) {
      await server.end('SIGKILL');
      server.disk?.unmount();
    }
    await this.network[Symbol.asyncDispose]();
    if (isIsolated()) execFileSync('umount', [this.directory], { stdio: 'pipe' });
    removeDirectory(this.directory);
  }
}
