// The sessions of the ensemble, as every replica knows them: created and closed by log entries, so the same everywhere
// at the same zxid. Deadlines are not here (expiry.ts): only the leader watches the clock.
//
// Session ids are safe integers: the server that made the id on top (bits 45 … 52), below it 45 bits that start from
// the wall clock and rise by one. The highest id of each server is kept with the sessions, and outlives them, so that no
// id comes back after a restart, not even when the clock was set back. E6 with wall time, and narrower.

import { PASSWORD_BYTES } from '../../../protocol/client/constants.js';
import { ProtocolError } from '../../../protocol/errors.js';
import { copyBytes } from '../../../protocol/jute/slice.js';
import { assert } from '../../std/assert.js';

export const SERVER_ID_MAX = 255;
const COUNTER_RANGE = 2 ** 45;
/** 2024-01-01T00:00:00Z: with 16 ids for each millisecond the counter lasts until 2093. */
const EPOCH_WALL_MS = 1_704_067_200_000;
const IDS_PER_MS = 16;

const TIMEOUT_MS_MAX = 2 ** 31 - 1;

const FORMAT_VERSION = 1;
const HEADER_BYTES = 1 + 4 + 4;
const LAST_ID_BYTES = 8;
const SESSION_BYTES = 8 + 4 + PASSWORD_BYTES;

export interface Session {
  /** Safe integer above 0. */
  readonly id: number;
  /** As negotiated when the session was created; what a new leader counts from (E18). */
  readonly timeoutMs: number;
  /** 16 bytes that whoever resumes the session has to show. */
  readonly password: Uint8Array;
}

/** The server that made a session id. */
export function serverIdOf(sessionId: number): number {
  return Math.floor(sessionId / COUNTER_RANGE);
}

/**
 * The id for a new session. `lastId` is the last one this server has given (SessionTable.lastIdOf; 0 for none); the
 * result is above it, and not below what the wall clock (ms since 1970) stands for.
 */
export function nextSessionId(serverId: number, nowWallMs: number, lastId: number): number {
  assert(Number.isInteger(serverId) && serverId >= 0 && serverId <= SERVER_ID_MAX, `server id ${serverId}`);
  assert(lastId === 0 || serverIdOf(lastId) === serverId, `session id ${lastId} is not one of server ${serverId}`);
  const fromClock = (Math.max(0, Math.floor(nowWallMs) - EPOCH_WALL_MS) * IDS_PER_MS) % COUNTER_RANGE;
  const afterLast = (lastId % COUNTER_RANGE) + 1;
  const counter = Math.max(fromClock, afterLast);
  assert(counter < COUNTER_RANGE, `server ${serverId} has no session ids left`);
  return serverId * COUNTER_RANGE + counter;
}

/** The timeout a client gets for the one it asks for (E15): the nearest within the server's limits, all in ms. */
export function negotiate(requestedMs: number, minMs: number, maxMs: number): number {
  assert(minMs <= maxMs, `session timeout limits ${minMs} and ${maxMs} ms are the wrong way round`);
  return Math.min(Math.max(requestedMs, minMs), maxMs);
}

/** All live sessions by id, iterated in order of creation. */
export class SessionTable {
  #sessions = new Map<number, Session>();
  #lastIds = new Map<number, number>();

  get size(): number {
    return this.#sessions.size;
  }

  /** Takes a copy of the session. Throws AssertionFailure when its id is taken or a field is out of its range. */
  add({ id, timeoutMs, password }: Session): void {
    const fault = faultOf(id, timeoutMs);
    assert(fault === null, `session to add: ${fault}`);
    assert(password.length === PASSWORD_BYTES, `password of ${password.length} bytes`);
    assert(!this.#sessions.has(id), `session ${id} exists`);
    this.#sessions.set(id, { id, timeoutMs, password: copyBytes(password) }); // not a view that holds a whole batch
    const serverId = serverIdOf(id);
    if (id > this.lastIdOf(serverId)) this.#lastIds.set(serverId, id);
  }

  /** False when there was no such session. */
  remove(id: number): boolean {
    return this.#sessions.delete(id);
  }

  get(id: number): Session | undefined {
    return this.#sessions.get(id);
  }

  [Symbol.iterator](): IterableIterator<Session> {
    return this.#sessions.values();
  }

  /** The highest session id the server has ever given, also when that session is closed by now; 0 for none. */
  lastIdOf(serverId: number): number {
    return this.#lastIds.get(serverId) ?? 0;
  }

  /** Whether the session lives and this is its password (E4). Its bytes are compared without an early exit. */
  matches(id: number, password: Uint8Array): boolean {
    const session = this.#sessions.get(id);
    if (session === undefined || password.length !== PASSWORD_BYTES) return false;
    let difference = 0;
    for (let i = 0; i < PASSWORD_BYTES; i++) difference |= session.password[i] ^ password[i];
    return difference === 0;
  }

  /**
   * The whole table as bytes, big-endian: version u8, counts u32 u32, then the last id (u64) of each server, then id
   * (u64), timeout in ms (u32) and password of each session, in order of creation.
   */
  encode(): Uint8Array {
    const bytes = new Uint8Array(
      HEADER_BYTES + this.#lastIds.size * LAST_ID_BYTES + this.#sessions.size * SESSION_BYTES,
    );
    const view = new DataView(bytes.buffer);
    view.setUint8(0, FORMAT_VERSION);
    view.setUint32(1, this.#lastIds.size);
    view.setUint32(5, this.#sessions.size);
    let at = HEADER_BYTES;
    for (const id of [...this.#lastIds.values()].sort((a, b) => a - b)) {
      setId(view, at, id);
      at += LAST_ID_BYTES;
    }
    for (const { id, timeoutMs, password } of this.#sessions.values()) {
      setId(view, at, id);
      view.setUint32(at + 8, timeoutMs);
      bytes.set(password, at + 12);
      at += SESSION_BYTES;
    }
    return bytes;
  }

  /** Becomes the table that was encoded, or stays as it is when `decode` throws. */
  load(bytes: Uint8Array): void {
    const loaded = SessionTable.decode(bytes);
    this.#sessions = loaded.#sessions;
    this.#lastIds = loaded.#lastIds;
  }

  /** The table that was encoded. Throws ProtocolError for bytes that are not exactly one table. */
  static decode(bytes: Uint8Array): SessionTable {
    if (bytes.length < HEADER_BYTES) throw new ProtocolError('session table: shorter than its header', bytes.length);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const version = view.getUint8(0);
    if (version !== FORMAT_VERSION) throw new ProtocolError(`session table: unknown version ${version}`, 0);
    const servers = view.getUint32(1);
    const sessions = view.getUint32(5);
    const expectedBytes = HEADER_BYTES + servers * LAST_ID_BYTES + sessions * SESSION_BYTES;
    if (bytes.length !== expectedBytes) {
      throw new ProtocolError(`session table: ${bytes.length} bytes instead of ${expectedBytes}`, HEADER_BYTES);
    }

    const table = new SessionTable();
    let at = HEADER_BYTES;
    for (let left = servers; left > 0; left--, at += LAST_ID_BYTES) {
      const id = getId(view, at);
      const fault = faultOf(id, 1);
      if (fault !== null) throw new ProtocolError(`session table: last id, ${fault}`, at);
      if (table.#lastIds.has(serverIdOf(id))) {
        throw new ProtocolError(`session table: two last ids of server ${serverIdOf(id)}`, at);
      }
      table.#lastIds.set(serverIdOf(id), id);
    }
    for (let left = sessions; left > 0; left--, at += SESSION_BYTES) {
      const id = getId(view, at);
      const timeoutMs = view.getUint32(at + 8);
      const fault = faultOf(id, timeoutMs);
      if (fault !== null) throw new ProtocolError(`session table: ${fault}`, at);
      if (table.#sessions.has(id)) throw new ProtocolError(`session table: session ${id} appears twice`, at);
      if (id > table.lastIdOf(serverIdOf(id))) {
        throw new ProtocolError(`session table: session ${id} is above its server's last id`, at);
      }
      table.#sessions.set(id, { id, timeoutMs, password: copyBytes(bytes, at + 12, at + SESSION_BYTES) });
    }
    return table;
  }
}

function faultOf(id: number, timeoutMs: number): string | null {
  if (!Number.isSafeInteger(id) || id <= 0) return `session id ${id}`;
  if (!Number.isInteger(timeoutMs) || timeoutMs < 1 || timeoutMs > TIMEOUT_MS_MAX) return `timeout of ${timeoutMs} ms`;
  return null;
}

function setId(view: DataView, at: number, id: number): void {
  view.setUint32(at, Math.floor(id / 2 ** 32));
  view.setUint32(at + 4, id % 2 ** 32);
}

function getId(view: DataView, at: number): number {
  return view.getUint32(at) * 2 ** 32 + view.getUint32(at + 4);
}
