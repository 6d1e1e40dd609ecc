/**
 * What clients go through when a server dies: writers that each write one value after the other to a node of their own,
 * and witnesses that hold an ephemeral node and a watch, spread over all servers. The cue says that the leader was killed;
 * the load goes on until everybody has been served again, and then looks whether anything was lost.
 */
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateFlag } from '../../protocol/client/constants.js';
import { Stat } from '../../protocol/client/records.js';
import { JuteReader } from '../../protocol/jute/reader.js';
import { GapTracker } from './gaps.js';
import { type Address, LoadConnection } from './load-connection.js';
import { writeCreate, writeDelete, writeGet, writeSet } from './requests.js';
import { ConnectionLost, RETRY_MS, Survivor } from './survivor.js';
import type { FailoverFigures, FailoverJob } from './workloads.js';

const ROOT = '/bench-failover';
const DATA = new Uint8Array(100).fill(0x77);
const EVENT_TIMEOUT_MS = 5000;
const POLL_MS = 5;
/** The load goes on for so long after everybody was served again: a second interruption would count. */
const AFTERMATH_MS = 1000;

interface Writer {
  readonly client: Survivor;
  readonly path: string;
  readonly gaps: GapTracker;
  acknowledged: number;
  /** A write that was sent behind the cue was acknowledged. */
  isBack: boolean;
}

interface Witness {
  readonly client: Survivor;
  readonly ephemeral: string;
  readonly watched: string;
  events: number;
}

export async function runFailover(
  addresses: readonly Address[],
  job: FailoverJob,
  cue: AbortSignal,
  onReady: () => void,
): Promise<FailoverFigures> {
  await prepare(addresses[0], job, addresses.length);
  const witnesses = await Promise.all(addresses.map((_, i) => openWitness(addresses, i, job)));
  const clients = Array.from({ length: job.connections }, (_, i) => {
    return new Survivor(addresses, i % addresses.length, job.sessionTimeoutMs);
  });
  await Promise.all(clients.map((client) => client.connected()));
  const startMs = performance.now();
  const writers = clients.map((client, i): Writer => {
    return { client, path: `${ROOT}/w${i}`, gaps: new GapTracker(startMs), acknowledged: 0, isBack: false };
  });

  const load = new Load(writers, cue);
  const ended = load.run();
  onReady();
  while (!(cue.aborted && writers.every(({ isBack }) => isBack))) await sleep(POLL_MS);
  await sleep(AFTERMATH_MS);
  load.isOver = true;
  await ended;
  const figures = {
    perSec: load.acknowledgedBefore / ((load.cueMs - load.startMs) / 1000),
    errors: load.errors,
    outageMs: load.gaps.longestMs,
    worstClientMs: Math.max(...writers.map(({ gaps }) => gaps.longestMs)),
    ...(await findLosses(writers, witnesses)),
  };
  for (const { client } of [...witnesses, ...writers]) await client.close();
  return figures;
}

/** All writers at work. */
class Load {
  readonly startMs = performance.now();
  readonly gaps = new GapTracker(this.startMs);
  cueMs = 0;
  acknowledgedBefore = 0;
  errors = 0;
  isOver = false;

  constructor(
    private readonly writers: readonly Writer[],
    private readonly cue: AbortSignal,
  ) {
    cue.addEventListener('abort', () => {
      this.cueMs = performance.now();
    });
  }

  async run(): Promise<void> {
    await Promise.all(this.writers.map((writer) => this.write(writer)));
  }

  private async write(writer: Writer): Promise<void> {
    const { client, path } = writer;
    while (!this.isOver) {
      await client.connected();
      const isBehindCue = this.cue.aborted;
      try {
        const { err } = await client.call((out) => writeSet(out, 1, path, DATA));
        if (err === 0) this.acknowledged(writer, isBehindCue);
        else {
          this.errors++;
          await sleep(RETRY_MS);
        }
      } catch (error) {
        if (!(error instanceof ConnectionLost)) throw error;
      }
    }
  }

  private acknowledged(writer: Writer, isBehindCue: boolean): void {
    const nowMs = performance.now();
    this.gaps.mark(nowMs);
    writer.gaps.mark(nowMs);
    writer.acknowledged++;
    if (isBehindCue) writer.isBack = true;
    if (!this.cue.aborted) this.acknowledgedBefore++;
  }
}

async function prepare(address: Address, job: FailoverJob, witnesses: number): Promise<void> {
  const connection = await LoadConnection.open(address);
  const paths = [ROOT];
  for (let i = 0; i < job.connections; i++) paths.push(`${ROOT}/w${i}`);
  for (let i = 0; i < witnesses; i++) paths.push(`${ROOT}/watched${i}`);
  // The writers' versions begin at 0, so that they count what was carried out.
  const writersNodes = paths.slice(1, 1 + job.connections);
  await connection.call(writersNodes.length, (writer, i) => writeDelete(writer, i + 1, writersNodes[i]));
  await connection.call(paths.length, (writer, i) => writeCreate(writer, i + 1, paths[i], DATA));
  await connection.close();
}

async function openWitness(addresses: readonly Address[], number: number, job: FailoverJob): Promise<Witness> {
  const client = new Survivor(addresses, number, job.sessionTimeoutMs);
  await client.connected();
  const witness = { client, ephemeral: `${ROOT}/e${number}`, watched: `${ROOT}/watched${number}`, events: 0 };
  const created = await client.call((out) => writeCreate(out, 1, witness.ephemeral, DATA, CreateFlag.ephemeral));
  const armed = await client.call((out) => writeGet(out, 1, witness.watched, true));
  if (created.err !== 0 || armed.err !== 0) throw new Error(`a witness got error ${created.err || armed.err}`);
  client.rememberWatch(witness.watched);
  client.onEvent = () => {
    witness.events++;
    client.forgetWatch(witness.watched);
  };
  return witness;
}

type Losses = Pick<FailoverFigures, 'writesLost' | 'sessionsLost' | 'ephemeralsLost' | 'eventsLost' | 'eventsTwice'>;

async function findLosses(writers: readonly Writer[], witnesses: readonly Witness[]): Promise<Losses> {
  let writesLost = 0;
  for (const { client, path, acknowledged } of writers) {
    const { err, body } = await client.insist((out) => writeGet(out, 1, path));
    writesLost += Math.max(0, acknowledged - (err === 0 ? versionIn(body) : 0));
  }
  let ephemeralsLost = 0;
  for (const { client, ephemeral, watched } of witnesses) {
    await client.connected();
    const { err } = await writers[0].client.insist((out) => writeGet(out, 1, ephemeral));
    if (err !== 0) ephemeralsLost++;
    await writers[0].client.insist((out) => writeSet(out, 1, watched, DATA));
  }
  const deadline = performance.now() + EVENT_TIMEOUT_MS;
  while (witnesses.some(({ events }) => events === 0) && performance.now() < deadline) await sleep(POLL_MS);
  return {
    writesLost,
    sessionsLost: [...writers, ...witnesses].reduce((sum, { client }) => sum + client.sessionsLost, 0),
    ephemeralsLost,
    eventsLost: witnesses.filter(({ events }) => events === 0).length,
    eventsTwice: witnesses.filter(({ events }) => events > 1).length,
  };
}

/** Of the node in a reply to getData: its data, and then its stat. */
function versionIn(body: Uint8Array): number {
  const reader = new JuteReader(body);
  reader.slice();
  return Stat.read(reader).version;
}
