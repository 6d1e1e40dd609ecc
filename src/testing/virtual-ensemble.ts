// An ensemble in a virtual world: voters and observers, each a whole server with its own disk, and one network between
// them. Servers have the ids 1, 2, 3 …, voters first.
//
//   const ensemble = new VirtualEnsemble(world, { voters: 3 });
//   ensemble.start();
//   ensemble.awaitLeader();
//   ensemble.network.isolate(1);

import type { ReplicaOptions } from '../core/io.js';
import type { EnsembleOptions } from '../core/zab/surroundings.js';
import { VirtualNetwork } from './virtual-network.js';
import { DEFAULT_ENSEMBLE_OPTIONS, VirtualServer } from './virtual-server.js';
import type { VirtualWorld } from './virtual-world.js';

export interface EnsembleSetup {
  /** How many servers have a say. Default 3. */
  readonly voters?: number;
  /** How many follow without one. Default 0. */
  readonly observers?: number;
  /** Of every server, where it differs from DEFAULT_REPLICA_OPTIONS. */
  readonly options?: Partial<Omit<ReplicaOptions, 'serverId' | 'ensemble'>>;
  /** Its patience, where it differs from DEFAULT_ENSEMBLE_OPTIONS. */
  readonly ensemble?: Partial<EnsembleOptions>;
}

export class VirtualEnsemble {
  readonly world: VirtualWorld;
  readonly network: VirtualNetwork;
  readonly servers: readonly VirtualServer[];
  readonly voterIds: readonly number[];

  constructor(world: VirtualWorld, setup: EnsembleSetup = {}) {
    this.world = world;
    this.network = new VirtualNetwork(world);
    const voters = setup.voters ?? 3;
    const ids = Array.from({ length: voters + (setup.observers ?? 0) }, (_, i) => i + 1);
    this.voterIds = ids.slice(0, voters);
    const ensemble: EnsembleOptions = {
      ...DEFAULT_ENSEMBLE_OPTIONS,
      voters: this.voterIds.map((id) => ({ id, weight: 1, group: 0 })),
      observers: ids.slice(voters),
      ...setup.ensemble,
    };
    this.servers = ids.map(
      (serverId) => new VirtualServer(world, { ...setup.options, serverId, ensemble }, this.network),
    );
  }

  /** Throws RangeError when there is none with this id. */
  server(id: number): VirtualServer {
    const server = this.servers[id - 1];
    if (server === undefined) throw new RangeError(`there is no server ${id}`);
    return server;
  }

  /** Starts all servers that are down. */
  start(): void {
    for (const server of this.servers) if (!server.isUp) server.start();
  }

  crash(id: number, keepUnsynced?: boolean): void {
    this.server(id).crash(keepUnsynced);
  }

  /** The power fails, everywhere at once. */
  crashAll(): void {
    for (const server of this.servers) server.crash();
  }

  restart(id: number): void {
    const server = this.server(id);
    server.crash();
    server.start();
  }

  /** Who serves as leader: of several that believe it, the one of the newest epoch; null when there is none. */
  leader(): VirtualServer | null {
    let leader: VirtualServer | null = null;
    for (const server of this.servers) {
      if (!isLeader(server)) continue;
      if (leader === null || server.replica.epoch > leader.replica.epoch) leader = server;
    }
    return leader;
  }

  /** Everybody is up and answers clients, led by one leader in one epoch. */
  get isWhole(): boolean {
    const leader = this.leader();
    if (leader === null) return false;
    const { epoch } = leader.replica;
    return this.servers.every(
      (server) =>
        server.isUp &&
        server.replica.isServing &&
        server.replica.epoch === epoch &&
        isLeader(server) === (server === leader),
    );
  }

  /** Lets time pass until somebody leads. Throws an Error when nobody does within `limitMs` (default two minutes). */
  awaitLeader(limitMs?: number): VirtualServer {
    this.world.runUntil(() => this.leader() !== null, 'a leader', limitMs);
    return this.leader() as VirtualServer;
  }

  /** Lets time pass until `isWhole`. Throws an Error when it does not come to that within `limitMs`. */
  awaitWhole(limitMs?: number): VirtualServer {
    this.world.runUntil(() => this.isWhole, 'an ensemble with one leader that everybody follows', limitMs);
    return this.leader() as VirtualServer;
  }
}

function isLeader(server: VirtualServer): boolean {
  return server.isUp && server.replica.isLeading && server.replica.peer.leader !== null;
}
