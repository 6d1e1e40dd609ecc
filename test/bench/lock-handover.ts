/**
 * How fast a lock passes from holder to holder when many want it: 50 contenders, a session each, on three servers. A
 * contender that has the lock gives it back at once and stands again at the end of the line, so every hand-over is one
 * delete, one event, one read that finds it first; and one create behind. Our Lock on our servers, beside the same Lock (whose
 * nodes are laid out as Curator's) and kazoo's Lock on three real ZooKeeper servers, in one run: all servers stay up, and
 * idle but for those under load.
 *
 *   npm run build && node dist/test/bench/lock-handover.js [--rounds 3] [--seconds 5] [--contenders 50]
 */
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { connect } from '../../src/client/index.js';
import { Lock } from '../../src/recipes/index.js';
import { whyNoKazoo } from '../helpers/kazoo.js';
import { describeMachine, load, waitForIdle } from './machine.js';
import { Subject, type SubjectName } from './subjects.js';

const SERVERS = 3;
const WARM_UP_SECS = 2;
const IDLE_TIMEOUT_MS = 3000;
const KAZOO = resolve('test/bench/lock_handover_kazoo.py');
/** A Python process runs one thread at a time, so the contenders are spread over several. */
const KAZOO_PROCESSES = 5;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '5' },
    contenders: { type: 'string', default: '50' },
  },
});
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);
const contenders = Number(values.contenders);

/** Latencies of all hand-overs in the measured time, in µs: from the call of release() to the next one's acquire(). */
type Measure = (hosts: string, path: string) => Promise<number[]>;

async function ours(hosts: string, path: string): Promise<number[]> {
  const latenciesUs: number[] = [];
  const clients = await Promise.all(
    Array.from({ length: contenders }, () => connect(hosts, { sessionTimeoutMs: 30_000, connectTimeoutMs: 60_000 })),
  );
  const fromMs = performance.now() + WARM_UP_SECS * 1000;
  const untilMs = fromMs + seconds * 1000;
  let releasedMs = 0;
  await Promise.all(
    clients.map(async (client) => {
      const lock = new Lock(client, path);
      for (let nowMs = 0; nowMs < untilMs; ) {
        const held = await lock.acquire();
        nowMs = performance.now();
        if (fromMs <= releasedMs && nowMs < untilMs) latenciesUs.push((nowMs - releasedMs) * 1000);
        releasedMs = performance.now();
        await held.release();
      }
    }),
  );
  await Promise.all(clients.map((client) => client.close()));
  return latenciesUs;
}

function kazoo(hosts: string, path: string): Promise<number[]> {
  const args = ['-B', KAZOO, hosts, path, contenders, KAZOO_PROCESSES, WARM_UP_SECS + 2, seconds].map(String);
  return new Promise((settle, reject) => {
    const options = { maxBuffer: 64 * 1024 * 1024, timeout: 180_000, killSignal: 'SIGKILL' } as const;
    execFile('/usr/bin/python3', args, options, (error, stdout) => {
      if (error === null) settle(stdout.trim().split(/\s+/).map(Number));
      else reject(error);
    });
  });
}

const ROWS: readonly { readonly name: string; readonly server: SubjectName; readonly measure: Measure }[] = [
  { name: "Zabra's Lock on Zabra", server: 'zabra', measure: ours },
  { name: "Zabra's Lock, Curator's layout, on ZooKeeper", server: 'zookeeper', measure: ours },
  { name: "kazoo's Lock on ZooKeeper", server: 'zookeeper', measure: kazoo },
  { name: "kazoo's Lock on Zabra", server: 'zabra', measure: kazoo },
];

/** One round of one row. */
interface Figures {
  readonly perSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

function figuresOf(latenciesUs: readonly number[]): Figures {
  const sorted = [...latenciesUs].sort((a, b) => a - b);
  const at = (quantile: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * quantile))] ?? 0;
  return { perSecond: sorted.length / seconds, p50Us: at(0.5), p99Us: at(0.99) };
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
}

async function main(): Promise<void> {
  const missing = Subject.whyNot('zookeeper') ?? Subject.whyNot('zabra') ?? whyNoKazoo();
  if (missing !== undefined) throw new Error(missing);
  const { cores, cpu } = describeMachine();
  const results = ROWS.map((): Figures[] => []);
  const subjects = new Map<SubjectName, Subject>();
  try {
    for (const name of ['zabra', 'zookeeper'] as const) subjects.set(name, await Subject.start(name, SERVERS));
    for (let round = 0; round < rounds; round++) {
      // Another one begins each time, so that none has the warm or the cold end of the run to itself.
      for (let i = 0; i < ROWS.length; i++) {
        const row = (i + round) % ROWS.length;
        const { server, measure, name } = ROWS[row];
        const hosts =
          subjects
            .get(server)
            ?.addresses.map(({ host, port }) => `${host}:${port}`)
            .join(',') ?? '';
        await waitForIdle(IDLE_TIMEOUT_MS);
        const figures = figuresOf(await measure(hosts, `/lock-handover-${round}-${row}`));
        results[row].push(figures);
        process.stderr.write(`# round ${round + 1}: ${name}: ${figures.perSecond.toFixed(0)}/s, load ${load()}\n`);
      }
    }
  } finally {
    for (const subject of subjects.values()) await subject.end();
  }
  const lines = ROWS.map(({ name }, i) => {
    const of = (figure: keyof Figures) => median(results[i].map((figures) => figures[figure]));
    return { name, perSecond: of('perSecond'), p50Us: of('p50Us'), p99Us: of('p99Us') };
  });
  const [first] = lines;
  process.stdout.write(`${contenders} contenders, ${SERVERS} servers, ${cores} × ${cpu}, load ${load()}\n`);
  for (const { name, perSecond, p50Us, p99Us } of lines) {
    const ratio = (first.perSecond / perSecond).toFixed(2);
    const latency = `p50 ${(p50Us / 1000).toFixed(2)} ms, p99 ${(p99Us / 1000).toFixed(2)} ms`;
    process.stdout.write(`${name.padEnd(46)} ${perSecond.toFixed(0).padStart(6)}/s  ${latency}  (1 : ${ratio})\n`);
  }
}

await main();
