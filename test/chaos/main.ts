/**
 * Chaos from the command line: faults strike three real servers under load, one after the other in an order drawn from the
 * seed, until the time is over; each that can strike here strikes once before one strikes again. Exit code 1 when anything
 * was violated; what the clients saw and what the servers logged is then kept.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Random } from '../../src/std/random.js';
import { temporaryDirectory } from '../helpers/processes.js';
import { whyNoZooKeeper } from '../helpers/real-zookeeper.js';
import { Cluster } from './cluster.js';
import { type Outcome, runEpisode } from './episode.js';
import { FAULTS, type Fault } from './faults.js';
import { isIsolated, isolate, whyNoNamespaces } from './network/namespaces.js';
import { Results } from './results.js';
import type { SubjectName } from './server.js';

const HELP = `npm run chaos -- [options]

  --seed N              order and moments of the faults                       [1]
  --minutes M           strikes until this time is over, at least once        [2]
  --subject NAME        zabra, or zookeeper (Debian's package zookeeper)  [zabra]
  --only FAULT,…        only these
  --set KEY=VALUE       a line of zoo.cfg for all servers; may be given again
  --keep DIR            where histories and logs of violations go   [a new one in the temporary directory]
  --loopback            without network namespaces, as where they are not permitted
  --list                names the faults
`;

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '2' },
    subject: { type: 'string', default: 'zabra' },
    only: { type: 'string' },
    set: { type: 'string', multiple: true, default: [] },
    keep: { type: 'string' },
    loopback: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function numberOf(name: string, text: string): number {
  const number = Number(text);
  if (text === '' || !(number >= 0)) throw new RangeError(`--${name} ${text}: a number is needed`);
  return number;
}

function chosenFaults(): readonly Fault[] {
  if (values.only === undefined) return FAULTS;
  return values.only.split(',').map((name) => {
    const fault = FAULTS.find((one) => one.name === name);
    if (fault === undefined) throw new RangeError(`--only ${name}: there is no such fault (--list names them)`);
    return fault;
  });
}

function settings(): Record<string, string> {
  return Object.fromEntries(
    values.set.map((line) => {
      const at = line.indexOf('=');
      if (at < 1) throw new RangeError(`--set ${line}: it is KEY=VALUE`);
      return [line.slice(0, at), line.slice(at + 1)];
    }),
  );
}

function subjectName(): SubjectName {
  const { subject } = values;
  if (subject === 'zabra' || subject === 'zookeeper') return subject;
  throw new RangeError(`--subject ${subject}: it is zabra or zookeeper`);
}

/** Keeps what is needed to see what happened. */
function keep(directory: string, name: string, { history, violations }: Outcome, cluster: Cluster): void {
  const place = join(directory, name);
  mkdirSync(place, { recursive: true });
  history.save(join(place, 'history.jsonl'));
  writeFileSync(join(place, 'violations.json'), JSON.stringify([...violations], null, 2));
  for (const { id, log } of cluster.servers) writeFileSync(join(place, `server-${id}.log`), log);
}

async function run(): Promise<number> {
  const subject = subjectName();
  const faults = chosenFaults();
  const seed = numberOf('seed', values.seed);
  const untilMs = performance.now() + numberOf('minutes', values.minutes) * 60_000;
  const random = new Random(seed);
  await using cluster = await Cluster.start(subject, settings());
  say(`${subject}, seed ${seed}: three servers; ${cluster.network.description}`);
  const possible = faults.filter((fault) => {
    const reason = fault.whyNot?.(cluster);
    if (reason !== undefined) say(`left out: ${fault.name} (${reason})`);
    return reason === undefined;
  });
  const results = new Results();
  const directory = values.keep ?? temporaryDirectory('zabra-chaos');
  let episode = 0;
  while (possible.length > 0 && (episode === 0 || performance.now() < untilMs)) {
    for (const fault of random.shuffle([...possible])) {
      if (episode > 0 && performance.now() >= untilMs) break;
      const name = `${String(++episode).padStart(3, '0')}-${fault.name}`;
      const outcome = await runEpisode(cluster, fault, `/chaos-${seed}-${episode}`, random.fork());
      results.add(fault.name, outcome);
      const operations = [...outcome.operations.values()].reduce((sum, count) => sum + count, 0);
      const outage = `no write for ${(outcome.outageMs / 1000).toFixed(2)} s`;
      say(`${name}: ${operations} operations, ${outage}${outcome.violations.size > 0 ? ', VIOLATED' : ''}`);
      for (const [workload, what] of outcome.violations) for (const text of what) say(`    ${workload}: ${text}`);
      for (const remark of outcome.remarks) say(`    ${remark}`);
      if (outcome.violations.size > 0) keep(directory, name, outcome, cluster);
    }
  }
  say(`\n${results.table()}\n\n${results.operations} operations, ${results.violations} violations`);
  if (results.violations > 0) say(`histories and logs: ${directory}`);
  return results.violations > 0 ? 1 : 0;
}

async function main(): Promise<number> {
  if (values.help) {
    say(HELP);
    return 0;
  }
  if (values.list) {
    for (const { name, what } of FAULTS) say(`${name.padEnd(20)} ${what}`);
    return 0;
  }
  const reason = values.loopback ? '--loopback' : whyNoNamespaces();
  if (values.subject === 'zookeeper') {
    const absent = whyNoZooKeeper() ?? reason;
    if (absent !== undefined) {
      say(`ZooKeeper cannot be run here: ${absent}`);
      return 2;
    }
  }
  if (reason === undefined && !isIsolated()) return isolate();
  if (reason !== undefined) say(reason);
  return run();
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error) => {
    process.stderr.write(`${error instanceof RangeError ? error.message : error.stack}\n`);
    process.exitCode = 2;
  },
);
