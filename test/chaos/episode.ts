/**
 * One fault under load: all workloads begin, the fault strikes, everything is mended, and what the clients were told and
 * what the servers hold is checked.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, type ClientOptions, connect, ZooKeeperError } from '../../src/client/index.js';
import type { Random } from '../../src/std/random.js';
import { readTree } from '../helpers/ensemble.js';
import { waitFor } from '../helpers/processes.js';
import type { Cluster } from './cluster.js';
import type { Fault } from './faults.js';
import { History, longestGapMs, type Operation } from './history.js';
import { WORKLOADS } from './workloads/index.js';
import { checkPresence, type Reader, type Running, type Stage, type Workload } from './workloads/workload.js';

const BEFORE_MS = 1500;
const AFTER_MS = 1500;
/** How long a process may take to end its last operation once everything is whole again. */
const END_MS = 40_000;
const SETTLE_MS = 20_000;
/** How often trees are compared before they count as different. */
const ATTEMPTS = 4;
const DELETES_AT_ONCE = 200;
const CLIENT: ClientOptions = {
  sessionTimeoutMs: 5000,
  requestTimeoutMs: 15_000,
  connectTimeoutMs: 20_000,
};

/** Operations that show, when they went well, that the ensemble takes writes. */
const WRITES: ReadonlySet<string> = new Set(['set', 'write', 'create', 'transfer']);

/** Where a violation stands that belongs to no workload. */
export const SERVICE = 'service';

export interface Outcome {
  /** Operations that were answered, by workload. */
  readonly operations: ReadonlyMap<string, number>;
  /** What was wrong, by workload or under SERVICE. */
  readonly violations: ReadonlyMap<string, readonly string[]>;
  /** The longest time in which nobody's write was acknowledged. */
  readonly outageMs: number;
  readonly remarks: readonly string[];
  readonly history: History;
}

export async function runEpisode(cluster: Cluster, fault: Fault, root: string, random: Random): Promise<Outcome> {
  const episode = new Episode(cluster, root, random);
  try {
    await episode.run(fault);
  } catch (error) {
    episode.underLoadEnds();
    episode.blame(SERVICE, `${error instanceof Error ? error.message : error}`);
  }
  await episode.close();
  return episode.outcome();
}

class Episode {
  private readonly history = new History();
  private readonly violations = new Map<string, string[]>();
  private readonly remarks: string[] = [];
  private readonly clients: Client[] = [];
  private isOver = false;
  private readonly underLoad: { fromMs: number; toMs?: number } = { fromMs: 0 };

  constructor(
    private readonly cluster: Cluster,
    private readonly root: string,
    private readonly random: Random,
  ) {}

  async run(fault: Fault): Promise<void> {
    const { cluster, random } = this;
    await cluster.setOwnClocks(fault.hasOwnClocks ?? false);
    const founder = await this.connect();
    await founder.create(this.root);
    const running: Running[] = [];
    for (const workload of WORKLOADS) running.push(await workload.begin(await this.stage(founder, workload)));
    const processes = running.flatMap(({ processes }) => processes.map((process) => process()));
    const ending = Promise.all(processes);
    ending.catch(() => {});
    this.underLoad.fromMs = this.history.nowMs;
    await sleep(BEFORE_MS);
    try {
      await fault.strike({ cluster, random, remark: (text) => this.remarks.push(text) });
    } catch (error) {
      this.blame(SERVICE, (error as Error).message);
    }
    await cluster.recover();
    await sleep(AFTER_MS);
    this.underLoadEnds();
    this.isOver = true;
    const isLate = sleep(END_MS).then(() => {
      throw new Error('a client did not end its last operation, although everything is whole again');
    });
    await Promise.race([ending, isLate]);
    await this.finish(running);
    await this.compareTrees();
    await deleteTree(founder, this.root);
  }

  private async finish(running: readonly Running[]): Promise<void> {
    const readers: Reader[] = [];
    for (const { id, address } of this.cluster.servers) {
      const client = await this.connect({}, address);
      await client.sync('/');
      readers.push({ server: id, client });
    }
    for (const { finish } of running) await finish?.(readers);
  }

  blame(workload: string, what: string): void {
    const known = this.violations.get(workload);
    if (known === undefined) this.violations.set(workload, [what]);
    else known.push(what);
  }

  underLoadEnds(): void {
    this.underLoad.toMs ??= this.history.nowMs;
  }

  outcome(): Outcome {
    const { history, violations, remarks, underLoad } = this;
    const operations = new Map<string, number>();
    for (const workload of WORKLOADS) {
      const own = history.operations.filter((operation) => operation.workload === workload.name);
      operations.set(workload.name, own.filter(({ outcome }) => outcome === 'ok').length);
      for (const what of judge(workload, own)) this.blame(workload.name, what);
    }
    const writes = history.operations.filter(isAcknowledgedWrite).map(({ endMs }) => endMs);
    const outageMs = longestGapMs(writes, underLoad.fromMs, underLoad.toMs ?? history.nowMs);
    return { operations, violations, outageMs, remarks, history };
  }

  async close(): Promise<void> {
    this.isOver = true;
    await Promise.all(this.clients.map((client) => client.close()));
  }

  private async connect(options: ClientOptions = {}, address = this.cluster.connectString): Promise<Client> {
    const seed = this.random.uint32();
    const client = await connect(address, { ...CLIENT, seed, ...options });
    this.clients.push(client);
    return client;
  }

  private async stage(founder: Client, { name }: Workload): Promise<Stage> {
    const root = `${this.root}/${name}`;
    await founder.create(root);
    const { history } = this;
    const episode = this;
    return {
      root,
      random: this.random.fork(),
      connect: (options) => this.connect(options),
      call: (ask, work, output) => history.call(name, ask, work, output),
      note: (ask, output) => history.note(name, ask, output),
      get isOver() {
        return episode.isOver;
      },
      get nowMs() {
        return history.nowMs;
      },
    };
  }

  /** Zabra's servers also compare their digests; what a client reads is compared in any case. */
  private async compareTrees(): Promise<void> {
    const { servers, subject } = this.cluster;
    if (subject === 'zabra') {
      await waitFor(
        async () => {
          const hashes = await Promise.all(servers.map((server) => server.hash()));
          const zxids = new Set(hashes.map((hash) => hash.split(':')[0]));
          if (hashes.includes('') || zxids.size > 1) return undefined;
          if (new Set(hashes).size > 1) this.blame(SERVICE, `replicas differ: ${hashes.join(' ')}`);
          return true;
        },
        SETTLE_MS,
        () => 'the servers do not come to the same zxid',
      );
    }
    for (let attempt = 1; ; attempt++) {
      const trees = await Promise.all(servers.map(({ address }) => this.treeOf(address)));
      if (trees.every((tree) => tree !== null && tree === trees[0])) return;
      if (attempt === ATTEMPTS) {
        this.blame(SERVICE, 'clients read different trees from different servers');
        return;
      }
      // A lock's empty directory is a container, and its turn to go may come at any moment.
      await sleep(SETTLE_MS / ATTEMPTS);
    }
  }

  /** What a client of one server reads below the root of this episode; null when a node went meanwhile. */
  private async treeOf(address: string): Promise<string | null> {
    try {
      const nodes = Object.entries(await readTree(address)).filter(([path]) => path.startsWith(this.root));
      return JSON.stringify(nodes.sort(), bigints);
    } catch (error) {
      if (ZooKeeperError.is(error, 'NoNode')) return null;
      throw error;
    }
  }
}

function judge(workload: Workload, operations: readonly Operation[]): string[] {
  try {
    return [...checkPresence(operations), ...workload.check(operations)];
  } catch (error) {
    return [`not judged: ${(error as Error).message}`];
  }
}

function isAcknowledgedWrite({ name, outcome }: Operation): boolean {
  return outcome === 'ok' && WRITES.has(name);
}

function bigints(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}

async function deleteTree(client: Client, path: string): Promise<void> {
  const names = await client.children(path);
  while (names.length > 0) {
    await Promise.all(names.splice(0, DELETES_AT_ONCE).map((name) => deleteTree(client, `${path}/${name}`)));
  }
  await client.delete(path);
}
