/**
 * Requests as finished bytes. A load is a ring of frames encoded before the clock starts: sending the next k requests is
 * one write of one stretch of it. The first `window` frames stand behind the last once more, so that a stretch never has
 * to be put together from two pieces.
 */
import { CreateFlag, OpCode, Perms, Xid } from '../../protocol/client/constants.js';
import { writeConnectRequest } from '../../protocol/client/packets.js';
import { SetWatchesRequest } from '../../protocol/client/records.js';
import { JuteWriter } from '../../protocol/jute/writer.js';

const PASSWORD_BYTES = 16;
const ANY_VERSION = -1;

/** What a client has to show to get its session back. */
export interface SessionTicket {
  readonly sessionId: bigint;
  readonly password: Uint8Array;
  readonly lastZxid: bigint;
}

const NEW_SESSION: SessionTicket = { sessionId: 0n, password: new Uint8Array(PASSWORD_BYTES), lastZxid: 0n };

export function connectFrame(timeoutMs: number, ticket = NEW_SESSION): Uint8Array {
  const writer = new JuteWriter(64);
  const start = writer.beginFrame();
  writeConnectRequest(writer, {
    protocolVersion: 0,
    lastZxidSeen: ticket.lastZxid,
    timeoutMs,
    sessionId: ticket.sessionId,
    password: ticket.password,
    readOnly: false,
  });
  writer.endFrame(start);
  return writer.toBytes();
}

export function writeGet(writer: JuteWriter, xid: number, path: string, watch = false): void {
  frame(writer, xid, OpCode.getData, () => {
    writer.ustring(path);
    writer.bool(watch);
  });
}

export function writeSet(writer: JuteWriter, xid: number, path: string, data: Uint8Array): void {
  frame(writer, xid, OpCode.setData, () => {
    writer.ustring(path);
    writer.buffer(data);
    writer.int(ANY_VERSION);
  });
}

/** Open to everybody; persistent, unless the flags say otherwise. */
export function writeCreate(
  writer: JuteWriter,
  xid: number,
  path: string,
  data: Uint8Array,
  flags: number = CreateFlag.persistent,
): void {
  frame(writer, xid, OpCode.create, () => {
    writer.ustring(path);
    writer.buffer(data);
    writer.int(1);
    writer.int(Perms.all);
    writer.ustring('world');
    writer.ustring('anyone');
    writer.int(flags);
  });
}

export function writeDelete(writer: JuteWriter, xid: number, path: string): void {
  frame(writer, xid, OpCode.delete, () => {
    writer.ustring(path);
    writer.int(ANY_VERSION);
  });
}

export function writeCloseSession(writer: JuteWriter, xid: number): void {
  frame(writer, xid, OpCode.closeSession, () => {});
}

export function writePing(writer: JuteWriter): void {
  frame(writer, Xid.ping, OpCode.ping, () => {});
}

/** Puts the data watches of a resumed session on its new server (E62). */
export function writeSetWatches(writer: JuteWriter, relativeZxid: bigint, dataWatches: readonly string[]): void {
  frame(writer, Xid.setWatches, OpCode.setWatches, () => {
    SetWatchesRequest.write(writer, {
      relativeZxid,
      dataWatches: [...dataWatches],
      existWatches: [],
      childWatches: [],
    });
  });
}

function frame(writer: JuteWriter, xid: number, operation: number, writeBody: () => void): void {
  const start = writer.beginFrame();
  writer.int(xid);
  writer.int(operation);
  writeBody();
  writer.endFrame(start);
}

export class RequestRing {
  private readonly bytes: Uint8Array;
  /** Where request i begins; the one behind the last is where it ends. */
  private readonly offsets: number[] = [];

  /**
   * @param length requests before the ring begins again
   * @param window requests that may be asked for at once, at most `length`
   * @param write appends request number `index` (0 to length - 1)
   */
  constructor(
    readonly length: number,
    window: number,
    write: (writer: JuteWriter, index: number) => void,
  ) {
    const writer = new JuteWriter(length * 128);
    for (let i = 0; i < length + window; i++) {
      this.offsets.push(writer.position);
      write(writer, i % length);
    }
    this.offsets.push(writer.position);
    this.bytes = writer.toBytes();
  }

  /** Requests number `first`, `first` + 1, … as one piece of bytes. */
  stretch(first: number, count: number): Uint8Array {
    const from = first % this.length;
    return this.bytes.subarray(this.offsets[from], this.offsets[from + count]);
  }
}
