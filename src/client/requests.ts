// The requests of a session, from submission to answer: queued while they wait for the connection, then in flight until
// the reply comes, which is in the same order (E8). A request that is given up (deadline, AbortSignal) is settled at
// once; its place stays, because its reply may still come and would otherwise be taken for the next one's.
//
// Deadlines cost nothing per request: there is no timer and no sorted structure, only a lower bound of the next deadline.
// When it is reached, what is outstanding is looked through. That happens once per deadline at most, and answered
// requests, nearly all, are never looked at.

import { operations } from '../../protocol/client/operations.js';
import type { JuteReader } from '../../protocol/jute/reader.js';
import type { JuteWriter } from '../../protocol/jute/writer.js';
import { Ring } from '../std/ring.js';
import { ZooKeeperError, type ZooKeeperErrorName } from './errors.js';
import type { WatchRegistration } from './watches.js';

/** Deadlines are looked at in steps of this length, so a request may be given up that much too late, never early. */
const DEADLINE_STEP_MS = 10;
const XID_MAX = 0x7fff_ffff;

/** What the session machine needs to know of a request: of a user's (call.ts), of one that a thread passes on, of its own. */
export interface Request {
  /** Operation number. */
  readonly code: number;
  /** The client's method and the caller's path, for errors. */
  readonly method: string;
  readonly path: string | null;
  /** It may change something on the server, so a lost answer leaves a doubt. */
  readonly isWrite: boolean;
  /** When it is given up; Infinity for never. */
  readonly deadlineMs: number;
  /** The watch that the reply registers. */
  readonly watch: WatchRegistration | undefined;
  /** 0 until it is sent. */
  xid: number;
  sentAtMs: number;
  /** Answered, failed or given up. */
  settled: boolean;
  encode(writer: JuteWriter): void;
  /** Reads the reply's body. May throw ProtocolError. */
  succeed(body: JuteReader): void;
  fail(error: unknown): void;
}

/** An error about `request`. */
export function errorOf(
  request: Request,
  name: ZooKeeperErrorName,
  details: { text?: string; cause?: unknown } = {},
): ZooKeeperError {
  const maybeApplied = request.isWrite && request.xid !== 0;
  return new ZooKeeperError(name, { operation: request.method, path: request.path, maybeApplied, ...details });
}

/** Fails a request outside of the queue. */
export function refuse(request: Request, name: ZooKeeperErrorName, details: { text?: string; cause?: unknown }): void {
  request.settled = true;
  request.fail(errorOf(request, name, details));
}

/** The xid of the next request: positive, since the others have a meaning of their own. */
export function xidAfter(xid: number): number {
  return xid === XID_MAX ? 1 : xid + 1;
}

/** Writes the request as a packet; when that cannot be done it fails, nothing is written, and the result is false. */
export function encodeRequest(writer: JuteWriter, request: Request, xid: number, bytesMax: number): boolean {
  const frame = writer.beginFrame();
  try {
    writer.int(xid);
    writer.int(request.code);
    request.encode(writer);
    const bytes = writer.position - frame - 4;
    // The server would hang up without a word (E1), and everything else that is in flight would be lost with it.
    if (bytes > bytesMax) throw new RangeError(`the request takes ${bytes} bytes, ${bytesMax} are allowed`);
  } catch (cause) {
    writer.position = frame;
    refuse(request, 'BadArguments', { text: cause instanceof Error ? cause.message : String(cause), cause });
    return false;
  }
  writer.endFrame(frame);
  request.xid = xid;
  return true;
}

/** The last request of a session; `done` however it ends. */
export function closeRequest(deadlineMs: number, done: () => void): Request {
  const { code } = operations.closeSession;
  return { ...OWN, code, method: 'close', isWrite: true, deadlineMs, encode: () => {}, succeed: done, fail: done };
}

/** A sync that only the session itself has asked for: the answer says that the leader knows the session. */
export function heartbeatRequest(): Request {
  const { code, request } = operations.sync;
  return {
    ...OWN,
    code,
    method: 'sync',
    isWrite: false,
    deadlineMs: Number.POSITIVE_INFINITY,
    encode: (writer) => request.write(writer, { path: '/' }),
    succeed: () => {},
    fail: () => {},
  };
}

/** Of the requests that no user has made. */
const OWN = { path: null, watch: undefined, xid: 0, sentAtMs: 0, settled: false };

/** Whether a good answer comes from the leader, so that it proves that the session lives. */
export function isProof({ isWrite, code }: Request): boolean {
  return isWrite || code === operations.sync.code;
}

export class RequestQueue {
  readonly #queued: Ring<Request>;
  readonly #inFlight: Ring<Request>;
  /** Settled requests that still have a place in #queued. */
  #deadQueued = 0;
  /** No request has an earlier deadline. */
  #nextDeadlineMs = Number.POSITIVE_INFINITY;

  /** At most `lengthMax` requests wait, and as many are in flight. */
  constructor(lengthMax: number) {
    this.#queued = new Ring(lengthMax);
    this.#inFlight = new Ring(lengthMax);
  }

  get nextDeadlineMs(): number {
    return this.#nextDeadlineMs;
  }

  /** Whether the condition holds for any request that is outstanding. */
  some(condition: (request: Request) => boolean): boolean {
    for (const ring of [this.#inFlight, this.#queued]) {
      for (let i = 0; i < ring.length; i++) {
        const request = ring.at(i);
        if (request !== undefined && !request.settled && condition(request)) return true;
      }
    }
    return false;
  }

  /** False when there is no room. */
  push(request: Request): boolean {
    if (this.#queued.isFull) this.#dropDead();
    if (this.#queued.isFull) return false;
    this.#queued.push(request);
    const deadlineMs = Math.ceil(request.deadlineMs / DEADLINE_STEP_MS) * DEADLINE_STEP_MS;
    if (deadlineMs < this.#nextDeadlineMs) this.#nextDeadlineMs = deadlineMs;
    return true;
  }

  /** Takes the next request to be sent; undefined when none waits or too many are in flight. */
  nextToSend(): Request | undefined {
    while (!this.#inFlight.isFull) {
      const request = this.#queued.shift();
      if (request === undefined) return undefined;
      if (!request.settled) return request;
      this.#deadQueued--;
    }
    return undefined;
  }

  sent(request: Request): void {
    this.#inFlight.push(request);
  }

  /** Takes the request whose reply comes next. */
  answered(): Request | undefined {
    return this.#inFlight.shift();
  }

  /** Settles a request before its answer. Nothing happens when it is settled already. */
  giveUp(request: Request, error: unknown): void {
    if (request.settled) return;
    request.settled = true;
    if (request.xid === 0) this.#deadQueued++;
    request.fail(error);
  }

  /** Fails everything that was sent. */
  failInFlight(cause: unknown): void {
    for (let request = this.#inFlight.shift(); request !== undefined; request = this.#inFlight.shift()) {
      this.giveUp(request, errorOf(request, 'ConnectionLoss', { cause }));
    }
  }

  /** Fails everything that waits. */
  failQueued(name: ZooKeeperErrorName, cause: unknown): void {
    for (let request = this.#queued.shift(); request !== undefined; request = this.#queued.shift()) {
      this.giveUp(request, errorOf(request, name, { cause }));
    }
    this.#deadQueued = 0;
  }

  /** Gives up what is due. */
  timePassed(nowMs: number): void {
    if (nowMs < this.#nextDeadlineMs) return;
    let nextMs = Number.POSITIVE_INFINITY;
    for (const ring of [this.#inFlight, this.#queued]) {
      for (let i = 0; i < ring.length; i++) {
        const request = ring.at(i);
        if (request === undefined || request.settled) continue;
        if (request.deadlineMs <= nowMs) this.giveUp(request, errorOf(request, 'RequestTimeout'));
        else if (request.deadlineMs < nextMs) nextMs = request.deadlineMs;
      }
    }
    this.#nextDeadlineMs = Math.ceil(nextMs / DEADLINE_STEP_MS) * DEADLINE_STEP_MS;
  }

  /** Makes room by forgetting what was given up while it waited. */
  #dropDead(): void {
    if (this.#deadQueued === 0) return;
    for (let left = this.#queued.length; left > 0; left--) {
      const request = this.#queued.shift();
      if (request !== undefined && !request.settled) this.#queued.push(request);
    }
    this.#deadQueued = 0;
  }
}
