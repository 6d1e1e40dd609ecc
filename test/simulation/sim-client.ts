/**
 * A client of the simulation that speaks the protocol by itself: a small state machine that sends random requests,
 * several at a time, loses its connection, comes back with its session and its watches, to another server as likely as
 * not, falls silent, ends its session. It hangs up on a server that does not answer. It keeps nothing back: all it does
 * and sees goes into the history. The other kind of client is the SDK's own (machine-client.ts).
 */
import { EventType } from '../../protocol/client/constants.js';
import type { Random } from '../../src/std/random.js';
import {
  type OperationRequest,
  type OperationResponse,
  type Received,
  VirtualClient,
  type VirtualServer,
  type VirtualWorld,
} from '../../src/testing/index.js';
import type { Observation } from './history.js';
import { type AnyRequest, ask, RequestSource } from './request-source.js';

const OUTSTANDING_MAX = 12;
const ACT_MS_MAX = 40;
/** Without an answer to its connect request for this long, it tries another server. */
const CONNECT_MS_MAX = 400;

/** A client of a run, of whatever kind. */
export interface Actor {
  /** Sends nothing more. */
  rest(): void;
  /** Requests on its connection that nobody has answered. */
  readonly unanswered: number;
  /** Its session is left to expire. */
  hangUp(): void;
}

export class SimClient implements Actor {
  readonly client: VirtualClient;
  readonly timeoutMs: number;
  private readonly source: RequestSource;
  readonly id: number;
  private readonly world: VirtualWorld;
  private readonly random: Random;
  private connection = 0;
  /** Paths of the getData under way, and of the reads that set a watch, by xid. */
  private readonly reading = new Map<number, string>();
  private readonly watching = new Map<number, string>();
  private isReady = false;
  private isOver = false;
  private outstanding = 0;
  private silentUntilMs = 0;
  private lastHeardMs = 0;
  /** What it believes to be watching: what a real client brings along when it comes back (E60, E62). */
  private readonly watched = { data: new Set<string>(), exist: new Set<string>(), child: new Set<string>() };

  constructor(
    id: number,
    world: VirtualWorld,
    private readonly servers: readonly VirtualServer[],
    private readonly observe: (observation: Observation) => void,
    private readonly nextConnection: () => number,
  ) {
    this.id = id;
    this.world = world;
    this.random = world.random.fork();
    this.timeoutMs = 300 + 100 * this.random.int(8);
    this.source = new RequestSource(this.random);
    this.client = new VirtualClient(world);
    this.client.onReceived = (item) => this.receive(item);
    this.actLater();
  }

  /** Sends nothing more. */
  rest(): void {
    this.isOver = true;
  }

  /** Requests on its connection that nobody has answered. */
  get unanswered(): number {
    return this.isReady ? this.outstanding : 0;
  }

  /** Its session is left to expire. */
  hangUp(): void {
    this.client.disconnect();
    this.isReady = false;
  }

  private actLater(): void {
    this.world.after(this.world.delayUpTo(ACT_MS_MAX), () => {
      if (this.isOver) return;
      this.act();
      this.actLater();
    });
  }

  private act(): void {
    const { random, world } = this;
    if (world.nowMs < this.silentUntilMs) return;
    if (!this.client.isConnected) this.connect(random.pick(this.servers));
    else if (random.bool(0.015)) this.lose();
    else if (this.isUnanswered()) this.hangUp();
    if (!this.isReady || this.outstanding > OUTSTANDING_MAX) return;
    if (random.bool(0.01)) {
      this.silentUntilMs = world.nowMs + world.delayUpTo(1600);
      return;
    }
    const frames = this.source.batch().map((request) => this.prepare(request));
    this.client.sendAll(frames);
  }

  private isUnanswered(): boolean {
    const waitedMs = this.world.nowMs - this.lastHeardMs;
    return this.isReady ? this.outstanding > 0 && waitedMs > (this.timeoutMs * 2) / 3 : waitedMs > CONNECT_MS_MAX;
  }

  private lose(): void {
    if (this.random.bool()) this.client.cut();
    else this.hangUp();
  }

  private connect(server: VirtualServer): void {
    const { client, timeoutMs, world } = this;
    this.isReady = false;
    this.outstanding = 0;
    this.lastHeardMs = world.nowMs;
    this.connection = this.nextConnection();
    const { sessionId, lastZxidSeen } = client;
    const isResume = sessionId !== 0n;
    const isAccepted = isResume
      ? client.resume(server, { timeoutMs })
      : client.connect(server, { timeoutMs, lastZxidSeen: BigInt(lastZxidSeen) });
    if (!isAccepted) return;
    this.observe({ ...this.common(), kind: 'connecting', server: server.id, sessionId, lastZxidSeen });
    // Straight behind the connect request, as real clients do it (E7).
    if (isResume) client.sendAll([this.prepare(ask('setWatches', this.watches()))]);
  }

  private common() {
    return { timeMs: this.world.nowMs, client: this.id, connection: this.connection };
  }

  private watches(): OperationRequest<'setWatches'> {
    const { data, exist, child } = this.watched;
    return {
      relativeZxid: BigInt(this.client.lastZxidSeen),
      dataWatches: [...data],
      existWatches: [...exist],
      childWatches: [...child],
    };
  }

  private prepare({ operation, request }: AnyRequest) {
    const frame = this.client.prepare(operation, request as never);
    const { sessionId } = this.client;
    this.observe({ ...this.common(), kind: 'sent', sessionId, xid: frame.xid, operation, request });
    this.outstanding++;
    const { path, watch } = (request ?? {}) as { path?: string; watch?: boolean };
    if (watch === true && path !== undefined) this.watching.set(frame.xid, path);
    if (operation === 'getData' && path !== undefined) this.reading.set(frame.xid, path);
    return frame;
  }

  private receive(item: Received): void {
    this.observe({ ...this.common(), kind: 'received', sessionId: this.client.sessionId, item });
    this.lastHeardMs = this.world.nowMs;
    switch (item.kind) {
      case 'connect':
        this.isReady = item.timeoutMs > 0;
        if (!this.isReady) this.forgetSession();
        break;
      case 'closed':
        this.isReady = false;
        break;
      case 'event':
        this.forgetWatch(item.type, item.path);
        break;
      case 'reply':
        this.outstanding--;
        if (item.operation === 'closeSession' && item.code === 0) this.forgetSession();
        else {
          this.noteVersion(item);
          this.noteWatch(item);
        }
        break;
    }
  }

  private forgetSession(): void {
    this.client.sessionId = 0n;
    this.client.password = null;
    for (const set of Object.values(this.watched)) set.clear();
  }

  private noteVersion(reply: Extract<Received, { kind: 'reply' }>): void {
    if (reply.operation !== 'getData' || reply.code !== 0) return;
    const path = this.reading.get(reply.xid);
    const { stat } = reply.response as OperationResponse<'getData'>;
    if (path !== undefined) this.source.versions.set(path, stat.version);
  }

  private noteWatch(reply: Extract<Received, { kind: 'reply' }>): void {
    const path = this.watching.get(reply.xid);
    if (path === undefined) return;
    this.watching.delete(reply.xid);
    if (reply.operation === 'getChildren2' && reply.code === 0) this.watched.child.add(path);
    if (reply.operation === 'getData' && reply.code === 0) this.watched.data.add(path);
    if (reply.operation === 'exists') this.watched[reply.code === 0 ? 'data' : 'exist'].add(path);
  }

  private forgetWatch(type: number, path: string): void {
    const { data, exist, child } = this.watched;
    if (type === EventType.nodeChildrenChanged || type === EventType.nodeDeleted) child.delete(path);
    if (type === EventType.nodeChildrenChanged) return;
    data.delete(path);
    exist.delete(path);
  }
}
