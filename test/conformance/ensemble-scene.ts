/** An ensemble for the items of the checklist that need several servers, and what can be said about all of them. */
import type { PeerMessage } from '../../protocol/peer/messages.js';
import {
  type ConnectOptions,
  type EnsembleSetup,
  VirtualClient,
  VirtualEnsemble,
  type VirtualServer,
  VirtualWorld,
} from '../../src/testing/index.js';

export interface EnsembleScene {
  readonly world: VirtualWorld;
  readonly ensemble: VirtualEnsemble;
  /** The leader at the start, and the others. */
  readonly leader: VirtualServer;
  readonly followers: readonly VirtualServer[];
  /** A client with a session on this server. */
  client(server: VirtualServer, options?: ConnectOptions): VirtualClient;
  /** Kinds of messages that servers have sent to this one since the last call. */
  sentTo(server: VirtualServer): Set<PeerMessage['type']>;
  /** Lets time pass until all servers serve and have executed the same. */
  settle(): void;
}

export function ensembleScene(setup: EnsembleSetup = {}, seed = 1): EnsembleScene {
  const world = new VirtualWorld({ seed });
  const ensemble = new VirtualEnsemble(world, setup);
  const sent: [to: number, type: PeerMessage['type']][] = [];
  ensemble.network.tap = (_, to, { type }) => sent.push([to, type]);
  ensemble.start();
  const leader = ensemble.awaitWhole();
  return {
    world,
    ensemble,
    leader,
    followers: ensemble.servers.filter((server) => server !== leader),
    client(server, options) {
      const client = new VirtualClient(world);
      const answer = client.connected(server, options);
      if (answer.kind !== 'connect' || answer.timeoutMs === 0) throw new Error('no session');
      return client;
    },
    sentTo({ id }) {
      const types = sent.splice(0).flatMap(([to, type]) => (to === id ? [type] : []));
      return new Set(types);
    },
    settle() {
      ensemble.awaitWhole();
      const zxids = () => new Set(ensemble.servers.map(({ replica }) => replica.appliedZxid));
      world.runUntil(() => zxids().size === 1, 'all have executed the same');
    },
  };
}

/** Each server's state in short: equal for equal states. */
export function states({ servers }: VirtualEnsemble): string[] {
  return servers.map(({ replica }) => {
    const { high, low } = replica.digest();
    return `${replica.appliedZxid} ${high}/${low} ${replica.world.tree.nodeCount} nodes ${replica.world.sessions.size} sessions`;
  });
}
