/**
 * One client connection of the load generator: a socket that reads into one buffer for ever, and tells its owner how many
 * replies came. It never pings: whoever uses it keeps it busy.
 */
import { connect, type Socket } from 'node:net';
import { Xid } from '../../protocol/client/constants.js';
import { JuteWriter } from '../../protocol/jute/writer.js';
import { FrameWalker, int32At } from './frame-walker.js';
import { connectFrame, writeCloseSession } from './requests.js';

const SESSION_TIMEOUT_MS = 30_000;
const READ_BYTES = 65_536;
const CALL_TIMEOUT_MS = 30_000;
/** In a reply: xid, zxid, err. In a connect reply: protocolVersion, timeOut. */
const ERR_AT = 12;
const TIMEOUT_AT = 4;

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface ReplyHandler {
  /** One reply to a request. */
  reply(err: number): void;
  /** One notification (xid -1). */
  event?(): void;
  /** The answer to a ping. */
  pong?(): void;
  /** Everything that one read brought has been handed over: the moment to send. */
  readDone?(): void;
}

const IGNORE: ReplyHandler = { reply() {} };

export class LoadConnection {
  private handler: ReplyHandler = IGNORE;
  private readonly socket: Socket;
  private readonly walker: FrameWalker;
  private isOpen = false;
  private isClosing = false;
  private settle!: { opened(): void; failed(error: Error): void };
  private readonly opened: Promise<void>;

  /** Begins to connect; `whenOpen` tells how that went. */
  constructor(address: Address, sessionTimeoutMs = SESSION_TIMEOUT_MS) {
    this.opened = new Promise((resolve, reject) => {
      this.settle = { opened: resolve, failed: reject };
    });
    this.walker = new FrameWalker((bytes, start) => this.frame(bytes, start));
    const buffer = new Uint8Array(READ_BYTES);
    this.socket = connect({
      ...address,
      noDelay: true,
      onread: {
        buffer,
        callback: (count: number) => {
          this.walker.feed(buffer, count);
          this.handler.readDone?.();
          return true;
        },
      },
    });
    this.socket.write(connectFrame(sessionTimeoutMs));
    this.socket.on('error', (error) => this.fail(error));
    this.socket.on('close', () => this.fail(new Error('the server closed the connection')));
  }

  /** Resolves with a session; rejects when the server is not there, hangs up or refuses one. */
  static async open(address: Address, sessionTimeoutMs = SESSION_TIMEOUT_MS): Promise<LoadConnection> {
    const connection = new LoadConnection(address, sessionTimeoutMs);
    const timer = setTimeout(
      () => connection.fail(new Error(`no session after ${CALL_TIMEOUT_MS} ms`)),
      CALL_TIMEOUT_MS,
    );
    try {
      await connection.opened;
      return connection;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Resolves with the session; rejects as `open` does, but has no limit in time. */
  whenOpen(): Promise<void> {
    return this.opened;
  }

  /** What happens when the connection breaks after it was opened; by default the process ends with the error. */
  onBroken: (error: Error) => void = (error) => {
    throw error;
  };

  handle(handler: ReplyHandler): void {
    this.handler = handler;
  }

  /** The bytes must stay as they are until they are sent. */
  send(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  /**
   * Sends `count` requests and resolves with the error codes of their replies. Replaces the handler. Rejects when not
   * all are answered in time.
   */
  call(count: number, write: (writer: JuteWriter, index: number) => void): Promise<number[]> {
    const writer = new JuteWriter(256);
    for (let i = 0; i < count; i++) write(writer, i);
    return new Promise((resolve, reject) => {
      const errors: number[] = [];
      const timer = setTimeout(
        () => reject(new Error(`${errors.length} of ${count} requests answered after ${CALL_TIMEOUT_MS} ms`)),
        CALL_TIMEOUT_MS,
      );
      this.handler = {
        reply: (err) => {
          errors.push(err);
          if (errors.length < count) return;
          clearTimeout(timer);
          resolve(errors);
        },
      };
      this.send(writer.toBytes());
    });
  }

  /** Ends the session at the server, so that it does not linger until it expires. */
  async close(): Promise<void> {
    this.isClosing = true;
    const closed = new Promise<void>((resolve) => this.socket.once('close', () => resolve()));
    const writer = new JuteWriter(16);
    writeCloseSession(writer, 1);
    this.send(writer.toBytes());
    const timer = setTimeout(() => this.socket.destroy(), 2000);
    this.handler = { reply: () => this.socket.destroy() };
    await closed;
    clearTimeout(timer);
  }

  /** Lets go at once; the session stays until it expires. */
  destroy(): void {
    this.isClosing = true;
    this.socket.destroy();
  }

  private frame(bytes: Uint8Array, start: number): void {
    if (!this.isOpen) {
      this.isOpen = true;
      if (int32At(bytes, start + TIMEOUT_AT) > 0) this.settle.opened();
      else this.settle.failed(new Error('the server refused the session'));
      return;
    }
    const xid = int32At(bytes, start);
    if (xid >= 0) this.handler.reply(int32At(bytes, start + ERR_AT));
    else if (xid === Xid.notification) this.handler.event?.();
    else if (xid === Xid.ping) this.handler.pong?.();
  }

  private fail(error: Error): void {
    if (!this.isOpen) {
      this.settle.failed(error);
      return;
    }
    if (!this.isClosing) this.onBroken(error);
    this.isClosing = true;
  }
}
