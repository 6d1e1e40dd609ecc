/**
 * The Lock recipe, with fencing: no two clients believe at the same moment that they hold it, tokens rise from holder to
 * holder, and the thing that the lock guards, which refuses a token lower than the highest it has seen, never has to refuse
 * somebody who holds the lock.
 *
 * All contenders are in one process, so what they believe can be compared without a clock. Leaves out clients that are
 * stopped themselves.
 */
import { type Lease, Lock } from '../../../src/recipes/index.js';
import type { Operation } from '../history.js';
import { brief, pace, processNumbers, type Workload } from './workload.js';

const PROCESSES = 3;
const PACE_MS = 10;
const STEPS = 3;
const PATIENCE_MS = 3000;

/** Refuses whoever comes with a token that is lower than one it has seen. */
class FencedResource {
  private highest = 0n;

  write(token: bigint): boolean {
    if (token < this.highest) return false;
    this.highest = token;
    return true;
  }
}

export const locks: Workload = {
  name: 'locks',
  promise: 'one holder at a time; fencing tokens rise',

  async begin(stage) {
    const clients = await Promise.all(processNumbers(PROCESSES).map(() => stage.connect()));
    const path = `${stage.root}/lock`;
    const resource = new FencedResource();
    const leases = new Map<number, Lease>();
    /** What this process believes at this very moment. */
    const tell = (process: number, name: string) => {
      const lease = leases.get(process);
      if (lease?.isHeld !== true) return;
      const isAccepted = resource.write(lease.token);
      stage.note({ process, name, key: path }, { token: String(lease.token), isAccepted });
    };
    const run = async (process: number): Promise<void> => {
      const lock = new Lock(clients[process], path);
      while (!stage.isOver) {
        const acquire = () => lock.acquire({ signal: AbortSignal.timeout(PATIENCE_MS) });
        const lease = await stage.call({ process, name: 'acquire', key: path }, acquire, ({ token }) => String(token));
        if (lease !== undefined) {
          leases.set(process, lease);
          // Whoever still believes to hold it says so first, and is wrong: the token of the newcomer is known.
          tell(process, 'held');
          for (const other of leases.keys()) if (other !== process) tell(other, 'held');
          for (let step = 0; step < STEPS && lease.isHeld; step++) {
            await pace(stage, PACE_MS);
            tell(process, 'held');
          }
          leases.delete(process);
          await lease.release();
        }
        await pace(stage, PACE_MS);
      }
    };
    return { processes: clients.map((_, process) => () => run(process)) };
  },

  check(operations) {
    return [...checkHolders(operations), ...checkTokens(operations)];
  },
};

function checkHolders(operations: readonly Operation[]): string[] {
  let newest: Operation | undefined;
  for (const operation of operations) {
    if (operation.name !== 'held') continue;
    const { token, isAccepted } = operation.output as { token: string; isAccepted: boolean };
    if (!isAccepted) return [`a holder is refused for its token: ${brief(operation)}`];
    const last = newest?.output as { token: string } | undefined;
    if (last !== undefined && BigInt(token) < BigInt(last.token)) {
      return [`two hold the lock: ${brief(operation)} after ${brief(newest as Operation)}`];
    }
    newest = operation;
  }
  return [];
}

function checkTokens(operations: readonly Operation[]): string[] {
  const tokens = new Map<unknown, Operation>();
  for (const operation of operations) {
    if (operation.name !== 'acquire' || operation.outcome !== 'ok') continue;
    const other = tokens.get(operation.output);
    if (other !== undefined) return [`a token was given out twice: ${brief(other)} and ${brief(operation)}`];
    tokens.set(operation.output, operation);
  }
  return [];
}
