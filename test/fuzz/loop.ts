/**
 * Runs cases against a target: fresh ones by its grammar, spoiled ones, and variations of those that have reached code
 * that nothing before them had. A case that takes too long is a hang; memory that is still held at the end, beyond what
 * was held after the first tenth, is a leak.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Random } from '../../src/std/random.js';
import { Coverage } from './coverage.js';
import { crossed, mutated, spoiled } from './mutate.js';
import type { Subject, Target } from './target.js';

/** A case that takes longer hangs, whatever else the machine does. */
const HANG_MS = 10_000;
const LEAK_BYTES = 150 * 1_048_576;
const GROUP = 200;
const KEPT_OF_GROUP = 4;
const POOL_MAX = 2000;

export interface Failure {
  /** Number of the case: the run repeats it with the same seed. */
  readonly at: number;
  readonly input: Uint8Array;
  readonly error: Error;
}

export interface Tally {
  readonly cases: number;
  readonly secs: number;
  readonly slowestMs: number;
  /** Inputs that are varied: those of the corpus, and those that have reached something new. */
  readonly pool: readonly Uint8Array[];
  readonly found: number;
  readonly grownBytes: number;
  readonly failures: readonly Failure[];
}

export interface LoopOptions {
  readonly cases: number;
  readonly seed: number;
  readonly failuresMax: number;
  onProgress(done: number): void;
}

export async function fuzz(target: Target, options: LoopOptions): Promise<Tally> {
  const subject = await target.start();
  const coverage = target.isInProcess ? await Coverage.start() : null;
  const run = new Run(target, subject, coverage, options);
  try {
    return await run.all();
  } finally {
    coverage?.stop();
    await subject.stop();
  }
}

class Run {
  private readonly failures: Failure[] = [];
  private readonly pool: Uint8Array[];
  private readonly random: Random;
  private group: Uint8Array[] = [];
  private next = 0;
  private found = 0;
  private slowestMs = 0;
  private settledBytes = 0;

  constructor(
    private readonly target: Target,
    private readonly subject: Subject,
    private readonly coverage: Coverage | null,
    private readonly options: LoopOptions,
  ) {
    this.pool = keptInputs(target.name);
    this.random = new Random(options.seed);
  }

  async all(): Promise<Tally> {
    const { cases, onProgress } = this.options;
    const startMs = performance.now();
    // What was kept is tried first as it is: most of it once was a finding.
    for (const input of [...this.pool]) await this.one(-1, input);
    await Promise.all(Array.from({ length: this.target.lanes }, () => this.lane(onProgress)));
    await this.guarded(cases, new Uint8Array(0), () => this.subject.check());
    const grownBytes = this.settledBytes === 0 ? 0 : heldBytes() - this.settledBytes;
    if (grownBytes > LEAK_BYTES && this.target.isInProcess) {
      const error = new Error(
        `${Math.round(grownBytes / 1_048_576)} MiB more are held than after a tenth of the cases`,
      );
      this.failures.push({ at: cases, input: new Uint8Array(0), error });
    }
    const { found, slowestMs, failures, pool } = this;
    const secs = (performance.now() - startMs) / 1000;
    return { cases: Math.min(this.next, cases), secs, slowestMs, pool, found, grownBytes, failures };
  }

  private async lane(onProgress: (done: number) => void): Promise<void> {
    const { cases, failuresMax } = this.options;
    while (this.next < cases && this.failures.length < failuresMax) {
      const at = this.next++;
      const input = this.input();
      await this.one(at, input);
      if (this.coverage !== null) await this.judge(input);
      if (at % 10_000 === 0) onProgress(at);
      if (at === Math.floor(cases / 10)) this.settledBytes = heldBytes();
    }
  }

  private input(): Uint8Array {
    const { random, target, pool } = this;
    const choice = random.int(10);
    if (choice < 4 || pool.length === 0) return target.generate(random);
    if (choice < 6) return mutated(random, target.generate(random));
    const kept = random.pick(pool);
    if (choice === 9) return crossed(random, kept, random.pick(pool));
    return choice === 8 ? spoiled(random, spoiled(random, kept)) : spoiled(random, kept);
  }

  private one(at: number, input: Uint8Array): Promise<void> {
    return this.guarded(at, input, () => this.subject.run(input));
  }

  private async guarded(at: number, input: Uint8Array, action: () => void | Promise<void>): Promise<void> {
    const startMs = performance.now();
    try {
      const running = action();
      if (running !== undefined) await running;
      const tookMs = performance.now() - startMs;
      this.slowestMs = Math.max(this.slowestMs, tookMs);
      if (tookMs > HANG_MS) throw new Error(`took ${Math.round(tookMs)} ms`);
    } catch (error) {
      this.failures.push({ at, input, error: error as Error });
    }
  }

  private async judge(input: Uint8Array): Promise<void> {
    this.group.push(input);
    if (this.group.length < GROUP) return;
    const { random, pool } = this;
    const fresh = await (this.coverage as Coverage).fresh();
    if (fresh > 0) {
      this.found += fresh;
      for (let i = 0; i < KEPT_OF_GROUP; i++) {
        const kept = random.pick(this.group);
        if (pool.length < POOL_MAX) pool.push(kept);
        else pool[random.int(POOL_MAX)] = kept;
      }
    }
    this.group = [];
  }
}

/** Inputs kept in the repository. */
function keptInputs(target: string): Uint8Array[] {
  const directory = join('test/fuzz/corpus', target);
  try {
    return readdirSync(directory).map((name) => readFileSync(join(directory, name)));
  } catch {
    return []; // there are none yet
  }
}

/** Heap and buffers that are still held when garbage has been collected. */
function heldBytes(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
