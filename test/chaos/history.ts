/**
 * What the clients of a run asked for and were told, with the times of both by one clock: the raw material of the
 * checkers. Written to a file as JSON, an operation a line, so that a run that failed can be judged again.
 */
import { writeFileSync } from 'node:fs';
import { ZooKeeperError } from '../../src/client/index.js';

export interface Operation {
  readonly workload: string;
  /** Whoever asks for one thing after the other. */
  readonly process: number;
  readonly name: string;
  /** The node, or whatever else operations have to have in common to concern each other. */
  readonly key: string;
  readonly input?: unknown;
  readonly startMs: number;
  /** When it was answered, or given up. */
  endMs: number;
  /** `failed` has certainly not happened; `unknown` may have, or may still. */
  outcome: 'ok' | 'failed' | 'unknown';
  output?: unknown;
  /** The name of the error; of a program's own error also its message. */
  error?: string;
}

export type Ask = Pick<Operation, 'process' | 'name' | 'key' | 'input'>;

export class History {
  readonly operations: Operation[] = [];

  constructor(private readonly originMs = performance.now()) {}

  get nowMs(): number {
    return performance.now() - this.originMs;
  }

  /** Carries an operation out and notes what comes of it. Never rejects: undefined unless it went well. */
  async call<T>(
    workload: string,
    ask: Ask,
    work: () => Promise<T>,
    output: (result: T) => unknown,
  ): Promise<T | undefined> {
    // It counts as asked for from now on, and as unanswered until it is.
    const operation: Operation = {
      workload,
      ...ask,
      startMs: this.nowMs,
      endMs: Number.POSITIVE_INFINITY,
      outcome: 'unknown',
    };
    this.operations.push(operation);
    try {
      const result = await work();
      operation.endMs = this.nowMs;
      operation.outcome = 'ok';
      operation.output = output(result);
      return result;
    } catch (error) {
      operation.endMs = this.nowMs;
      const isKnown = error instanceof ZooKeeperError;
      operation.outcome = isKnown && !error.maybeApplied ? 'failed' : 'unknown';
      operation.error = isKnown ? error.name : String(error);
      return undefined;
    }
  }

  /** Notes something that takes no time. */
  note(workload: string, ask: Ask, output?: unknown): void {
    const nowMs = this.nowMs;
    this.operations.push({ workload, ...ask, startMs: nowMs, endMs: nowMs, outcome: 'ok', output });
  }

  save(file: string): void {
    writeFileSync(file, this.operations.map((operation) => `${JSON.stringify(operation)}\n`).join(''));
  }
}

/** The longest time between two moments at which something happened, the two ends of the whole time included. */
export function longestGapMs(momentsMs: readonly number[], fromMs: number, toMs: number): number {
  let lastMs = fromMs;
  let longestMs = 0;
  for (const momentMs of [...momentsMs.filter((ms) => ms >= fromMs && ms <= toMs).sort((a, b) => a - b), toMs]) {
    longestMs = Math.max(longestMs, momentMs - lastMs);
    lastMs = momentMs;
  }
  return longestMs;
}
