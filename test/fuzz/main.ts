/**
 * The fuzzer from the command line. Exit code 1 when something was found; the input is written to a file then, which
 * goes into test/fuzz/corpus together with the fix.
 *
 *   npm run fuzz -- [--target NAME|all] [--cases N] [--seed S] [--keep N] [--json FILE]
 *   npm run fuzz -- --target NAME --input FILE
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { crc32 } from '../../src/server/storage/crc.js';
import { fuzz, type Tally } from './loop.js';
import type { Target } from './target.js';
import { TARGETS } from './targets/index.js';

const HELP = `npm run fuzz -- [--target NAME] [--cases N] [--seed S]
  --target NAME  one of: ${TARGETS.map(({ name }) => name).join(', ')}; default all of them
  --cases N      of each target (default 10000)
  --seed S       the same seed makes the same inputs (default: drawn)
  --input FILE   one input against one target, and nothing else
  --keep N       write N of the inputs that have reached something new into test/fuzz/corpus
  --json FILE    the tally as JSON
`;
const FAILURES_MAX = 5;
const PROGRESS_MS = 10_000;

const { values } = parseArgs({
  options: {
    target: { type: 'string', default: 'all' },
    cases: { type: 'string', default: '10000' },
    seed: { type: 'string' },
    input: { type: 'string' },
    keep: { type: 'string', default: '0' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function runOne(target: Target, file: string): Promise<void> {
  const subject = await target.start();
  await subject.run(readFileSync(file));
  await subject.check();
  await subject.stop();
  say(`${target.name}: nothing is wrong with ${file}`);
}

async function runMany(targets: readonly Target[], cases: number, seed: number): Promise<boolean> {
  const tallies: Record<string, Omit<Tally, 'failures' | 'pool'> & { failures: string[] }> = {};
  for (const target of targets) {
    let toldMs = performance.now();
    const onProgress = (done: number) => {
      if (performance.now() - toldMs < PROGRESS_MS) return;
      toldMs = performance.now();
      say(`${target.name}: ${done} of ${cases} cases`);
    };
    const tally = await fuzz(target, { cases, seed, failuresMax: FAILURES_MAX, onProgress });
    say(lineOf(target, tally));
    for (const { at, input, error } of tally.failures) {
      const file = join(tmpdir(), `zabra-fuzz-${target.name}-${seed}-${at}.bin`);
      writeFileSync(file, input);
      say(`  case ${at} (--target ${target.name} --input ${file}): ${error.stack ?? error.message}`);
    }
    keep(target.name, tally.pool.slice(0, Number(values.keep)));
    const { pool: _pool, ...figures } = tally;
    tallies[target.name] = { ...figures, failures: tally.failures.map(({ at, error }) => `${at}: ${error.message}`) };
  }
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ seed, tallies }, null, 2)}\n`);
  return Object.values(tallies).every(({ failures }) => failures.length === 0);
}

function keep(name: string, inputs: readonly Uint8Array[]): void {
  if (inputs.length === 0) return;
  const directory = join('test/fuzz/corpus', name);
  mkdirSync(directory, { recursive: true });
  for (const input of inputs)
    writeFileSync(join(directory, `${crc32(input).toString(16).padStart(8, '0')}.bin`), input);
}

function lineOf({ name }: Target, { cases, secs, slowestMs, pool, found, grownBytes, failures }: Tally): string {
  const mib = (grownBytes / 1_048_576).toFixed(1);
  return (
    `${name}: ${cases} cases in ${secs.toFixed(1)} s, ${failures.length} failed; slowest ${slowestMs.toFixed(0)} ms, ` +
    `memory ${mib} MiB, ${found} places reached, ${pool.length} inputs varied`
  );
}

const targets = values.target === 'all' ? TARGETS : TARGETS.filter(({ name }) => name === values.target);
if (values.help || targets.length === 0) {
  process.stdout.write(HELP);
  process.exitCode = values.help ? 0 : 2;
} else if (values.input !== undefined) {
  for (const target of targets) await runOne(target, values.input);
} else {
  const seed = Number(values.seed ?? Date.now() % 1_000_000_000);
  say(`seed ${seed}`);
  if (!(await runMany(targets, Number(values.cases), seed))) process.exitCode = 1;
}
