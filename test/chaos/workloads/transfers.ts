/**
 * Transfers between accounts, each a transaction of two conditional writes: all or nothing, so that the sum never changes,
 * not in any single state that somebody reads, and no transfer that was confirmed is undone.
 */
import type { ReadResult } from '../../../src/client/index.js';
import { ZooKeeperError } from '../../../src/client/index.js';
import type { Operation } from '../history.js';
import { brief, pace, processNumbers, textOf, type Workload } from './workload.js';

const PROCESSES = 3;
const ACCOUNTS = 4;
const BALANCE = 100;
const PACE_MS = 25;

interface Transfer {
  readonly from: number;
  readonly to: number;
}

/** All accounts in one state. */
interface Books {
  readonly balances: readonly number[];
  readonly versions: readonly number[];
}

export const transfers: Workload = {
  name: 'transfers',
  promise: 'transactions happen as a whole: the sum stays',

  async begin(stage) {
    const keys = processNumbers(ACCOUNTS).map((number) => `${stage.root}/a${number}`);
    const clients = await Promise.all(processNumbers(PROCESSES).map(() => stage.connect()));
    for (const key of keys) await clients[0].create(key, String(BALANCE));
    for (const client of clients) await client.sync(stage.root);
    const readAll = async (client: (typeof clients)[number]): Promise<Books> => {
      return toBooks(await client.multiRead(keys.map((key) => ({ get: key }))));
    };
    const run = async (process: number): Promise<void> => {
      const client = clients[process];
      while (!stage.isOver) {
        const ask = { process, name: 'books', key: stage.root };
        const books = await stage.call(
          ask,
          () => readAll(client),
          (result) => result,
        );
        if (books !== undefined) {
          const [from, to] = stage.random.shuffle(processNumbers(ACCOUNTS));
          const amount = 1 + stage.random.int(9);
          const { balances, versions } = books;
          const transfer = client
            .transaction()
            .set(keys[from], String(balances[from] - amount), { version: versions[from] })
            .set(keys[to], String(balances[to] + amount), { version: versions[to] });
          const input: Transfer = { from, to };
          await stage.call(
            { process, name: 'transfer', key: stage.root, input },
            () => transfer.commit(),
            (stats) => stats.map(({ version }) => version),
          );
        }
        await pace(stage, PACE_MS);
      }
    };
    return {
      processes: clients.map((_, process) => () => run(process)),
      async finish(readers) {
        for (const { server, client } of readers) {
          const ask = { process: PROCESSES + server, name: 'end', key: stage.root };
          await stage.call(
            ask,
            () => readAll(client),
            (books) => books,
          );
        }
      },
    };
  },

  check(operations) {
    const wrong: string[] = [];
    for (const operation of operations) {
      if (operation.outcome !== 'ok' || operation.name === 'transfer') continue;
      const { balances } = operation.output as Books;
      const sum = balances.reduce((total, balance) => total + balance, 0);
      if (sum !== ACCOUNTS * BALANCE) wrong.push(`the sum is ${sum}: ${brief(operation)}`);
      if (operation.name === 'end') wrong.push(...checkCounts(operations, operation));
    }
    return wrong;
  },
};

/** Every transfer raises two versions by one: those confirmed at the end at least, those asked for at most. */
function checkCounts(operations: readonly Operation[], end: Operation): string[] {
  const { versions } = end.output as Books;
  return versions.flatMap((version, account) => {
    const concerned = operations.filter(({ name, input }) => {
      return name === 'transfer' && Object.values(input as Transfer).includes(account);
    });
    const least = concerned.filter(({ outcome }) => outcome === 'ok').length;
    const most = concerned.filter(({ outcome }) => outcome !== 'failed').length;
    if (version >= least && version <= most) return [];
    return [
      `account ${account} was changed ${version} times, of ${least} confirmed and ${most} possible: ${brief(end)}`,
    ];
  });
}

function toBooks(nodes: readonly ReadResult<{ get: string }>[]): Books {
  const found = nodes.map((node) => {
    if (node instanceof ZooKeeperError) throw node;
    return { balance: Number(textOf(node.data)), version: node.stat.version };
  });
  return { balances: found.map(({ balance }) => balance), versions: found.map(({ version }) => version) };
}
