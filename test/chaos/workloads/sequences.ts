/**
 * Sequential nodes: no number is given out twice, later ones are greater, and every one that was told to somebody is found
 * on all servers, which have the same.
 */
import type { Operation } from '../history.js';
import { brief, pace, processNumbers, type Workload } from './workload.js';

const PROCESSES = 3;
const PACE_MS = 25;
const DIGITS = 10;

export const sequences: Workload = {
  name: 'sequences',
  promise: 'numbers are given out once, rise in time, and stay',

  async begin(stage) {
    const clients = await Promise.all(processNumbers(PROCESSES).map(() => stage.connect()));
    const run = async (process: number): Promise<void> => {
      while (!stage.isOver) {
        const ask = { process, name: 'create', key: stage.root };
        const create = () => clients[process].create(`${stage.root}/s-`, null, { sequential: true });
        await stage.call(ask, create, ({ path }) => numberOf(path));
        await pace(stage, PACE_MS);
      }
    };
    return {
      processes: clients.map((_, process) => () => run(process)),
      async finish(readers) {
        for (const { server, client } of readers) {
          const list = async () => (await client.children(stage.root)).map(numberOf).sort((a, b) => a - b);
          const ask = { process: PROCESSES + server, name: 'list', key: stage.root };
          await stage.call(ask, list, (numbers) => numbers);
        }
      },
    };
  },

  check(operations) {
    const created = operations.filter(({ name, outcome }) => name === 'create' && outcome === 'ok');
    const lists = operations.filter(({ name, outcome }) => name === 'list' && outcome === 'ok');
    return [...checkOnce(created), ...checkOrder(created), ...checkKept(created, lists)];
  },
};

function numberOf(path: string): number {
  return Number(path.slice(-DIGITS));
}

function checkOnce(created: readonly Operation[]): string[] {
  const given = new Map<unknown, Operation>();
  for (const operation of created) {
    const other = given.get(operation.output);
    if (other !== undefined) return [`a number was given out twice: ${brief(other)} and ${brief(operation)}`];
    given.set(operation.output, operation);
  }
  return [];
}

/** What was answered before another was asked for has a lower number. */
function checkOrder(created: readonly Operation[]): string[] {
  const byStart = [...created].sort((a, b) => a.startMs - b.startMs);
  const byEnd = [...created].sort((a, b) => a.endMs - b.endMs);
  let ended = 0;
  let highest: Operation | undefined;
  for (const operation of byStart) {
    for (; ended < byEnd.length && byEnd[ended].endMs < operation.startMs; ended++) {
      if (highest === undefined || (byEnd[ended].output as number) > (highest.output as number)) highest = byEnd[ended];
    }
    if (highest !== undefined && (highest.output as number) > (operation.output as number)) {
      return [`a later number is lower: ${brief(operation)} after ${brief(highest)}`];
    }
  }
  return [];
}

function checkKept(created: readonly Operation[], lists: readonly Operation[]): string[] {
  const wrong: string[] = [];
  for (const list of lists) {
    const found = new Set(list.output as number[]);
    const missing = created.filter(({ output }) => !found.has(output as number));
    if (missing.length > 0)
      wrong.push(`${missing.length} lost, as found by process ${list.process}: ${brief(missing[0])}`);
    if (JSON.stringify(list.output) !== JSON.stringify(lists[0].output)) {
      wrong.push(`processes ${lists[0].process} and ${list.process} find different nodes`);
    }
  }
  return wrong;
}
