/**
 * The load generator's process: takes one job after the other from its parent, runs it, and sends back what it came to.
 * It is a process of its own so that neither the parent's event loop nor its garbage collector delays a reply.
 */
import { performance } from 'node:perf_hooks';
import { runClosedLoop } from './closed-loop.js';
import { runFailover } from './failover-load.js';
import { runFanOut } from './fan-out.js';
import { runFill } from './fill.js';
import type { Address } from './load-connection.js';
import { runOpenings } from './openings.js';
import { runPaced } from './paced-loop.js';
import type { Job, OutcomeOf, Timing } from './workloads.js';

export interface GeneratorRequest<J extends Job = Job> {
  readonly addresses: readonly Address[];
  readonly job: J;
  readonly timing: Timing;
}

/** A cue means something to a failover (the leader was killed) and to a closed loop (that is enough). */
export type GeneratorMessage = { readonly type: 'run'; readonly request: GeneratorRequest } | { readonly type: 'cue' };

/** How far a job is, and when that was on the clock of Date.now. */
export interface Progress {
  readonly done: number;
  readonly atMs: number;
}

export type GeneratorReport =
  | { readonly type: 'outcome'; readonly outcome: OutcomeOf<Job> }
  | { readonly type: 'progress'; readonly progress: Progress }
  | { readonly type: 'failed'; readonly reason: string };

let cue = new AbortController();

function report(message: GeneratorReport): void {
  process.send?.(message);
}

function reportProgress(done: number): void {
  report({ type: 'progress', progress: { done, atMs: performance.timeOrigin + performance.now() } });
}

async function figuresOf({ addresses, job, timing }: GeneratorRequest) {
  switch (job.kind) {
    case 'fanOut':
      return runFanOut(addresses, job, timing);
    case 'openings':
      return runOpenings(addresses, job);
    case 'fill':
      return runFill(addresses, job, reportProgress);
    case 'failover':
      return runFailover(addresses, job, cue.signal, () => reportProgress(0));
    case 'paced':
      return runPaced(addresses, job, timing);
    default:
      return runClosedLoop(addresses, job, timing, { cue: cue.signal, onProgress: reportProgress });
  }
}

async function run(request: GeneratorRequest): Promise<void> {
  cue = new AbortController();
  const before = performance.eventLoopUtilization();
  const figures = await figuresOf(request);
  const { utilization } = performance.eventLoopUtilization(before);
  report({ type: 'outcome', outcome: { ...figures, generatorBusy: utilization } });
}

process.on('message', (message: GeneratorMessage) => {
  if (message.type === 'cue') cue.abort();
  else run(message.request).catch((error: Error) => report({ type: 'failed', reason: error.message }));
});
// A connection that breaks in the middle of a job ends the job, and with it this process: nothing it holds is of use.
process.on('uncaughtException', (error) => {
  process.send?.({ type: 'failed', reason: error.message } satisfies GeneratorReport, () => process.exit(1));
});
process.on('disconnect', () => process.exit(0));
