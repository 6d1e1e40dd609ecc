// What a server sends on one connection, packet by packet, decoded and with nothing left out. It has to be told which
// operation each xid stands for, because replies do not say it.

import { Xid } from '../../protocol/client/constants.js';
import { type OperationName, operations } from '../../protocol/client/operations.js';
import { readConnectResponse } from '../../protocol/client/packets.js';
import { WatcherEvent } from '../../protocol/client/records.js';
import { JuteReader } from '../../protocol/jute/reader.js';
import { FrameAssembler } from '../server/net/frames.js';

export interface ConnectReply {
  readonly kind: 'connect';
  readonly sessionId: bigint;
  readonly password: Uint8Array | null;
  readonly timeoutMs: number;
  readonly readOnly: boolean | undefined;
  /** Of the packet, without its length: 36 or 37 (E2). */
  readonly bytes: number;
}

export interface Reply<Response = unknown> {
  readonly kind: 'reply';
  readonly xid: number;
  readonly zxid: number;
  readonly code: number;
  readonly operation: OperationName | 'raw';
  /** Undefined when the code is not 0 or the operation has no body. */
  readonly response: Response | undefined;
  /** The body as it came. */
  readonly body: Uint8Array;
}

export interface Event {
  readonly kind: 'event';
  readonly zxid: number;
  readonly type: number;
  readonly path: string;
}

export type Packet = ConnectReply | Reply | Event;

const FRAME_BYTES_MAX = 16_777_216;

export class PacketReader {
  private readonly assembler = new FrameAssembler(FRAME_BYTES_MAX);
  private isGreeted = false;
  private readonly expected = new Map<number, OperationName>();

  constructor(private readonly onPacket: (packet: Packet) => void) {}

  /** A request was sent: its reply is to be read as this operation's. */
  expect(xid: number, operation: OperationName): void {
    this.expected.set(xid, operation);
  }

  feed(chunk: Uint8Array): void {
    this.assembler.feed(chunk, (bytes, start, end) => this.frames(bytes, start, end));
  }

  private frames(bytes: Uint8Array, start: number, end: number): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = start; at < end; ) {
      const frameEnd = at + 4 + view.getInt32(at);
      const reader = new JuteReader(bytes, at + 4, frameEnd);
      at = frameEnd;
      if (this.isGreeted) this.packet(reader);
      else this.greeted(reader);
    }
  }

  private greeted(reader: JuteReader): void {
    const bytes = reader.remaining;
    const { sessionId, password, timeoutMs, readOnly } = readConnectResponse(reader);
    this.isGreeted = true;
    this.onPacket({ kind: 'connect', sessionId, password, timeoutMs, readOnly, bytes });
  }

  private packet(reader: JuteReader): void {
    const xid = reader.int();
    const zxid = reader.longNumber();
    const code = reader.int();
    if (xid === Xid.notification) {
      const { type, path } = WatcherEvent.read(reader);
      this.onPacket({ kind: 'event', zxid, type, path });
      return;
    }
    const name = this.expected.get(xid);
    if (xid > 0) this.expected.delete(xid);
    const body = reader.bytes.slice(reader.position, reader.end);
    const response = code === 0 && name !== undefined ? operations[name].response.read(reader) : undefined;
    this.onPacket({ kind: 'reply', xid, zxid, code, operation: name ?? 'raw', response, body });
  }
}
