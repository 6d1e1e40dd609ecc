/**
 * How many pipelined gets and sets one client gets answered in a second: our SDK, the same with its thread, and
 * node-zookeeper-client, against one server in one run. The client is what is measured: one connection, so many requests
 * in flight, and the next one is made when one is answered, as a program that awaits its calls does.
 *
 *   npm run build && node dist/test/bench/sdk-rates.js [--server zookeeper] [--rounds 3] [--seconds 2] [--window 512]
 */
import { parseArgs } from 'node:util';
import zookeeper, { type Client as OtherClient } from 'node-zookeeper-client';
import { type Client, connect } from '../../src/client/index.js';
import { startZooKeeper } from '../helpers/real-zookeeper.js';
import { startZabra } from '../helpers/zabra-server.js';

const DATA = Buffer.alloc(100, 'x');
const PATH = '/sdk-rates';
const WARM_UP_MS = 500;

const { values } = parseArgs({
  options: {
    server: { type: 'string', default: 'zabra' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '2' },
    window: { type: 'string', default: '512' },
  },
});
const rounds = Number(values.rounds);
const measuredMs = Number(values.seconds) * 1000;
const window = Number(values.window);

type Work = 'get' | 'set';

interface Contender {
  readonly name: string;
  /** Makes one request, and calls `done` with its answer. */
  readonly works: { readonly [W in Work]: (done: (error: unknown) => void) => void };
  close(): Promise<void>;
}

async function ours(address: string, thread: 'main' | 'worker'): Promise<Contender> {
  const client: Client = await connect(address, { thread });
  return {
    name: thread === 'main' ? 'zabra' : 'zabra, thread: worker',
    works: {
      get: (done) => {
        client.get(PATH).then(() => done(null), done);
      },
      set: (done) => {
        client.set(PATH, DATA).then(() => done(null), done);
      },
    },
    close: () => client.close(),
  };
}

async function theirs(address: string): Promise<Contender> {
  const client: OtherClient = zookeeper.createClient(address);
  await new Promise<void>((resolve) => {
    client.once('connected', () => resolve());
    client.connect();
  });
  return {
    name: 'node-zookeeper-client',
    works: {
      get: (done) => client.getData(PATH, null, (error) => done(error ?? null)),
      set: (done) => client.setData(PATH, DATA, -1, (error) => done(error ?? null)),
    },
    close: () =>
      new Promise((resolve) => {
        client.once('disconnected', () => resolve());
        client.close();
      }),
  };
}

/** Requests answered per second, with `window` of them in flight all the time. */
function rate(request: (done: (error: unknown) => void) => void): Promise<number> {
  return new Promise((resolve, reject) => {
    let answered = 0;
    let inFlight = 0;
    let isOver = false;
    let startMs = 0;
    let perSecond = 0;
    const next = (): void => {
      inFlight++;
      request(done);
    };
    const done = (error: unknown): void => {
      if (error !== null) reject(error);
      inFlight--;
      answered++;
      if (!isOver) next();
      else if (inFlight === 0) resolve(perSecond);
    };
    setTimeout(() => {
      answered = 0;
      startMs = performance.now();
      setTimeout(() => {
        perSecond = (answered * 1000) / (performance.now() - startMs);
        isOver = true;
      }, measuredMs);
    }, WARM_UP_MS);
    for (let i = 0; i < window; i++) next();
  });
}

function median(figures: readonly number[]): number {
  return figures.toSorted((a, b) => a - b)[Math.floor(figures.length / 2)];
}

await using server = await (values.server === 'zookeeper' ? startZooKeeper() : startZabra());
const contenders = [
  await ours(server.address, 'main'),
  await ours(server.address, 'worker'),
  await theirs(server.address),
];
await using setUp = await connect(server.address);
await setUp.create(PATH, DATA);

console.log(`${values.server}, ${window} requests in flight, median of ${rounds} rounds, per second`);
for (const work of ['get', 'set'] as const) {
  const figures = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const { name, works } of contenders) figures.get(name)?.push(await rate(works[work]));
  }
  const reference = median(figures.get('node-zookeeper-client') ?? []);
  for (const [name, all] of figures) {
    const perSecond = median(all);
    console.log(
      `  ${work}  ${name.padEnd(24)} ${Math.round(perSecond).toString().padStart(8)}  ${(perSecond / reference).toFixed(1)}×`,
    );
  }
}
await Promise.all(contenders.map((contender) => contender.close()));
