/**
 * A follower was away for a long time and catches up while the load goes on: what that costs the others. The load runs
 * on the servers that stay; the follower is killed, a given number of writes go by, and it is started again. Four stretches
 * are compared: all servers together, the follower away, catching up, and together again.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { GeneratorProcess } from './generator-process.js';
import { load } from './machine.js';
import { type Line, lineMaker } from './report.js';
import { type Member, Subject, type SubjectName } from './subjects.js';
import { Timeline } from './timeline.js';
import type { ClosedLoopJob } from './workloads.js';

const JOB: ClosedLoopJob = { kind: 'set', connections: 8, window: 64, dataBytes: 100 };
const WARM_UP_MS = 3000;
/** How much of the load before and behind the catching up is taken for comparison. */
const STRETCH_MS = 3000;
const POLL_MS = 20;
const CATCH_UP_TIMEOUT_MS = 300_000;
const GOAL = 0.8;

export interface LaggingFigures {
  readonly togetherPerSec: number;
  readonly awayPerSec: number;
  readonly catchingUpPerSec: number;
  readonly afterwardsPerSec: number;
  /** From the start of the process until it had everything that the leader has. */
  readonly catchUpMs: number;
  /** How, by the servers' logs: DIFF, SNAP, TRUNC, or a '?' when they do not say. */
  readonly how: string;
}

export async function measureLagging(
  names: readonly SubjectName[],
  options: { readonly writes: number; readonly servers: number },
  generator: GeneratorProcess,
  say: (text: string) => void,
): Promise<Map<SubjectName, LaggingFigures>> {
  const results = new Map<SubjectName, LaggingFigures>();
  for (const name of names) {
    const subject = await Subject.start(name, options.servers);
    try {
      const figures = await catchUp(subject, options.writes, generator, say);
      results.set(name, figures);
      say(`${name}: caught up by ${figures.how} in ${Math.round(figures.catchUpMs)} ms (load ${load()})`);
    } finally {
      await subject.end();
    }
  }
  return results;
}

async function catchUp(
  subject: Subject,
  writes: number,
  generator: GeneratorProcess,
  say: (text: string) => void,
): Promise<LaggingFigures> {
  const [victim, ...others] = await subject.followersFirst();
  const leader = others[others.length - 1];
  const timeline = new Timeline();
  const timing = { secs: Number.MAX_SAFE_INTEGER, warmSecs: 0 };
  const addresses = others.map(({ address }) => address);
  let failure: Error | undefined;
  const running = generator.run({ addresses, job: JOB, timing }, ({ atMs, done }) => timeline.add(atMs, done));
  running.catch((error: Error) => {
    failure = error;
  });
  const until = async (isDone: () => boolean | Promise<boolean>, timeoutMs = CATCH_UP_TIMEOUT_MS): Promise<number> => {
    const deadline = Date.now() + timeoutMs;
    while (!(await isDone())) {
      if (failure !== undefined) throw failure;
      if (Date.now() > deadline) throw new Error(`${subject.name} does not get on`);
      await sleep(POLL_MS);
    }
    return Date.now();
  };
  const done = () => timeline.doneAt(Date.now());

  await until(() => done() > 0);
  await sleep(WARM_UP_MS + STRETCH_MS);
  const togetherMs = Date.now();
  await victim.kill();
  const doneAtKill = done();
  say(`${subject.name}: server ${victim.id} is away for ${writes} writes`);
  await until(() => done() - doneAtKill >= writes);

  const printed = [victim.log().length, leader.log().length];
  const launchedMs = Date.now();
  victim.launch();
  const caughtUpMs = await until(() => hasCaughtUp(victim, leader));
  await sleep(STRETCH_MS);
  const endMs = Date.now();
  generator.cue();
  await running;
  return {
    togetherPerSec: timeline.perSec(togetherMs - STRETCH_MS, togetherMs),
    awayPerSec: timeline.perSec(launchedMs - STRETCH_MS, launchedMs),
    catchingUpPerSec: timeline.perSec(launchedMs, caughtUpMs),
    afterwardsPerSec: timeline.perSec(caughtUpMs, endMs),
    catchUpMs: caughtUpMs - launchedMs,
    how: howIn(victim.log().slice(printed[0]) + leader.log().slice(printed[1])),
  };
}

/** It serves, and has what the leader had a moment ago. */
async function hasCaughtUp(victim: Member, leader: Member): Promise<boolean> {
  victim.assertAlive();
  const { zxid } = await leader.state();
  await sleep(POLL_MS);
  const state = await victim.state();
  return state.mode === 'follower' && state.zxid >= zxid;
}

/** The words are ours (the leader's) and ZooKeeper's (the learner's). */
export function howIn(log: string): string {
  const ours = /synchronising server \d+: (\w+)/.exec(log)?.[1];
  if (ours !== undefined) return ours;
  if (/Getting a diff from the leader/.test(log)) return 'DIFF';
  if (/Getting a snapshot from leader/.test(log)) return 'SNAP';
  return /Truncating log/.test(log) ? 'TRUNC' : '?';
}

export function laggingLines(results: ReadonlyMap<SubjectName, LaggingFigures>): Line[] {
  const line = lineMaker(results);
  return [
    line('set, all together', '/s', ({ togetherPerSec }) => togetherPerSec),
    line('set, one away', '/s', ({ awayPerSec }) => awayPerSec),
    line('set, one catching up', '/s', ({ catchingUpPerSec }) => catchingUpPerSec),
    line('set, afterwards', '/s', ({ afterwardsPerSec }) => afterwardsPerSec),
    line('kept of one away', '%', (it) => (100 * it.catchingUpPerSec) / it.awayPerSec, `goal ${100 * GOAL}`),
    line('kept of all together', '%', (it) => (100 * it.catchingUpPerSec) / it.togetherPerSec),
    line('catching up', 'ms', ({ catchUpMs }) => catchUpMs),
  ];
}
