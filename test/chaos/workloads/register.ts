/**
 * Registers: set, compare-and-set by version, and reads behind a sync. Together they are linearizable, each node by itself:
 * what was answered has happened between the question and the answer, and everybody agrees on the order. (ZooKeeper itself
 * does not promise that for sync, E70; Zabra does.)
 */
import { ZooKeeperError } from '../../../src/client/index.js';
import { checkLinearizable, type Model } from '../linearizable.js';
import { brief, groupBy, pace, processNumbers, type Stage, textOf, type Workload } from './workload.js';

const PROCESSES = 4;
const KEYS = 3;
const PACE_MS = 20;

interface Register {
  readonly version: number;
  readonly value: string;
}

interface Change {
  readonly value: string;
  /** Of a compare-and-set: only if the node has this version. */
  readonly version?: number;
}

/** The answer to a compare-and-set that came too late. */
const MISMATCH = 'BadVersion';

export const REGISTER: Model<Register> = {
  initial: { version: 0, value: '' },
  apply: (state, { name, input, output, outcome }) => {
    if (name === 'read') return sameRegister(state, output as Register) ? state : undefined;
    const { value, version } = input as Change;
    const isMatch = version === undefined || version === state.version;
    if (output === MISMATCH) return isMatch ? undefined : state;
    if (!isMatch) return outcome === 'ok' ? undefined : state;
    const after = { version: state.version + 1, value };
    return outcome === 'ok' && output !== after.version ? undefined : after;
  },
  // Versions only rise.
  isTooLate: (state, { name, output }) => {
    if (output === MISMATCH || output === undefined) return false;
    return name === 'read' ? state.version > (output as Register).version : state.version >= (output as number);
  },
  nameOf: ({ version, value }) => `${version} ${value}`,
};

function sameRegister(a: Register, b: Register): boolean {
  return a.version === b.version && a.value === b.value;
}

export const register: Workload = {
  name: 'register',
  promise: 'set, compare-and-set and sync + get are linearizable',

  async begin(stage) {
    const keys = processNumbers(KEYS).map((number) => `${stage.root}/r${number}`);
    const clients = await Promise.all(processNumbers(PROCESSES).map(() => stage.connect()));
    for (const key of keys) await clients[0].create(key, '');
    const run = async (process: number): Promise<void> => {
      const client = clients[process];
      /** As far as this process knows. */
      const versions = new Map<string, number>(keys.map((key) => [key, 0]));
      const read = async (key: string) => {
        const output = await stage.call(
          { process, name: 'read', key },
          async () => {
            const synced = client.sync(key);
            synced.catch(() => {});
            const { data, stat } = await client.get(key);
            await synced;
            return { version: stat.version, value: textOf(data) };
          },
          (result) => result,
        );
        if (output !== undefined) versions.set(key, output.version);
      };
      for (let step = 0; !stage.isOver; step++) {
        const key = stage.random.pick(keys);
        const value = `${process}.${step}`;
        const dice = stage.random.int(10);
        if (dice < 4) await read(key);
        else {
          const input: Change = dice < 7 ? { value } : { value, version: versions.get(key) as number };
          const ask = { process, name: input.version === undefined ? 'set' : 'cas', key, input };
          const version = await stage.call(
            ask,
            () => change(client, key, input),
            (result) => result,
          );
          if (typeof version === 'number') versions.set(key, version);
          else await read(key);
        }
        await pace(stage, PACE_MS);
      }
    };
    return {
      processes: clients.map((_, process) => () => run(process)),
      async finish(readers) {
        for (const { server, client } of readers) {
          for (const key of keys) await finalRead(stage, PROCESSES + server, key, () => client.get(key));
        }
      },
    };
  },

  check(operations) {
    return [...groupBy(operations, ({ key }) => key)].flatMap(([key, group]) => {
      const { isLinearizable, explained, stuckAt } = checkLinearizable(group, REGISTER);
      if (isLinearizable) return [];
      const last = stuckAt.slice(0, 6).map(brief).join('; ');
      return [`${key} is not linearizable: ${explained} operations can be put in order, and then none of: ${last}`];
    });
  },
};

async function change(
  client: Awaited<ReturnType<Stage['connect']>>,
  key: string,
  { value, version }: Change,
): Promise<number | typeof MISMATCH> {
  try {
    const stat = await client.set(key, value, version === undefined ? {} : { version });
    return stat.version;
  } catch (error) {
    if (ZooKeeperError.is(error, 'BadVersion')) return MISMATCH;
    throw error;
  }
}

async function finalRead(
  stage: Stage,
  process: number,
  key: string,
  get: () => Promise<{ data: Uint8Array | null; stat: { version: number } }>,
): Promise<void> {
  const read = async () => {
    const { data, stat } = await get();
    return { version: stat.version, value: textOf(data) };
  };
  await stage.call({ process, name: 'read', key }, read, (result) => result);
}
