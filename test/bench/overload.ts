/**
 * The overload curve: the most that a server answers is measured first, then half of it up to three times as much is
 * offered, and at the end the most once more: what it can do drifts while its log and its checkpoints grow, so the peak
 * is the mean of both. A server that stands overload goes on answering about as much as it can (goal: 80 % of the peak), in bounded
 * time, holds no more memory, and loses no session. With --wait MS (throttledOpWaitTime) it refuses what would have to
 * wait for longer.
 *
 *   node dist/test/bench/overload.js [--kind set|get] [--secs S] [--servers N] [--wait MS] [--zookeeper] [--json FILE]
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { fourLetterWord } from '../helpers/processes.js';
import { describeMachine, load as machineLoad } from './machine.js';
import { type Load, type Offer, type OfferFigures, OverloadRig } from './overload-load.js';
import { type Member, Subject } from './subjects.js';

const FACTORS = [0.5, 0.75, 1, 1.5, 2, 3];
const WARM_UP_SECS = 5;
const SESSION_TIMEOUT_MS = 4000;
const WARM_SECS = 1;
const SAMPLE_MS = 100;
const GOAL_SHARE = 0.8;

const { values } = parseArgs({
  options: {
    kind: { type: 'string', default: 'set' },
    secs: { type: 'string', default: '5' },
    servers: { type: 'string', default: '1' },
    sessions: { type: 'string', default: '32' },
    window: { type: 'string', default: '256' },
    idle: { type: 'string', default: '100' },
    wait: { type: 'string', default: '0' },
    zookeeper: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
});

interface Point extends OfferFigures {
  readonly factor: number;
  readonly expired: number;
  readonly residentMiB: number;
}

/** Under Zabra a member that leads or follows, under ZooKeeper the same: the numbers come from outside. */
async function expiredSessions(members: readonly Member[]): Promise<number> {
  const answers = await Promise.all(members.map(({ address }) => fourLetterWord(address.port, 'mntr')));
  return answers.reduce((sum, text) => sum + Number(/^zk_stale_sessions_expired\s+(\d+)/m.exec(text)?.[1] ?? 0), 0);
}

function residentMiB(pids: readonly number[]): number {
  const sizes = pids.map((pid) => Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]));
  return Math.max(...sizes) / 1024;
}

async function measure(subject: Subject, rig: OverloadRig, factor: number, offer: Offer): Promise<Point> {
  const before = await expiredSessions(subject.members);
  let resident = 0;
  const sampler = setInterval(() => {
    resident = Math.max(resident, residentMiB(subject.pids));
  }, SAMPLE_MS);
  try {
    const figures = await rig.offer(offer);
    subject.assertAlive();
    return { ...figures, factor, expired: (await expiredSessions(subject.members)) - before, residentMiB: resident };
  } finally {
    clearInterval(sampler);
  }
}

function rowOf(point: Point, peak: number): string[] {
  const { factor, offeredPerSec, perSec, throttledPerSec, turnedAwayPerSec, p50Ms, p99Ms, pingMaxMs } = point;
  return [
    factor === 0 ? 'peak' : `${factor}×`,
    factor === 0 ? '' : offeredPerSec.toFixed(0),
    perSec.toFixed(0),
    (perSec / peak).toFixed(2),
    throttledPerSec.toFixed(0),
    turnedAwayPerSec.toFixed(0),
    p50Ms.toFixed(1),
    p99Ms.toFixed(1),
    pingMaxMs.toFixed(0),
    String(point.expired + point.broken),
    point.residentMiB.toFixed(0),
  ];
}

const HEADER = [
  'offered',
  'offered/s',
  'answered/s',
  'of peak',
  'refused/s',
  'not sent/s',
  'p50 ms',
  'p99 ms',
  'ping max ms',
  'sessions lost',
  'RSS MiB',
];

function table(rows: readonly (readonly string[])[]): string {
  const lines = [HEADER, HEADER.map(() => '---:'), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

async function main(): Promise<void> {
  const kind = values.kind === 'get' ? 'get' : 'set';
  const settings = values.wait === '0' ? {} : { throttledOpWaitTime: values.wait };
  const subject = await Subject.start(values.zookeeper ? 'zookeeper' : 'zabra', Number(values.servers), settings);
  try {
    const load: Load = {
      kind,
      sessions: Number(values.sessions),
      window: Number(values.window),
      idle: Number(values.idle),
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
    };
    const [member] = await subject.followersFirst();
    const rig = await OverloadRig.open(member.address, load);
    await rig.offer({ perSec: Number.POSITIVE_INFINITY, secs: WARM_UP_SECS, warmSecs: 0 });
    const secs = Number(values.secs);
    const atMost = { perSec: Number.POSITIVE_INFINITY, secs, warmSecs: WARM_SECS };
    const first = await measure(subject, rig, 0, atMost);
    const points: Point[] = [];
    for (const factor of FACTORS) {
      points.push(await measure(subject, rig, factor, { ...atMost, perSec: first.perSec * factor }));
    }
    const last = await measure(subject, rig, 0, atMost);
    await rig.close();
    const peak = (first.perSec + last.perSec) / 2;
    const all = [first, ...points, last];
    process.stdout.write(`${table(all.map((point) => rowOf(point, peak)))}\n`);
    const worst = Math.min(...points.filter(({ factor }) => factor > 1).map(({ perSec }) => perSec / peak));
    const lost = all.reduce((sum, { expired, broken }) => sum + expired + broken, 0);
    process.stdout.write(
      `beyond its peak it answers ${(worst * 100).toFixed(0)} % of it (goal ${GOAL_SHARE * 100} %), ${lost} sessions lost; load ${machineLoad()}\n`,
    );
    if (values.json !== undefined) {
      writeFileSync(
        values.json,
        `${JSON.stringify({ machine: describeMachine(), options: values, peak, points: all }, null, 2)}\n`,
      );
    }
  } finally {
    await subject.end();
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
await main();
