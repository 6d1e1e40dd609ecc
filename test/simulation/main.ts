/**
 * The simulation from the command line. One seed is told as a story, line by line; many are explored, and those that
 * fail are named with the command that repeats them. Exit code 1 when a check failed.
 *
 *   npm run sim -- --seed 17 [--quiet]
 *   npm run sim -- --seeds 10000 [--from 1]
 *   both: [--steps FAULTS] [--servers VOTERS] [--observers N]
 */
import { parseArgs } from 'node:util';
import { checkSeed } from './check-run.js';
import type { RunOptions } from './scenario.js';
import { Story } from './story.js';

const HELP = `npm run sim -- --seed N [--quiet]           one run, told as a story
npm run sim -- --seeds COUNT [--from N]      many runs, from seed N (default 1) on
  --steps N      faults that strike in a run, on average (default 10)
  --servers N    servers with a vote (default: drawn from the seed)
  --observers N  servers without (default: drawn from the seed)
  --failures N   stop after this many failures (default 10)
`;
const PROGRESS_MS = 10_000;
const STORY_END_LINES = 40;

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string' },
    from: { type: 'string', default: '1' },
    steps: { type: 'string' },
    servers: { type: 'string' },
    observers: { type: 'string' },
    failures: { type: 'string', default: '10' },
    quiet: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function numberOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 0) throw new RangeError(`--${name} ${text}: a whole number is needed`);
  return number;
}

function readOptions(): RunOptions {
  const { steps, servers, observers } = values;
  return {
    steps: numberOf('steps', steps),
    servers: numberOf('servers', servers),
    observers: numberOf('observers', observers),
  };
}

/** The arguments that repeat a run of this seed. */
function repeat(seed: number, options: RunOptions): string {
  const { steps, servers, observers } = options;
  const given = Object.entries({ steps, servers, observers }).filter(([, value]) => value !== undefined);
  return [`npm run sim -- --seed ${seed}`, ...given.map(([name, value]) => `--${name} ${value}`)].join(' ');
}

function tellOne(seed: number, options: RunOptions): boolean {
  const story = new Story(values.quiet ? undefined : say);
  try {
    const { facts, world, convergence } = checkSeed(seed, { ...options, story });
    const counts = [...facts.counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([what, count]) => `${what} ${count}`);
    say(`\n${counts.join(', ')}`);
    say(`converged after ${convergence.leaderMs} ms, writable after ${convergence.writableMs} ms`);
    say(`seed ${seed}: all checks passed; ${facts.committed.size} batches committed; trace ${world.traceHash}`);
    return true;
  } catch (error) {
    if (values.quiet) for (const line of story.lines.slice(-STORY_END_LINES)) say(line);
    say(`\nseed ${seed} FAILED: ${(error as Error).stack}`);
    return false;
  }
}

function explore(from: number, count: number, options: RunOptions): boolean {
  const startMs = performance.now();
  const failuresMax = Number(values.failures);
  let toldMs = startMs;
  let failures = 0;
  let seed = from;
  for (; seed < from + count && failures < failuresMax; seed++) {
    try {
      checkSeed(seed, options);
    } catch (error) {
      failures++;
      say(`seed ${seed} FAILED: ${(error as Error).message.slice(0, 300)}\n    ${repeat(seed, options)}`);
    }
    const nowMs = performance.now();
    if (nowMs - toldMs < PROGRESS_MS) continue;
    toldMs = nowMs;
    const done = seed - from + 1;
    say(`${done} of ${count} seeds, ${failures} failed, ${((done / (nowMs - startMs)) * 1000).toFixed(0)} a second`);
  }
  say(`${seed - from} seeds from ${from} on: ${failures} failed`);
  return failures === 0;
}

function main(): void {
  const seed = numberOf('seed', values.seed);
  const seeds = numberOf('seeds', values.seeds);
  if (values.help || (seed === undefined && seeds === undefined)) {
    process.stdout.write(HELP);
    return;
  }
  const options = readOptions();
  const isGood =
    seed !== undefined ? tellOne(seed, options) : explore(numberOf('from', values.from) ?? 1, seeds ?? 0, options);
  if (!isGood) process.exitCode = 1;
}

main();
