/**
 * A large tree: how much memory it takes, and how long a killed server takes until it answers the first read again. The
 * fresh servers are filled one after the other and then killed in turns.
 */
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { filledPath } from './fill.js';
import type { GeneratorProcess } from './generator-process.js';
import { LoadConnection } from './load-connection.js';
import { cpuSeconds, load, residentMiB } from './machine.js';
import { writeGet } from './requests.js';
import { Subject, type SubjectName } from './subjects.js';

const DATA_BYTES = 100;
const RETRY_MS = 10;
const FIRST_READ_TIMEOUT_MS = 300_000;
/** A server has settled, checkpoints included, when it used less than this share of a core for a second. */
const SETTLED_SHARE = 0.04;
const SETTLE_TIMEOUT_MS = 60_000;

export interface BigFigures {
  readonly createsPerSec: number;
  /** Of all servers of the ensemble, after the load has settled. */
  readonly residentMiB: number;
  /** The same after each restart. */
  readonly residentRestartedMiB: readonly number[];
  readonly restartMs: readonly number[];
}

interface Measured {
  readonly subject: Subject;
  createsPerSec: number;
  residentMiB: number;
  readonly residentRestartedMiB: number[];
  readonly restartMs: number[];
}

export async function measureBig(
  names: readonly SubjectName[],
  options: { readonly nodes: number; readonly rounds: number; readonly servers: number },
  generator: GeneratorProcess,
  say: (text: string) => void,
): Promise<Map<SubjectName, BigFigures>> {
  const all: Measured[] = [];
  try {
    for (const name of names) {
      const subject = await Subject.start(name, options.servers);
      const measured = { subject, createsPerSec: 0, residentMiB: 0, residentRestartedMiB: [], restartMs: [] };
      all.push(measured);
      await fill(measured, options.nodes, generator, say);
    }
    for (let round = 1; round <= options.rounds; round++) {
      for (const measured of all) await restart(measured, options.nodes, say);
    }
    return new Map(all.map(({ subject, ...figures }) => [subject.name, figures]));
  } finally {
    for (const { subject } of all) await subject.end();
  }
}

async function fill(
  measured: Measured,
  nodes: number,
  generator: GeneratorProcess,
  say: (text: string) => void,
): Promise<void> {
  const { subject } = measured;
  const outcome = await generator.run(
    {
      addresses: subject.addresses,
      job: { kind: 'fill', nodes, dataBytes: DATA_BYTES },
      timing: { secs: 0, warmSecs: 0 },
    },
    ({ done }) => {
      if (done % 250_000 === 0) say(`${subject.name}: ${done} znodes`);
    },
  );
  if (outcome.errors > 0) throw new Error(`${subject.name} refused ${outcome.errors} creates`);
  await settle(subject);
  measured.createsPerSec = outcome.perSec;
  measured.residentMiB = resident(subject);
  say(
    `${subject.name}: filled at ${Math.round(outcome.perSec)}/s, ${Math.round(measured.residentMiB)} MiB (load ${load()})`,
  );
}

async function restart(measured: Measured, nodes: number, say: (text: string) => void): Promise<void> {
  const { subject } = measured;
  await subject.kill();
  const startMs = performance.now();
  subject.launch();
  const elapsedMs = (await firstRead(subject, filledPath(nodes - 1))) - startMs;
  await settle(subject);
  measured.restartMs.push(elapsedMs);
  measured.residentRestartedMiB.push(resident(subject));
  say(
    `${subject.name}: first read ${Math.round(elapsedMs)} ms after the start, ${Math.round(resident(subject))} MiB (load ${load()})`,
  );
}

/**
 * Asks until the znode is there, and returns when that was on the clock of performance.now. The attempts overlap: a
 * server that is still starting may take a connection and then never answer it.
 */
async function firstRead(subject: Subject, path: string): Promise<number> {
  const deadline = performance.now() + FIRST_READ_TIMEOUT_MS;
  const attempts: LoadConnection[] = [];
  let readMs = 0;
  let lostError = 0;
  while (readMs === 0) {
    subject.assertAlive();
    if (lostError !== 0) throw new Error(`${subject.name} has lost ${path}: error ${lostError}`);
    if (performance.now() > deadline) throw new Error(`${subject.name} does not answer after its restart`);
    const attempt = new LoadConnection(subject.addresses[0]);
    attempt.onBroken = () => {};
    attempts.push(attempt);
    attempt
      .whenOpen()
      .then(() => attempt.call(1, (writer) => writeGet(writer, 1, path)))
      .then(
        ([err]) => {
          if (err !== 0) lostError = err;
          else if (readMs === 0) readMs = performance.now();
        },
        () => attempt.destroy(), // nobody listens yet, or does not serve yet
      );
    await sleep(RETRY_MS);
  }
  for (const attempt of attempts) attempt.destroy();
  return readMs;
}

async function settle(subject: Subject): Promise<void> {
  const deadline = performance.now() + SETTLE_TIMEOUT_MS;
  const used = () => subject.pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
  let before = used();
  do {
    await sleep(1000);
    const now = used();
    if (now - before < SETTLED_SHARE) return;
    before = now;
  } while (performance.now() < deadline);
}

function resident(subject: Subject): number {
  return subject.pids.reduce((sum, pid) => sum + residentMiB(pid), 0);
}
