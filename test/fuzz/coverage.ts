/**
 * Which code was reached, from V8 itself, function by function and block by block. Asking takes milliseconds, so inputs
 * are judged by the hundred: if a group has reached anything new, some of it are kept to be varied.
 */
import { Session } from 'node:inspector/promises';

export class Coverage {
  private readonly session = new Session();
  private readonly reached = new Set<string>();

  static async start(): Promise<Coverage> {
    const coverage = new Coverage();
    coverage.session.connect();
    await coverage.session.post('Profiler.enable');
    await coverage.session.post('Profiler.startPreciseCoverage', { callCount: false, detailed: true });
    return coverage;
  }

  /** How many ranges of the product's own code were reached for the first time. */
  async fresh(): Promise<number> {
    const { result } = await this.session.post('Profiler.takePreciseCoverage');
    const before = this.reached.size;
    for (const { url, functions } of result) {
      if (!/\/dist\/(src|protocol)\//.test(url)) continue;
      for (const { ranges } of functions) {
        for (const { count, startOffset, endOffset } of ranges) {
          if (count > 0) this.reached.add(`${url} ${startOffset} ${endOffset}`);
        }
      }
    }
    return this.reached.size - before;
  }

  stop(): void {
    this.session.disconnect();
  }
}
