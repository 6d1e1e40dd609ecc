/**
 * Clients that write without pause, each on a session of its own that may move from server to server, and that keep
 * books: which writes were acknowledged, and which were only sent. A write that fails because its connection is lost may
 * have happened or not (its error says so); any other failure, and the loss of a session, is a complaint.
 *
 * Each writer creates nodes with rising numbers, and counts up one value in a single node, with several writes in flight.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, connect, ZooKeeperError } from '../../src/client/index.js';
import { connectVia, type Ensemble, type Member } from './ensemble.js';

/** Writes in flight for each client, and the pause behind each: a load, not a benchmark. */
const LANES = 4;
const PACE_MS = 4;
const READS_AT_ONCE = 2000;
const SESSION_TIMEOUT_MS = 6000;
const REQUEST_TIMEOUT_MS = 25_000;

class Writer {
  readonly acknowledged = new Set<number>();
  readonly sent = new Set<number>();
  counter = 0;
  counterSent = 0;
  stopped = false;

  constructor(
    readonly root: string,
    readonly client: Client,
    readonly complaints: string[],
    readonly lanes: number,
  ) {
    client.onState(({ state, cause }) => {
      if (state === 'LOST') complaints.push(`${root}: the session is lost: ${cause?.message}`);
    });
  }

  async prepare(): Promise<void> {
    await this.client.create(this.root);
    await this.client.create(`${this.root}/counter`, '0');
    await this.client.create(`${this.root}/alive`, null, { ephemeral: true });
  }

  async run(): Promise<void> {
    await Promise.all(Array.from({ length: this.lanes }, (_, lane) => this.lane(lane)));
  }

  private async lane(lane: number): Promise<void> {
    for (let step = 0; !this.stopped; step++) {
      if (lane === 0) {
        const value = ++this.counterSent;
        if (await this.try(this.client.set(`${this.root}/counter`, String(value)))) this.counter = value;
      } else {
        const number = step * this.lanes + lane;
        this.sent.add(number);
        if (await this.try(this.client.create(`${this.root}/n-${number}`, String(number)))) {
          this.acknowledged.add(number);
        }
      }
      await sleep(PACE_MS);
    }
  }

  private async try(write: Promise<unknown>): Promise<boolean> {
    try {
      await write;
      return true;
    } catch (error) {
      if (!ZooKeeperError.is(error, 'ConnectionLoss')) this.complaints.push(`${this.root}: ${error}`);
      return false;
    }
  }
}

export class Load {
  private running: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly ensemble: Ensemble,
    private readonly writers: readonly Writer[],
    private readonly complaints: string[],
  ) {}

  /** One writer beginning on each of these servers, all below `root`, which is created. */
  static async start(
    ensemble: Ensemble,
    root: string,
    members: readonly Member[] = ensemble.members,
    lanes = LANES,
  ): Promise<Load> {
    const complaints: string[] = [];
    const options = { sessionTimeoutMs: SESSION_TIMEOUT_MS, requestTimeoutMs: REQUEST_TIMEOUT_MS };
    const writers: Writer[] = [];
    for (const member of members) {
      const client = await connectVia(ensemble, member, options);
      if (writers.length === 0) await client.create(root);
      const writer = new Writer(`${root}/w${member.id}`, client, complaints, lanes);
      await client.sync('/'); // the root may have been created on another server
      await writer.prepare();
      writers.push(writer);
    }
    const load = new Load(ensemble, writers, complaints);
    load.running = Promise.all(writers.map((writer) => writer.run()));
    return load;
  }

  get acknowledged(): number {
    return this.writers.reduce((sum, { acknowledged, counter }) => sum + acknowledged.size + counter, 0);
  }

  /** Resolves when each writer has had this many more writes acknowledged: the ensemble takes writes from everybody. */
  async progress(count = 20): Promise<void> {
    for (const writer of this.writers) {
      const target = writer.acknowledged.size + count;
      await this.ensemble.until(
        () => (writer.acknowledged.size >= target || this.complaints.length > 0 ? true : undefined),
        `${writer.root}: no write is acknowledged; the client is ${writer.client.state} at ${writer.client.server}`,
      );
    }
    expect(this.complaints).toEqual([]);
  }

  /** Ends the writing and checks the books against each of these servers, which must all have the same tree. */
  async check(members: readonly Member[] = this.ensemble.members): Promise<void> {
    for (const writer of this.writers) writer.stopped = true;
    await this.running;
    expect(this.complaints).toEqual([]);
    for (const member of members) {
      await using reader = await connect(member.address);
      await reader.sync('/');
      for (const writer of this.writers) await this.checkWriter(writer, reader, `on server ${member.id}`);
    }
    await this.ensemble.expectSameTrees(members);
    await Promise.all(this.writers.map(({ client }) => client.close()));
  }

  private async checkWriter(writer: Writer, reader: Client, where: string): Promise<void> {
    const names = await reader.children(writer.root);
    const found = new Set(names.flatMap((name) => (name.startsWith('n-') ? Number(name.slice(2)) : [])));
    const missing = [...writer.acknowledged].filter((number) => !found.has(number));
    if (missing.length > 0) throw new Error(`${where}: acknowledged and gone: ${missing}\n${this.ensemble.logs()}`);
    expect([...found].filter((number) => !writer.sent.has(number))).toEqual([]);
    const counter = Number(String((await reader.get(`${writer.root}/counter`)).data));
    expect(counter).toBeGreaterThanOrEqual(writer.counter);
    expect(counter).toBeLessThanOrEqual(writer.counterSent);
    expect(names).toContain('alive'); // the session's ephemeral node
    const numbers = [...found];
    while (numbers.length > 0) {
      const some = numbers.splice(0, READS_AT_ONCE);
      const nodes = await Promise.all(some.map((number) => reader.get(`${writer.root}/n-${number}`)));
      expect(nodes.map(({ data }) => Number(String(data)))).toEqual(some);
    }
  }

  /** Closes the clients when a test ends early. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const writer of this.writers) writer.stopped = true;
    await Promise.all(this.writers.map(({ client }) => client.close()));
    await this.running;
  }
}
