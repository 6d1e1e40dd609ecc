/**
 * The benchmark: Zabra beside Apache ZooKeeper, always as a ratio measured in the same run on the same machine, since an
 * absolute figure says more about the machine. Both are started and stay idle but for the one under load; every workload
 * is run on one and at once on the other, in an order that changes from round to round.
 */
import { writeFileSync } from 'node:fs';
import { measureBig } from './big.js';
import { failoverLines, lossesOf, measureFailover } from './failover.js';
import { GeneratorProcess } from './generator-process.js';
import { laggingLines, measureLagging } from './lagging.js';
import type { Address } from './load-connection.js';
import { describeMachine, load, waitForIdle } from './machine.js';
import { type BenchOptions, HELP, parseOptions, type Scenario } from './options.js';
import { measurePauses, pausesLines } from './pauses.js';
import { bigLines, formatTable, type Line, type RowResult, rowLine, summarize } from './report.js';
import { Subject, type SubjectName } from './subjects.js';
import { type Outcome, ROWS, WARM_UP, type Workload } from './workloads.js';

const WARM_UP_SECS = 3;
const IDLE_TIMEOUT_MS = 2000;

function say(text: string): void {
  process.stderr.write(`# ${text}\n`);
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  if (options === undefined) {
    process.stdout.write(HELP);
    return;
  }
  const machine = describeMachine();
  say(`${machine.cores} × ${machine.cpu}, ${machine.memoryMiB} MiB, node ${machine.node}, load ${load()}`);
  const names = subjectNames(options);
  const generator = new GeneratorProcess();
  try {
    const { lines, conclusion, details } = await SCENARIOS[options.scenario](names, options, generator);
    process.stdout.write(`${formatTable(lines)}\n${conclusion}; load ${load()}\n`);
    if (options.jsonFile !== undefined) {
      writeFileSync(options.jsonFile, `${JSON.stringify({ machine, options, lines, ...details }, null, 2)}\n`);
    }
  } finally {
    generator.end();
  }
}

interface Measured {
  readonly lines: readonly Line[];
  readonly conclusion: string;
  /** All that the lines were made of. */
  readonly details: Readonly<Record<string, unknown>>;
}

type Measure = (names: readonly SubjectName[], options: BenchOptions, generator: GeneratorProcess) => Promise<Measured>;

const SCENARIOS: Readonly<Record<Scenario, Measure>> = {
  workloads: async (names, options, generator) => {
    const results = await measureRows(names, options, generator);
    const bigOptions = { nodes: options.bigNodes, rounds: options.rounds, servers: options.servers };
    const big = options.bigNodes > 0 ? await measureBig(names, bigOptions, generator, say) : new Map();
    const lines = [...results.map(rowLine), ...(big.size > 0 ? bigLines(big) : [])];
    const rows = results.map(({ row, outcomes }) => ({ name: row.name, ...outcomes }));
    return { lines, conclusion: summarize(lines), details: { rows, big: Object.fromEntries(big) } };
  },
  failover: async (names, options, generator) => {
    const rounds = await measureFailover(names, options, generator, say);
    const conclusion = each(rounds, (figures) => lossesOf(figures) || 'nothing was lost');
    return { lines: failoverLines(rounds), conclusion, details: { rounds: Object.fromEntries(rounds) } };
  },
  lagging: async (names, options, generator) => {
    const results = await measureLagging(names, options, generator, say);
    const conclusion = each(results, ({ how }) => `caught up by ${how}`);
    return { lines: laggingLines(results), conclusion, details: { lagging: Object.fromEntries(results) } };
  },
  pauses: async (names, options, generator) => {
    const results = await measurePauses(names, options, generator, say);
    const conclusion = each(results, ({ checkpoints }) => `${checkpoints.length} checkpoints in the time`);
    return { lines: pausesLines(results), conclusion, details: { pauses: Object.fromEntries(results) } };
  },
};

function each<T>(results: ReadonlyMap<SubjectName, T>, describe: (result: T) => string): string {
  return [...results].map(([name, result]) => `${name}: ${describe(result)}`).join('; ');
}

function subjectNames({ alone }: BenchOptions): SubjectName[] {
  const zabraMissing = Subject.whyNot('zabra');
  if (zabraMissing !== undefined) throw new Error(zabraMissing);
  if (alone) return ['zabra'];
  const reason = Subject.whyNot('zookeeper');
  if (reason === undefined) return ['zookeeper', 'zabra'];
  say(`${reason}; measuring Zabra alone`);
  return ['zabra'];
}

async function measureRows(
  names: readonly SubjectName[],
  options: BenchOptions,
  generator: GeneratorProcess,
): Promise<RowResult[]> {
  const results = ROWS.filter(({ name }) => options.only.test(name)).map(
    (row): RowResult => ({ row, outcomes: { zabra: [], zookeeper: [] } }),
  );
  if (results.length === 0) return results;
  const workloads = new Set(results.map(({ row }) => row.workload));
  const timing = { secs: options.secs, warmSecs: options.warmSecs };
  const subjects: Subject[] = [];
  try {
    for (const name of names) {
      const subject = await Subject.start(name, options.servers);
      subjects.push(subject);
      await generator.run({
        addresses: await spread(subject),
        job: WARM_UP,
        timing: { secs: WARM_UP_SECS, warmSecs: 0 },
      });
    }
    for (let round = 1; round <= options.rounds; round++) {
      const inTurn = round % 2 === 1 ? subjects : subjects.toReversed();
      for (const workload of workloads) {
        const rows = results.filter(({ row }) => row.workload === workload);
        for (const subject of inTurn) {
          if (!(await waitForIdle(IDLE_TIMEOUT_MS))) say(`something else is running (load ${load()})`);
          const outcome = await measure(subject, workload, timing, generator);
          for (const { outcomes } of rows) outcomes[subject.name].push(outcome);
        }
        sayRound(round, rows);
      }
    }
    return results;
  } finally {
    for (const subject of subjects) await subject.end();
  }
}

async function measure(
  subject: Subject,
  job: Workload,
  timing: { readonly secs: number; readonly warmSecs: number },
  generator: GeneratorProcess,
): Promise<Outcome | null> {
  subject.assertAlive();
  try {
    return await generator.run({ addresses: await spread(subject), job, timing });
  } catch (error) {
    say(`${subject.name}: ${(error as Error).message}`);
    return null;
  }
}

/** Connections take them in turns: a single one, and the odd ones, fall on followers in both subjects. */
async function spread(subject: Subject): Promise<Address[]> {
  return (await subject.followersFirst()).map(({ address }) => address);
}

function sayRound(round: number, rows: readonly RowResult[]): void {
  for (const { row, outcomes } of rows) {
    const text = (name: SubjectName) => {
      const outcome = outcomes[name].at(-1);
      if (outcome === undefined) return [];
      const figure = outcome === null ? undefined : row.figure(outcome);
      return [
        `${name} ${figure === undefined ? 'failed' : Math.round(figure)}${outcome?.errors ? ` (${outcome.errors} errors)` : ''}`,
      ];
    };
    say(`round ${round}: ${row.name}: ${[...text('zookeeper'), ...text('zabra')].join(', ')} ${row.unit}`);
  }
}

// Servers are ended and their data removed when this process exits, which a signal alone would not make it do.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
try {
  await main();
} catch (error) {
  process.stderr.write(`bench: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
