/**
 * The smallest client: frames out, frames in, nothing in between. It sends whatever it is told to, however wrong, and
 * takes replies apart no further than their header, so it can talk about requests that no codec would write.
 */
import { connect, type Socket } from 'node:net';
import { JuteReader, JuteWriter } from '../interop/wire/jute.js';
import { LOOPBACK } from './ports.js';

const EVENT_XID = -1;
const WAIT_MS = 20_000;

export interface Frame {
  readonly xid: number;
  readonly zxid: bigint;
  readonly err: number;
  readonly body: Buffer;
}

export interface SessionRequest {
  readonly timeoutMs?: number;
  readonly sessionId?: bigint;
  readonly password?: Uint8Array;
}

/** A socket that is connected and whose errors end in nothing but its end. */
export function openSocket(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, LOOPBACK);
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      socket.on('error', () => {});
      socket.setNoDelay(true);
      resolve(socket);
    });
  });
}

/** Length prefix and body. */
export function framed(body: Uint8Array): Buffer {
  return new JuteWriter().buffer(body).bytes();
}

export function requestFrame(xid: number, operation: number, body: Uint8Array = Buffer.alloc(0)): Buffer {
  return framed(new JuteWriter().int(xid).int(operation).raw(body).bytes());
}

export function connectRequest({ timeoutMs = 30_000, sessionId = 0n, password }: SessionRequest = {}): Buffer {
  const writer = new JuteWriter().int(0).long(0n).int(timeoutMs).long(sessionId);
  return framed(
    writer
      .buffer(password ?? new Uint8Array(16))
      .bool(false)
      .bytes(),
  );
}

export class FrameClient {
  sessionId = 0n;
  password: Uint8Array = new Uint8Array(16);
  /** As the server granted it; 0 when it refused the session. */
  timeoutMs = 0;
  /** Watch events that call() met on its way. */
  readonly events: Frame[] = [];
  private pending = Buffer.alloc(0);
  private frames: Buffer[] = [];
  private closed = false;
  private wake: (() => void) | undefined;
  private xid = 0;
  socket!: Socket;

  private constructor(socket: Socket) {
    this.attach(socket);
  }

  private attach(socket: Socket): void {
    this.socket = socket;
    this.closed = false;
    this.pending = Buffer.alloc(0);
    this.frames = [];
    socket.on('data', (chunk) => {
      this.pending = this.pending.length === 0 ? chunk : Buffer.concat([this.pending, chunk]);
      let at = 0;
      while (this.pending.length - at >= 4) {
        const end = at + 4 + this.pending.readInt32BE(at);
        if (end > this.pending.length) break;
        this.frames.push(this.pending.subarray(at + 4, end));
        at = end;
      }
      this.pending = this.pending.subarray(at);
      this.wake?.();
    });
    socket.on('close', () => {
      if (this.socket !== socket) return;
      this.closed = true;
      this.wake?.();
    });
  }

  static async connect(port: number): Promise<FrameClient> {
    return new FrameClient(await openSocket(port));
  }

  /** With a session; fails when the server hangs up. A refused session has timeoutMs 0. */
  static async session(port: number, request: SessionRequest = {}): Promise<FrameClient> {
    const client = await FrameClient.connect(port);
    await client.greet(request);
    return client;
  }

  async greet(request: SessionRequest = {}): Promise<void> {
    this.send(connectRequest(request));
    const answer = await this.nextBytes();
    if (answer === 'closed') throw new Error('the server hung up instead of opening a session');
    const reader = new JuteReader(answer);
    reader.int();
    this.timeoutMs = reader.int();
    this.sessionId = reader.long();
    this.password = reader.buffer() ?? new Uint8Array(0);
  }

  /** Takes the session up again on a new connection; fails when it is refused. */
  async reconnect(port: number): Promise<void> {
    this.socket.destroy();
    this.attach(await openSocket(port));
    await this.greet({ sessionId: this.sessionId, password: this.password });
    if (this.timeoutMs === 0) throw new Error('the session was refused');
  }

  get isClosed(): boolean {
    return this.closed;
  }

  send(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  async nextBytes(waitMs = WAIT_MS): Promise<Buffer | 'closed'> {
    const deadline = Date.now() + waitMs;
    while (this.frames.length === 0 && !this.closed) {
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`no frame within ${waitMs} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return this.frames.shift() ?? 'closed';
  }

  async next(waitMs = WAIT_MS): Promise<Frame | 'closed'> {
    const bytes = await this.nextBytes(waitMs);
    if (bytes === 'closed') return bytes;
    const reader = new JuteReader(bytes);
    return { xid: reader.int(), zxid: reader.long(), err: reader.int(), body: bytes.subarray(16) };
  }

  /** The next frame that is no watch event. */
  async nextReply(waitMs = WAIT_MS): Promise<Frame | 'closed'> {
    for (;;) {
      const frame = await this.next(waitMs);
      if (frame === 'closed' || frame.xid !== EVENT_XID) return frame;
      this.events.push(frame);
    }
  }

  /** Sends a request with the next xid and returns its reply; fails when another one or none comes. */
  async call(operation: number, body: Uint8Array = Buffer.alloc(0), waitMs = WAIT_MS): Promise<Frame> {
    const xid = ++this.xid;
    this.send(requestFrame(xid, operation, body));
    const reply = await this.nextReply(waitMs);
    if (reply === 'closed') throw new Error(`operation ${operation} was answered by a hang-up`);
    if (reply.xid !== xid) throw new Error(`xid ${reply.xid} instead of ${xid}`);
    return reply;
  }

  close(): void {
    this.socket.destroy();
  }
}

// --- bodies of the requests that tests use to look around

const OPEN_ACL = { perms: 31, scheme: 'world', id: 'anyone' };
export const Op = {
  create: 1,
  delete: 2,
  exists: 3,
  getData: 4,
  setData: 5,
  getChildren: 8,
  ping: 11,
  multi: 14,
} as const;
export const CLOSE_SESSION = -11;
export const Flag = { persistent: 0, ephemeral: 1, sequential: 2 } as const;

export function createBody(path: string, data: Uint8Array | null = null, flags = 0): Buffer {
  const { perms, scheme, id } = OPEN_ACL;
  const acl = new JuteWriter().int(1).int(perms).string(scheme).string(id).bytes();
  return new JuteWriter().string(path).buffer(data).raw(acl).int(flags).bytes();
}

export function readBody(path: string, watch = false): Buffer {
  return new JuteWriter().string(path).bool(watch).bytes();
}

export function setDataBody(path: string, data: Uint8Array | null, version = -1): Buffer {
  return new JuteWriter().string(path).buffer(data).int(version).bytes();
}

/** A multi of creates and other parts, each given as [operation, body] (E49). */
export function multiBody(parts: readonly (readonly [operation: number, body: Uint8Array])[]): Buffer {
  const writer = new JuteWriter();
  for (const [operation, body] of parts) writer.int(operation).bool(false).int(-1).raw(body);
  return writer.int(-1).bool(true).int(-1).bytes();
}

/** The names in the body of a getChildren reply. */
export function childrenOf(reply: Frame): string[] {
  return new JuteReader(reply.body).value({ vector: 'string' }) as string[];
}

/** The path in the body of a create reply. */
export function pathOf(reply: Frame): string {
  return new JuteReader(reply.body).string() ?? '';
}

/** The data in the body of a getData reply. */
export function dataOf(reply: Frame): Uint8Array | null {
  return new JuteReader(reply.body).buffer();
}
