/**
 * The same bytes to real ZooKeeper and to the target: every reply, every event and every closed connection must be the
 * same after masking (observe.ts), except for the differences that are listed with a reason (differences.ts).
 *
 * With ZABRA_INTEROP_TARGET=zookeeper two real ones are compared, which shows that the comparison itself is stable.
 * ZABRA_DIFFERENTIAL_SEEDS=from..to chooses other seeds, ZABRA_DIFFERENTIAL_STEPS the length of a case. A failing seed
 * prints the first step that differs and the steps before it, and fails again when run alone.
 */
import type { ServerUnderTest } from '../../helpers/processes.js';
import { startZooKeeper, whyNoZooKeeper } from '../../helpers/real-zookeeper.js';
import { describeUnless, startTarget, targetName, whyNoTarget } from '../target.js';
import { unexplained } from './differences.js';
import { generate } from './generator.js';
import { type Observation, observe } from './observe.js';
import { describeStep } from './steps.js';

const [FROM, TO] = (process.env.ZABRA_DIFFERENTIAL_SEEDS ?? '1..24').split('..').map(Number);
const STEPS = Number(process.env.ZABRA_DIFFERENTIAL_STEPS ?? 80);
const STEPS_SHOWN = 6;
const SETTINGS = { minSessionTimeout: '1000', maxSessionTimeout: '600000' };

function report(reference: readonly Observation[], ours: readonly Observation[]): string {
  for (const [i, { step, seen }] of reference.entries()) {
    const pairs = unexplained(seen, ours[i].seen, step);
    if (pairs.length === 0) continue;
    const before = reference.slice(Math.max(0, i - STEPS_SHOWN), i);
    return [
      `step ${i} is answered differently`,
      ...before.flatMap((past) => [
        `  before: ${describeStep(past.step)}`,
        ...past.seen.map((item) => `            ${JSON.stringify(item)}`),
      ]),
      `  step:   ${describeStep(step)}`,
      ...pairs.flatMap(([theirs, mine]) => [
        `    zookeeper: ${JSON.stringify(theirs) ?? '(nothing)'}`,
        `    ${targetName()}: ${JSON.stringify(mine) ?? '(nothing)'}`,
      ]),
    ].join('\n');
  }
  return '';
}

describeUnless([whyNoZooKeeper(), whyNoTarget()], `differential: ZooKeeper 3.8 and ${targetName()}`, () => {
  let reference: ServerUnderTest;
  let target: ServerUnderTest;
  beforeAll(async () => {
    [reference, target] = await Promise.all([startZooKeeper(SETTINGS), startTarget(SETTINGS)]);
  });
  afterAll(async () => {
    await Promise.all([reference?.[Symbol.asyncDispose](), target?.[Symbol.asyncDispose]()]);
  });

  test.each(Array.from({ length: TO - FROM + 1 }, (_, i) => FROM + i))('seed %i', async (seed) => {
    const steps = generate(seed, STEPS);
    const [theirs, ours] = await Promise.all([observe(reference.port, steps), observe(target.port, steps)]);
    expect(report(theirs, ours)).toBe('');
  });
});
