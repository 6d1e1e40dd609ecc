/** The command line of the benchmark. */
import { parseArgs } from 'node:util';

export const HELP = `usage: npm run bench -- [options]

Runs Zabra and Apache ZooKeeper (Debian's package zookeeper, where it is installed) side by side on this machine, under
the same load in alternating short rounds, and prints medians and the ratio: above 1 means that Zabra is better.

  --rounds N     rounds, of which the median counts                       [3]
  --secs S       measured seconds of each workload in each round          [2]
  --warm S       seconds of the same load before them                     [0.5]
  --only REGEX   only workloads whose name matches
  --servers N    servers in each ensemble                                 [1]
  --big [N]      then fill fresh servers with N znodes of 100 bytes: resident memory, restart time   [1000000]
  --alone        Zabra only
  --json FILE    everything that was measured, as JSON
  --help
`;

export interface BenchOptions {
  readonly rounds: number;
  readonly secs: number;
  readonly warmSecs: number;
  readonly only: RegExp;
  readonly servers: number;
  /** 0: not asked for. */
  readonly bigNodes: number;
  readonly alone: boolean;
  readonly jsonFile: string | undefined;
}

const BIG_NODES_DEFAULT = '1000000';

/** Returns undefined when help is asked for. Throws Error for what cannot be understood. */
export function parseOptions(args: readonly string[]): BenchOptions | undefined {
  const { values } = parseArgs({
    args: withValueOfBig(args),
    options: {
      rounds: { type: 'string', default: '3' },
      secs: { type: 'string', default: '2' },
      warm: { type: 'string', default: '0.5' },
      only: { type: 'string', default: '' },
      servers: { type: 'string', default: '1' },
      big: { type: 'string', default: '0' },
      alone: { type: 'boolean', default: false },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  return {
    rounds: number('rounds', values.rounds, 1),
    secs: number('secs', values.secs, 0.1),
    warmSecs: number('warm', values.warm, 0),
    only: new RegExp(values.only, 'i'),
    servers: number('servers', values.servers, 1),
    bigNodes: number('big', values.big, 0),
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
