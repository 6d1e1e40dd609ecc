// A session that lives in a worker thread, so that an event loop that is blocked for longer than the session timeout does
// not lose it. This is the side of the client: requests become bytes here and replies become objects, callbacks of watches
// are known and called here; the rest happens in worker-thread.ts. Both sides keep a book of watches. The one here follows
// the one there, since it changes with the replies and events that arrive, in the same order.

import { Worker } from 'node:worker_threads';
import type { JuteReader } from '../../protocol/jute/reader.js';
import { callBack } from './callback.js';
import type { Host } from './connect-string.js';
import { ZooKeeperError } from './errors.js';
import type { Credential } from './handshake.js';
import { once } from './once.js';
import type { ClientOptions } from './options.js';
import { errorOf, type Request, refuse, xidAfter } from './requests.js';
import type { Session, SessionEvents } from './session.js';
import type { ConnectionState } from './states.js';
import {
  Conversation,
  type Message,
  type News,
  type Order,
  Record,
  SharedSigns,
  type ThreadSetup,
} from './thread-messages.js';
import { WatchTeller } from './watch-teller.js';
import {
  isRegistration,
  registeredBy,
  WATCH_KINDS,
  type Watcher,
  type WatchKind,
  type WatchRegistration,
  type WatchRegistry,
} from './watches.js';

/** The thread's port, as far as it is needed: a Worker. */
export type Thread = Pick<Worker, 'on' | 'postMessage' | 'unref'>;

export class WorkerSession implements Session {
  readonly watches: WatchRegistry;
  readonly #teller: WatchTeller;
  readonly #thread: Thread;
  readonly #events: SessionEvents;
  readonly #conversation: Conversation<Order, News>;
  readonly #signs = new SharedSigns();
  readonly #requestsMax: number;
  /** Handed over and not settled, by their ids. */
  readonly #requests = new Map<number, Request>();
  readonly #credentials = new Map<number, (error: ZooKeeperError | null) => void>();
  #lastId = 0;
  #state: ConnectionState = 'CONNECTING';
  #everConnected = false;
  #session: Session['session'] = { id: 0n, password: new Uint8Array(0), timeoutMs: 0 };
  #lastZxid = 0n;
  #host: Host | undefined;
  #lastCause: ZooKeeperError | undefined;
  #closedBy: ZooKeeperError | undefined;

  /** `requestsMax` that are handed over may wait for their answers. */
  constructor(
    connectString: string,
    options: ClientOptions,
    requestsMax: number,
    events: SessionEvents,
    start: (setup: ThreadSetup) => Thread = startThread,
  ) {
    this.#events = events;
    this.#teller = new WatchTeller((path) => events.toClientPath(path), callBack);
    this.watches = this.#teller.watches;
    this.#requestsMax = requestsMax;
    this.#thread = start({ connectString, options, signs: this.#signs.memory });
    this.#conversation = new Conversation(this.#thread);
    this.#thread.on('message', (message: Message) => this.#conversation.read(message, this.#onRecord, this.#onNews));
    this.#thread.on('error', (error: Error) => this.#crashed(error));
    this.#thread.on('exit', () => this.#crashed(undefined));
  }

  get state(): ConnectionState {
    return this.#state;
  }

  get session(): { id: bigint; password: Uint8Array; timeoutMs: number } {
    return this.#session;
  }

  get lastZxid(): bigint {
    return this.#lastZxid;
  }

  get host(): Host | undefined {
    return this.#host;
  }

  get lastCause(): ZooKeeperError | undefined {
    return this.#lastCause;
  }

  get closedBy(): ZooKeeperError | undefined {
    return this.#closedBy;
  }

  get sessionSafeUntilMs(): number {
    return this.#session.id === 0n ? 0 : this.#signs.safeUntilMs(this.#session.id);
  }

  get heardMs(): number {
    return this.#signs.heardMs;
  }

  submit(request: Request): void {
    if (this.#closedBy !== undefined) {
      refuse(request, this.#closedBy.name, { cause: this.#closedBy.cause });
      return;
    }
    if (this.#requests.size >= this.#requestsMax) {
      refuse(request, 'ThrottledOp', { text: `the client holds ${this.#requestsMax} requests already` });
      return;
    }
    const id = this.#nextId();
    if (!this.#write(id, request)) return;
    request.xid = id; // from here on it may be sent at any time
    this.#requests.set(id, request);
    this.#conversation.flushSoon();
  }

  giveUp(request: Request, error: unknown): void {
    if (request.settled) return;
    this.#requests.delete(request.xid);
    this.#conversation.note({ do: 'giveUp', id: request.xid });
    fail(request, error);
  }

  isWatchPending(path: string, kinds: readonly WatchKind[], isMeant?: (watcher: Watcher) => boolean): boolean {
    for (const { watch } of this.#requests.values()) if (isRegistration(watch, path, kinds, isMeant)) return true;
    return false;
  }

  addWatch(registration: WatchRegistration): void {
    this.watches.add(registration);
    this.#conversation.note({ do: 'addWatch', kind: registration.kind, path: registration.path });
  }

  removeWatches(path: string, kinds: readonly WatchKind[], watcher?: Watcher): Set<Watcher> {
    const removed = this.watches.remove(path, kinds, watcher);
    const gone = kinds.filter((kind) => !this.watches.has(path, [kind]));
    if (removed.size > 0 && gone.length > 0) this.#conversation.note({ do: 'forgetWatches', kinds: gone, path });
    return removed;
  }

  addCredential(credential: Credential, settle: (error: ZooKeeperError | null) => void): void {
    if (this.#closedBy !== undefined) {
      settle(this.#closedBy);
      return;
    }
    const id = this.#nextId();
    this.#credentials.set(id, settle);
    this.#conversation.note({ do: 'addCredential', id, credential });
  }

  guardSession(): () => void {
    this.#conversation.note({ do: 'guard', change: 1 });
    this.#conversation.flush(); // what is guarded may be work that blocks
    return once(() => this.#conversation.note({ do: 'guard', change: -1 }));
  }

  close(timeoutMs: number, keepSession: boolean): void {
    this.#conversation.note({ do: 'close', timeoutMs, keepSession });
  }

  #nextId(): number {
    this.#lastId = xidAfter(this.#lastId);
    return this.#lastId;
  }

  /** When it cannot be written, the request fails and the result is false. */
  #write(id: number, request: Request): boolean {
    const { writer } = this.#conversation;
    const { watch, deadlineMs } = request;
    const start = writer.position;
    try {
      writer.int(Record.request);
      writer.int(id);
      writer.int(request.code);
      writer.bool(request.isWrite);
      writer.longNumber(deadlineMs === Number.POSITIVE_INFINITY ? -1 : Math.max(0, Math.ceil(deadlineMs)));
      writer.int(watch === undefined ? -1 : WATCH_KINDS.indexOf(watch.kind));
      if (watch !== undefined) writer.ustring(watch.path);
      const frame = writer.beginFrame();
      request.encode(writer);
      writer.endFrame(frame);
      return true;
    } catch (cause) {
      writer.position = start;
      const text = cause instanceof Error ? cause.message : String(cause);
      refuse(request, 'BadArguments', { text, cause });
      return false;
    }
  }

  // --- from the worker

  readonly #onRecord = (record: number, reader: JuteReader): void => {
    if (record === Record.reply) this.#onReply(reader);
    else if (record === Record.zxid) this.#lastZxid = reader.long();
    else this.#onEvent(reader);
  };

  #onReply(reader: JuteReader): void {
    const request = this.#take(reader.int());
    const end = reader.int() + reader.position;
    if (request !== undefined) {
      request.settled = true;
      this.#register(request, 0);
      try {
        request.succeed(reader);
      } catch (cause) {
        request.fail(errorOf(request, 'ConnectionLoss', { cause }));
      }
    }
    reader.position = end;
  }

  #onEvent(reader: JuteReader): void {
    const type = reader.int();
    const zxid = reader.long();
    this.#teller.event(type, reader.ustring() ?? '', zxid);
  }

  readonly #onNews = (news: News): void => {
    switch (news.say) {
      case 'failed': {
        const request = this.#take(news.id);
        if (request === undefined) return;
        this.#register(request, news.error.code);
        fail(request, ZooKeeperError.ofPlain(news.error, { operation: request.method, path: request.path }));
        return;
      }
      case 'gap':
        this.#teller.gap(news.reason);
        return;
      case 'dialing':
        this.#host = news.host;
        this.#lastCause = news.lastCause && ZooKeeperError.ofPlain(news.lastCause);
        return;
      case 'credential': {
        const settle = this.#credentials.get(news.id);
        this.#credentials.delete(news.id);
        settle?.(news.error && ZooKeeperError.ofPlain(news.error));
        return;
      }
      case 'state':
        this.#session = news.session;
        this.#host = news.host;
        this.#lastCause = news.lastCause && ZooKeeperError.ofPlain(news.lastCause);
        this.#closedBy = news.closedBy && ZooKeeperError.ofPlain(news.closedBy);
        this.#become(news.change.state, news.change.cause && ZooKeeperError.ofPlain(news.change.cause));
    }
  };

  #take(id: number): Request | undefined {
    const request = this.#requests.get(id);
    this.#requests.delete(id);
    return request;
  }

  #register({ watch }: Request, code: number): void {
    const registration = watch === undefined ? undefined : registeredBy(watch, code);
    if (registration !== undefined) this.watches.add(registration);
  }

  #become(state: ConnectionState, cause: ZooKeeperError | undefined): void {
    const previous = this.#state;
    this.#state = state;
    if (state === 'CLOSED') this.#ended();
    else if (state !== 'SUSPENDED' && state !== 'LOST') this.#everConnected = true;
    this.#events.stateChanged({ state, previous, sessionId: this.#session.id, cause });
  }

  /** Nothing comes from the worker any more, and it keeps no process alive. */
  #ended(): void {
    this.#thread.unref();
    const error = this.#closedBy ?? new ZooKeeperError('ClientClosed');
    for (const request of this.#requests.values()) {
      request.xid = 0; // it came too late to be sent, or the worker would have answered it
      refuse(request, error.name, { cause: error });
    }
    this.#requests.clear();
    for (const settle of this.#credentials.values()) settle(error);
    this.#credentials.clear();
  }

  /** The thread has ended without a word: the session has nobody to keep it alive, so it counts as lost at once. */
  #crashed(cause: Error | undefined): void {
    if (this.#state === 'CLOSED') return;
    const reason = cause === undefined ? '' : `: ${cause.message}`;
    const error = new ZooKeeperError('ConnectionLoss', {
      text: `the client's worker thread has ended${reason}`,
      cause,
    });
    this.#lastCause = error;
    this.#closedBy = error;
    this.#session = { ...this.#session, id: 0n };
    for (const request of this.#requests.values()) refuse(request, 'ConnectionLoss', { cause: error });
    this.#requests.clear();
    if (this.#everConnected) this.#become('LOST', error);
    this.#become('CLOSED', error);
  }
}

function fail(request: Request, error: unknown): void {
  request.settled = true;
  request.fail(error);
}

function startThread(setup: ThreadSetup): Thread {
  return new Worker(new URL('./worker-thread.js', import.meta.url), { workerData: setup, name: 'zabra session' });
}
