/**
 * A stage for stories with few actors: an ensemble whose every step the story decides, with a client that writes and
 * reads, and the observer of the simulation, whose facts have to hold in every story.
 */

import { NO_NODE } from '../../src/core/tree/tree.js';
import type { EnsembleOptions } from '../../src/core/zab/surroundings.js';
import {
  type EnsembleSetup,
  VirtualClient,
  VirtualEnsemble,
  type VirtualServer,
  VirtualWorld,
} from '../../src/testing/index.js';
import { OPEN_ACL } from '../helpers/world.js';
import { checkAgreement } from './checkers/agreement.js';
import { committedInOrder } from './facts.js';
import { Observer } from './observer.js';
import { digestText, Replay } from './replay.js';

export interface StageOptions {
  readonly seed?: number;
  readonly voters?: number;
  readonly options?: EnsembleSetup['options'];
  readonly ensemble?: Partial<EnsembleOptions>;
  readonly logRetainBatches?: number;
}

export class Stage {
  readonly world: VirtualWorld;
  readonly ensemble: VirtualEnsemble;
  readonly observer: Observer;
  /** Paths whose creation was answered. */
  readonly written: string[] = [];

  constructor({ seed = 1, voters = 3, options, ensemble, logRetainBatches = 0 }: StageOptions = {}) {
    this.world = new VirtualWorld({ seed });
    this.ensemble = new VirtualEnsemble(this.world, { voters, options: { ...options }, ensemble: { ...ensemble } });
    for (const { disk } of this.ensemble.servers) disk.logRetainBatches = logRetainBatches;
    this.observer = new Observer(this.ensemble, null);
    this.ensemble.start();
  }

  /** Whoever leads when all is well, and the others. */
  cast(): { leader: VirtualServer; followers: VirtualServer[] } {
    const leader = this.ensemble.awaitWhole();
    return { leader, followers: this.ensemble.servers.filter((server) => server !== leader) };
  }

  /** Creates a node through a server, and waits until it is answered. */
  write(server: VirtualServer, path: string): void {
    const client = this.client(server);
    const { code } = client.call('create', { path, data: null, acl: OPEN_ACL, flags: 0 });
    if (code !== 0) throw new Error(`create ${path}: ${code}`);
    this.written.push(path);
    client.disconnect();
  }

  /** Asks for a node, and does not wait for the answer; one that comes counts. */
  ask(client: VirtualClient, path: string): void {
    client.onReceived = (item) => {
      if (item.kind === 'reply' && item.operation === 'create' && item.code === 0) this.written.push(path);
    };
    client.send('create', { path, data: null, acl: OPEN_ACL, flags: 0 });
  }

  client(server: VirtualServer): VirtualClient {
    const client = new VirtualClient(this.world);
    client.connected(server, { timeoutMs: 5000 });
    return client;
  }

  /**
   * The server crashes before it carries out its effect number `index` from now on. Returns what ends that, and tells
   * whether it has happened.
   */
  crashAtEffect(server: VirtualServer, index: number, keepUnsynced: boolean): () => boolean {
    let left = index;
    this.observer.crashes = (effect, at) => {
      if (at !== server || effect.type === 'flush' || effect.type === 'note' || left-- > 0) return false;
      if (left === -1) server.crash(keepUnsynced);
      return left === -1;
    };
    return () => {
      this.observer.crashes = () => false;
      return left < 0;
    };
  }

  /** All servers run, nothing is in the way: everybody has the same history, and all that was answered is in it. */
  checkEnd(): void {
    this.observer.crashes = () => false;
    this.ensemble.network.heal();
    for (const { disk } of this.ensemble.servers) disk.isFull = false;
    this.ensemble.start();
    const leader = this.ensemble.awaitWhole(20_000);
    this.write(leader, `/end-${this.written.length}`);
    this.world.run(500);
    checkAgreement(this.observer.facts);
    const replay = new Replay(committedInOrder(this.observer.facts));
    for (const { id, replica } of this.ensemble.servers) {
      const { tree } = replica.world;
      const missing = this.written.filter((path) => tree.findText(path) === NO_NODE);
      expect({ id, missing, digest: digestText(replica.world) }).toEqual({
        id,
        missing: [],
        digest: replay.digests.get(replay.lastZxid),
      });
    }
    expect(this.observer.facts.divergences).toEqual([]);
  }
}
