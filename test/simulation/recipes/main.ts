/**
 * Recipes in simulation, from the command line. Exit code 1 when something was found.
 *
 *   npm run sim:recipes -- --recipe lock --seed 17            one run, told as a story
 *   npm run sim:recipes -- --seeds 1000 [--from 1] [--recipe lock]
 */
import { parseArgs } from 'node:util';
import { Story } from '../story.js';
import { Play } from './play.js';
import { RECIPES } from './recipes.js';

const HELP = `npm run sim:recipes -- --recipe NAME --seed N [--quiet]      one run, told as a story
npm run sim:recipes -- --seeds COUNT [--from N] [--recipe NAME]   many runs, of all recipes or one
  --trouble MS    how long things go wrong in a run, in virtual ms (default 8000)
  --failures N    stop after this many failures (default 10)
recipes: ${RECIPES.map(({ name }) => name).join(', ')}
`;

const { values } = parseArgs({
  options: {
    recipe: { type: 'string' },
    seed: { type: 'string' },
    seeds: { type: 'string' },
    from: { type: 'string', default: '1' },
    trouble: { type: 'string' },
    failures: { type: 'string', default: '10' },
    quiet: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function main(): Promise<boolean> {
  const recipes = RECIPES.filter(({ name }) => values.recipe === undefined || values.recipe === name);
  if (values.help || recipes.length === 0 || (values.seed === undefined && values.seeds === undefined)) {
    process.stdout.write(HELP);
    return recipes.length > 0;
  }
  const troubleMs = values.trouble === undefined ? undefined : Number(values.trouble);
  let failures = 0;
  if (values.seed !== undefined) {
    for (const recipe of recipes) {
      const story = new Story(values.quiet ? undefined : say);
      const play = new Play(Number(values.seed), { troubleMs, story });
      try {
        await play.run(recipe);
        say(`\n${[...play.counts].map(([what, count]) => `${what} ${count}`).join(', ')}`);
        say(`seed ${values.seed}: ${recipe.name} is as it should be; trace ${play.world.traceHash}`);
      } catch (error) {
        failures++;
        say(`\nseed ${values.seed} FAILED: ${recipe.name}: ${(error as Error).stack}`);
      }
    }
    return failures === 0;
  }
  const from = Number(values.from);
  for (const recipe of recipes) {
    const counts = new Map<string, number>();
    const startMs = performance.now();
    let seed = from;
    for (; seed < from + Number(values.seeds) && failures < Number(values.failures); seed++) {
      const play = new Play(seed, { troubleMs });
      try {
        await play.run(recipe);
      } catch (error) {
        failures++;
        say(`seed ${seed} FAILED: ${recipe.name}: ${(error as Error).message.slice(0, 300)}`);
        say(`    npm run sim:recipes -- --recipe ${recipe.name} --seed ${seed}`);
      }
      for (const [what, times] of play.counts) counts.set(what, (counts.get(what) ?? 0) + times);
    }
    const perSecond = ((seed - from) / (performance.now() - startMs)) * 1000;
    const told = [...counts].filter(([what]) => !/^(fault|trouble) /.test(what));
    const what = told.map(([name, count]) => `${name} ${count}`).join(', ');
    say(`${recipe.name}: ${seed - from} seeds, ${failures} failures in all, ${perSecond.toFixed(0)} a second; ${what}`);
  }
  return failures === 0;
}

if (!(await main())) process.exitCode = 1;
