/**
 * The leader is killed under load, several times: how long nobody's write is acknowledged, and whether sessions, ephemeral
 * nodes, watches and acknowledged writes survive. The servers are killed in turns, and the dead one is started again
 * between rounds, so that every round begins with a full ensemble.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { GeneratorProcess } from './generator-process.js';
import { load } from './machine.js';
import { type Line, median } from './report.js';
import { Subject, type SubjectName } from './subjects.js';
import type { FailoverFigures, FailoverJob } from './workloads.js';

const JOB: FailoverJob = { kind: 'failover', connections: 8, sessionTimeoutMs: 10_000 };
const NO_TIMING = { secs: 0, warmSecs: 0 };
/** How long the load runs before the leader is killed. */
const BEFORE_MS = 2000;
const SETTLE_MS = 1000;
const GOAL = 0.3;

export type FailoverRounds = ReadonlyMap<SubjectName, readonly FailoverFigures[]>;

export async function measureFailover(
  names: readonly SubjectName[],
  options: { readonly rounds: number; readonly servers: number },
  generator: GeneratorProcess,
  say: (text: string) => void,
): Promise<FailoverRounds> {
  const subjects: Subject[] = [];
  const results = new Map<SubjectName, FailoverFigures[]>(names.map((name) => [name, []]));
  try {
    for (const name of names) subjects.push(await Subject.start(name, options.servers));
    for (let round = 1; round <= options.rounds; round++) {
      for (const subject of round % 2 === 1 ? subjects : subjects.toReversed()) {
        const figures = await killLeader(subject, generator);
        results.get(subject.name)?.push(figures);
        say(`round ${round}: ${subject.name}: ${describe(figures)} (load ${load()})`);
      }
    }
    return results;
  } finally {
    for (const subject of subjects) await subject.end();
  }
}

async function killLeader(subject: Subject, generator: GeneratorProcess): Promise<FailoverFigures> {
  const leader = await subject.leader();
  let begin = () => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const { addresses } = subject;
  const running = generator.run({ addresses, job: JOB, timing: NO_TIMING }, () => begin());
  const killing = (async () => {
    await begun;
    await sleep(BEFORE_MS);
    await leader.kill();
    generator.cue();
  })();
  // A load that fails never begins, and then nobody is to be killed.
  const figures = await running;
  await killing;
  leader.launch();
  await leader.serving();
  await sleep(SETTLE_MS);
  return figures;
}

function describe(figures: FailoverFigures): string {
  const { perSec, outageMs, worstClientMs } = figures;
  const losses = lossesOf([figures]);
  const text = `${Math.round(perSec)} writes/s, none for ${outageMs.toFixed(0)} ms, one client for ${worstClientMs.toFixed(0)} ms`;
  return losses === '' ? text : `${text}, ${losses}`;
}

/** What the rounds lost, in words; empty when they lost nothing. */
export function lossesOf(rounds: readonly FailoverFigures[]): string {
  const sum = (figure: (figures: FailoverFigures) => number) => rounds.reduce((total, one) => total + figure(one), 0);
  const losses: [number, string][] = [
    [sum(({ writesLost }) => writesLost), 'acknowledged writes lost'],
    [sum(({ sessionsLost }) => sessionsLost), 'sessions lost'],
    [sum(({ ephemeralsLost }) => ephemeralsLost), 'ephemeral nodes lost'],
    [sum(({ eventsLost }) => eventsLost), 'events lost'],
    [sum(({ eventsTwice }) => eventsTwice), 'events seen twice'],
    [sum(({ errors }) => errors), 'writes refused'],
  ];
  return losses.flatMap(([count, what]) => (count > 0 ? [`${count} ${what}`] : [])).join(', ');
}

export function failoverLines(rounds: FailoverRounds): Line[] {
  const line = (name: string, figure: (figures: FailoverFigures) => number): Line => {
    const middle = (subject: SubjectName) => median((rounds.get(subject) ?? []).map(figure));
    const zabra = middle('zabra');
    const zookeeper = middle('zookeeper');
    const share = zabra === undefined || zookeeper === undefined ? undefined : zabra / zookeeper;
    const remark = share === undefined ? '' : `${share.toFixed(2)} of the time, goal ${GOAL}`;
    return { name, unit: 'ms', zabra, zookeeper, lessIsBetter: true, remark };
  };
  return [
    line('no write acknowledged', ({ outageMs }) => outageMs),
    line('worst client', ({ worstClientMs }) => worstClientMs),
  ];
}
