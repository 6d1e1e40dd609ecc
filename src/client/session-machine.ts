// A session without its input and output: bytes and time go in; bytes, wishes (dial, hang up) and news come out. No
// socket, timer, clock or randomness of its own, so a test plays the server and the clock and sees the same run twice.
//
//   start ─▶ waiting ─▶ dialing ─▶ handshaking (─▶ loggingIn) ─▶ connected | readOnly ─▶ waiting ─▶ …
//   any of them ─▶ closed
//
// A session outlives its connections. While there is none, requests wait; what had been sent already fails, since nobody
// knows whether it happened. The session itself ends when a server says so or, by our own clock, when nothing was heard
// for so long that it must be gone (E15); then a new one is asked for. The machine speaks the server's paths only.

import { Xid } from '../../protocol/client/constants.js';
import { Code } from '../../protocol/client/errors.js';
import { readConnectResponse } from '../../protocol/client/packets.js';
import { WatcherEvent } from '../../protocol/client/records.js';
import { ProtocolError } from '../../protocol/errors.js';
import { JuteReader } from '../../protocol/jute/reader.js';
import { JuteWriter } from '../../protocol/jute/writer.js';
import { assert } from '../std/assert.js';
import { type Host, hostText } from './connect-string.js';
import { CredentialList } from './credentials.js';
import { errorOfCode, ZooKeeperError } from './errors.js';
import { FrameSplitter } from './frames.js';
import { type Credential, writeConnect, writePing, writeWatches } from './handshake.js';
import { HostRotation } from './hosts.js';
import { Login } from './login.js';
import type { Request } from './requests.js';
import {
  closeRequest,
  encodeRequest,
  errorOf,
  heartbeatRequest,
  isProof,
  RequestQueue,
  refuse,
  xidAfter,
} from './requests.js';
import { type Phase, type SessionOptions, type SessionOutput, TRANSITIONS } from './session-contract.js';
import { SessionIdentity } from './session-identity.js';
import type { ConnectionState } from './states.js';
import { VitalSigns } from './vital-signs.js';
import { WatchTeller } from './watch-teller.js';
import { isRegistration, registeredBy, type Watcher, type WatchKind, type WatchRegistry } from './watches.js';
import { WritableSearch } from './writable-search.js';

/** A connection that lasted this long was a good one: the next attempt does not wait. */
const STABLE_CONNECTION_MS = 1000;
/** Requests are encoded into one write until it has this size; the rest follows when the socket has taken it. */
const WRITE_BYTES = 256 * 1024;

export class SessionMachine {
  readonly watches: WatchRegistry;
  readonly credentials = new CredentialList();
  /** The server connected to, or tried last. */
  host: Host | undefined;
  /** Why the last attempt or connection ended. */
  lastCause: ZooKeeperError | undefined;
  /** Why it closed; undefined before. */
  closedBy: ZooKeeperError | undefined;

  readonly #options: SessionOptions;
  readonly #output: SessionOutput;
  readonly #teller: WatchTeller;
  readonly #hosts: HostRotation;
  readonly #queue: RequestQueue;
  readonly vital: VitalSigns;
  readonly #session: SessionIdentity;
  readonly #login: Login | undefined;
  readonly #search = new WritableSearch();
  readonly #splitter: FrameSplitter;
  readonly #reader = new JuteReader(new Uint8Array(0));
  readonly #writer = new JuteWriter();

  #phase: Phase = 'idle';
  #state: ConnectionState = 'CONNECTING';
  #everConnected = false;
  /** So many hold something that must not outlive the session. */
  #guards = 0;
  /** Credentials and watches have been sent on this connection. */
  #isIntroduced = false;
  #isReadOnly = false;
  /** Another session than on the last connection that took requests. */
  #isOther = false;
  /** The zxid that the session has seen (E9): 0n before the first reply. */
  #lastZxid = 0n;
  #lastXid = 0;
  #closing = false;

  /** Waiting: when to dial. Dialing, handshaking: when to give the attempt up. */
  #attemptMs = 0;
  #connectedMs = 0;

  /** `toClientPath` takes the chroot off for events and errors. */
  constructor(options: SessionOptions, output: SessionOutput, toClientPath: (path: string) => string = (path) => path) {
    this.#options = options;
    this.#output = output;
    this.#teller = new WatchTeller(toClientPath, (watcher, event) => output.notify(watcher, event));
    this.watches = this.#teller.watches;
    this.#hosts = new HostRotation(options.hosts, options.random);
    this.#queue = new RequestQueue(options.requestsMax);
    this.#splitter = new FrameSplitter(options.replyBytesMax);
    this.vital = new VitalSigns(options.sessionTimeoutMs);
    this.#session = new SessionIdentity(options.session);
    this.#login = options.login === undefined ? undefined : new Login(options.login);
  }

  get phase(): Phase {
    return this.#phase;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  get session(): { id: bigint; password: Uint8Array; timeoutMs: number } {
    const { id, password } = this.#session;
    return { id, password, timeoutMs: this.vital.timeoutMs };
  }

  get lastZxid(): bigint {
    return this.#lastZxid;
  }

  /** No server can have expired the session before this time; 0 when there is no session. */
  get sessionSafeUntilMs(): number {
    return this.#session.id === 0n ? 0 : this.vital.safeUntilMs;
  }

  /** When timePassed() has to be called next; Infinity when nothing is due. */
  get wakeAtMs(): number {
    const queueMs = this.#queue.nextDeadlineMs;
    if (this.#phase === 'closed') return Number.POSITIVE_INFINITY;
    if (this.#phase === 'idle') return queueMs;
    if (!this.#isLive) return Math.min(queueMs, this.#attemptMs, this.#expiryMs);
    return Math.min(queueMs, this.vital.silenceMs, this.vital.heartbeatDueMs(this.#isGuarded), this.#search.dueMs);
  }

  // --- what happens

  start(nowMs: number): void {
    this.vital.heardMs = nowMs;
    this.#attemptMs = nowMs;
    this.#enter('waiting');
    this.timePassed(nowMs);
  }

  /** Takes a request, or fails it at once when the client is closed or full. */
  submit(request: Request): void {
    if (this.#phase === 'closed' || this.#closing) {
      refuse(request, this.closedBy?.name ?? 'ClientClosed', { cause: this.closedBy?.cause });
    } else if (this.#queue.push(request)) {
      if (this.#isLive) this.#output.wantsToWrite();
    } else refuse(request, 'ThrottledOp', { text: `the client holds ${this.#options.requestsMax} requests already` });
  }

  /** Settles a request before its answer, because the caller wants no more of it. */
  giveUp(request: Request, error: unknown): void {
    this.#queue.giveUp(request, error);
  }

  /** Whether a request is under way whose reply will register such a watch. */
  isWatchPending(path: string, kinds: readonly WatchKind[], isMeant?: (watcher: Watcher) => boolean): boolean {
    return this.#queue.some(({ watch }) => isRegistration(watch, path, kinds, isMeant));
  }

  /** Sends a credential now and after every connect from now on; `settle` is called once with the server's verdict. */
  addCredential(credential: Credential, settle: (error: ZooKeeperError | null) => void): void {
    if (this.#phase === 'closed' || this.#closing) {
      settle(this.closedBy ?? new ZooKeeperError('ClientClosed', { operation: 'addAuth' }));
      return;
    }
    const entry = this.credentials.add(credential, settle);
    if (!this.#isIntroduced) return;
    this.credentials.write(this.#writer, entry);
    this.#output.wantsToWrite();
  }

  /** The connection that dial() asked for is open. */
  opened(nowMs: number): void {
    this.#enter('handshaking');
    const wanted = this.#session.wanted();
    this.vital.connecting(nowMs);
    writeConnect(this.#writer, {
      lastZxid: this.#lastZxid,
      timeoutMs: this.#options.sessionTimeoutMs,
      ...wanted,
      readOnly: this.#options.readOnly,
    });
    if (this.#login === undefined) this.#introduce(); // at once, without waiting for the answer (E7)
    this.#output.wantsToWrite();
  }

  received(chunk: Uint8Array, nowMs: number): void {
    if (!this.#isOpen) return;
    this.vital.heardMs = nowMs;
    try {
      this.#splitter.push(chunk, (bytes, start, end) => {
        const reader = this.#reader.reset(bytes, start, end);
        if (this.#phase === 'handshaking') this.#onConnectReply(reader, nowMs);
        else if (this.#phase === 'loggingIn') this.#onLoginPacket(reader, nowMs);
        else this.#onPacket(reader, nowMs);
        return this.#isOpen;
      });
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#drop(this.#connectionLoss(`${this.#hostText()} sent what is not ZooKeeper's protocol`, error), nowMs, true);
    }
  }

  /** The connection, or the attempt to open one, has ended by itself; in good order when there is no cause. */
  disconnected(cause: (Error & { code?: string }) | undefined, nowMs: number): void {
    // An attempt at several addresses of a host fails with an error that has a code and no message.
    const detail = cause === undefined ? 'the server closed the connection' : cause.message || cause.code;
    this.#drop(this.#connectionLoss(`${this.#hostText()}: ${detail}`, cause), nowMs, false);
  }

  timePassed(nowMs: number): void {
    this.#queue.timePassed(nowMs);
    if (this.#isLive) {
      if (nowMs >= this.vital.silenceMs) {
        const silenceMs = Math.round(nowMs - this.vital.heardMs);
        this.#drop(this.#connectionLoss(`${this.#hostText()} was silent for ${silenceMs} ms`), nowMs, true);
      } else this.#beAlive(nowMs);
      return;
    }
    if (nowMs >= this.#expiryMs && this.#phase !== 'closed') {
      const text = `nothing was heard from any server for ${Math.round(nowMs - this.vital.heardMs)} ms`;
      this.#loseSession(new ZooKeeperError('SessionExpired', { text, cause: this.lastCause }), nowMs);
      if (this.#isOpen) this.#drop(this.lastCause, nowMs, true);
    }
    if (this.#phase === 'waiting' && nowMs >= this.#attemptMs) {
      this.#enter('dialing');
      this.host = this.#hosts.next();
      this.#attemptMs = nowMs + this.#options.sessionTimeoutMs / this.#hosts.count; // E15
      this.#output.dial(this.host);
    } else if ((this.#phase === 'dialing' || this.#isOpen) && nowMs >= this.#attemptMs) {
      this.#drop(this.#connectionLoss(`${this.#hostText()} did not answer in time`), nowMs, true);
    }
  }

  /** The answer to probe(). */
  probed(host: Host, isWritable: boolean, nowMs: number): void {
    if (this.#phase !== 'readOnly' || !isWritable) return;
    this.#hosts.succeeded();
    this.#drop(this.#connectionLoss(`${hostText(host)} takes writes, ${this.#hostText()} does not`), nowMs, true);
    this.#hosts.prefer(host);
  }

  /** What is to be written now, as one piece; null when there is nothing. Requests in it count as sent. */
  takeBytes(nowMs: number): Uint8Array | null {
    const writer = this.#writer;
    while (this.#isLive && writer.position < WRITE_BYTES) {
      const request = this.#queue.nextToSend();
      if (request === undefined) break;
      const xid = xidAfter(this.#lastXid);
      if (!encodeRequest(writer, request, xid, this.#options.requestBytesMax)) continue;
      this.#lastXid = xid;
      request.sentAtMs = nowMs;
      this.#queue.sent(request);
    }
    if (writer.position === 0) return null;
    const bytes = writer.toBytes();
    writer.clear(2 * WRITE_BYTES);
    this.vital.sentMs = nowMs;
    return bytes;
  }

  /**
   * Ends the session: what was submitted before is still sent, then closeSession. When that cannot be done within
   * `timeoutMs` the session is left to expire. With `keepSession` the connection is dropped and nothing else.
   */
  close(nowMs: number, timeoutMs: number, keepSession: boolean): void {
    if (this.#phase === 'closed' || this.#closing) return;
    const closed = () => this.#terminate(new ZooKeeperError('ClientClosed'));
    if (keepSession || this.#session.id === 0n) {
      closed();
      return;
    }
    this.submit(closeRequest(nowMs + timeoutMs, closed));
    this.#closing = true;
  }

  /** While the sum of these is above 0, heartbeats go through the leader, and the session is known to be safe. */
  guard(change: 1 | -1): void {
    this.#guards += change;
  }

  // --- the connection

  #onConnectReply(reader: JuteReader, nowMs: number): void {
    const reply = readConnectResponse(reader);
    if (reply.timeoutMs <= 0) {
      // E4: the session is gone. The server closes now; so do we, to come back for a new session.
      const text = `${this.#hostText()} does not know the session any more`;
      this.#loseSession(new ZooKeeperError('SessionExpired', { text }), nowMs);
      this.#drop(this.lastCause, nowMs, true);
      return;
    }
    this.#isReadOnly = reply.readOnly === true;
    const isNew = this.#session.wanted().sessionId === 0n;
    if (this.#session.granted(reply)) this.#isOther = true;
    this.vital.timeoutMs = reply.timeoutMs;
    if (isNew) this.vital.opened();
    if (this.#login === undefined) {
      this.#goLive(nowMs);
      return;
    }
    this.#enter('loggingIn');
    this.#lastXid = xidAfter(this.#lastXid);
    this.#login.begin(this.#writer, this.#lastXid);
    this.#output.wantsToWrite();
  }

  #onLoginPacket(reader: JuteReader, nowMs: number): void {
    try {
      this.#lastXid = xidAfter(this.#lastXid);
      if (this.#login?.received(reader, this.#writer, this.#lastXid) === true) {
        this.#introduce();
        this.#goLive(nowMs);
      }
      this.#output.wantsToWrite();
    } catch (error) {
      if (!ZooKeeperError.is(error)) throw error;
      if (this.#login?.hasSucceeded === true) this.#drop(error, nowMs, true);
      else this.#terminate(error); // every connection would end like this one
    }
  }

  /** Sends what a server has to know before it takes requests: credentials, and the watches of the last connection. */
  #introduce(): void {
    this.#isIntroduced = true;
    this.credentials.writeAll(this.#writer);
    writeWatches(this.#writer, this.watches, this.#lastZxid);
  }

  #goLive(nowMs: number): void {
    this.#connectedMs = nowMs;
    if (this.#isReadOnly && this.#hosts.count > 1) this.#search.begin(nowMs);
    else this.#search.end();
    this.#enter(this.#isReadOnly ? 'readOnly' : 'connected');
    const isFirst = !this.#everConnected;
    this.#everConnected = true;
    this.#become(this.#isReadOnly ? 'READ_ONLY' : isFirst ? 'CONNECTED' : 'RECONNECTED', undefined);
    if (!isFirst) this.#teller.gap(this.#isOther ? 'newSession' : 'reconnected');
    this.#isOther = false;
    if (this.#isLive) this.#output.wantsToWrite();
  }

  /** Ends the connection or the attempt and comes back later; the session goes on. */
  #drop(cause: ZooKeeperError | undefined, nowMs: number, hangUp: boolean): void {
    if (this.#phase === 'closed' || this.#phase === 'waiting') return;
    const wasLive = this.#isLive;
    if (hangUp) this.#output.hangUp();
    this.#isIntroduced = false;
    this.#splitter.reset();
    this.#writer.clear();
    this.credentials.disconnected();
    if (wasLive && nowMs - this.#connectedMs >= STABLE_CONNECTION_MS) this.#hosts.succeeded();
    else this.#hosts.failed();
    this.lastCause = cause;
    this.#attemptMs = nowMs + this.#hosts.delayMs();
    this.#enter('waiting');
    if (wasLive) this.#become('SUSPENDED', cause);
    this.#queue.failInFlight(cause);
  }

  #loseSession(cause: ZooKeeperError, nowMs: number): void {
    this.lastCause = cause;
    const isFinal = this.#session.isUnconfirmed || !this.#options.renewSession;
    this.#session.lost();
    this.vital.heardMs = nowMs;
    // First the requests of the old session: those that a listener makes when it hears of LOST are for the next one.
    this.#queue.failQueued('SessionExpired', cause);
    if (this.#phase === 'closed') return; // one of them was that of close()
    if (this.#everConnected) this.#become('LOST', cause);
    if (isFinal) this.#terminate(cause);
  }

  #terminate(error: ZooKeeperError): void {
    if (this.#phase === 'closed') return;
    const wasOpen = this.#phase !== 'idle' && this.#phase !== 'waiting';
    this.closedBy = error;
    this.#enter('closed');
    if (wasOpen) this.#output.hangUp();
    this.#writer.clear();
    this.#queue.failInFlight(error);
    this.#queue.failQueued(error.name, error);
    this.credentials.failAll(error);
    this.#become('CLOSED', error.name === 'ClientClosed' ? undefined : error);
  }

  /** Sends a heartbeat when it is due, and looks for a writable server when ours is not. */
  #beAlive(nowMs: number): void {
    if (nowMs >= this.vital.heartbeatDueMs(this.#isGuarded)) {
      // There is no room for a request when far too many wait.
      if (!this.#isGuarded || !this.#queue.push(heartbeatRequest())) writePing(this.#writer);
      this.vital.heartbeatSent(nowMs);
      this.#output.wantsToWrite();
    }
    if (nowMs >= this.#search.dueMs) {
      this.#search.asked(nowMs);
      this.#output.probe(this.#hosts.next());
    }
  }

  // --- packets

  #onPacket(reader: JuteReader, nowMs: number): void {
    const xid = reader.int();
    const zxid = reader.long();
    const code = reader.int();
    if (xid === Xid.notification) {
      const { type, path } = WatcherEvent.read(reader);
      this.#teller.event(type, path, zxid);
    } else if (xid === Xid.auth) this.#onAuthReply(code, nowMs);
    else if (xid !== Xid.ping) {
      if (zxid > this.#lastZxid) this.#lastZxid = zxid; // E9
      if (xid === Xid.setWatches) {
        if (code !== Code.Ok) throw new ProtocolError(`setWatches was refused with ${code}`, 0);
      } else this.#onReply(xid, code, reader);
    }
  }

  #onReply(xid: number, code: number, reader: JuteReader): void {
    const request = this.#queue.answered();
    if (request === undefined) throw new ProtocolError(`a reply with xid ${xid} that nobody waits for`, 0);
    if (request.xid !== xid) {
      this.#queue.giveUp(request, errorOf(request, 'ConnectionLoss'));
      throw new ProtocolError(`a reply with xid ${xid} out of order, ${request.xid} was due`, 0); // E8
    }
    if (code === Code.Ok && isProof(request)) this.vital.proven(request.sentAtMs);
    if (request.settled) return;
    request.settled = true;
    const registration = request.watch === undefined ? undefined : registeredBy(request.watch, code);
    if (registration !== undefined) this.watches.add(registration);
    if (code !== Code.Ok) {
      request.fail(errorOfCode(code, { operation: request.method, path: request.path }));
      return;
    }
    try {
      request.succeed(reader);
    } catch (error) {
      request.fail(errorOf(request, 'ConnectionLoss', { cause: error }));
      throw error;
    }
  }

  #onAuthReply(code: number, nowMs: number): void {
    if (code === Code.Ok) {
      this.credentials.accepted();
      return;
    }
    const error = errorOfCode(code, { operation: 'addAuth' });
    const verdict = this.credentials.refused(error);
    // A credential given at the start that was never good: every connection would end like this one (E12).
    if (verdict === 'final') this.#terminate(error);
    else this.#drop(this.#connectionLoss(`${this.#hostText()} refused a credential`, error), nowMs, true);
  }

  // --- small things

  #enter(phase: Phase): void {
    assert(TRANSITIONS[this.#phase].includes(phase), `session: ${this.#phase} to ${phase}`);
    this.#phase = phase;
  }

  #become(state: ConnectionState, cause: ZooKeeperError | undefined): void {
    const previous = this.#state;
    if (previous === state) return;
    this.#state = state;
    this.#output.stateChanged({ state, previous, sessionId: this.#session.id, cause });
  }

  #connectionLoss(text: string, cause?: unknown): ZooKeeperError {
    return new ZooKeeperError('ConnectionLoss', { text, cause });
  }

  #hostText(): string {
    return this.host === undefined ? 'the server' : hostText(this.host);
  }

  get #isLive(): boolean {
    return this.#phase === 'connected' || this.#phase === 'readOnly';
  }

  /** A connection stands, whether or not it takes requests yet. */
  get #isOpen(): boolean {
    return this.#isLive || this.#phase === 'handshaking' || this.#phase === 'loggingIn';
  }

  /** A server without a quorum has no leader to ask. */
  get #isGuarded(): boolean {
    return this.#guards > 0 && !this.#isReadOnly;
  }

  /** When the session counts as lost by our own clock (E15). */
  get #expiryMs(): number {
    return this.#session.id === 0n ? Number.POSITIVE_INFINITY : this.vital.expiryMs;
  }
}
