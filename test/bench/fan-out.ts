/**
 * One event to many watchers: all arm a watch on one node and wait until they have their reply; then the node is changed
 * by another connection, and the time until the last watcher has its event is what counts.
 */
import { performance } from 'node:perf_hooks';
import { JuteWriter } from '../../protocol/jute/writer.js';
import type { LoopFigures } from './closed-loop.js';
import { type Address, LoadConnection } from './load-connection.js';
import { writeCreate, writeGet, writeSet } from './requests.js';
import type { FanOutJob, Timing } from './workloads.js';

const NODE = '/bench-fan-out';
const DATA = new Uint8Array(100).fill(0x7a);
const STALL_MS = 15_000;
const OPENED_AT_ONCE = 50;

export async function runFanOut(addresses: readonly Address[], job: FanOutJob, timing: Timing): Promise<LoopFigures> {
  const writer = await LoadConnection.open(addresses[0]);
  await writer.call(1, (out) => writeCreate(out, 1, NODE, DATA));
  const watchers: LoadConnection[] = [];
  while (watchers.length < job.connections) {
    const some = Array.from({ length: Math.min(OPENED_AT_ONCE, job.connections - watchers.length) }, (_, i) =>
      LoadConnection.open(addresses[i % addresses.length]),
    );
    watchers.push(...(await Promise.all(some)));
  }
  const replies = new Countdown('replies to the watchers');
  const events = new Countdown('events');
  for (const watcher of watchers) {
    watcher.handle({ reply: () => replies.one(), event: () => events.one() });
  }
  const armWriter = new JuteWriter(64);
  writeGet(armWriter, 1, NODE, true);
  const arm = armWriter.toBytes();

  let rounds = 0;
  let spentMs = 0;
  let errors = 0;
  const measureFromMs = performance.now() + timing.warmSecs * 1000;
  while (performance.now() < measureFromMs + timing.secs * 1000) {
    const armed = replies.start(watchers.length);
    for (const watcher of watchers) watcher.send(arm);
    await armed;
    const heard = events.start(watchers.length);
    const startMs = performance.now();
    const changed = writer.call(1, (out) => writeSet(out, rounds + 2, NODE, DATA));
    await heard;
    const elapsedMs = performance.now() - startMs;
    const [err] = await changed;
    if (startMs < measureFromMs) continue;
    if (err !== 0) errors++;
    rounds++;
    spentMs += elapsedMs;
  }
  await Promise.all([writer, ...watchers].map((connection) => connection.close()));
  return { perSec: (rounds * watchers.length * 1000) / spentMs, errors };
}

/** Resolves when as many have come as were announced. */
class Countdown {
  private left = 0;
  private done: () => void = () => {};

  constructor(private readonly what: string) {}

  start(count: number): Promise<void> {
    this.left = count;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${this.left} ${this.what} missing`)), STALL_MS);
      this.done = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  one(): void {
    if (--this.left === 0) this.done();
  }
}
