/**
 * The SDK under constant disturbance: sessions that come and go, locks that are taken in turn, watches, streams, and calls
 * that are aborted, all over a link that is cut again and again; some clients live in worker threads. Afterwards every call
 * has settled, the heap is as large as it was, and nothing keeps the process alive.
 *
 * Two things are checked as it goes: that at most one holds the lock of a name, and that each stream is told of every cut.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  type Client,
  type ClientOptions,
  connect,
  createClient,
  onAbort,
  ZooKeeperError,
} from '../../src/client/index.js';
import { once } from '../../src/client/once.js';
import { LeaseEndedError, Lock } from '../../src/recipes/index.js';
import { Random } from '../../src/std/random.js';
import { startZabra } from '../helpers/zabra-server.js';
import { Link } from '../unit/recipes/fixture.js';

const LOCKS = 3;
const CUT_EVERY_MS = 400;
/** As many hosts, all of them the same link, since from the second round on a client would wait before it comes back. */
const HOSTS = 50;
const SESSION_TIMEOUT_MS = 10_000;

export interface SoakOptions {
  readonly durationMs: number;
  /** Between two looks at the heap. */
  readonly sampleMs: number;
  readonly seed: number;
  readonly onSample?: (sample: Sample) => void;
}

export interface Sample {
  readonly elapsedMs: number;
  /** The heap after what is dead was collected. */
  readonly heapBytes: number;
  readonly counts: Readonly<Record<Count, number>>;
}

export interface SoakResult {
  readonly samples: readonly Sample[];
  /** What was found wrong, in words; empty when all is well. */
  readonly faults: readonly string[];
  /** Kinds of handles that are open after the end and were not before. */
  readonly leftHandles: readonly string[];
}

type Count = 'sessions' | 'calls' | 'failedCalls' | 'locks' | 'events' | 'gaps' | 'cuts';

/** Runs the churn; a server of its own is started and stopped. */
export async function runSoak(options: SoakOptions): Promise<SoakResult> {
  const before = handles();
  const faults: string[] = [];
  const blame = (fault: unknown) =>
    faults.push(fault instanceof Error ? (fault.stack ?? fault.message) : String(fault));
  process.on('unhandledRejection', blame);
  process.on('warning', blame); // such as of more than ten listeners
  const samples: Sample[] = [];
  try {
    await using server = await startZabra();
    const link = await Link.to(server.port);
    const churn = new Churn(link, options.seed, blame);
    await churn.run(options, (sample) => {
      samples.push(sample);
      options.onSample?.(sample);
    });
    link.end();
  } finally {
    process.off('unhandledRejection', blame);
    process.off('warning', blame);
  }
  return { samples, faults, leftHandles: await leftHandles(before) };
}

class Churn {
  readonly counts: Record<Count, number> = {
    sessions: 0,
    calls: 0,
    failedCalls: 0,
    locks: 0,
    events: 0,
    gaps: 0,
    cuts: 0,
  };
  readonly #random: Random;
  readonly #end = new AbortController();
  /** By the lock's name, who holds it with a lease that has not ended. */
  readonly #holders = new Map<string, number>();

  constructor(
    readonly link: Link,
    seed: number,
    readonly blame: (fault: unknown) => void,
  ) {
    this.#random = new Random(seed);
  }

  async run({ durationMs, sampleMs }: SoakOptions, onSample: (sample: Sample) => void): Promise<void> {
    await using keeper = await this.#open({});
    await keeper.retry(() => keeper.create('/soak', '0'));
    const startMs = performance.now();
    const running = [
      this.#forever(() => this.#comeAndGo()),
      this.#forever(() => this.#comeAndGo()),
      this.#lockInTurn(keeper, 'main'),
      this.#withClient({ thread: 'worker' }, (client) => this.#lockInTurn(client, 'worker')),
      this.#withClient({ thread: 'worker' }, (client) => this.#forever(() => this.#call(client))),
      this.#withClient({}, (client) => this.#forever(() => this.#call(client))),
      this.#withClient({}, (client) => this.#follow(client)),
      this.#cutAgainAndAgain(),
    ];
    for (let dueMs = startMs; dueMs < startMs + durationMs; dueMs += sampleMs) {
      await sleep(Math.max(0, dueMs - performance.now()));
      const heapBytes = await settledHeapBytes();
      onSample({ elapsedMs: performance.now() - startMs, heapBytes, counts: { ...this.counts } });
    }
    this.#end.abort();
    await Promise.all(running);
  }

  get #isOver(): boolean {
    return this.#end.signal.aborted;
  }

  #open(options: ClientOptions): Promise<Client> {
    this.counts.sessions++;
    const address = Array(HOSTS).fill(this.link.address).join(',');
    return connect(address, { sessionTimeoutMs: SESSION_TIMEOUT_MS, connectTimeoutMs: 60_000, ...options });
  }

  async #withClient(options: ClientOptions, work: (client: Client) => Promise<void>): Promise<void> {
    await using client = await this.#open(options);
    await work(client);
  }

  async #forever(work: () => Promise<void>): Promise<void> {
    while (!this.#isOver) await work().catch(this.blame);
  }

  async #cutAgainAndAgain(): Promise<void> {
    while (!this.#isOver) {
      await sleep(CUT_EVERY_MS / 2 + this.#random.int(CUT_EVERY_MS));
      this.counts.cuts++;
      this.link.cut();
    }
  }

  /** A client that lives for a moment, with a stream, an ephemeral node and calls under way when it is closed. */
  async #comeAndGo(): Promise<void> {
    const options = {
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
      thread: this.#random.int(10) === 0 ? 'worker' : 'main',
    } as const;
    this.counts.sessions++;
    const client = createClient(this.link.address, options);
    const stream = client.watch('/soak', { recursive: true });
    const calls = [
      client.create('/soak/e-', 'x', { ephemeral: true, sequential: true }),
      client.get('/soak', { watch: () => {} }),
      client.exists('/soak/none', { watch: () => {} }),
      client.sync(),
    ];
    if (this.#random.int(2) === 0) await Promise.allSettled(calls);
    if (this.#random.int(2) === 0) stream.end();
    await client.close();
    for (const end of await Promise.allSettled(calls)) this.#count(end);
    for await (const event of stream) if (event.type === 'gap') this.counts.gaps++;
  }

  /** Calls of all kinds, some of them aborted. */
  async #call(client: Client): Promise<void> {
    const calls = Array.from({ length: 20 }, (_, i) => {
      const abort = new AbortController();
      const signal = i % 2 === 0 ? abort.signal : this.#end.signal; // one signal for many calls, as a server's shutdown is
      if (i % 5 === 0) setImmediate(() => abort.abort(new Error('aborted')));
      if (i % 4 === 0) return client.get('/soak', { signal, watch: () => {} });
      if (i % 4 === 1) return client.set('/soak', String(i), { signal });
      if (i % 4 === 2) return client.children('/soak', { signal });
      return client
        .create('/soak/p-', null, { protected: true, sequential: true, ephemeral: true, signal })
        .then(({ path }) => client.retry(() => this.#deleteOwn(client, path), { idempotent: true }));
    });
    for (const end of await Promise.allSettled(calls)) this.#count(end);
  }

  /** A delete whose answer was lost finds no node the second time. */
  async #deleteOwn(client: Client, path: string): Promise<void> {
    await client.delete(path).catch((error) => {
      if (!ZooKeeperError.is(error, 'NoNode')) throw error;
    });
  }

  #count(end: PromiseSettledResult<unknown>): void {
    this.counts.calls++;
    if (end.status === 'fulfilled') return;
    this.counts.failedCalls++;
    const isExpected = ZooKeeperError.is(end.reason, 'ConnectionLoss', 'ClientClosed', 'SessionExpired', 'NoNode');
    const isAborted = (end.reason as Error).message === 'aborted' || end.reason === this.#end.signal.reason;
    if (!isExpected && !isAborted) this.blame(end.reason);
  }

  async #lockInTurn(client: Client, who: string): Promise<void> {
    const contend = async (name: string): Promise<void> => {
      const lock = new Lock(client, `/soak-locks/${name}`);
      while (!this.#isOver) {
        try {
          await using held = await lock.acquire({ signal: this.#end.signal });
          this.counts.locks++;
          this.#holders.set(name, (this.#holders.get(name) ?? 0) + 1);
          if (this.#holders.get(name) !== 1) this.blame(`${who}: ${name} is held by ${this.#holders.get(name)}`);
          const forget = once(() => this.#holders.set(name, (this.#holders.get(name) ?? 0) - 1));
          const stopListening = onAbort(held.signal, forget);
          await sleep(5 + this.#random.int(20));
          stopListening();
          forget();
        } catch (error) {
          const isExpected = ZooKeeperError.is(error) || error instanceof LeaseEndedError;
          if (!isExpected && !this.#isOver) this.blame(error);
        }
      }
    };
    const names = Array.from({ length: LOCKS }, (_, i) => `lock-${i}`);
    await Promise.all([...names, ...names].map(contend));
  }

  /** Reads a stream; every reconnect of its client has to show as a gap. */
  async #follow(client: Client): Promise<void> {
    let reconnects = 0;
    let gaps = 0;
    client.onState(({ state }) => {
      if (state === 'RECONNECTED') reconnects++;
    });
    const stream = client.watch('/soak', { recursive: true });
    onAbort(this.#end.signal, () => stream.end());
    for await (const event of stream) {
      this.counts.events++;
      if (event.type !== 'gap') continue;
      gaps++;
      this.counts.gaps++;
    }
    if (gaps < reconnects - 1) this.blame(`a stream was told of ${gaps} gaps after ${reconnects} reconnects`);
  }
}

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

async function settledHeapBytes(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    collectGarbage();
    await sleep(20);
  }
  return process.memoryUsage().heapUsed;
}

/** The kinds of handles that keep the process alive, with their number. */
function handles(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

/** Those that are still open after a while, except for the timer that this waits by. */
async function leftHandles(before: ReadonlyMap<string, number>): Promise<string[]> {
  for (let patience = 100; ; patience--) {
    const left = [...handles()].filter(([kind, count]) => kind !== 'Immediate' && count > (before.get(kind) ?? 0));
    if (left.length === 0 || patience === 0) return left.map(([kind, count]) => `${kind} × ${count}`);
    await sleep(50);
  }
}

/** How much more the heap holds in the last third of the samples than in the second one, by their medians, in bytes. */
export function heapGrowthBytes(samples: readonly Sample[]): number {
  const third = Math.floor(samples.length / 3);
  const median = (part: readonly Sample[]) =>
    part.map(({ heapBytes }) => heapBytes).toSorted((a, b) => a - b)[Math.floor(part.length / 2)];
  return median(samples.slice(2 * third)) - median(samples.slice(third, 2 * third));
}
