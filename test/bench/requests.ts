/**
 * Requests as finished bytes. A load is a ring of frames encoded before the clock starts: sending the next k requests is
 * one write of one stretch of it. The first `window` frames stand behind the last once more, so that a stretch never has
 * to be put together from two pieces.
 */
import { OpCode, Perms } from '../../protocol/client/constants.js';
import { writeConnectRequest } from '../../protocol/client/packets.js';
import { JuteWriter } from '../../protocol/jute/writer.js';

const PASSWORD_BYTES = 16;
const ANY_VERSION = -1;

export function connectFrame(timeoutMs: number): Uint8Array {
  const writer = new JuteWriter(64);
  const start = writer.beginFrame();
  writeConnectRequest(writer, {
    protocolVersion: 0,
    lastZxidSeen: 0n,
    timeoutMs,
    sessionId: 0n,
    password: new Uint8Array(PASSWORD_BYTES),
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

/** Open to everybody, persistent. */
export function writeCreate(writer: JuteWriter, xid: number, path: string, data: Uint8Array): void {
  frame(writer, xid, OpCode.create, () => {
    writer.ustring(path);
    writer.buffer(data);
    writer.int(1);
    writer.int(Perms.all);
    writer.ustring('world');
    writer.ustring('anyone');
    writer.int(0);
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
