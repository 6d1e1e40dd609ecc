// The clients' side of the road: frames in, replies and events out.
//
//   frames → decode → admit → lane ─┬─ read: answered from the tree, at once if nothing of this client is under way
//                                   └─ write: released toward the leader at once, answered when it was executed
//
// Holds the connections of this server and which session each carries. Sessions themselves belong to the ensemble: they
// are in the world, opened and closed by log entries.

import { OpCode } from '../../../protocol/client/constants.js';
import { Code } from '../../../protocol/client/errors.js';
import { ProtocolError } from '../../../protocol/errors.js';
import { JuteReader } from '../../../protocol/jute/reader.js';
import { copyBytes } from '../../../protocol/jute/slice.js';
import type { JuteWriter } from '../../../protocol/jute/writer.js';
import type { Identity } from '../../../protocol/peer/entries.js';
import type { Effect, ReplicaOptions } from '../io.js';
import { limits } from '../limits.js';
import type { Change } from '../ops/changes.js';
import type { ReadContext, ReadOperation, Watcher, World, WriteOperation } from '../ops/operation.js';
import { clientOperation } from '../ops/table.js';
import type { SessionExpiry } from '../sessions/expiry.js';
import type { Stats } from '../stats.js';
import type { WatchTable } from '../watches/table.js';
import { admitWrite, isAuthenticated } from './admit.js';
import type { Audience } from './apply.js';
import { identitiesWith } from './authentication.js';
import { BackPressure } from './back-pressure.js';
import type { Connection } from './connections.js';
import { Events } from './events.js';
import type { LaneItem } from './lanes.js';
import { type Doorkeeper, Openings } from './openings.js';
import { beginReply, endReply } from './reply.js';

/** What the clients need from the replica they belong to. */
export interface Upstream {
  readonly options: ReplicaOptions;
  readonly world: World;
  readonly expiry: SessionExpiry;
  readonly stats: Stats;
  readonly monotonicMs: number;
  /** New sessions are taken. */
  readonly isServing: boolean;
  /** Writes are taken. */
  readonly isWritable: boolean;
  readonly appliedZxid: number;
  /** The last zxid given out so far, or due to what waits in the open batch. */
  readonly proposedZxid: number;
  /** Of all requests that were released and not executed yet. */
  readonly pendingBytes: number;
  nextSessionId(): number;
  /** Sends a write on its way to the log. The bytes are copied. */
  release(
    operation: number,
    session: number,
    cxid: number,
    caller: readonly Identity[],
    request: Uint8Array,
    start: number,
    end: number,
  ): void;
  emit(effect: Effect): void;
}

export class Clients implements Audience, Doorkeeper {
  /** Connections since the start. */
  accepted = 0;
  private readonly upstream: Upstream;
  private readonly connections = new Set<Connection>();
  /** Connections with a sync in their lane. */
  private readonly waiting = new Set<Connection>();
  private readonly reader = new JuteReader(new Uint8Array(0));
  private readonly events: Events;
  private readonly openings: Openings;
  private readonly backPressure: BackPressure;

  constructor(upstream: Upstream) {
    this.upstream = upstream;
    const { world, options } = upstream;
    this.events = new Events(world, options.skipAcl, (connection) => this.sent(connection));
    this.openings = new Openings(upstream, this);
    this.backPressure = new BackPressure(
      options,
      () => upstream.pendingBytes,
      (effect) => upstream.emit(effect),
    );
  }

  get watches(): WatchTable<Watcher> {
    return this.events.watches;
  }

  get outstanding(): number {
    return this.backPressure.outstanding;
  }

  [Symbol.iterator](): IterableIterator<Connection> {
    return this.connections.values();
  }

  get size(): number {
    return this.connections.size;
  }

  // --- coming and going

  connected(connection: Connection, entropy: Uint8Array): void {
    connection.password = entropy;
    this.accepted++;
    this.connections.add(connection);
  }

  /** The socket is gone. The session lives on until it expires (E23); watches belong to the connection (E57). */
  disconnected(connection: Connection): void {
    this.forget(connection);
    if (connection.state !== 'closed') connection.become('closed');
  }

  private forget(connection: Connection): void {
    this.connections.delete(connection);
    this.waiting.delete(connection);
    this.openings.forget(connection);
    this.backPressure.forget(connection);
    this.watches.removeWatcher(connection);
    this.events.updateRecording();
    connection.lane.clear();
    connection.parked = 0;
    connection.held = [];
    connection.heldBytes = 0;
  }

  /** Sends what is in the output and hangs up. */
  close(connection: Connection, reason: string): void {
    if (connection.isGone) return;
    this.forget(connection);
    connection.become('closing');
    this.upstream.emit({ type: 'close', connection, reason });
  }

  /** No leader, no service: clients try elsewhere, or again (E4). */
  closeAll(reason: string): void {
    for (const connection of [...this.connections]) this.close(connection, reason);
  }

  // --- frames

  frames(connection: Connection, bytes: Uint8Array, start: number, end: number): void {
    const { expiry, monotonicMs } = this.upstream;
    if (connection.state === 'open' && !expiry.touch(connection.session, monotonicMs, connection.timeoutMs)) {
      return; // the session is being closed: its requests are dropped (E14)
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = start;
    while (at < end && !connection.isGone) {
      if (connection.paused || connection.state === 'opening') {
        this.hold(connection, bytes, at, end);
        return;
      }
      const frameStart = at + 4;
      at = frameStart + view.getInt32(at);
      connection.received++;
      this.upstream.stats.received++;
      if (connection.state === 'open') this.request(connection, bytes, view, frameStart, at);
      else this.openings.greet(connection, this.reader.reset(bytes, frameStart, at));
    }
    if (connection.lane.length > 0) this.backPressure.pauseIfBusy(connection);
  }

  /** What comes before the session is ready, or in a pause, is kept and processed in order afterwards (E3, E7). */
  private hold(connection: Connection, bytes: Uint8Array, start: number, end: number): void {
    connection.heldBytes += end - start;
    if (connection.held.length > 0 && connection.heldBytes > limits.heldBytesMax) {
      this.close(connection, 'it goes on sending while it is not read');
      return;
    }
    connection.held.push(copyBytes(bytes, start, end));
    this.backPressure.pause(connection);
  }

  /** The session is ready (Doorkeeper). */
  admitted(connection: Connection): void {
    this.resume(connection);
  }

  /** Goes on with what was held, and then with reading, unless there is still a reason to wait. */
  private resume(connection: Connection): void {
    if (!this.backPressure.unpauseIfQuiet(connection)) return;
    const chunks = connection.held;
    connection.held = [];
    connection.heldBytes = 0;
    for (const chunk of chunks) this.frames(connection, chunk, 0, chunk.length);
    if (!connection.paused && !connection.isGone) this.upstream.emit({ type: 'resume', connection });
  }

  /** The client has taken what was too much for it, and so has shown that it lives (E16). */
  drained(connection: Connection): void {
    if (!connection.isFull || connection.isGone) return;
    connection.isFull = false;
    const { expiry, monotonicMs } = this.upstream;
    expiry.touch(connection.session, monotonicMs, connection.timeoutMs);
    this.backPressure.unpark(connection);
    this.drain(connection);
    this.resume(connection);
  }

  private request(connection: Connection, bytes: Uint8Array, view: DataView, start: number, end: number): void {
    if (end - start < 8) {
      this.close(connection, `a request of ${end - start} bytes is too short for a header`);
      return;
    }
    const xid = view.getInt32(start);
    const code = view.getInt32(start + 4);
    connection.lastOperation = code;
    connection.lastXid = xid;
    if (code === OpCode.auth) {
      this.authenticate(connection, xid, bytes, start + 8, end);
      return;
    }
    if (!isAuthenticated(this.upstream.options, connection.identities)) {
      this.reply(connection, xid, Code.SessionClosedRequireSaslAuth);
      this.close(connection, 'it has not authenticated with a scheme that is demanded');
      return;
    }
    const operation = clientOperation(code);
    if (operation === undefined) this.refuse(connection, xid, code, Code.Unimplemented);
    else if (operation.kind === 'write') this.write(connection, xid, operation, bytes, start + 8, end);
    else this.read(connection, xid, operation, bytes, start, end);
  }

  /** Authentication belongs to the connection and is handled at once, whatever is under way (E12). */
  private authenticate(connection: Connection, xid: number, bytes: Uint8Array, start: number, end: number): void {
    const packet = this.reader.reset(bytes, start, end);
    const identities = identitiesWith(connection.identities, packet, this.upstream.options.authenticate);
    const reply = beginReply(connection.output, xid);
    endReply(connection.output, reply, 0, identities === null ? Code.AuthFailed : 0);
    this.sent(connection);
    if (identities === null) {
      this.upstream.stats.authFailures++;
      this.close(connection, 'authentication failed');
    } else connection.identities = identities;
  }

  private read(
    connection: Connection,
    xid: number,
    operation: ReadOperation<unknown>,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    const { upstream } = this;
    const isSync = operation.code === OpCode.sync;
    if (connection.lane.length === 0 && (!isSync || upstream.appliedZxid >= upstream.proposedZxid)) {
      this.answer(connection, xid, operation, bytes, start + 8, end);
      connection.answeredAfter(0, upstream.monotonicMs);
      upstream.stats.answeredAfter(0);
      return;
    }
    const common = {
      xid,
      operation: operation.code,
      receivedMs: upstream.monotonicMs,
      frame: copyBytes(bytes, start, end),
    };
    if (!isSync) this.enqueue(connection, { kind: 'read', ...common });
    else {
      this.enqueue(connection, { kind: 'barrier', ...common, zxid: upstream.proposedZxid });
      this.waiting.add(connection);
    }
  }

  private answer(
    connection: Connection,
    xid: number,
    operation: ReadOperation<unknown>,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    const { output } = connection;
    // Events that setWatches delivers for what was missed come before its reply (E62): the reply starts where they end.
    const context = this.readContext(connection);
    let code: number;
    let reply = beginReply(output, xid);
    try {
      const request = operation.request.view(this.reader.reset(bytes, start, end));
      if (operation.deliversEvents === true) {
        output.position = reply;
        code = operation.answer(context, request, output);
        reply = beginReply(output, xid);
      } else code = operation.answer(context, request, output);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      code = Code.MarshallingError;
    }
    endReply(output, reply, this.upstream.appliedZxid, code);
    this.events.updateRecording();
    this.upstream.stats.reads++;
    this.sent(connection);
    this.backPressure.pauseIfFull(connection);
  }

  private context: ReadContext | null = null;
  private contextOf: Connection | null = null;

  /** One context serves all reads in a row of the same connection. */
  private readContext(connection: Connection): ReadContext {
    if (this.context === null || this.contextOf !== connection) {
      this.contextOf = connection;
      this.context = {
        world: this.upstream.world,
        watches: this.watches,
        watcher: connection,
        skipAcl: this.upstream.options.skipAcl,
        deliver: (watcher, type, path) => this.events.sendMissed(watcher as Connection, type, path),
      };
    }
    return this.context;
  }

  private write(
    connection: Connection,
    xid: number,
    operation: WriteOperation<unknown>,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    const { upstream } = this;
    const admission = { options: upstream.options, writable: upstream.isWritable };
    const code = admitWrite(admission, operation, this.reader.reset(bytes, start, end));
    if (code !== 0) {
      this.refuse(connection, xid, operation.code, code);
      return;
    }
    if (operation.code === OpCode.closeSession) upstream.expiry.close(connection.session);
    upstream.release(operation.code, connection.session, xid, connection.identities, bytes, start, end);
    connection.pendingWrites++;
    this.enqueue(connection, { kind: 'write', xid, operation: operation.code, receivedMs: upstream.monotonicMs });
  }

  /** Answers with an error, in its turn. */
  private refuse(connection: Connection, xid: number, operation: number, code: number): void {
    if (connection.lane.length === 0) this.reply(connection, xid, code);
    else this.enqueue(connection, { kind: 'refusal', xid, operation, receivedMs: this.upstream.monotonicMs, code });
  }

  private reply(connection: Connection, xid: number, code: number): void {
    const reply = beginReply(connection.output, xid);
    // The answer to an operation that nobody knows names no state (E9).
    endReply(connection.output, reply, code === Code.Unimplemented ? -1 : this.upstream.appliedZxid, code);
    this.sent(connection);
  }

  // --- lanes

  private enqueue(connection: Connection, item: LaneItem): void {
    connection.lane.push(item);
    this.backPressure.entered();
  }

  /**
   * Answers whatever is at the head of the lane and waits for nothing any more. Reads wait while the output is full, but
   * not with a write behind them, whose effect they must not see: then the output may grow up to its limit.
   */
  private drain(connection: Connection): void {
    const { lane } = connection;
    if (connection.parked > 0) return;
    for (let item = lane.peek(); item !== undefined && item.kind !== 'write'; item = lane.peek()) {
      if (item.kind === 'barrier' && item.zxid > this.upstream.appliedZxid) return;
      if (connection.isFull && connection.pendingWrites === 0) {
        this.backPressure.park(connection);
        return;
      }
      if (connection.output.position > limits.outputBytesMax) {
        this.close(connection, 'it asks for more between two writes than can be kept for it');
        return;
      }
      this.leave(connection, item);
      if (item.kind === 'refusal') this.reply(connection, item.xid, item.code);
      else {
        const operation = clientOperation(item.operation) as ReadOperation<unknown>;
        this.answer(connection, item.xid, operation, item.frame, 8, item.frame.length);
      }
      if (connection.isGone) return;
    }
  }

  private leave(connection: Connection, item: LaneItem): void {
    connection.lane.shift();
    if (item.kind === 'write') connection.pendingWrites--;
    this.backPressure.left();
    const latencyMs = this.upstream.monotonicMs - item.receivedMs;
    this.upstream.stats.answeredAfter(latencyMs);
    connection.answeredAfter(latencyMs, this.upstream.monotonicMs);
  }

  // --- what the log says (Audience)

  /** A sync at the head of the lane may be satisfied by now, with reads behind it that came before the write. */
  executing(session: number): boolean {
    const connection = this.openings.bySession.get(session);
    if (connection === undefined) return false;
    if (connection.lane.peek()?.kind === 'barrier') this.drain(connection);
    return true;
  }

  changed(change: Change, zxid: number): void {
    this.events.fire(change, zxid);
  }

  executed(session: number, cxid: number, operation: number, code: number, body: JuteWriter): void {
    this.upstream.stats.writes++;
    if (operation === OpCode.closeSession) this.upstream.expiry.remove(session);
    if (operation === OpCode.createSession) {
      this.track(session);
      this.openings.created(session);
      return;
    }
    const connection = this.openings.bySession.get(session);
    if (connection === undefined) return;
    const item = connection.lane.peek();
    if (item?.kind === 'write' && item.xid === cxid && item.operation === operation) {
      this.leave(connection, item);
      const reply = beginReply(connection.output, cxid);
      if (code === 0) connection.output.raw(body.bytes, 0, body.position);
      endReply(connection.output, reply, this.upstream.appliedZxid, code);
      this.sent(connection);
      if (operation !== OpCode.closeSession) this.drain(connection);
    }
    if (operation === OpCode.closeSession) this.close(connection, 'its session is closed');
  }

  /** Only who leads counts a session's time; when it begins to lead it starts with all of them (E18). */
  private track(session: number): void {
    const { world, expiry, monotonicMs, isServing } = this.upstream;
    const created = world.sessions.get(session);
    if (isServing && created !== undefined) expiry.track(session, monotonicMs, created.timeoutMs);
  }

  /** Entries were executed: those who waited for the state they brought. */
  settled(): void {
    this.openings.settled();
    for (const connection of this.waiting) {
      this.drain(connection);
      if (!hasBarrier(connection)) this.waiting.delete(connection);
    }
    for (const connection of this.backPressure.paused) this.resume(connection);
  }

  /** Nothing after this zxid will come: whoever waits for more waits for that. */
  withdrawn(lastZxid: number): void {
    this.openings.withdrawn(lastZxid);
    for (const { lane } of this.waiting) {
      for (let i = 0; i < lane.length; i++) {
        const item = lane.at(i);
        if (item?.kind === 'barrier') item.zxid = Math.min(item.zxid, lastZxid);
      }
    }
  }

  /** The log did not take the entry: whoever asked is told, in its turn. */
  lost(session: number, cxid: number, operation: number): void {
    const connection = this.openings.bySession.get(session);
    if (connection === undefined) return;
    if (operation === OpCode.createSession) {
      this.close(connection, 'its session could not be stored');
      return;
    }
    this.drain(connection);
    const item = connection.lane.peek();
    if (item?.kind === 'write' && item.xid === cxid) {
      this.leave(connection, item);
      this.reply(connection, cxid, Code.SystemError);
      this.drain(connection);
    }
    // The session lives on, but what came since was dropped (E14): the client must not wait for answers to it.
    if (operation === OpCode.closeSession) this.close(connection, 'its session could not be closed');
  }

  sent(connection: Connection): void {
    connection.sent++;
    this.upstream.stats.sent++;
    if (connection.flushing) return;
    connection.flushing = true;
    this.upstream.emit({ type: 'flush', connection });
  }
}

function hasBarrier(connection: Connection): boolean {
  for (let i = 0; i < connection.lane.length; i++) if (connection.lane.at(i)?.kind === 'barrier') return true;
  return false;
}
