/**
 * Every recipe in virtual time, with everything going wrong that can: some seeds that are always the same, and some that
 * are new in every run of the tests.
 *
 * ZABRA_RECIPE_SEEDS: how many seeds for each recipe. A failure names the command that repeats it as a story.
 */
import { Play } from './play.js';
import { RECIPES } from './recipes.js';

const COUNT = Number(process.env.ZABRA_RECIPE_SEEDS ?? 4);
const TIMEOUT_MS = 600_000;
/** Shorter than from the command line. */
const TROUBLE_MS = 3000;
const FRESH_RANGE = 2 ** 31;
const freshFrom = 1_000_000 + Math.floor(Math.random() * FRESH_RANGE);
const SEEDS = Array.from({ length: COUNT }, (_, i) => (i < COUNT / 2 ? i + 1 : freshFrom + i));

/** What must have happened, over all seeds of a recipe: otherwise they prove little. */
const MUST_HAPPEN: Readonly<Record<string, readonly string[]>> = {
  lock: ['held the lock'],
  'read-write-lock': ['held the catalogue'],
  semaphore: ['held a permit'],
  'multi-lock': ['held /accounts/1'],
  election: ['held the office', 'leaders observed'],
  barrier: ['gates passed'],
  'double-barrier': ['entered', 'left'],
  queue: ['deliveries', 'items put'],
  'priority-queue': ['deliveries', 'items put'],
  'delay-queue': ['deliveries', 'items put'],
  counter: ['additions'],
  'shared-value': ['updates'],
  config: ['writes', 'changes seen'],
  'node-cache': ['changes', 'updates of the cache'],
  'tree-cache': ['changes', 'updates of the cache', 'removals seen'],
  'persistent-node': ['nodes made'],
  'group-membership': ['joined', 'groups observed'],
  partitioner: ['partitions owned'],
  'service-discovery': ['picked', 'registered'],
  'protected-create': ['created'],
};
const TROUBLES = [
  'trouble freeze',
  'trouble kill',
  'trouble blocked network',
  'trouble cut connection',
  'trouble expired session',
  'fault crash',
  'fault partition',
  'fault full disk',
];

describe('recipes in simulation', () => {
  const troubles = new Map<string, number>();
  test.each(RECIPES.map((recipe) => [recipe.name, recipe] as const))(
    '%s',
    async (name, recipe) => {
      const counts = new Map<string, number>();
      for (const seed of SEEDS) {
        const play = new Play(seed, { troubleMs: TROUBLE_MS });
        try {
          await play.run(recipe);
        } catch (error) {
          const how = `npm run sim:recipes -- --recipe ${name} --seed ${seed} --trouble ${TROUBLE_MS}`;
          throw new Error(`seed ${seed} (${how}): ${(error as Error).message}`, { cause: error });
        }
        for (const [what, times] of play.counts) counts.set(what, (counts.get(what) ?? 0) + times);
      }
      for (const [what, times] of counts) troubles.set(what, (troubles.get(what) ?? 0) + times);
      expect(MUST_HAPPEN[name].filter((what) => !counts.has(what))).toEqual([]);
    },
    TIMEOUT_MS,
  );

  test('the runs contain what they are to survive', () => {
    expect(TROUBLES.filter((what) => !troubles.has(what))).toEqual([]);
  });

  test('the same seed gives the same run', async () => {
    const traceOf = async (seed: number) => {
      const play = new Play(seed, { troubleMs: TROUBLE_MS });
      await play.run(RECIPES[0]);
      return play.world.traceHash;
    };
    expect(await traceOf(3)).toBe(await traceOf(3));
    expect(await traceOf(3)).not.toBe(await traceOf(4));
  });
});
