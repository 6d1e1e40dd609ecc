/**
 * A client made of a socket and nothing else: it sends exactly the bytes it is given and hands back every frame as it
 * came, in order. It never pings, reconnects, or corrects what a test does wrong on purpose.
 *
 * Replies are decoded by what was asked: the connection remembers the operation of every xid it sent.
 */
import { connect, type Socket } from 'node:net';
import { LOOPBACK } from '../../helpers/ports.js';
import { type Fields, JuteReader, JuteWriter } from './jute.js';
import {
  CONNECT_REQUEST,
  CONNECT_RESPONSE,
  type MultiPart,
  type OperationName,
  operation,
  REPLY_HEADER,
  REQUEST_HEADER,
  readMultiReply,
  WATCHER_EVENT,
  writeMulti,
  XID,
} from './operations.js';

export type Received =
  | { readonly kind: 'connect'; readonly frame: Buffer; readonly body: Fields }
  | { readonly kind: 'event'; readonly frame: Buffer; readonly header: Fields; readonly body: Fields }
  | {
      readonly kind: 'reply';
      readonly frame: Buffer;
      readonly operation: OperationName | 'unknown';
      readonly header: Fields;
      readonly body?: Fields;
    }
  | { readonly kind: 'closed' };

export interface HandshakeOptions {
  readonly timeOut?: number;
  readonly sessionId?: bigint;
  readonly passwd?: Uint8Array | null;
  readonly lastZxidSeen?: bigint;
  readonly protocolVersion?: number;
  /** undefined: the 44-byte form of old clients, without the byte (E2). */
  readonly readOnly?: boolean;
}

export interface RequestOptions {
  /** Default: the next positive xid, or the special one of ping, auth and setWatches (E8). */
  readonly xid?: number;
  /** The parts of a multi or multiRead. */
  readonly parts?: readonly MultiPart[];
}

const SPECIAL_XID: Partial<Record<OperationName, number>> = {
  ping: XID.ping,
  auth: XID.auth,
  setWatches: XID.setWatches,
  setWatches2: XID.setWatches,
};

export function frameOf(body: Uint8Array): Buffer {
  return new JuteWriter().buffer(body).bytes();
}

export function connectFrame(options: HandshakeOptions = {}): Buffer {
  const writer = new JuteWriter().value(CONNECT_REQUEST, {
    protocolVersion: options.protocolVersion ?? 0,
    lastZxidSeen: options.lastZxidSeen ?? 0n,
    timeOut: options.timeOut ?? 10_000,
    sessionId: options.sessionId ?? 0n,
    passwd: options.passwd === undefined ? new Uint8Array(16) : options.passwd,
  });
  if (options.readOnly !== undefined) writer.bool(options.readOnly);
  return frameOf(writer.bytes());
}

export function requestFrame(name: OperationName, fields: Fields, xid: number, parts?: readonly MultiPart[]): Buffer {
  const spec = operation(name);
  const writer = new JuteWriter().value(REQUEST_HEADER, { xid, type: spec.code }).value(spec.request, fields);
  if (parts !== undefined) writer.raw(writeMulti(parts));
  return frameOf(writer.bytes());
}

export class RawConnection {
  private pending = Buffer.alloc(0);
  private readonly frames: Buffer[] = [];
  private isClosed = false;
  private wake: (() => void) | undefined;
  private handshaken = false;
  private xid = 0;
  private readonly asked = new Map<number, OperationName>();

  private constructor(private readonly socket: Socket) {
    socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      this.pending = Buffer.concat([this.pending, chunk]);
      while (this.pending.length >= 4 && this.pending.length >= 4 + this.pending.readInt32BE(0)) {
        const end = 4 + this.pending.readInt32BE(0);
        this.frames.push(this.pending.subarray(0, end));
        this.pending = this.pending.subarray(end);
      }
      this.wake?.();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.isClosed = true;
      this.wake?.();
    });
  }

  static open(port: number): Promise<RawConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, LOOPBACK, () => {
        socket.off('error', reject);
        resolve(new RawConnection(socket));
      });
      socket.once('error', reject);
    });
  }

  /** A connection with a session: sends the handshake and returns the decoded connect response too. */
  static async session(
    port: number,
    options: HandshakeOptions = { readOnly: false },
  ): Promise<{ connection: RawConnection; session: Fields }> {
    const connection = await RawConnection.open(port);
    connection.write(connectFrame(options));
    const first = await connection.receive();
    if (first.kind !== 'connect') throw new Error(`the handshake was answered by: ${first.kind}`);
    return { connection, session: first.body };
  }

  write(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  /** The frame of a request, ready to be written; its xid is remembered for decoding the reply. */
  prepare(name: OperationName, fields: Fields = {}, options: RequestOptions = {}): { xid: number; frame: Buffer } {
    const xid = options.xid ?? SPECIAL_XID[name] ?? ++this.xid;
    this.asked.set(xid, name);
    return { xid, frame: requestFrame(name, fields, xid, options.parts) };
  }

  /** The next frame, or 'closed' after the last one; fails when nothing comes. */
  async receive(timeoutMs = 10_000): Promise<Received> {
    const deadline = Date.now() + timeoutMs;
    while (this.frames.length === 0 && !this.isClosed) {
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`no frame within ${timeoutMs} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    const frame = this.frames.shift();
    return frame === undefined ? { kind: 'closed' } : this.decode(frame);
  }

  /** Sends one request and returns all frames up to its reply (events first), or up to the end of the connection. */
  async exchange(name: OperationName, fields: Fields = {}, options: RequestOptions = {}): Promise<Received[]> {
    const { xid, frame } = this.prepare(name, fields, options);
    this.write(frame);
    const received: Received[] = [];
    for (;;) {
      const next = await this.receive();
      received.push(next);
      if (next.kind === 'closed' || (next.kind === 'reply' && next.header.xid === xid)) return received;
    }
  }

  /** exchange, of which only the reply matters; fails when the connection ends instead. */
  async call(name: OperationName, fields: Fields = {}, options: RequestOptions = {}): Promise<Fields> {
    const last = (await this.exchange(name, fields, options)).at(-1);
    if (last?.kind !== 'reply') throw new Error(`${name} was answered by: ${last?.kind}`);
    return { ...last.header, ...last.body };
  }

  destroy(): void {
    this.socket.destroy();
  }

  private decode(frame: Buffer): Received {
    const reader = new JuteReader(frame.subarray(4));
    if (!this.handshaken) {
      this.handshaken = true;
      const body = reader.record(CONNECT_RESPONSE);
      return { kind: 'connect', frame, body: reader.left > 0 ? { ...body, readOnly: reader.bool() } : body };
    }
    const header = reader.record(REPLY_HEADER);
    const xid = Number(header.xid);
    if (xid === XID.event) return { kind: 'event', frame, header, body: reader.record(WATCHER_EVENT) };
    const name = this.asked.get(xid) ?? 'unknown';
    if (header.err !== 0 || name === 'unknown') return { kind: 'reply', frame, operation: name, header };
    const spec = operation(name);
    const isMulti = name === 'multi' || name === 'multiRead';
    const body = isMulti ? readMultiReply(reader) : spec.reply && reader.record(spec.reply);
    if (reader.left > 0) throw new Error(`${reader.left} bytes too many in the reply to ${name}`);
    return { kind: 'reply', frame, operation: name, header, ...(body !== undefined && { body }) };
  }
}
