/**
 * The load generator's process: takes one job after the other from its parent, runs it, and sends back what it came to.
 * It is a process of its own so that neither the parent's event loop nor its garbage collector delays a reply.
 */
import { performance } from 'node:perf_hooks';
import { type LoopFigures, runClosedLoop } from './closed-loop.js';
import { runFanOut } from './fan-out.js';
import { runFill } from './fill.js';
import type { Address } from './load-connection.js';
import { runOpenings } from './openings.js';
import type { FillJob, Outcome, Timing, Workload } from './workloads.js';

export interface GeneratorRequest {
  readonly addresses: readonly Address[];
  readonly job: Workload | FillJob;
  readonly timing: Timing;
}

export type GeneratorReport =
  | { readonly type: 'outcome'; readonly outcome: Outcome }
  | { readonly type: 'progress'; readonly done: number }
  | { readonly type: 'failed'; readonly reason: string };

function report(message: GeneratorReport): void {
  process.send?.(message);
}

async function run({ addresses, job, timing }: GeneratorRequest): Promise<LoopFigures> {
  switch (job.kind) {
    case 'fanOut':
      return runFanOut(addresses, job, timing);
    case 'openings':
      return runOpenings(addresses, job);
    case 'fill':
      return runFill(addresses, job, (done) => report({ type: 'progress', done }));
    default:
      return runClosedLoop(addresses, job, timing);
  }
}

process.on('message', (request: GeneratorRequest) => {
  const before = performance.eventLoopUtilization();
  run(request).then(
    (figures) => {
      const { utilization } = performance.eventLoopUtilization(before);
      report({ type: 'outcome', outcome: { ...figures, generatorBusy: utilization } });
    },
    (error: Error) => report({ type: 'failed', reason: error.message }),
  );
});
// A connection that breaks in the middle of a job ends the job, and with it this process: nothing it holds is of use.
process.on('uncaughtException', (error) => {
  process.send?.({ type: 'failed', reason: error.message } satisfies GeneratorReport, () => process.exit(1));
});
process.on('disconnect', () => process.exit(0));
