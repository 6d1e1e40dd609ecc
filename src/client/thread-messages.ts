// What the client and its worker thread say to each other. A message is all that one side had to say in one turn of its
// event loop: a buffer of records, handed over and not copied, and beside it a list of plain objects for what is rare or
// has no fixed shape. A record `note` stands where the next of those objects has its place, so that the order is kept.
// A record begins with its number; requests and replies end with their body as a frame.

import { JuteReader } from '../../protocol/jute/reader.js';
import { JuteWriter } from '../../protocol/jute/writer.js';
import type { Host } from './connect-string.js';
import type { PlainError } from './errors.js';
import type { Credential } from './handshake.js';
import type { ClientOptions } from './options.js';
import type { StateChange } from './states.js';
import type { WatchKind } from './watches.js';

export const Record = {
  /** Either way: the next of the notes. */
  note: 0,
  /** To the worker: id, operation's number, whether it writes, deadline, watch's kind and path; body. */
  request: 1,
  /** To the client: id; body. */
  reply: 2,
  /** To the client: the zxid that the session has seen from here on. */
  zxid: 3,
  /** To the client: event's number, zxid, server's path. */
  event: 4,
} as const;

/** What the worker starts with. */
export interface ThreadSetup {
  readonly connectString: string;
  readonly options: ClientOptions;
  /** See SharedSigns. */
  readonly signs: SharedArrayBuffer;
}

/** To the worker. */
export type Order =
  | { readonly do: 'giveUp'; readonly id: number }
  | { readonly do: 'addWatch'; readonly kind: WatchKind; readonly path: string }
  /** Nobody waits for these any more, as far as the client knows. */
  | { readonly do: 'forgetWatches'; readonly kinds: readonly WatchKind[]; readonly path: string }
  | { readonly do: 'addCredential'; readonly id: number; readonly credential: Credential }
  | { readonly do: 'guard'; readonly change: 1 | -1 }
  | { readonly do: 'close'; readonly timeoutMs: number; readonly keepSession: boolean };

export type PlainStateChange = Omit<StateChange, 'cause'> & { readonly cause: PlainError | undefined };

/** To the client. */
export type News =
  | { readonly say: 'failed'; readonly id: number; readonly error: PlainError }
  | { readonly say: 'gap'; readonly reason: 'reconnected' | 'newSession' }
  | { readonly say: 'dialing'; readonly host: Host | undefined; readonly lastCause: PlainError | undefined }
  | { readonly say: 'credential'; readonly id: number; readonly error: PlainError | null }
  | {
      readonly say: 'state';
      readonly change: PlainStateChange;
      readonly session: { readonly id: bigint; readonly password: Uint8Array; readonly timeoutMs: number };
      readonly host: Host | undefined;
      readonly lastCause: PlainError | undefined;
      readonly closedBy: PlainError | undefined;
    };

export interface Message {
  /** How many messages of the other side had been read to their end when the first word of this one was written. */
  readonly seen: number;
  readonly bytes: Uint8Array;
  readonly notes: readonly unknown[];
}

/** Memory of the writer that is kept from turn to turn. */
const BUFFER_KEPT_BYTES_MAX = 512 * 1024;

/** One end of the conversation: collects what its side has to say, and sends it when the turn is over. */
export class Conversation<Said, Heard> {
  readonly writer = new JuteWriter();
  readonly #port: { postMessage(message: Message, transfer: readonly ArrayBuffer[]): void };
  #notes: Said[] = [];
  #isDue = false;
  #sent = 0;
  #seen = 0;
  #seenAtStart = 0;

  constructor(port: { postMessage(message: Message, transfer: readonly ArrayBuffer[]): void }) {
    this.#port = port;
  }

  /** The number of the message that what is written now will be in, counted from 1. */
  get messageNumber(): number {
    return this.#sent + 1;
  }

  note(note: Said): void {
    this.writer.int(Record.note);
    this.#notes.push(note);
    this.flushSoon();
  }

  flushSoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#seenAtStart = this.#seen;
    process.nextTick(this.flush);
  }

  /** Reads a message of the other side: calls `onRecord` and `onNote` for each, in order. */
  read(
    { bytes, notes }: Message,
    onRecord: (record: number, reader: JuteReader) => void,
    onNote: (note: Heard) => void,
  ): void {
    const reader = new JuteReader(bytes);
    let next = 0;
    while (reader.remaining > 0) {
      const record = reader.int();
      if (record === Record.note) onNote(notes[next++] as Heard);
      else onRecord(record, reader);
    }
    this.#seen++;
  }

  /** Sends what there is now, when the turn may take long to end. */
  readonly flush = (): void => {
    this.#isDue = false;
    if (this.writer.position === 0) return;
    const bytes = this.writer.toBytes();
    const notes = this.#notes;
    this.writer.clear(BUFFER_KEPT_BYTES_MAX);
    this.#notes = [];
    this.#sent++;
    this.#port.postMessage({ seen: this.#seenAtStart, bytes, notes }, [bytes.buffer as ArrayBuffer]);
  };
}

/**
 * What the client has to know before it has read what the worker told while it was blocked, in memory that both threads
 * see: until when no server can have expired which session, and when a server was last heard. The session's id tells whose
 * time it is; the writer clears the time before it changes the id, and the reader looks at the id before and after, so it
 * never takes one session's for another's.
 */
export class SharedSigns {
  /** Session id, safe until, heard. */
  readonly #cells: BigInt64Array;

  constructor(readonly memory = new SharedArrayBuffer(24)) {
    this.#cells = new BigInt64Array(memory);
  }

  set(sessionId: bigint, safeUntilMs: number, heardMs: number): void {
    if (Atomics.load(this.#cells, 0) !== sessionId) {
      Atomics.store(this.#cells, 1, 0n);
      Atomics.store(this.#cells, 0, sessionId);
    }
    Atomics.store(this.#cells, 1, BigInt(Math.floor(safeUntilMs)));
    Atomics.store(this.#cells, 2, BigInt(Math.floor(heardMs)));
  }

  /** 0 when the worker holds another session by now. */
  safeUntilMs(sessionId: bigint): number {
    if (Atomics.load(this.#cells, 0) !== sessionId) return 0;
    const untilMs = Atomics.load(this.#cells, 1);
    return Atomics.load(this.#cells, 0) === sessionId ? Number(untilMs) : 0;
  }

  get heardMs(): number {
    return Number(Atomics.load(this.#cells, 2));
  }
}
