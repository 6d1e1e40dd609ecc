// A client of a virtual server that speaks the real protocol, frame by frame, and hides nothing: it decodes what comes
// and keeps it in order. It reconnects only when told to, sends exactly what it is told to, well-formed or not, and
// never by itself, not even a ping.

import { Xid } from '../../protocol/client/constants.js';
import { type OperationName, operations, type RequestOf, type ResponseOf } from '../../protocol/client/operations.js';
import { writeConnectRequest } from '../../protocol/client/packets.js';
import type { Type } from '../../protocol/jute/schema.js';
import { JuteWriter } from '../../protocol/jute/writer.js';
import { type Packet, PacketReader, type Reply } from './packet-reader.js';
import type { VirtualServer } from './virtual-server.js';
import type { VirtualSocket } from './virtual-socket.js';
import type { VirtualWorld } from './virtual-world.js';

export interface ConnectOptions {
  readonly sessionId?: bigint;
  readonly password?: Uint8Array | null;
  /** Default 10 000. */
  readonly timeoutMs?: number;
  readonly lastZxidSeen?: bigint;
  /** undefined: the byte is left out (E2). Default false. */
  readonly readOnly?: boolean | undefined;
}

export type Received = Packet | { readonly kind: 'closed' };

export type OperationRequest<N extends OperationName> = RequestOf<(typeof operations)[N]>;
export type OperationResponse<N extends OperationName> = ResponseOf<(typeof operations)[N]>;

const FIXED_XIDS: Partial<Record<OperationName, number>> = {
  ping: Xid.ping,
  auth: Xid.auth,
  setWatches: Xid.setWatches,
  setWatches2: Xid.setWatches,
};

export class VirtualClient {
  /** Everything that came, on all connections of this client, in order. */
  readonly received: Received[] = [];
  /** Called with each, after it was added. */
  onReceived: (received: Received) => void = () => {};
  sessionId = 0n;
  password: Uint8Array | null = null;
  /** The greatest zxid in a reply's header, as a real client keeps it for its reconnect (E9). */
  lastZxidSeen = 0;
  private readonly world: VirtualWorld;
  private socket: VirtualSocket | null = null;
  private reader = this.createReader();
  private nextXid = 1;

  constructor(world: VirtualWorld) {
    this.world = world;
  }

  /** Neither end has hung up, as far as this end knows. */
  get isConnected(): boolean {
    return this.socket !== null;
  }

  /** Opens a connection and sends the connect request. False when nobody listens. */
  connect(server: VirtualServer, options: ConnectOptions = {}): boolean {
    this.disconnect();
    this.reader = this.createReader();
    let socket: VirtualSocket | null = null;
    const isCurrent = () => socket !== null && this.socket === socket;
    socket = server.accept({
      bytes: (chunk) => {
        if (isCurrent()) this.reader.feed(chunk);
      },
      end: () => {
        if (!isCurrent()) return;
        this.socket = null;
        this.add({ kind: 'closed' });
      },
    });
    this.socket = socket;
    if (socket === null) return false;
    const writer = new JuteWriter();
    const start = writer.beginFrame();
    writeConnectRequest(writer, {
      protocolVersion: 0,
      lastZxidSeen: options.lastZxidSeen ?? 0n,
      timeoutMs: options.timeoutMs ?? 10_000,
      sessionId: options.sessionId ?? 0n,
      password: options.password === undefined ? new Uint8Array(16) : options.password,
      readOnly: 'readOnly' in options ? options.readOnly : false,
    });
    writer.endFrame(start);
    this.sendBytes(writer.toBytes());
    return true;
  }

  /** Connects to the session that this client has, with what it has seen. */
  resume(server: VirtualServer, options: ConnectOptions = {}): boolean {
    const { sessionId, password } = this;
    return this.connect(server, { sessionId, password, lastZxidSeen: BigInt(this.lastZxidSeen), ...options });
  }

  /** Hangs up without a word. */
  disconnect(): void {
    this.socket?.toServer.end();
    this.socket = null;
  }

  /** Stops to read: what the server sends stays on its way. */
  stopReading(): void {
    this.socket?.toClient.hold();
  }

  readOn(): void {
    this.socket?.toClient.release();
  }

  /** The network fails: what is under way is lost both ways. */
  cut(): void {
    this.socket?.cut();
  }

  /** Sends a request; returns its xid. */
  send<N extends OperationName>(name: N, request: OperationRequest<N>, xid?: number): number {
    return this.sendAll([this.prepare(name, request, xid)]);
  }

  /** The frame of a request, for `sendAll`. */
  prepare<N extends OperationName>(
    name: N,
    request: OperationRequest<N>,
    xid = FIXED_XIDS[name] ?? this.nextXid++,
  ): { xid: number; bytes: Uint8Array } {
    const operation = operations[name];
    const writer = new JuteWriter();
    const start = writer.beginFrame();
    writer.int(xid);
    writer.int(operation.code);
    (operation.request as Type<unknown>).write(writer, request);
    writer.endFrame(start);
    this.reader.expect(xid, name);
    return { xid, bytes: writer.toBytes() };
  }

  /** Sends frames in one piece; returns the last xid. */
  sendAll(frames: readonly { readonly xid: number; readonly bytes: Uint8Array }[]): number {
    const writer = new JuteWriter();
    for (const { bytes } of frames) writer.raw(bytes);
    this.sendBytes(writer.toBytes());
    return frames.at(-1)?.xid ?? 0;
  }

  /** Bytes as they are, with no length added. */
  sendBytes(bytes: Uint8Array): void {
    this.socket?.toServer.send(bytes);
  }

  /** A request of any operation number with any body; returns its xid. */
  sendRaw(opCode: number, body: Uint8Array = new Uint8Array(0), xid = this.nextXid++): number {
    const writer = new JuteWriter();
    const start = writer.beginFrame();
    writer.int(xid);
    writer.int(opCode);
    writer.raw(body);
    writer.endFrame(start);
    this.sendBytes(writer.toBytes());
    return xid;
  }

  // --- for tests that go step by step: send, let time pass, have the answer

  /** Connects and waits for the answer, or for the end of the connection. */
  connected(server: VirtualServer, options: ConnectOptions = {}): Received {
    const from = this.received.length;
    this.connect(server, options);
    return this.awaitReceived(from, ({ kind }) => kind === 'connect' || kind === 'closed', 'a connect reply');
  }

  resumed(server: VirtualServer, options: ConnectOptions = {}): Received {
    const { sessionId, password } = this;
    return this.connected(server, { sessionId, password, lastZxidSeen: BigInt(this.lastZxidSeen), ...options });
  }

  /** Sends a request and waits for its reply. Throws an Error when the connection is closed instead. */
  call<N extends OperationName>(name: N, request: OperationRequest<N>): Reply<OperationResponse<N>> {
    const from = this.received.length;
    return this.replyTo(this.send(name, request), from) as Reply<OperationResponse<N>>;
  }

  /** Waits for the reply to `xid`, looking from the received item `from` on. */
  replyTo(xid: number, from = 0): Reply {
    const found = this.awaitReceived(
      from,
      (item) => item.kind === 'closed' || (item.kind === 'reply' && item.xid === xid),
      `a reply to ${xid}`,
    );
    if (found.kind !== 'reply') throw new Error(`the connection was closed before the reply to ${xid}`);
    return found;
  }

  /** Lets time pass until something fits, and returns it. */
  awaitReceived(from: number, fits: (item: Received) => boolean, what: string): Received {
    let next = from;
    let found: Received | undefined;
    const look = () => {
      while (found === undefined && next < this.received.length) {
        const item = this.received[next++];
        if (fits(item)) found = item;
      }
      return found !== undefined;
    };
    this.world.runUntil(look, what);
    return found as unknown as Received;
  }

  private createReader(): PacketReader {
    return new PacketReader((packet) => {
      if (packet.kind === 'connect') {
        this.sessionId = packet.sessionId;
        this.password = packet.password;
      } else if (packet.kind === 'reply' && packet.xid !== Xid.ping && packet.xid !== Xid.auth) {
        this.lastZxidSeen = Math.max(this.lastZxidSeen, packet.zxid);
      }
      this.add(packet);
    });
  }

  private add(item: Received): void {
    this.received.push(item);
    this.onReceived(item);
  }
}
