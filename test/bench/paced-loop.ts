/**
 * Sets at a steady pace below what the server can do: shows its pauses, which a closed loop hides by sending less while
 * they last. Every connection has the same share; when its window is full, what is due waits, and its waiting counts.
 */
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { filledPath } from './fill.js';
import { type Gap, GapTracker, lengthMs } from './gaps.js';
import { Histogram } from './histogram.js';
import { type Address, LoadConnection } from './load-connection.js';
import { RequestRing, writeSet } from './requests.js';
import { Schedule } from './schedule.js';
import type { PacedFigures, PacedJob, Timing } from './workloads.js';

/** Requests of one connection before they begin again, each to a node picked at random. */
const RING_LENGTH = 8192;
const BACKLOG_MAX = 65_536;
const PUMP_MS = 1;
const GAPS_KEPT = 20;
const STALL_MS = 30_000;

export async function runPaced(addresses: readonly Address[], job: PacedJob, timing: Timing): Promise<PacedFigures> {
  const loops: PacedLoop[] = [];
  const latencies = new Histogram();
  for (let i = 0; i < job.connections; i++) {
    const connection = await LoadConnection.open(addresses[i % addresses.length]);
    loops.push(new PacedLoop(connection, job, latencies));
  }
  const startMs = performance.now();
  const measureFromMs = startMs + timing.warmSecs * 1000;
  const endMs = measureFromMs + timing.secs * 1000;
  const pumped = new GapTracker(startMs, GAPS_KEPT);
  for (const loop of loops) loop.start(startMs, measureFromMs);
  const pump = setInterval(() => {
    const nowMs = performance.now();
    pumped.mark(nowMs);
    for (const loop of loops) loop.pump(nowMs);
  }, PUMP_MS);
  while (performance.now() < endMs) await sleep(Math.min(1000, endMs - performance.now()));
  clearInterval(pump);
  for (const loop of loops) loop.end(performance.now());
  const deadline = performance.now() + STALL_MS;
  while (loops.some(({ inFlight }) => inFlight > 0)) {
    if (performance.now() > deadline) throw new Error(`no reply for ${STALL_MS} ms`);
    await sleep(10);
  }
  await Promise.all(loops.map((loop) => loop.close()));
  const sum = (figure: (loop: PacedLoop) => number) => loops.reduce((total, loop) => total + figure(loop), 0);
  return {
    perSec: latencies.count / timing.secs,
    errors: sum(({ errors }) => errors),
    p50Us: latencies.quantileUs(0.5),
    p99Us: latencies.quantileUs(0.99),
    p999Us: latencies.quantileUs(0.999),
    gaps: longest(loops.flatMap(({ gaps }) => gaps)),
    generatorPauses: longest(pumped.longest),
    givenUp: sum(({ givenUp }) => givenUp),
  };
}

/** On the clock of Date.now. */
function longest(gaps: readonly Gap[]): Gap[] {
  const origin = performance.timeOrigin;
  return [...gaps]
    .sort((a, b) => lengthMs(b) - lengthMs(a))
    .slice(0, GAPS_KEPT)
    .map(({ fromMs, toMs }) => ({ fromMs: fromMs + origin, toMs: toMs + origin }));
}

/** One connection's share. */
class PacedLoop {
  errors = 0;
  private readonly ring: RequestRing;
  private schedule!: Schedule;
  private tracker: GapTracker | undefined;
  private measureFromMs = 0;
  private isOver = false;
  private sent = 0;
  private answered = 0;
  private nowMs = 0;

  constructor(
    private readonly connection: LoadConnection,
    private readonly job: PacedJob,
    private readonly latencies: Histogram,
  ) {
    const data = new Uint8Array(job.dataBytes).fill(0x70);
    const paths = Array.from({ length: RING_LENGTH }, () => filledPath(Math.floor(Math.random() * job.nodes)));
    this.ring = new RequestRing(RING_LENGTH, job.window, (writer, i) => writeSet(writer, i + 1, paths[i], data));
    connection.handle({
      reply: (err) => this.reply(err),
      readDone: () => {
        if (!this.isOver) this.pump(this.nowMs || performance.now());
        this.nowMs = 0;
      },
    });
  }

  get inFlight(): number {
    return this.sent - this.answered;
  }

  get gaps(): readonly Gap[] {
    return this.tracker?.longest ?? [];
  }

  get givenUp(): number {
    return this.schedule.givenUp;
  }

  start(startMs: number, measureFromMs: number): void {
    this.measureFromMs = measureFromMs;
    this.schedule = new Schedule(startMs, this.job.perSec / this.job.connections, BACKLOG_MAX);
  }

  /** Sends what is due, as far as the window takes it. */
  pump(nowMs: number): void {
    const count = Math.min(this.schedule.advance(nowMs) - this.sent, this.job.window - this.inFlight);
    if (count <= 0) return;
    this.connection.send(this.ring.stretch(this.sent, count));
    this.sent += count;
  }

  /** Sends no more; a gap that is open now counts. */
  end(nowMs: number): void {
    this.isOver = true;
    this.tracker?.mark(nowMs);
  }

  close(): Promise<void> {
    return this.connection.close();
  }

  private reply(err: number): void {
    // All replies of one read came at the same moment.
    if (this.nowMs === 0) this.nowMs = performance.now();
    const { nowMs } = this;
    this.answered++;
    const dueMs = this.schedule.answer();
    if (this.isOver || nowMs < this.measureFromMs) return;
    if (err !== 0) {
      this.errors++;
      return;
    }
    this.tracker ??= new GapTracker(this.measureFromMs, GAPS_KEPT);
    this.tracker.mark(nowMs);
    this.latencies.record((nowMs - dueMs) * 1000);
  }
}
