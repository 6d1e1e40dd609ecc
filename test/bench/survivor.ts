/**
 * A client that stays: when its connection breaks it goes to the next server at once and resumes its session there, with
 * its data watches, as the client libraries do, but without their random pauses, so that what is measured is the server.
 * It is the same few lines for both servers that are compared.
 *
 *   connect ── handshake ──► connected ── broken ──► connect to the next server, at once
 *      ▲                                                 │ attempt failed
 *      └──────────────── RETRY_MS later, the next ◄──────┘
 */
import { connect, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { Xid } from '../../protocol/client/constants.js';
import { readConnectResponse } from '../../protocol/client/packets.js';
import { JuteReader } from '../../protocol/jute/reader.js';
import { JuteWriter } from '../../protocol/jute/writer.js';
import { FrameWalker } from './frame-walker.js';
import type { Address } from './load-connection.js';
import { connectFrame, type SessionTicket, writeCloseSession, writePing, writeSetWatches } from './requests.js';

/** Between two attempts that came to nothing. */
export const RETRY_MS = 20;
const CLOSE_TIMEOUT_MS = 2000;

export class ConnectionLost extends Error {}

export interface Reply {
  readonly err: number;
  /** Behind the header; a copy. */
  readonly body: Uint8Array;
}

interface Pending {
  resolve(reply: Reply): void;
  reject(error: ConnectionLost): void;
}

const NO_SESSION: SessionTicket = { sessionId: 0n, password: new Uint8Array(16), lastZxid: 0n };

export class Survivor {
  /** Sessions that a server said are over. */
  sessionsLost = 0;
  onEvent: () => void = () => {};
  private ticket = NO_SESSION;
  private socket: Socket | null = null;
  private isConnected = false;
  private isClosed = false;
  private heardMs = 0;
  private readonly pending: Pending[] = [];
  private waiting: (() => void)[] = [];
  private readonly watched = new Set<string>();
  private readonly heartbeat: NodeJS.Timeout;
  private next: number;

  /** @param first index of the address that is tried first */
  constructor(
    private readonly addresses: readonly Address[],
    first: number,
    private readonly timeoutMs: number,
  ) {
    this.next = first;
    this.heartbeat = setInterval(() => this.beat(), timeoutMs / 6);
    this.connect();
  }

  /** Resolves when there is a connection with a session on it. */
  connected(): Promise<void> {
    if (this.isConnected) return Promise.resolve();
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  /**
   * Sends one request that has no xid of its own. Rejects with ConnectionLost when there is no connection, or it breaks
   * before the reply.
   */
  call(write: (writer: JuteWriter) => void): Promise<Reply> {
    if (!this.isConnected) return Promise.reject(new ConnectionLost());
    return new Promise((resolve, reject) => {
      this.pending.push({ resolve, reject });
      this.write(write);
    });
  }

  /** As `call`, again and again until a server has answered. Only for requests that may be carried out twice. */
  async insist(write: (writer: JuteWriter) => void): Promise<Reply> {
    for (;;) {
      await this.connected();
      try {
        return await this.call(write);
      } catch (error) {
        if (!(error instanceof ConnectionLost)) throw error;
      }
    }
  }

  /** From now on a data watch on this path goes along to the next server. Arming it here is up to the caller. */
  rememberWatch(path: string): void {
    this.watched.add(path);
  }

  /** An event has used it up. */
  forgetWatch(path: string): void {
    this.watched.delete(path);
  }

  /** Ends the session, if there is a connection. */
  async close(): Promise<void> {
    clearInterval(this.heartbeat);
    this.isClosed = true;
    const { socket } = this;
    if (this.isConnected && socket !== null) {
      const timer = setTimeout(() => socket.destroy(), CLOSE_TIMEOUT_MS);
      const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
      this.call((writer) => writeCloseSession(writer, 1)).then(
        () => socket.destroy(),
        () => {},
      );
      await closed;
      clearTimeout(timer);
    } else socket?.destroy();
  }

  private connect(): void {
    if (this.isClosed) return;
    const socket = connect({ ...this.addresses[this.next++ % this.addresses.length], noDelay: true });
    this.socket = socket;
    // As ZooKeeper's own client: the session's time shared among the servers of its list.
    const timer = setTimeout(() => socket.destroy(), this.timeoutMs / this.addresses.length);
    const walker = new FrameWalker((bytes, start, length) => {
      if (socket !== this.socket || socket.destroyed) return;
      if (this.isConnected) this.frame(bytes, start, length);
      else {
        clearTimeout(timer);
        this.handshake(new JuteReader(bytes, start, start + length), socket);
      }
    });
    socket.on('connect', () => socket.write(connectFrame(this.timeoutMs, this.ticket)));
    socket.on('data', (chunk: Buffer) => {
      this.heardMs = performance.now();
      walker.feed(chunk, chunk.length);
    });
    socket.on('error', () => {}); // 'close' follows
    socket.on('close', () => {
      clearTimeout(timer);
      this.broken();
    });
  }

  private broken(): void {
    const wasConnected = this.isConnected;
    this.isConnected = false;
    this.socket = null;
    for (const { reject } of this.pending.splice(0)) reject(new ConnectionLost());
    if (wasConnected) this.connect();
    else setTimeout(() => this.connect(), RETRY_MS);
  }

  private handshake(reader: JuteReader, socket: Socket): void {
    const { timeoutMs, sessionId, password } = readConnectResponse(reader);
    if (timeoutMs <= 0) {
      this.sessionsLost++;
      this.ticket = NO_SESSION;
      socket.destroy();
      return;
    }
    this.ticket = { ...this.ticket, sessionId, password: password ?? NO_SESSION.password };
    this.isConnected = true;
    if (this.watched.size > 0) this.write((writer) => writeSetWatches(writer, this.ticket.lastZxid, [...this.watched]));
    for (const resolve of this.waiting.splice(0)) resolve();
  }

  private frame(bytes: Uint8Array, start: number, length: number): void {
    const reader = new JuteReader(bytes, start, start + length);
    const xid = reader.int();
    const zxid = reader.long();
    const err = reader.int();
    if (zxid > 0n) this.ticket = { ...this.ticket, lastZxid: zxid };
    if (xid === Xid.notification) this.onEvent();
    else if (xid >= 0) this.pending.shift()?.resolve({ err, body: bytes.slice(start + 16, start + length) });
  }

  /** Says that it is alive, and gives up a connection on which nothing comes back. */
  private beat(): void {
    if (!this.isConnected) return;
    if (performance.now() - this.heardMs > (this.timeoutMs * 2) / 3) this.socket?.destroy();
    else this.write(writePing);
  }

  private write(write: (writer: JuteWriter) => void): void {
    const writer = new JuteWriter(128);
    write(writer);
    this.socket?.write(writer.toBytes());
  }
}
