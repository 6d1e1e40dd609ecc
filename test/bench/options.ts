/** The command line of the benchmark. */
import { parseArgs } from 'node:util';

export const HELP = `usage: npm run bench -- [options]

Runs Zabra and Apache ZooKeeper (Debian's package zookeeper, where it is installed) side by side on this machine, under
the same load in alternating short rounds, and prints medians and the ratio: above 1 means that Zabra is better.

  --servers N      servers in each ensemble             [1; 3 for the three below]
  --rounds N       rounds, of which the median counts                         [3]
  --secs S         measured seconds of each workload in each round            [2]
  --warm S         seconds of the same load before them                     [0.5]
  --only REGEX     only workloads whose name matches
  --big [N]        then fill fresh servers with N znodes of 100 bytes: resident memory, restart time   [1000000]

Instead of the workloads, on ensembles:

  --failover       kill the leader under load, --rounds times: how long no write is acknowledged, and what is lost
  --lagging        kill a follower, start it again after --writes N sets [1000000] under load: what catching up costs
  --pauses         half of the maximum load for --secs S [60] with --snap-count N [100000]: the longest pause of a client

  --alone          Zabra only
  --json FILE      everything that was measured, as JSON
  --help
`;

export type Scenario = 'workloads' | 'failover' | 'lagging' | 'pauses';

export interface BenchOptions {
  readonly scenario: Scenario;
  readonly rounds: number;
  readonly secs: number;
  readonly warmSecs: number;
  readonly only: RegExp;
  readonly servers: number;
  /** 0: not asked for. */
  readonly bigNodes: number;
  /** Sets while the follower is away. */
  readonly writes: number;
  readonly snapCount: number;
  readonly alone: boolean;
  readonly jsonFile: string | undefined;
}

const BIG_NODES_DEFAULT = '1000000';
const SECS_DEFAULT = 2;
const SECS_OF_PAUSES_DEFAULT = 60;
const SERVERS_OF_SCENARIOS_DEFAULT = 3;
/** Less is no ensemble that survives a server. */
const SERVERS_OF_SCENARIOS_MIN = 3;

/** Returns undefined when help is asked for. Throws Error for what cannot be understood. */
export function parseOptions(args: readonly string[]): BenchOptions | undefined {
  const { values } = parseArgs({
    args: withValueOfBig(args),
    options: {
      rounds: { type: 'string', default: '3' },
      secs: { type: 'string' },
      warm: { type: 'string', default: '0.5' },
      only: { type: 'string', default: '' },
      servers: { type: 'string' },
      big: { type: 'string', default: '0' },
      failover: { type: 'boolean', default: false },
      lagging: { type: 'boolean', default: false },
      writes: { type: 'string', default: '1000000' },
      pauses: { type: 'boolean', default: false },
      'snap-count': { type: 'string', default: '100000' },
      alone: { type: 'boolean', default: false },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const scenarios = (['failover', 'lagging', 'pauses'] as const).filter((name) => values[name]);
  if (scenarios.length > 1) throw new Error(`--${scenarios.join(' and --')} are measured one at a time`);
  const scenario: Scenario = scenarios[0] ?? 'workloads';
  const ofWorkloads = scenarios.length === 0;
  const secsDefault = scenario === 'pauses' ? SECS_OF_PAUSES_DEFAULT : SECS_DEFAULT;
  const serversDefault = ofWorkloads ? 1 : SERVERS_OF_SCENARIOS_DEFAULT;
  return {
    scenario,
    rounds: number('rounds', values.rounds, 1),
    secs: number('secs', values.secs ?? String(secsDefault), 0.1),
    warmSecs: number('warm', values.warm, 0),
    only: new RegExp(values.only, 'i'),
    servers: number('servers', values.servers ?? String(serversDefault), ofWorkloads ? 1 : SERVERS_OF_SCENARIOS_MIN),
    bigNodes: number('big', values.big, 0),
    writes: number('writes', values.writes, 1),
    snapCount: number('snap-count', values['snap-count'], 2),
    alone: values.alone,
    jsonFile: values.json,
  };
}

/** `--big` alone stands for the default. */
function withValueOfBig(args: readonly string[]): string[] {
  return args.flatMap((arg, i) =>
    arg === '--big' && !/^\d/.test(args[i + 1] ?? '') ? ['--big', BIG_NODES_DEFAULT] : [arg],
  );
}

function number(name: string, text: string, min: number): number {
  const value = Number(text);
  if (!(value >= min)) throw new Error(`--${name} takes a number from ${min} on, not "${text}"`);
  return value;
}
