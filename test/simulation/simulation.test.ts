/**
 * The whole server in virtual time, with everything going wrong that can: thousands of runs, each from one seed.
 *
 * ZABRA_SIM_SEEDS: how many seeds (default below). ZABRA_SIM_SEED: only this one, the way to replay a failure.
 */
import { checkDurability } from './checkers/durability.js';
import { checkOrder } from './checkers/order.js';
import { checkReads } from './checkers/reads.js';
import { checkSessions } from './checkers/sessions.js';
import { checkState } from './checkers/state.js';
import { checkWatches } from './checkers/watches.js';
import { Replay } from './replay.js';
import { type Run, runSeed } from './scenario.js';

const SEEDS_DEFAULT = 800;
const { ZABRA_SIM_SEED, ZABRA_SIM_SEEDS } = process.env;
const FIRST = Number(ZABRA_SIM_SEED ?? 1);
const COUNT = ZABRA_SIM_SEED === undefined ? Number(ZABRA_SIM_SEEDS ?? SEEDS_DEFAULT) : 1;
const PER_TEST = 50;
const TIMEOUT_MS = 600_000;

function checkRun(seed: number): Run {
  try {
    const run = runSeed(seed);
    const replay = new Replay(run.server.disk.archive);
    checkDurability(run, replay);
    checkState(run, replay);
    checkOrder(run);
    checkReads(run, replay);
    checkWatches(run, replay);
    checkSessions(run, replay);
    return run;
  } catch (error) {
    throw new Error(`seed ${seed} (ZABRA_SIM_SEED=${seed} replays it): ${(error as Error).message}`, { cause: error });
  }
}

describe('simulation', () => {
  for (let first = FIRST; first < FIRST + COUNT; first += PER_TEST) {
    const last = Math.min(first + PER_TEST, FIRST + COUNT) - 1;
    test(
      `seeds ${first} to ${last}: nothing answered is lost, nobody sees anything out of order`,
      () => {
        for (let seed = first; seed <= last; seed++) checkRun(seed);
      },
      TIMEOUT_MS,
    );
  }

  test('the same seed gives the same run', () => {
    for (const seed of [FIRST, FIRST + 1, FIRST + 2]) {
      expect(runSeed(seed).world.traceHash).toBe(runSeed(seed).world.traceHash);
    }
    expect(runSeed(FIRST).world.traceHash).not.toBe(runSeed(FIRST + 1).world.traceHash);
  });

  test('the runs contain what they are to survive', () => {
    const seen = {
      answeredWrites: 0,
      refused: 0,
      events: 0,
      resumes: 0,
      expiries: 0,
      restarts: 0,
      checkpoints: 0,
      epochs: 0,
    };
    for (let seed = FIRST; seed < FIRST + 20; seed++) {
      const run = runSeed(seed);
      for (const observation of run.history) {
        if (observation.kind !== 'received') continue;
        const { item } = observation;
        if (item.kind === 'event') seen.events++;
        if (item.kind === 'reply' && item.operation === 'setWatches') seen.resumes++;
        if (item.kind === 'reply' && item.operation === 'create' && item.code === 0) seen.answeredWrites++;
        if (item.kind === 'reply' && item.code === -1) seen.refused++;
      }
      seen.expiries += run.expiries.length;
      seen.restarts += run.recoveries.length - 1;
      seen.checkpoints += run.server.disk.checkpoint === null ? 0 : 1;
      seen.epochs += run.server.disk.currentEpoch > run.recoveries.length ? 1 : 0;
    }
    for (const [what, count] of Object.entries(seen)) expect(`${what}: ${count}`).not.toBe(`${what}: 0`);
  });
});
