/**
 * The same bytes to real ZooKeeper and to the target: every reply, every event and every closed connection must be the
 * same after masking (observe.ts), except for the differences that are listed with a reason (differences.ts).
 *
 * With ZABRA_INTEROP_TARGET=zookeeper two real ones are compared, which shows that the comparison itself is stable.
 * ZABRA_DIFFERENTIAL_SEEDS=from..to chooses other seeds, ZABRA_DIFFERENTIAL_STEPS the length of a case. A failing seed
 * is made smaller first and then printed as the steps that are needed, with all that came back.
 */
import type { ServerUnderTest } from '../../helpers/processes.js';
import { startZooKeeper, whyNoZooKeeper } from '../../helpers/real-zookeeper.js';
import { describeUnless, startTarget, targetName, whyNoTarget } from '../target.js';
import { unexplained } from './differences.js';
import { generate } from './generator.js';
import { type Observation, observe } from './observe.js';
import { shrink } from './shrink.js';
import { describeStep, type Step } from './steps.js';

const [FROM, TO] = (process.env.ZABRA_DIFFERENTIAL_SEEDS ?? '1..24').split('..').map(Number);
const STEPS = Number(process.env.ZABRA_DIFFERENTIAL_STEPS ?? 80);
const SHRINK_BUDGET_MS = 20_000;
const CASE_TIMEOUT_MS = 90_000;
const RESTARTS = 3;
/** Cases with a restart have seeds, and so nodes, of their own. */
const RESTART_SEED_BASE = 1_000_000;
const SETTINGS = { minSessionTimeout: '1000', maxSessionTimeout: '600000' };

/** The first step that is answered differently, in words, and its index; undefined when there is none. */
function firstDifference(
  reference: readonly Observation[],
  ours: readonly Observation[],
): { readonly index: number; readonly text: string } | undefined {
  for (const [index, { step, seen }] of reference.entries()) {
    const pairs = unexplained(seen, ours[index].seen, step);
    if (pairs.length === 0) continue;
    const before = reference
      .slice(0, index)
      .flatMap((past) => [
        `  before:    ${describeStep(past.step)}`,
        ...past.seen.map((item) => `             ${JSON.stringify(item)}`),
      ]);
    const differing = pairs.flatMap(([theirs, mine]) => [
      `  zookeeper: ${JSON.stringify(theirs) ?? '(nothing)'}`,
      `  ${targetName()}:${' '.repeat(10 - targetName().length)}${JSON.stringify(mine) ?? '(nothing)'}`,
    ]);
    return { index, text: [...before, `  step:      ${describeStep(step)}`, ...differing].join('\n') };
  }
  return undefined;
}

describeUnless([whyNoZooKeeper(), whyNoTarget()], `differential: ZooKeeper 3.8 and ${targetName()}`, () => {
  let reference: ServerUnderTest;
  let target: ServerUnderTest;
  // A pair of servers is kept as long as the cases pass: what a failed one left behind would fail the next too.
  let equal = false;
  const endBoth = () => Promise.all([reference?.[Symbol.asyncDispose](), target?.[Symbol.asyncDispose]()]);
  afterAll(endBoth);

  const seeds = Array.from({ length: TO - FROM + 1 }, (_, i) => FROM + i);
  const freshPair = async () => {
    await endBoth();
    [reference, target] = await Promise.all([startZooKeeper(SETTINGS), startTarget(SETTINGS)]);
  };
  const difference = async (steps: readonly Step[]) => {
    const [theirs, ours] = await Promise.allSettled([observe(reference, steps), observe(target, steps)]);
    if (theirs.status === 'rejected') throw theirs.reason;
    if (!target.alive) return { index: steps.length - 1, text: `${target.name} ended by itself\n${target.log()}` };
    if (ours.status === 'rejected') throw ours.reason;
    return firstDifference(theirs.value, ours.value);
  };

  /** Fails with the smallest case found, when the steps that `make` gives (for nodes of that name) differ. */
  const compare = async (seed: number, make: (name: string) => readonly Step[]) => {
    if (!equal) await freshPair();
    equal = false;
    const whole = await difference(make(String(seed)));
    equal = whole === undefined;
    if (whole === undefined) return;
    let tries = 0;
    let smallest = whole;
    const fails = async (chosen: readonly number[]) => {
      if (!target.alive) await freshPair();
      const steps = make(`${seed}-${++tries}`);
      const found = await difference(chosen.map((index) => steps[index]));
      if (found !== undefined) smallest = found;
      return found !== undefined;
    };
    await shrink([...Array(whole.index + 1).keys()], fails, SHRINK_BUDGET_MS);
    throw new Error(`seed ${seed}: answered differently at step ${whole.index}; a smaller case:\n${smallest.text}`);
  };

  test.each(seeds)('seed %i', (seed) => compare(seed, (name) => generate(seed, STEPS, name)), CASE_TIMEOUT_MS);

  // E26, E27, E29: what only a restart shows, counters above all.
  test.each(seeds.slice(0, RESTARTS).map((seed) => seed + RESTART_SEED_BASE))(
    'seed %i with a restart',
    (seed) =>
      compare(seed, (name) => {
        const steps = generate(seed, STEPS, name);
        const half = Math.floor(steps.length / 2);
        return [...steps.slice(0, half), { kind: 'restart' }, ...steps.slice(half)];
      }),
    CASE_TIMEOUT_MS,
  );
});
