/** The parent's side of generator.ts: one process, one job at a time. A generator whose job failed is replaced. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { GeneratorMessage, GeneratorReport, GeneratorRequest, Progress } from './generator.js';
import type { Job, OutcomeOf } from './workloads.js';

const PROGRAM = fileURLToPath(new URL('./generator.js', import.meta.url));

export class GeneratorProcess {
  private child: ChildProcess | null = null;

  /** @throws Error when a connection breaks, the server hangs, or the generator itself ends */
  run<J extends Job>(
    request: GeneratorRequest<J>,
    onProgress: (progress: Progress) => void = () => {},
  ): Promise<OutcomeOf<J>> {
    const child = this.child ?? fork(PROGRAM);
    this.child = child;
    return new Promise((resolve, reject) => {
      const settle = (finish: () => void) => {
        child.removeAllListeners();
        finish();
      };
      const fail = (reason: string) => {
        child.kill('SIGKILL');
        this.child = null;
        settle(() => reject(new Error(reason)));
      };
      child.on('message', (report: GeneratorReport) => {
        if (report.type === 'progress') onProgress(report.progress);
        else if (report.type === 'failed') fail(report.reason);
        else settle(() => resolve(report.outcome as OutcomeOf<J>));
      });
      child.on('exit', (code, signal) => fail(`the load generator ended (${signal ?? code})`));
      child.send({ type: 'run', request } satisfies GeneratorMessage);
    });
  }

  /** What it means depends on the job. */
  cue(): void {
    this.child?.send({ type: 'cue' } satisfies GeneratorMessage);
  }

  end(): void {
    this.child?.removeAllListeners();
    this.child?.kill('SIGKILL');
    this.child = null;
  }
}
