/**
 * Several of our servers as users run them, each `node bin/zabra.js server --config zoo.cfg` in a process of its own, so
 * that a test can kill, stop, freeze and start again each of them, cut the links between them, and compare their trees.
 *
 * With `cuttable` links each server reaches each other one through a proxy in the test process: the higher number dials
 * (E77), so there is one proxy for each pair, and its address is what stands in the zoo.cfg of the higher one.
 */
import { appendFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Client, connect } from '../../src/client/index.js';
import { freePort, LOOPBACK } from './ports.js';
import { fourLetterWord, waitFor } from './processes.js';
import { ServerProcess } from './server-process.js';
import { TcpProxy } from './tcp-proxy.js';

const SETTLE_MS = 20_000;
const READS_AT_ONCE = 2000;

/** Short enough that a test sees a silent server given up, long enough for a machine with other work. */
const SETTINGS: Readonly<Record<string, string>> = {
  tickTime: '400',
  initLimit: '25',
  syncLimit: '5',
  minSessionTimeout: '800',
  maxSessionTimeout: '60000',
};

/** What `srvr` calls a server, or 'none' when it serves nobody, does not answer or is not there. */
export type Mode = 'leader' | 'follower' | 'observer' | 'none';

export interface EnsembleOptions {
  /** Default 3; they are numbered from 1. */
  readonly voters?: number;
  /** Numbered behind the voters. Default 0. */
  readonly observers?: number;
  /** zoo.cfg lines for all, on top of the defaults above. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Whether links can be cut. Default false. */
  readonly cuttable?: boolean;
  /** Where a server's data goes, instead of a directory of its own; by its number. */
  readonly dataDirs?: Readonly<Record<number, string>>;
}

export class Member {
  readonly address: string;

  constructor(
    readonly id: number,
    readonly server: ServerProcess,
  ) {
    this.address = `${LOOPBACK}:${server.port}`;
  }

  /** SIGKILL, and waits until it is gone. */
  async kill(): Promise<void> {
    await this.server.end('SIGKILL');
  }

  /** SIGTERM, and waits until it is gone; fails when it did not stop cleanly. */
  async stop(): Promise<void> {
    const { code } = await this.server.end('SIGTERM');
    if (code !== 0) throw new Error(`server ${this.id} ended with ${code}\n${this.server.output}`);
  }

  pause(): void {
    this.server.signal('SIGSTOP');
  }

  resume(): void {
    this.server.signal('SIGCONT');
  }

  /** Starts it and resolves when its ports are open, which says nothing about a leader. */
  start(): Promise<void> {
    return this.server.start();
  }

  /** While it is not running: its data directory is empty, but for its number. */
  loseData(): void {
    const { dataDir } = this.server;
    for (const name of readdirSync(dataDir)) {
      if (name !== 'myid') rmSync(join(dataDir, name), { recursive: true });
    }
  }

  async mode(): Promise<Mode> {
    const word = /^Mode: (\w+)/m.exec(await fourLetterWord(this.server.port, 'srvr', 500))?.[1];
    return word === undefined ? 'none' : (word as Mode);
  }

  /** What it has logged since its last start, as one text. */
  get log(): string {
    return this.server.output;
  }

  /** Zxid and digest of its tree; '' when it serves nobody. */
  async hash(): Promise<string> {
    const answer = (await fourLetterWord(this.server.port, 'hash')).trim();
    return /^[0-9a-f]+: \d+$/.test(answer) ? answer : '';
  }
}

export class Ensemble {
  readonly members: readonly Member[];
  /** Between the two servers of each pair, keyed by both numbers, the lower first. Empty unless `cuttable`. */
  private readonly proxies: ReadonlyMap<string, TcpProxy>;

  private constructor(members: readonly Member[], proxies: ReadonlyMap<string, TcpProxy>) {
    this.members = members;
    this.proxies = proxies;
  }

  /** A place for an ensemble; none of its servers is started. */
  static async prepare(options: EnsembleOptions = {}): Promise<Ensemble> {
    const { voters = 3, observers = 0, settings = {}, cuttable = false, dataDirs = {} } = options;
    const ids = Array.from({ length: voters + observers }, (_, i) => i + 1);
    const quorumPorts = new Map<number, number>();
    for (const id of ids) quorumPorts.set(id, await freePort());
    const proxies = new Map<string, TcpProxy>();
    if (cuttable) {
      for (const [low, high] of pairs(ids)) {
        proxies.set(pairKey(low, high), await TcpProxy.open(quorumPorts.get(low) as number));
      }
    }
    const members: Member[] = [];
    for (const id of ids) {
      const dataDir = dataDirs[id];
      const server = await ServerProcess.prepare(dataDir === undefined ? {} : { dataDir });
      const lines = ids.map((peer) => {
        const port = proxies.get(pairKey(peer, id))?.port ?? quorumPorts.get(peer);
        // Nobody listens on the election port; it has to differ from the quorum port.
        const role = peer > voters ? 'observer' : 'participant';
        return [`server.${peer}`, `${LOOPBACK}:${peer < id ? port : quorumPorts.get(peer)}:${1000 + peer}:${role}`];
      });
      server.configure({ ...SETTINGS, ...settings, ...Object.fromEntries(lines) });
      writeFileSync(join(server.dataDir, 'myid'), `${id}\n`);
      members.push(new Member(id, server));
    }
    return new Ensemble(members, proxies);
  }

  /** Starts all servers and resolves when all of them serve. */
  static async start(options: EnsembleOptions = {}): Promise<Ensemble> {
    const ensemble = await Ensemble.prepare(options);
    try {
      await Promise.all(ensemble.members.map((member) => member.start()));
      await ensemble.serving();
      return ensemble;
    } catch (error) {
      await ensemble[Symbol.asyncDispose]();
      throw error;
    }
  }

  get connectString(): string {
    return this.members.map(({ address }) => address).join(',');
  }

  member(id: number): Member {
    return this.members[id - 1];
  }

  /** Resolves with the leader when all of these servers serve, and one of them leads. */
  async serving(members: readonly Member[] = this.members): Promise<Member> {
    return this.until(
      async () => {
        const modes = await Promise.all(members.map((member) => member.mode()));
        const leaders = members.filter((_, i) => modes[i] === 'leader');
        return leaders.length === 1 && !modes.includes('none') ? leaders[0] : undefined;
      },
      `servers ${members.map(({ id }) => id)} do not all serve`,
    );
  }

  /** Resolves when none of these servers serves clients. */
  async notServing(members: readonly Member[]): Promise<void> {
    await this.until(
      async () => {
        const modes = await Promise.all(members.map((member) => member.mode()));
        return modes.every((mode) => mode === 'none') ? true : undefined;
      },
      `servers ${members.map(({ id }) => id)} still serve`,
    );
  }

  others(...members: readonly Member[]): Member[] {
    return this.members.filter((member) => !members.includes(member));
  }

  /** As waitFor, and tells in its error what the servers have logged. */
  until<T>(ask: () => T | undefined | Promise<T | undefined>, problem: string): Promise<T> {
    return waitFor(ask, SETTLE_MS, () => `${problem}\n${this.logs()}`);
  }

  /**
   * Waits until all of these servers stand at the same zxid. Fails when two of them have different trees there, by their
   * running digest or by what a client reads.
   */
  async expectSameTrees(members: readonly Member[] = this.members): Promise<void> {
    await this.until(
      async () => {
        const hashes = await Promise.all(members.map((member) => member.hash()));
        const zxids = new Set(hashes.map((hash) => hash.split(':')[0]));
        if (hashes.includes('') || zxids.size > 1) return undefined;
        if (new Set(hashes).size > 1) throw new Error(`replicas differ: ${hashes.join(' ')}\n${this.logs()}`);
        return true;
      },
      `servers ${members.map(({ id }) => id)} do not come to the same zxid`,
    );
    const [first, ...others] = await Promise.all(members.map(({ address }) => readTree(address)));
    for (const tree of others) expect(tree).toEqual(first);
  }

  // --- links

  /** Cuts the links of this server to all others: what is on its way is lost, and nothing gets through. */
  isolate(member: Member): void {
    for (const proxy of this.proxiesOf(member)) proxy.cut();
  }

  /** Links of this server can be made again. */
  heal(member: Member): void {
    for (const proxy of this.proxiesOf(member)) proxy.mend();
  }

  /** The links stay, and nothing gets through: as when a switch forgets them. */
  blackhole(member: Member): void {
    for (const proxy of this.proxiesOf(member)) proxy.swallow();
  }

  /** Cuts the link between these two alone. */
  cutBetween(one: Member, other: Member): void {
    this.proxyBetween(one, other).cut();
  }

  mendBetween(one: Member, other: Member): void {
    this.proxyBetween(one, other).mend();
  }

  private proxiesOf(member: Member): TcpProxy[] {
    return this.others(member).map((other) => this.proxyBetween(member, other));
  }

  private proxyBetween(one: Member, other: Member): TcpProxy {
    const proxy = this.proxies.get(pairKey(one.id, other.id));
    if (proxy === undefined) throw new Error('the links of this ensemble cannot be cut: say so with `cuttable`');
    return proxy;
  }

  /** The end of each server's log. */
  logs(lines = 40): string {
    return this.members
      .map(({ id, server }) => `--- server ${id}${server.alive ? '' : ' (not running)'}\n${tail(server.output, lines)}`)
      .join('\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const file = process.env.ZABRA_ENSEMBLE_LOGS;
    if (file !== undefined) appendFileSync(file, `=== ${expect.getState().currentTestName}\n${this.logs(10_000)}\n`);
    for (const member of this.members) {
      if (member.server.alive) member.resume();
      await member.server[Symbol.asyncDispose]();
    }
    for (const proxy of this.proxies.values()) await proxy.close();
  }
}

function pairs(ids: readonly number[]): [number, number][] {
  return ids.flatMap((low) => ids.filter((high) => high > low).map((high): [number, number] => [low, high]));
}

function pairKey(a: number, b: number): string {
  return `${Math.min(a, b)}-${Math.max(a, b)}`;
}

function tail(text: string, lines: number): string {
  return text.split('\n').slice(-lines).join('\n');
}

/** All nodes that a client of this server reads, with their data and Stat, by path. */
export async function readTree(address: string): Promise<Record<string, unknown>> {
  const tree: Record<string, unknown> = {};
  await using client = await connect(address, { sessionTimeoutMs: 30_000 });
  const found = ['/'];
  const visit = async (path: string): Promise<void> => {
    const [{ data, stat }, names] = await Promise.all([client.get(path), client.children(path)]);
    tree[path] = { data: data?.toString('latin1') ?? null, stat };
    found.push(...names.map((name) => (path === '/' ? `/${name}` : `${path}/${name}`)));
  };
  while (found.length > 0) await Promise.all(found.splice(0, READS_AT_ONCE).map(visit));
  return tree;
}

/** Fails when this server takes a client within that time. */
export async function expectRefused({ id, address }: Member, connectTimeoutMs: number): Promise<void> {
  try {
    const client = await connect(address, { connectTimeoutMs });
    await client.close();
  } catch (error) {
    expect(error).toMatchObject({ name: 'ConnectionLoss' });
    return;
  }
  throw new Error(`server ${id} serves a client`);
}

/** A client of the whole ensemble that is connected to this very server at first. */
export async function connectVia(
  ensemble: Ensemble,
  member: Member,
  options: Parameters<typeof connect>[1] = {},
): Promise<Client> {
  // The seed decides which address is tried first, and hardly anybody else has the same.
  for (let seed = 1; ; seed++) {
    const client = await connect(ensemble.connectString, { ...options, seed });
    if (client.server === member.address) return client;
    await client.close();
    if (seed > 100) throw new Error(`no client would connect to server ${member.id} first\n${ensemble.logs()}`);
  }
}
