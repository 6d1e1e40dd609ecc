/** The simulation notices every mutant, within a few seeds; and nothing when nothing is broken. */
import { join } from 'node:path';
import { formatVerdicts, MUTANTS, MutantLab, type Verdict } from './mutants.js';

const SEEDS_MAX = 150;
const TIMEOUT_MS = 300_000;

describe('mutants', () => {
  let lab: MutantLab;
  const verdicts: Verdict[] = [];

  beforeAll(async () => {
    lab = await MutantLab.create(join(import.meta.dirname, '..', '..', '..'));
  });

  afterAll(async () => {
    await lab[Symbol.asyncDispose]();
    process.stdout.write(`${formatVerdicts(verdicts)}\n`);
  });

  test.each(MUTANTS)(
    '$name',
    async (mutant) => {
      const verdict = await lab.run(mutant, SEEDS_MAX);
      verdicts.push(verdict);
      expect(verdict.violation).not.toBeNull();
    },
    TIMEOUT_MS,
  );

  test(
    'nothing is found where nothing is broken',
    async () => {
      expect(await lab.run({ name: 'none', edits: [] }, 10)).toEqual({ mutant: 'none', violation: null, seeds: 10 });
    },
    TIMEOUT_MS,
  );
});
