/**
 * Steady load: every connection always has `window` requests in flight. After each read from a socket the same number of
 * requests that were answered goes out again, in one write. Replies come in request order (E8), so the position in the
 * stream says which request a reply belongs to, and nothing of it has to be decoded.
 */
import { performance } from 'node:perf_hooks';
import type { JuteWriter } from '../../protocol/jute/writer.js';
import { Histogram } from './histogram.js';
import { type Address, LoadConnection } from './load-connection.js';
import { RequestRing, writeCreate, writeDelete, writeGet, writeSet } from './requests.js';
import type { ClosedLoopJob, LatencyFigures, Timing } from './workloads.js';

const ROOT = '/bench';
const KEYS = 1000;
const RING_LENGTH = 1024;
const READ_SHARE = 0.9;
const PROGRESS_MS = 50;
/** A server that has not answered anything for so long is not slow, it hangs. */
const STALL_MS = 15_000;

export interface LoopFigures {
  readonly perSec: number;
  readonly reads?: LatencyFigures;
  readonly writes?: LatencyFigures;
  readonly errors: number;
}

interface Request {
  readonly isRead: boolean;
  write(writer: JuteWriter): void;
}

/** What a loop is told from outside, and tells. */
export interface Conductor {
  /** Ends the loop before its time. */
  readonly cue: AbortSignal;
  /** Told again and again how many requests have succeeded in the measured time. */
  onProgress(done: number): void;
}

export async function runClosedLoop(
  addresses: readonly Address[],
  job: ClosedLoopJob,
  timing: Timing,
  { cue, onProgress }: Conductor,
): Promise<LoopFigures> {
  const connections: LoadConnection[] = [];
  for (let i = 0; i < job.connections; i++)
    connections.push(await LoadConnection.open(addresses[i % addresses.length]));
  await prepare(connections[0], job);
  const clock = new Clock(timing);
  const loops = connections.map((connection, number) => new Loop(connection, job, number, clock));
  cue.addEventListener('abort', () => clock.stop());
  const progress = setInterval(() => onProgress(clock.succeeded), PROGRESS_MS);
  await Promise.all(loops.map((loop) => loop.run()));
  clearInterval(progress);
  await Promise.all(connections.map((connection) => connection.close()));
  return clock.figures();
}

/** The nodes that are read and written. They may be there from an earlier run. */
async function prepare(connection: LoadConnection, job: ClosedLoopJob): Promise<void> {
  const data = new Uint8Array(job.dataBytes).fill(0x78);
  await connection.call(1, (writer) => writeCreate(writer, 1, ROOT, new Uint8Array(0)));
  if (job.kind === 'createDelete') return;
  await connection.call(KEYS, (writer, i) => writeCreate(writer, i + 1, keyPath(i), data));
  // What an earlier workload left there may have another size.
  await connection.call(KEYS, (writer, i) => writeSet(writer, i + 1, keyPath(i), data));
}

function keyPath(key: number): string {
  return `${ROOT}/k${key}`;
}

/** When to measure and when to end; the figures of all connections together. */
class Clock {
  private readonly measureFromMs: number;
  private endMs: number;
  private readonly latencies = { reads: new Histogram(), writes: new Histogram() };
  private errors = 0;

  constructor(timing: Timing) {
    this.measureFromMs = performance.now() + timing.warmSecs * 1000;
    this.endMs = this.measureFromMs + timing.secs * 1000;
  }

  stop(): void {
    this.endMs = Math.min(this.endMs, performance.now());
  }

  get succeeded(): number {
    return this.latencies.reads.count + this.latencies.writes.count;
  }

  isOver(nowMs: number): boolean {
    return nowMs >= this.endMs;
  }

  count(isRead: boolean, sentMs: number, nowMs: number, err: number): void {
    if (nowMs < this.measureFromMs || nowMs >= this.endMs) return;
    if (err !== 0) this.errors++;
    else (isRead ? this.latencies.reads : this.latencies.writes).record((nowMs - sentMs) * 1000);
  }

  figures(): LoopFigures {
    const secs = (this.endMs - this.measureFromMs) / 1000;
    const { reads, writes } = this.latencies;
    return {
      perSec: this.succeeded / secs,
      ...(reads.count > 0 ? { reads: latencyFigures(reads, secs) } : {}),
      ...(writes.count > 0 ? { writes: latencyFigures(writes, secs) } : {}),
      errors: this.errors,
    };
  }
}

function latencyFigures(histogram: Histogram, secs: number): LatencyFigures {
  return {
    perSec: histogram.count / secs,
    p50Us: histogram.quantileUs(0.5),
    p99Us: histogram.quantileUs(0.99),
  };
}

/** One connection's share. Requests are numbered from 0; number n is entry n mod length of the ring. */
class Loop {
  private readonly requests: readonly Request[];
  private readonly ring: RequestRing;
  private readonly sentMs: Float64Array;
  private sent = 0;
  private answered = 0;
  private nowMs = 0;

  constructor(
    private readonly connection: LoadConnection,
    private readonly job: ClosedLoopJob,
    number: number,
    private readonly clock: Clock,
  ) {
    this.requests = requestsOf(job, number);
    this.ring = new RequestRing(RING_LENGTH, job.window, (writer, i) => this.requests[i].write(writer));
    this.sentMs = new Float64Array(job.window);
  }

  /** Resolves when the time is over and everything that was sent has been answered. */
  run(): Promise<void> {
    return new Promise((resolve, reject) => {
      let answeredBefore = -1;
      const watchdog = setInterval(() => {
        if (this.answered === answeredBefore) reject(new Error(`no reply for ${STALL_MS} ms`));
        answeredBefore = this.answered;
      }, STALL_MS);
      this.connection.handle({
        reply: (err) => this.reply(err),
        readDone: () => {
          if (this.advance()) return;
          clearInterval(watchdog);
          resolve();
        },
      });
      this.send(this.job.window, performance.now());
    });
  }

  private reply(err: number): void {
    // All replies of one read came at the same moment.
    if (this.nowMs === 0) this.nowMs = performance.now();
    const { answered, job } = this;
    const { isRead } = this.requests[answered % RING_LENGTH];
    this.clock.count(isRead, this.sentMs[answered % job.window], this.nowMs, err);
    this.answered = answered + 1;
  }

  /** Returns false when there is nothing more to wait for. */
  private advance(): boolean {
    const nowMs = this.nowMs === 0 ? performance.now() : this.nowMs;
    this.nowMs = 0;
    const free = this.job.window - (this.sent - this.answered);
    if (!this.clock.isOver(nowMs)) {
      if (free > 0) this.send(free, nowMs);
      return true;
    }
    // What was created last is deleted too.
    if (this.job.kind === 'createDelete' && this.sent % 2 === 1) this.send(1, nowMs);
    return this.answered < this.sent;
  }

  private send(count: number, nowMs: number): void {
    const { window } = this.job;
    for (let i = 0; i < count; i++) this.sentMs[(this.sent + i) % window] = nowMs;
    this.connection.send(this.ring.stretch(this.sent, count));
    this.sent += count;
  }
}

function requestsOf(job: ClosedLoopJob, connection: number): Request[] {
  const data = new Uint8Array(job.dataBytes).fill(0x79);
  return Array.from({ length: RING_LENGTH }, (_, i): Request => {
    const xid = i + 1;
    if (job.kind === 'createDelete') {
      const path = `${ROOT}/c${connection}-${i >> 1}`;
      const write = (writer: JuteWriter) =>
        i % 2 === 0 ? writeCreate(writer, xid, path, data) : writeDelete(writer, xid, path);
      return { isRead: false, write };
    }
    const path = keyPath(Math.floor(Math.random() * KEYS));
    const isRead = job.kind === 'get' || (job.kind === 'mix' && Math.random() < READ_SHARE);
    return { isRead, write: (writer) => (isRead ? writeGet(writer, xid, path) : writeSet(writer, xid, path, data)) };
  });
}
