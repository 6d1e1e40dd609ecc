/**
 * One run of the simulation: an ensemble, some clients, and everything that can go wrong, all drawn from one seed. Then
 * the faults stop, and the ensemble has to find together and take writes at every server; the clients hang up, and time
 * passes until every session must have expired.
 */
import type { Random } from '../../src/std/random.js';
import { VirtualEnsemble, VirtualWorld } from '../../src/testing/index.js';
import type { Convergence, Facts, FinalState } from './facts.js';
import { Faults } from './faults.js';
import type { Observation } from './history.js';
import { emptySdkFacts, MachineClient, type SdkFacts } from './machine-client.js';
import { Observer } from './observer.js';
import { Probe } from './probe.js';
import { digestText } from './replay.js';
import { type Actor, SimClient } from './sim-client.js';
import { observationText, type Story } from './story.js';

export interface RunOptions {
  /** Servers with a vote. Default: drawn from the seed, 1, 3 or 5. */
  readonly servers?: number | undefined;
  /** Servers without. Default: drawn from the seed, 0 or 2. */
  readonly observers?: number | undefined;
  /** How long faults strike: time for so many, or for more of them in some runs. Default 10. */
  readonly steps?: number | undefined;
  /** Hears of everything that happens. */
  readonly story?: Story | undefined;
}

export interface Run {
  readonly seed: number;
  readonly world: VirtualWorld;
  readonly ensemble: VirtualEnsemble;
  readonly history: readonly Observation[];
  readonly facts: Facts;
  readonly convergence: Convergence;
  readonly finals: readonly FinalState[];
  /** Of the clients that are the SDK's. */
  readonly sdk: SdkFacts;
}

const TICK_MS = 100;
const STEPS_DEFAULT = 10;
/** Faults come this far apart on average, or closer in some runs. */
const FAULT_MS = 500;
/** Longest timeout of a client, rounding to ticks, and a disk and a tick to notice. */
const SETTLE_MS = 1000 + 8 * TICK_MS;
/** Far longer than it takes, and far shorter than for ever. */
const CONVERGENCE_MS_MAX = 15_000;
/** Clients go on for this long when all is well again. */
const CALM_MS = 500;
/** A request that was not answered by then never will be. */
const ANSWER_MS_MAX = 5000;

export function runSeed(seed: number, options: RunOptions = {}): Run {
  const { random } = new VirtualWorld({ seed });
  const world = new VirtualWorld({
    seed: random.uint32(),
    networkDelayMsMax: random.pick([1, 2, 2, 10, 30]),
    diskDelayMsMax: random.pick([1, 5, 5, 30]),
  });
  const faultMsMax = random.pick([120, 500, 500, 500, 4000]);
  const ensemble = createEnsemble(world, drawMembers(random, options));
  const tell = options.story?.teller(world) ?? null;
  const observer = new Observer(ensemble, tell);
  const history: Observation[] = [];
  const observe = (observation: Observation): void => {
    history.push(observation);
    const text = tell === null ? null : observationText(observation);
    if (text !== null) tell?.(`c${observation.client}`, text);
  };
  let connections = 0;
  ensemble.start();
  const nextConnection = () => ++connections;
  const sdk = emptySdkFacts();
  const clients = Array.from({ length: 2 + random.int(3) }, (_, id): Actor => {
    const { servers } = ensemble;
    return random.bool()
      ? new SimClient(id, world, servers, observe, nextConnection)
      : new MachineClient(id, world, servers, observe, nextConnection, sdk);
  });
  const faults = new Faults(ensemble, observer, faultMsMax, tell);
  world.run(((options.steps ?? STEPS_DEFAULT) * FAULT_MS) / 2);
  faults.stop();
  const convergence = converge(ensemble);
  world.run(CALM_MS);
  for (const client of clients) client.rest();
  const answeredByMs = world.nowMs + ANSWER_MS_MAX;
  while (world.nowMs < answeredByMs && clients.some((client) => client.unanswered > 0)) world.run(TICK_MS);
  const unanswered = clients.map((client) => client.unanswered);
  for (const client of clients) client.hangUp();
  tell?.('world', 'the clients hang up');
  world.run(SETTLE_MS);
  // TTL nodes may go at any time, also now.
  const isAbreast = () =>
    new Set(ensemble.servers.map((server) => server.isUp && server.replica.appliedZxid)).size === 1;
  for (let left = SETTLE_MS; left > 0 && !isAbreast(); left -= TICK_MS / 4) world.run(TICK_MS / 4);
  const finals = ensemble.servers
    .filter(({ isUp }) => isUp)
    .map((server): FinalState => {
      const state = server.replica.world;
      return {
        server: server.id,
        zxid: server.replica.appliedZxid,
        digest: digestText(state),
        recomputedDigest: recomputed(state.tree.recomputeDigest()),
        sessions: [...state.sessions].map(({ id }) => id),
        ephemerals: state.tree.ephemeralCount,
      };
    });
  const { facts: seen } = observer;
  return { seed, world, ensemble, history, facts: seen, convergence: { ...convergence, unanswered }, finals, sdk };
}

function recomputed({ high, low }: { high: number; low: number }): string {
  return `${high.toString(16)}:${low.toString(16)}`;
}

interface Members {
  readonly voters: number;
  readonly observers: number;
}

function drawMembers(random: Random, { servers, observers }: RunOptions): Members {
  const drawn = random.pick([
    { voters: 1, observers: 0 },
    { voters: 3, observers: 0 },
    { voters: 3, observers: 0 },
    { voters: 3, observers: 2 },
    { voters: 5, observers: 0 },
  ]);
  if (servers === undefined && observers === undefined) return drawn;
  return { voters: servers ?? 3, observers: observers ?? 0 };
}

/** Limits so small that everything that happens once a year happens all the time. */
function createEnsemble(world: VirtualWorld, members: Members): VirtualEnsemble {
  const { random } = world;
  const ensemble = new VirtualEnsemble(world, {
    ...members,
    options: {
      tickTimeMs: TICK_MS,
      checkpointEntries: 10 + random.int(100),
      outstandingMax: 5 + random.int(30),
      containerCheckMs: 300,
    },
    ensemble: {
      initLimitMs: 300 + 100 * random.int(8),
      syncLimitMs: 200 + 100 * random.int(4),
      historyBytesMax: random.pick([0, 300, 3000, 1_000_000]),
      snapshotsMax: 1 + random.int(2),
      epochEntriesMax: 20 + random.int(300),
    },
  });
  const logRetainBatches = random.pick([0, 5, 50]);
  for (const { disk } of ensemble.servers) disk.logRetainBatches = logRetainBatches;
  return ensemble;
}

/** All is well: how long until the ensemble is whole, and everybody can write? */
function converge(ensemble: VirtualEnsemble): Omit<Convergence, 'unanswered'> {
  const { world } = ensemble;
  const startMs = world.nowMs;
  const passes = (isDone: () => boolean): number | null => {
    for (; world.nowMs - startMs < CONVERGENCE_MS_MAX; world.run(TICK_MS / 10)) {
      if (isDone()) return world.nowMs - startMs;
    }
    return null;
  };
  const leaderMs = passes(() => ensemble.isWhole);
  let writableMs: number | null = null;
  if (leaderMs !== null) {
    const probes = ensemble.servers.map((server) => new Probe(server, `/probe-${server.id}`));
    writableMs = passes(() => probes.every(({ hasWritten }) => hasWritten));
    for (const { client } of probes) client.disconnect();
  }
  const state = ensemble.servers.map((server) => {
    if (!server.isUp) return `s${server.id} is down (${server.stoppedBecause})`;
    const { role, epoch, isServing, appliedZxid } = server.replica;
    return `s${server.id}: ${role}, epoch ${epoch}, ${isServing ? 'serving' : 'not serving'}, at ${appliedZxid}`;
  });
  return { leaderMs, writableMs, state: state.join('; ') };
}
