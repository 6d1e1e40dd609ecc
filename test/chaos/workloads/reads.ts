/**
 * Plain reads: they may be behind, but a client never goes back in time, not even when it moves to another server, and sees
 * what it has written itself (E3). A version of a node has one content, whoever reads it, and somebody has asked for it.
 */
import type { Operation } from '../history.js';
import { brief, groupBy, pace, processNumbers, textOf, type Workload } from './workload.js';

const PROCESSES = 3;
const KEYS = 2;
const PACE_MS = 15;

interface Seen {
  readonly version: number;
  /** A write tells no content back. */
  readonly value?: string;
}

export const reads: Workload = {
  name: 'reads',
  promise: 'no client goes back in time; it sees its own writes',

  async begin(stage) {
    const keys = processNumbers(KEYS).map((number) => `${stage.root}/k${number}`);
    const clients = await Promise.all(processNumbers(PROCESSES).map(() => stage.connect()));
    for (const key of keys) await clients[0].create(key, '');
    for (const client of clients) await client.sync(stage.root);
    const run = async (process: number): Promise<void> => {
      const client = clients[process];
      for (let step = 0; !stage.isOver; step++) {
        const key = stage.random.pick(keys);
        const value = `${process}.${step}`;
        if (stage.random.int(4) === 0) {
          const ask = { process, name: 'write', key, input: value };
          await stage.call(
            ask,
            () => client.set(key, value),
            ({ version }): Seen => ({ version }),
          );
        } else {
          const output = ({ data, stat }: Awaited<ReturnType<typeof client.get>>): Seen => ({
            version: stat.version,
            value: textOf(data),
          });
          await stage.call({ process, name: 'read', key }, () => client.get(key), output);
        }
        await pace(stage, PACE_MS);
      }
    };
    return { processes: clients.map((_, process) => () => run(process)) };
  },

  check(operations) {
    const wrong: string[] = [];
    for (const group of groupBy(operations, ({ key }) => key).values()) {
      for (const own of groupBy(group, ({ process }) => process).values()) wrong.push(...checkOrder(own));
      wrong.push(...checkContents(group));
    }
    return wrong;
  },
};

function checkOrder(operations: readonly Operation[]): string[] {
  let last: Operation | undefined;
  let seen = 0;
  for (const operation of operations) {
    if (operation.outcome !== 'ok') continue;
    const { version } = operation.output as Seen;
    if (version < seen) return [`back in time: ${brief(operation)} after ${brief(last as Operation)}`];
    seen = version;
    last = operation;
  }
  return [];
}

function checkContents(operations: readonly Operation[]): string[] {
  const asked = new Set(['', ...operations.filter(({ name }) => name === 'write').map(({ input }) => input)]);
  const contents = new Map<number, Operation>();
  for (const operation of operations) {
    if (operation.outcome !== 'ok') continue;
    const { version } = operation.output as Seen;
    const value = contentOf(operation);
    if (!asked.has(value)) return [`nobody wrote that: ${brief(operation)}`];
    const other = contents.get(version);
    if (other !== undefined && contentOf(other) !== value) {
      return [`one version, two contents: ${brief(other)} and ${brief(operation)}`];
    }
    contents.set(version, operation);
  }
  return [];
}

function contentOf({ name, input, output }: Operation): unknown {
  return name === 'write' ? input : (output as Seen).value;
}
