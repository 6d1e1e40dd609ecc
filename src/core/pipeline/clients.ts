// The clients' side of the road: frames in, replies and events out.
//
//   frames ─┬─ the first: openings ─ a session
//           ├─ read ───────────────▶ order ─▶ answers, at once if nothing of this client is under way
//           └─ write ─ admit ─ released toward the leader; order ─▶ answers, when it was executed
//
// Holds the connections of this server and which session each carries. Sessions themselves belong to the ensemble: they
// are in the world, opened and closed by log entries.

import { OpCode } from '../../../protocol/client/constants.js';
import { Code } from '../../../protocol/client/errors.js';
import { JuteReader } from '../../../protocol/jute/reader.js';
import { copyBytes } from '../../../protocol/jute/slice.js';
import type { JuteWriter } from '../../../protocol/jute/writer.js';
import type { EntrySink } from '../../../protocol/peer/entries.js';
import { limits } from '../limits.js';
import type { Change } from '../ops/changes.js';
import { errorEntry } from '../ops/error.js';
import type { Watcher, WriteOperation } from '../ops/operation.js';
import { clientOperation } from '../ops/table.js';
import type { Liveness } from '../sessions/liveness.js';
import type { WatchTable } from '../watches/table.js';
import { freesMemory, isAuthenticated, WriteGate } from './admit.js';
import { Answers, type Source } from './answers.js';
import type { Audience } from './apply.js';
import { identitiesWith, saslAnswer } from './authentication.js';
import { BackPressure } from './back-pressure.js';
import type { Connection } from './connections.js';
import { type Doorkeeper, MOVED, Openings } from './openings.js';
import { HEADER_BYTES, Order, type Progress } from './order.js';

/** What the clients need from the replica they belong to. */
export interface Upstream extends Source, Progress {
  readonly liveness: Liveness;
  /** A leader knows every session there is. */
  readonly isLeading: boolean;
  /** New sessions are taken. */
  readonly isServing: boolean;
  /** Writes are taken. */
  readonly isWritable: boolean;
  /** Bytes of all requests that were released and not executed yet. */
  readonly pendingBytes: number;
  nextSessionId(): number;
  /** A client comes back with this session: `revalidated` follows, with what the leader says. */
  revalidate(session: number, timeoutMs: number): void;
  /** An entry has opened a session, or closed one. */
  sessionOpened(session: number): void;
  sessionClosed(session: number): void;
  /** Sends a write on its way to the log. */
  release: EntrySink;
}

/** What frees resources, or shows that a client lives, is taken whatever else waits. */
const NEVER_THROTTLED: ReadonlySet<number> = new Set([OpCode.ping, OpCode.closeSession]);

export class Clients implements Audience, Doorkeeper {
  /** Connections since the start. */
  accepted = 0;
  /** What needs more memory is refused. */
  memoryIsScarce = false;
  private readonly upstream: Upstream;
  private readonly connections = new Set<Connection>();
  private readonly reader = new JuteReader(new Uint8Array(0));
  private readonly answers: Answers;
  private readonly openings: Openings;
  private readonly backPressure: BackPressure;
  private readonly order: Order;
  private readonly gate: WriteGate;

  constructor(upstream: Upstream) {
    this.upstream = upstream;
    this.answers = new Answers(upstream);
    this.openings = new Openings(upstream, this);
    this.gate = new WriteGate(upstream.options);
    this.backPressure = new BackPressure(upstream);
    this.order = new Order(upstream, this.answers, this.backPressure, (connection, reason) =>
      this.close(connection, reason),
    );
  }

  get watches(): WatchTable<Watcher> {
    return this.answers.events.watches;
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

  /** Whether a connection here carries the session. */
  holds(session: number): boolean {
    return this.openings.bySession.has(session);
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
    this.openings.forget(connection);
    this.order.forget(connection);
    this.watches.removeWatcher(connection);
    this.answers.events.updateRecording();
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

  sent(connection: Connection): void {
    this.answers.sent(connection);
  }

  // --- frames

  frames(connection: Connection, bytes: Uint8Array, start: number, end: number): void {
    const { liveness, monotonicMs } = this.upstream;
    if (connection.state === 'open' && !liveness.touch(connection.session, monotonicMs, connection.timeoutMs)) {
      return; // the session is being closed: its requests are dropped (E14)
    }
    this.backPressure.decideToRefuse(connection);
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
    const { liveness, monotonicMs } = this.upstream;
    liveness.touch(connection.session, monotonicMs, connection.timeoutMs);
    this.backPressure.unpark(connection);
    this.order.drain(connection);
    this.resume(connection);
  }

  private request(connection: Connection, bytes: Uint8Array, view: DataView, start: number, end: number): void {
    if (end - start < HEADER_BYTES) {
      this.close(connection, `a request of ${end - start} bytes is too short for a header`);
      return;
    }
    const xid = view.getInt32(start);
    const code = view.getInt32(start + 4);
    connection.lastOperation = code;
    connection.lastXid = xid;
    if (code === OpCode.auth) {
      this.authenticate(connection, xid, bytes, start + HEADER_BYTES, end);
      return;
    }
    if (code === OpCode.sasl) {
      this.logIn(connection, xid, bytes, start + HEADER_BYTES, end);
      return;
    }
    if (!isAuthenticated(this.upstream.options, connection.identities)) {
      this.answers.codeAt(connection, xid, Code.SessionClosedRequireSaslAuth, 0);
      this.close(connection, 'it has not authenticated with a scheme that is demanded');
      return;
    }
    const operation = clientOperation(code);
    if (operation === undefined) this.order.refuse(connection, xid, Code.Unimplemented);
    else if (connection.refuses && !NEVER_THROTTLED.has(code)) {
      this.upstream.stats.throttledRequests++;
      this.order.refuse(connection, xid, Code.ThrottledOp);
    } else if (operation.kind === 'write') this.write(connection, xid, operation, bytes, start + HEADER_BYTES, end);
    else this.order.read(connection, xid, operation, bytes, start, end);
  }

  /** Authentication belongs to the connection and is handled at once, whatever is under way (E12). */
  private authenticate(connection: Connection, xid: number, bytes: Uint8Array, start: number, end: number): void {
    const packet = this.reader.reset(bytes, start, end);
    const identities = identitiesWith(connection.identities, packet, this.upstream.options.authenticate);
    this.answers.codeAt(connection, xid, identities === null ? Code.AuthFailed : 0, 0);
    if (identities === null) {
      this.upstream.stats.authFailures++;
      this.close(connection, 'authentication failed');
    } else connection.identities = identities;
  }

  /** The same for one token of a login by SASL. */
  private logIn(connection: Connection, xid: number, bytes: Uint8Array, start: number, end: number): void {
    const { options, stats } = this.upstream;
    const { beginSasl, keepsSaslFailures, requiredSchemes } = options;
    const token = saslAnswer(connection, this.reader.reset(bytes, start, end), beginSasl);
    if (token === null) stats.authFailures++;
    if (token !== null || (keepsSaslFailures === true && requiredSchemes === null)) {
      this.answers.sasl(connection, xid, token, 0);
      return;
    }
    const isDemanded = requiredSchemes?.includes('sasl') === true;
    this.answers.sasl(connection, xid, null, isDemanded ? Code.SessionClosedRequireSaslAuth : Code.AuthFailed);
    this.close(connection, beginSasl === undefined ? 'SASL is not set up here' : 'authentication by SASL failed');
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
    if (!upstream.isWritable) {
      this.order.refuse(connection, xid, Code.SystemError);
      return;
    }
    if (this.memoryIsScarce && !freesMemory(operation, this.reader.reset(bytes, start, end))) {
      upstream.stats.memoryRefusals++;
      this.order.refuse(connection, xid, Code.ThrottledOp);
      return;
    }
    const code = this.gate.admit(operation, this.reader.reset(bytes, start, end), () => this.ephemeralsOf(connection));
    if (code !== 0) {
      if (code === Code.QuotaExceeded) this.answers.limited(connection, 'ephemeral nodes');
      const entry = errorEntry(code);
      this.release(connection, xid, OpCode.error, entry, 0, entry.length, 0);
      return;
    }
    if (operation.code === OpCode.closeSession) upstream.liveness.close(connection.session);
    this.release(connection, xid, operation.code, bytes, start, end, this.gate.ephemerals);
  }

  private ephemeralsOf({ session, pendingEphemerals }: Connection): number {
    return this.upstream.world.tree.ephemeralsOf(session).size + pendingEphemerals;
  }

  /** Sends an entry on its way to the log; its outcome is answered in its turn. */
  private release(
    connection: Connection,
    xid: number,
    operation: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    ephemerals: number,
  ): void {
    const { upstream } = this;
    upstream.release(operation, connection.session, xid, connection.identities, bytes, start, end);
    this.order.write(connection, xid, operation, end - start, ephemerals);
  }

  // --- what the log says (Audience)

  /** A sync at the head of the lane may be satisfied by now, with reads behind it that came before the write. */
  executing(session: number, cxid: number, operation: number): boolean {
    const connection = this.openings.bySession.get(session);
    if (connection === undefined) return false;
    if (connection.lane.peek()?.kind === 'barrier') this.order.reached(connection, cxid, operation);
    return true;
  }

  changed(change: Change, zxid: number): void {
    this.answers.events.fire(change, zxid);
  }

  executed(session: number, cxid: number, operation: number, code: number, body: JuteWriter): void {
    this.upstream.stats.writes++;
    if (operation === OpCode.closeSession) this.upstream.sessionClosed(session);
    if (operation === OpCode.createSession) {
      if (code === 0) {
        this.upstream.sessionOpened(session);
        this.openings.created(session);
      } else this.lost(session, cxid, operation);
      return;
    }
    const connection = this.openings.bySession.get(session);
    if (connection === undefined) return;
    if (this.order.takeWrite(connection, cxid, operation)) {
      this.answers.outcome(connection, cxid, code, body);
      if (operation !== OpCode.closeSession) this.order.drain(connection);
    }
    if (operation === OpCode.closeSession) this.close(connection, 'its session is closed');
  }

  /** Time has passed. */
  tick(): void {
    this.spareUnheard();
    for (const connection of this.backPressure.paused) if (connection.throttledSinceMs >= 0) this.resume(connection);
  }

  /**
   * Whoever is not read, or not yet answered, because this server is busy cannot show that it lives: its session's time
   * starts anew (E17). Not so a client that does not take its output.
   */
  private spareUnheard(): void {
    const { liveness, monotonicMs } = this.upstream;
    for (const connection of this.backPressure.paused) {
      if (!connection.isFull) liveness.touch(connection.session, monotonicMs, connection.timeoutMs);
    }
    for (const connection of this.openings.unanswered) {
      liveness.touch(connection.session, monotonicMs, connection.timeoutMs);
    }
  }

  /** Entries were executed: those who waited for the state they brought. */
  settled(): void {
    this.openings.settled();
    this.order.settled();
    for (const connection of this.backPressure.paused) this.resume(connection);
  }

  /** The leader has answered for a session that came back. */
  revalidated(session: number, isAlive: boolean, zxid: number): void {
    this.openings.revalidated(session, isAlive, zxid);
  }

  /** What needs more memory is refused from now on, or not any more. */
  memory(isScarce: boolean): void {
    this.memoryIsScarce = isScarce;
    this.watches.memoryIsScarce = isScarce;
  }

  /** Another server carries the session now (E19). */
  moved(session: number): void {
    const connection = this.openings.bySession.get(session);
    if (connection !== undefined) this.close(connection, MOVED);
  }

  /** This server cannot serve anybody any more. */
  closeAll(reason: string): void {
    for (const connection of [...this.connections]) this.close(connection, reason);
  }

  /** Nothing after this zxid will come: whoever waits for more waits for that. */
  withdrawn(lastZxid: number): void {
    this.openings.withdrawn(lastZxid);
    this.order.withdrawn(lastZxid);
  }

  /** The log did not take the entry: whoever asked is told, in its turn. */
  lost(session: number, cxid: number, operation: number): void {
    const connection = this.openings.bySession.get(session);
    if (connection === undefined) return;
    if (operation === OpCode.createSession) {
      this.close(connection, 'its session could not be stored');
      return;
    }
    this.order.drain(connection);
    if (this.order.takeWrite(connection, cxid, operation)) {
      this.answers.code(connection, cxid, Code.SystemError);
      this.order.drain(connection);
    }
    // The session lives on, but what came since was dropped (E14): the client must not wait for answers to it.
    if (operation === OpCode.closeSession) this.close(connection, 'its session could not be closed');
  }
}
