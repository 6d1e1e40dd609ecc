/**
 * Every write that was acknowledged is found again on every server, with its content; one that was refused is not.
 * Some nodes are small and some are large, and several are on their way at once.
 */
import type { Operation } from '../history.js';
import { brief, pace, processNumbers, textOf, type Workload } from './workload.js';

/** Each is a lane of its own; they share clients. */
const PROCESSES = 6;
const CLIENTS = 2;
const PACE_MS = 50;
const LARGE_BYTES = 20_000;
const READS_AT_ONCE = 100;

export const durability: Workload = {
  name: 'durability',
  promise: 'what was acknowledged is found on every server, what was refused on none',

  async begin(stage) {
    const clients = await Promise.all(processNumbers(CLIENTS).map(() => stage.connect()));
    const run = async (process: number): Promise<void> => {
      const client = clients[process % CLIENTS];
      for (let step = 0; !stage.isOver; step++) {
        const name = `${process}-${step}`;
        const content = stage.random.int(8) === 0 ? name.padEnd(LARGE_BYTES, '.') : name;
        const ask = { process, name: 'create', key: name, input: content.length };
        await stage.call(
          ask,
          () => client.create(`${stage.root}/${name}`, content),
          () => true,
        );
        await pace(stage, PACE_MS);
      }
    };
    return {
      processes: processNumbers(PROCESSES).map((process) => () => run(process)),
      async finish(readers) {
        for (const { server, client } of readers) {
          const process = PROCESSES + server;
          const names = await client.children(stage.root);
          const find = (name: string) =>
            stage.call(
              { process, name: 'find', key: name },
              async () => textOf((await client.get(`${stage.root}/${name}`)).data),
              (content) => (content.replace(/\.*$/, '') === name ? content.length : 'another content'),
            );
          while (names.length > 0) await Promise.all(names.splice(0, READS_AT_ONCE).map(find));
          stage.note({ process, name: 'searched', key: '' });
        }
      },
    };
  },

  check(operations) {
    const created = operations.filter(({ name }) => name === 'create');
    const searched = operations.filter(({ name }) => name === 'searched');
    return searched.flatMap(({ process }) => {
      const found = operations.filter((one) => one.name === 'find' && one.process === process);
      return checkFound(created, new Map(found.map((one) => [one.key, one])));
    });
  },
};

function checkFound(created: readonly Operation[], found: ReadonlyMap<string, Operation>): string[] {
  const lost = created.filter(({ outcome, key }) => outcome === 'ok' && !found.has(key));
  if (lost.length > 0) return [`${lost.length} acknowledged and lost: ${brief(lost[0])}`];
  for (const operation of created) {
    const there = found.get(operation.key);
    if (there === undefined) continue;
    if (operation.outcome === 'failed') return [`refused and found: ${brief(operation)} and ${brief(there)}`];
    if (there.outcome === 'ok' && there.output !== operation.input) {
      return [`another content: ${brief(operation)} and ${brief(there)}`];
    }
  }
  return [];
}
