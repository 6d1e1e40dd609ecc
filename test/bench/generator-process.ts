/** The parent's side of generator.ts: one process, one job at a time. A generator whose job failed is replaced. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { GeneratorReport, GeneratorRequest } from './generator.js';
import type { Outcome } from './workloads.js';

const PROGRAM = fileURLToPath(new URL('./generator.js', import.meta.url));

export class GeneratorProcess {
  private child: ChildProcess | null = null;

  /** @throws Error when a connection breaks, the server hangs, or the generator itself ends */
  run(request: GeneratorRequest, onProgress: (done: number) => void = () => {}): Promise<Outcome> {
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
        if (report.type === 'progress') onProgress(report.done);
        else if (report.type === 'failed') fail(report.reason);
        else settle(() => resolve(report.outcome));
      });
      child.on('exit', (code, signal) => fail(`the load generator ended (${signal ?? code})`));
      child.send(request);
    });
  }

  end(): void {
    this.child?.removeAllListeners();
    this.child?.kill('SIGKILL');
    this.child = null;
  }
}
