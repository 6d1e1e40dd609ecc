/** One seed: the run, and everything that must hold of it. */
import { checkAgreement } from './checkers/agreement.js';
import { checkConvergence } from './checkers/convergence.js';
import { checkDurability } from './checkers/durability.js';
import { checkOrder } from './checkers/order.js';
import { checkReads } from './checkers/reads.js';
import { checkSdk } from './checkers/sdk.js';
import { checkSessions } from './checkers/sessions.js';
import { checkState } from './checkers/state.js';
import { checkSync } from './checkers/sync.js';
import { checkWatches } from './checkers/watches.js';
import { committedInOrder } from './facts.js';
import { Replay } from './replay.js';
import { type Run, type RunOptions, runSeed } from './scenario.js';

/** Runs a seed and checks it. Throws a Violation, or whatever stopped a server. */
export function checkSeed(seed: number, options: RunOptions = {}): Run {
  const run = runSeed(seed, options);
  checkRun(run);
  return run;
}

export function checkRun(run: Run): void {
  checkAgreement(run.facts);
  const replay = new Replay(committedInOrder(run.facts));
  checkDurability(run, replay);
  checkOrder(run, replay);
  checkReads(run, replay);
  checkSync(run);
  checkWatches(run, replay);
  checkConvergence(run, run.ensemble.servers.length);
  checkState(run, replay);
  checkSessions(run, replay);
  checkSdk(run, replay);
}
