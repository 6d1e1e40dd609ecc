/**
 * More load than a server can take: requests come at a steady pace whatever the server does, as from a thousand users
 * behind a few sessions. A session has `window` requests under way at most; what is due beyond that is turned away by the
 * client itself, as any client must that does not want to hold all it cannot send. Beside them there are sessions that
 * do nothing but ping: they are the first to be lost by a server that does not answer in time.
 */
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { Code } from '../../protocol/client/errors.js';
import { JuteWriter } from '../../protocol/jute/writer.js';
import { Histogram } from './histogram.js';
import { type Address, LoadConnection } from './load-connection.js';
import { RequestRing, writeCreate, writeGet, writePing, writeSet } from './requests.js';

export interface Load {
  readonly kind: 'get' | 'set';
  readonly sessions: number;
  readonly window: number;
  /** Sessions that only ping. */
  readonly idle: number;
  readonly sessionTimeoutMs: number;
}

export interface Offer {
  /** Of all sessions together; Infinity: as many as there is room for in the windows, which shows the peak. */
  readonly perSec: number;
  readonly secs: number;
  readonly warmSecs: number;
}

export interface OfferFigures {
  readonly offeredPerSec: number;
  /** Answered without an error. */
  readonly perSec: number;
  /** Answered by -127. */
  readonly throttledPerSec: number;
  /** Due while the session's window was full. */
  readonly turnedAwayPerSec: number;
  readonly otherErrors: number;
  /** From being sent to the answer, of those that succeeded. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly pingMaxMs: number;
  /** Connections that broke while they were in use. */
  readonly broken: number;
}

const ROOT = '/overload';
const KEYS = 500;
const DATA_BYTES = 100;
const RING_LENGTH = 2048;
const PUMP_MS = 2;
const DRAIN_MS = 30_000;
/** Pings go out three times within a session's timeout. */
const PINGS_PER_TIMEOUT = 3;

/** Sessions that are kept while one offer after the other is made. */
export class OverloadRig {
  private readonly sources: readonly Source[];
  private readonly pingers: readonly Pinger[];
  private tally = new Tally();

  private constructor(
    private readonly connections: readonly LoadConnection[],
    private readonly load: Load,
  ) {
    const { sessions, sessionTimeoutMs } = load;
    const tally = () => this.tally;
    for (const connection of connections) connection.onBroken = () => this.tally.broken++;
    this.sources = connections.slice(0, sessions).map((connection) => new Source(connection, load, tally));
    this.pingers = connections
      .slice(sessions)
      .map((connection, i) => new Pinger(connection, sessionTimeoutMs, i, tally));
  }

  static async open(address: Address, load: Load): Promise<OverloadRig> {
    const open = () => LoadConnection.open(address, load.sessionTimeoutMs);
    const connections = await Promise.all(Array.from({ length: load.sessions + load.idle }, open));
    await prepare(connections[0]);
    return new OverloadRig(connections, load);
  }

  async offer({ perSec, secs, warmSecs }: Offer): Promise<OfferFigures> {
    const { sources } = this;
    const startMs = performance.now();
    const fromMs = startMs + warmSecs * 1000;
    const tally = new Tally(fromMs, fromMs + secs * 1000);
    this.tally = tally;
    const perMs = perSec / this.load.sessions / 1000;
    for (const source of sources) source.begin();
    const pump = setInterval(() => {
      const nowMs = performance.now();
      const due = Number.isFinite(perMs) ? (nowMs - startMs) * perMs : perMs;
      for (const source of sources) source.pump(due, nowMs);
    }, PUMP_MS);
    await sleep((warmSecs + secs) * 1000);
    clearInterval(pump);
    const deadline = performance.now() + DRAIN_MS;
    while (tally.broken === 0 && sources.some(({ inFlight }) => inFlight > 0)) {
      if (performance.now() > deadline) throw new Error(`not all is answered ${DRAIN_MS} ms after the end`);
      await sleep(PUMP_MS);
    }
    return tally.figures(secs);
  }

  async close(): Promise<void> {
    for (const pinger of this.pingers) pinger.stop();
    await Promise.all(this.connections.map((connection) => connection.close()));
  }
}

async function prepare(connection: LoadConnection): Promise<void> {
  await connection.call(1, (writer) => writeCreate(writer, 1, ROOT, new Uint8Array(0)));
  await connection.call(KEYS, (writer, i) => writeCreate(writer, i + 1, `${ROOT}/k${i}`, new Uint8Array(DATA_BYTES)));
}

/** What all of them together have seen. */
class Tally {
  broken = 0;
  private offered = 0;
  private turnedAway = 0;
  private throttled = 0;
  private otherErrors = 0;
  private pingMaxMs = 0;
  private maxMs = 0;
  private readonly latencies = new Histogram();

  /** What comes between these two moments counts. */
  constructor(
    private readonly fromMs = 0,
    private readonly toMs = 0,
  ) {}

  due(count: number, taken: number, nowMs: number): void {
    if (nowMs < this.fromMs || nowMs >= this.toMs) return;
    this.offered += count;
    this.turnedAway += count - taken;
  }

  answered(err: number, sentMs: number, nowMs: number): void {
    if (nowMs < this.fromMs || nowMs >= this.toMs) return;
    if (err === Code.ThrottledOp) this.throttled++;
    else if (err !== 0) this.otherErrors++;
    else {
      this.latencies.record((nowMs - sentMs) * 1000);
      this.maxMs = Math.max(this.maxMs, nowMs - sentMs);
    }
  }

  pinged(tookMs: number): void {
    this.pingMaxMs = Math.max(this.pingMaxMs, tookMs);
  }

  figures(secs: number): OfferFigures {
    const { latencies, offered, throttled, turnedAway, otherErrors, maxMs, pingMaxMs, broken } = this;
    return {
      offeredPerSec: offered / secs,
      perSec: latencies.count / secs,
      throttledPerSec: throttled / secs,
      turnedAwayPerSec: turnedAway / secs,
      otherErrors,
      p50Ms: latencies.quantileUs(0.5) / 1000,
      p99Ms: latencies.quantileUs(0.99) / 1000,
      maxMs,
      pingMaxMs,
      broken,
    };
  }
}

/** One session's share of the load. */
class Source {
  private readonly ring: RequestRing;
  private readonly sentMs: Float64Array;
  private due = 0;
  private sent = 0;
  private answered = 0;
  private nowMs = 0;

  constructor(
    private readonly connection: LoadConnection,
    private readonly load: Load,
    private readonly tally: () => Tally,
  ) {
    const data = new Uint8Array(DATA_BYTES).fill(0x6f);
    this.ring = new RequestRing(RING_LENGTH, load.window, (writer, i) => {
      const path = `${ROOT}/k${Math.floor(Math.random() * KEYS)}`;
      if (load.kind === 'get') writeGet(writer, i + 1, path);
      else writeSet(writer, i + 1, path, data);
    });
    this.sentMs = new Float64Array(load.window);
    connection.handle({
      reply: (err) => {
        if (this.nowMs === 0) this.nowMs = performance.now(); // all of one read came together
        tally().answered(err, this.sentMs[this.answered++ % load.window], this.nowMs);
      },
      readDone: () => {
        this.nowMs = 0;
      },
    });
  }

  get inFlight(): number {
    return this.sent - this.answered;
  }

  /** Another pace begins. */
  begin(): void {
    this.due = 0;
  }

  /** Sends what has come due since the last time, as far as the window takes it. */
  pump(due: number, nowMs: number): void {
    const { window } = this.load;
    const room = window - this.inFlight;
    const wanted = Number.isFinite(due) ? Math.floor(due) - this.due : room;
    const count = Math.min(wanted, room);
    this.due += wanted;
    this.tally().due(wanted, count, nowMs);
    if (count <= 0) return;
    for (let i = 0; i < count; i++) this.sentMs[(this.sent + i) % window] = nowMs;
    this.connection.send(this.ring.stretch(this.sent, count));
    this.sent += count;
  }
}

/** A session that only shows that it lives. */
class Pinger {
  private readonly timer: NodeJS.Timeout;
  private sentMs = 0;

  constructor(connection: LoadConnection, timeoutMs: number, index: number, tally: () => Tally) {
    const writer = new JuteWriter(16);
    writePing(writer);
    const frame = writer.toBytes();
    connection.handle({
      reply: () => {},
      pong: () => tally().pinged(performance.now() - this.sentMs),
    });
    const everyMs = timeoutMs / PINGS_PER_TIMEOUT;
    this.timer = setInterval(
      () => {
        this.sentMs = performance.now();
        connection.send(frame);
      },
      everyMs + (index % 20),
    ); // not all at once
  }

  stop(): void {
    clearInterval(this.timer);
  }
}
