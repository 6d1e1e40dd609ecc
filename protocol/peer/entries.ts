// The replicated log: batches of entries (design decisions 2 and 3). An entry is a *request* with everything its
// execution needs stamped into it; a batch is a run of entries with consecutive zxids that is sent, written,
// acknowledged and committed as one and never cut.
//
// A batch is kept in columns, not as an array of objects: thousands of entries a turn cost a handful of arrays, and all
// request bytes stand in one buffer exactly as the clients sent them.

import { JuteWriter } from '../jute/writer.js';

/** Who is asking: an authenticated id of the connection (E42). */
export interface Identity {
  readonly scheme: string;
  readonly id: string;
}

/** Server options that decide an outcome; stamped by the leader so that every replica decides alike. */
export const BatchFlag = { enforceQuota: 1, skipAcl: 2 } as const;

/** Version of the rules that `apply` follows. A new rule gets a new number, switched on by the log itself. */
export const RULES_VERSION = 1;

export interface Batch {
  readonly firstZxid: number;
  /** Leader's wall clock, milliseconds: ctime and mtime of everything in the batch. */
  readonly timeMs: number;
  readonly rules: number;
  readonly flags: number;
  /** One element an entry in each of the next five. */
  readonly operations: readonly number[];
  /** 0 for what the server itself asks for. */
  readonly sessions: readonly number[];
  readonly cxids: readonly number[];
  /** Index into identityLists. */
  readonly callers: readonly number[];
  /** Where the entry's request ends in `requests`; it starts where the one before ends. */
  readonly requestEnds: readonly number[];
  readonly identityLists: readonly (readonly Identity[])[];
  readonly requests: Uint8Array;
}

export function batchLength(batch: Batch): number {
  return batch.operations.length;
}

export function lastZxid(batch: Batch): number {
  return batch.firstZxid + batch.operations.length - 1;
}

/** Takes an entry over; its request is `request[start, end)` and is copied. */
export type EntrySink = (
  operation: number,
  session: number,
  cxid: number,
  caller: readonly Identity[],
  request: Uint8Array,
  start: number,
  end: number,
) => void;

/** Collects entries until the batch is closed. */
export class BatchBuilder {
  private readonly flags: number;
  private operations: number[] = [];
  private sessions: number[] = [];
  private cxids: number[] = [];
  private callers: number[] = [];
  private requestEnds: number[] = [];
  /** Each caller's list with its index. Every connection has a list of its own: there may be as many as entries. */
  private readonly identityLists = new Map<readonly Identity[], number>();
  private lastCaller: readonly Identity[] | null = null;
  private lastCallerIndex = 0;
  private readonly requests = new JuteWriter(16_384);

  /** `flags`: of every batch, see BatchFlag. */
  constructor(flags: number) {
    this.flags = flags;
  }

  get length(): number {
    return this.operations.length;
  }

  get bytes(): number {
    return this.requests.position;
  }

  /** Adds an entry; the request bytes are copied. */
  add(
    operation: number,
    session: number,
    cxid: number,
    caller: readonly Identity[],
    request: Uint8Array,
    start: number,
    end: number,
  ): void {
    this.operations.push(operation);
    this.sessions.push(session);
    this.cxids.push(cxid);
    this.callers.push(this.callerIndex(caller));
    this.requests.raw(request, start, end);
    this.requestEnds.push(this.requests.position);
  }

  private callerIndex(caller: readonly Identity[]): number {
    if (caller === this.lastCaller) return this.lastCallerIndex;
    const lists = this.identityLists;
    let index = lists.get(caller);
    if (index === undefined) {
      index = lists.size;
      lists.set(caller, index);
    }
    this.lastCaller = caller;
    this.lastCallerIndex = index;
    return index;
  }

  /** The batch, and an empty builder again. */
  close(firstZxid: number, timeMs: number): Batch {
    const batch: Batch = {
      firstZxid,
      timeMs,
      rules: RULES_VERSION,
      flags: this.flags,
      operations: this.operations,
      sessions: this.sessions,
      cxids: this.cxids,
      callers: this.callers,
      requestEnds: this.requestEnds,
      identityLists: [...this.identityLists.keys()],
      requests: this.requests.toBytes(),
    };
    this.operations = [];
    this.sessions = [];
    this.cxids = [];
    this.callers = [];
    this.requestEnds = [];
    this.identityLists.clear();
    this.lastCaller = null;
    this.requests.clear(1_048_576);
    return batch;
  }
}
