/**
 * Do clients notice checkpoints, or anything else? First the most that the ensemble can do is measured, then half of that
 * is asked of it at a steady pace: sets all over a large tree, so that checkpoints have much to write and several fall
 * into the time. What counts is the longest time in which one client got no write acknowledged. How many checkpoints a server
 * has written is asked every now and then, so that the longest pauses can be laid beside them.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Gap, lengthMs } from './gaps.js';
import type { GeneratorProcess } from './generator-process.js';
import { load } from './machine.js';
import { type Line, lineMaker } from './report.js';
import { Subject, type SubjectName } from './subjects.js';
import type { PacedFigures, PacedJob } from './workloads.js';

const NODES = 100_000;
const DATA_BYTES = 100;
/** More than any server does: what is answered then is the most it can do. */
const TOO_MUCH_PER_SEC = 10_000_000;
const MAXIMUM_TIMING = { secs: 4, warmSecs: 2 };
const WARM_SECS = 2;
const SHARE = 0.5;
const POLL_MS = 200;
const GOAL_MS = 50;
const GAPS_SAID = 5;

/** A checkpoint of one server was finished between these two moments. */
interface Checkpoint extends Gap {
  readonly server: number;
}

export interface PausesFigures extends PacedFigures {
  readonly maximumPerSec: number;
  readonly checkpoints: readonly Checkpoint[];
}

export async function measurePauses(
  names: readonly SubjectName[],
  options: { readonly secs: number; readonly servers: number; readonly snapCount: number },
  generator: GeneratorProcess,
  say: (text: string) => void,
): Promise<Map<SubjectName, PausesFigures>> {
  const results = new Map<SubjectName, PausesFigures>();
  for (const name of names) {
    const subject = await Subject.start(name, options.servers, { snapCount: String(options.snapCount) });
    try {
      const figures = await steadyLoad(subject, options.secs, generator);
      results.set(name, figures);
      for (const line of pauseNotes(name, figures)) say(line);
      say(`load ${load()}`);
    } finally {
      await subject.end();
    }
  }
  return results;
}

async function steadyLoad(subject: Subject, secs: number, generator: GeneratorProcess): Promise<PausesFigures> {
  const addresses = (await subject.followersFirst()).map(({ address }) => address);
  const fill = { kind: 'fill', nodes: NODES, dataBytes: DATA_BYTES } as const;
  await generator.run({ addresses, job: fill, timing: { secs: 0, warmSecs: 0 } });
  const maximum = await generator.run({ addresses, job: sets(TOO_MUCH_PER_SEC), timing: MAXIMUM_TIMING });
  const job = sets(maximum.perSec * SHARE);
  const observing = new AbortController();
  const observed = observe(subject, observing.signal);
  const figures = await generator.run({ addresses, job, timing: { secs, warmSecs: WARM_SECS } });
  observing.abort();
  return { ...figures, maximumPerSec: maximum.perSec, checkpoints: await observed };
}

function sets(perSec: number): PacedJob {
  return { kind: 'paced', connections: 8, window: 16, perSec, nodes: NODES, dataBytes: DATA_BYTES };
}

/** Until the signal. */
async function observe(subject: Subject, signal: AbortSignal): Promise<Checkpoint[]> {
  const found: Checkpoint[] = [];
  const before = new Map<number, { readonly count: number; readonly atMs: number }>();
  while (!signal.aborted) {
    for (const member of subject.members) {
      const count = await member.checkpoints();
      const atMs = Date.now();
      const last = before.get(member.id);
      if (last !== undefined && count > last.count) found.push({ server: member.id, fromMs: last.atMs, toMs: atMs });
      before.set(member.id, { count, atMs });
    }
    await sleep(POLL_MS);
  }
  return found;
}

function pauseNotes(name: SubjectName, figures: PausesFigures): string[] {
  const { perSec, maximumPerSec, gaps, checkpoints, generatorPauses, givenUp } = figures;
  const notes = [
    `${name}: ${Math.round(perSec)} of ${Math.round(maximumPerSec)} writes/s, ${checkpoints.length} checkpoints seen on ${
      new Set(checkpoints.map(({ server }) => server)).size
    } servers${givenUp > 0 ? `, ${givenUp} writes too many for it` : ''}`,
  ];
  for (const gap of gaps.slice(0, GAPS_SAID)) {
    const remarks = coincidences(gap, checkpoints, generatorPauses);
    notes.push(`${name}: a client waited ${lengthMs(gap).toFixed(1)} ms${remarks === '' ? '' : `: ${remarks}`}`);
  }
  return notes;
}

/** What else was at the time of a gap. */
export function coincidences(gap: Gap, checkpoints: readonly Checkpoint[], generatorPauses: readonly Gap[]): string {
  const overlaps = (other: Gap) => other.fromMs < gap.toMs && other.toMs > gap.fromMs;
  const servers = new Set(checkpoints.filter(overlaps).map(({ server }) => server));
  const remarks = [...servers].sort().map((server) => `checkpoint of server ${server}`);
  const own = generatorPauses.find((pause) => overlaps(pause) && lengthMs(pause) > lengthMs(gap) / 2);
  if (own !== undefined) remarks.push(`the generator itself stood still for ${lengthMs(own).toFixed(1)} ms`);
  return remarks.join(', ');
}

export function pausesLines(results: ReadonlyMap<SubjectName, PausesFigures>): Line[] {
  const line = lineMaker(results);
  const longest = ({ gaps }: PausesFigures) => (gaps.length === 0 ? 0 : lengthMs(gaps[0]));
  return [
    line('paced set', '/s', ({ perSec }) => perSec, 'half of the maximum'),
    line('longest pause', 'ms', longest, `of one client, goal ${GOAL_MS}`),
    line('p50', 'ms', ({ p50Us }) => p50Us / 1000),
    line('p99', 'ms', ({ p99Us }) => p99Us / 1000),
    line('p99.9', 'ms', ({ p999Us }) => p999Us / 1000),
  ];
}
