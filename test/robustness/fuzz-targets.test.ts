/**
 * A short run of the fuzzer against everything that can be attacked without a process of its own; `npm run fuzz` makes
 * it long. A failure prints its seed.
 */
import { jest } from '@jest/globals';
import { fuzz } from '../fuzz/loop.js';
import { TARGETS } from '../fuzz/targets/index.js';

jest.setTimeout(120_000);

const CASES = 150;
const seed = Number(process.env.ZABRA_FUZZ_SEED ?? Date.now() % 1_000_000_000);

test.each(TARGETS.filter(({ isInProcess }) => isInProcess))(`$name: $promise (seed ${seed})`, async (target) => {
  const { failures, cases } = await fuzz(target, { cases: CASES, seed, failuresMax: 1, onProgress: () => {} });
  expect(failures.map(({ error, input }) => `${error.message} ${Buffer.from(input).toString('hex')}`)).toEqual([]);
  expect(cases).toBe(CASES);
});
