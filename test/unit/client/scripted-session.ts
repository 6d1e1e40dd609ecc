// The other side of a session: a test speaks packets to the machine and reads the packets it sends, and turns its clock.
// Nothing here runs by itself.

import { Xid } from '../../../protocol/client/constants.js';
import { type OperationName, operationName, operations } from '../../../protocol/client/operations.js';
import { type ConnectRequest, readConnectRequest, writeConnectResponse } from '../../../protocol/client/packets.js';
import { WatcherEvent } from '../../../protocol/client/records.js';
import { JuteReader } from '../../../protocol/jute/reader.js';
import type { Type } from '../../../protocol/jute/schema.js';
import { JuteWriter } from '../../../protocol/jute/writer.js';
import { Call } from '../../../src/client/call.js';
import { type Host, hostText } from '../../../src/client/connect-string.js';
import type { SessionOptions } from '../../../src/client/session-contract.js';
import { SessionMachine } from '../../../src/client/session-machine.js';
import type { ConnectionState } from '../../../src/client/states.js';
import type { WatchEvent, WatchRegistration } from '../../../src/client/watches.js';
import { Random } from '../../../src/std/random.js';

export interface Packet {
  readonly xid: number;
  readonly name: OperationName | undefined;
  readonly body: unknown;
}

export const PASSWORD = new Uint8Array(16).fill(7);

export class ScriptedSession {
  readonly machine: SessionMachine;
  nowMs = 1000;
  /** What happened, in order: dial host, hang up, state, probe host. */
  readonly log: string[] = [];
  readonly events: WatchEvent[] = [];
  /** Feed every packet to the machine one byte at a time. */
  bytewise = false;
  lastDialed: Host | undefined;
  /** What the user's listener does. */
  onState: (state: ConnectionState) => void = () => {};

  constructor(options: Partial<SessionOptions> = {}) {
    this.machine = new SessionMachine(
      {
        hosts: [{ host: 'a', port: 1 }],
        sessionTimeoutMs: 9000,
        readOnly: false,
        session: undefined,
        renewSession: true,
        login: undefined,
        requestsMax: 100,
        requestBytesMax: 1000,
        replyBytesMax: 100_000,
        random: new Random(1),
        ...options,
      },
      {
        dial: (host) => {
          this.lastDialed = host;
          this.log.push(`dial ${hostText(host)}`);
        },
        hangUp: () => this.log.push('hang up'),
        wantsToWrite: () => {},
        stateChanged: ({ state }) => {
          this.log.push(state);
          this.onState(state);
        },
        notify: (watcher, event) => watcher(event),
        probe: (host) => this.log.push(`probe ${hostText(host)}`),
      },
    );
  }

  /** Starts, opens the connection and grants a session. Returns what the client sent to begin with. */
  connect(sessionId = 0x99n): { request: ConnectRequest; rest: Packet[] } {
    if (this.machine.phase === 'idle') this.machine.start(this.nowMs);
    return this.accept(sessionId);
  }

  /** Opens the connection that was dialled and answers the handshake. */
  accept(sessionId = 0x99n, timeoutMs = 9000, readOnly = false): { request: ConnectRequest; rest: Packet[] } {
    const sent = this.open();
    this.grant(sessionId, timeoutMs, readOnly);
    return sent;
  }

  open(): { request: ConnectRequest; rest: Packet[] } {
    this.machine.opened(this.nowMs);
    const frames = splitFrames(this.machine.takeBytes(this.nowMs) ?? new Uint8Array(0));
    return { request: readConnectRequest(new JuteReader(frames[0])), rest: frames.slice(1).map(decodePacket) };
  }

  grant(sessionId: bigint, timeoutMs = 9000, readOnly = false): void {
    this.feed((writer) =>
      writeConnectResponse(writer, { protocolVersion: 0, timeoutMs, sessionId, password: PASSWORD, readOnly }),
    );
  }

  /** Everything the client wants to write now. */
  sent(): Packet[] {
    const bytes = this.machine.takeBytes(this.nowMs);
    return bytes === null ? [] : splitFrames(bytes).map(decodePacket);
  }

  /** A reply; with `zxid` 0n it leaves the client's zxid alone. */
  reply<S>(xid: number, response?: Type<S, unknown>, value?: S, zxid = 0n): void {
    this.feed((writer) => {
      writeHeader(writer, xid, zxid, 0);
      if (response !== undefined) response.write(writer, value as S);
    });
  }

  replyError(xid: number, code: number, zxid = 0n): void {
    this.feed((writer) => writeHeader(writer, xid, zxid, code));
  }

  event(type: number, path: string, zxid = -1n): void {
    this.feed((writer) => {
      writeHeader(writer, Xid.notification, zxid, 0);
      WatcherEvent.write(writer, { type, state: 3, path });
    });
  }

  feed(write: (writer: JuteWriter) => void): void {
    const writer = new JuteWriter();
    const frame = writer.beginFrame();
    write(writer);
    writer.endFrame(frame);
    const bytes = writer.toBytes();
    if (!this.bytewise) this.machine.received(bytes, this.nowMs);
    else for (const byte of bytes) this.machine.received(new Uint8Array([byte]), this.nowMs);
  }

  /** Lets time pass, stopping wherever the machine asked to be woken. */
  pass(ms: number): void {
    const untilMs = this.nowMs + ms;
    while (this.machine.wakeAtMs <= untilMs) {
      const wakeAtMs = Math.max(this.nowMs, this.machine.wakeAtMs);
      if (wakeAtMs === this.nowMs && this.log.length > 10_000) throw new Error('the machine wakes without end');
      this.nowMs = wakeAtMs;
      this.machine.timePassed(wakeAtMs);
      if (this.machine.wakeAtMs <= wakeAtMs) break;
    }
    this.nowMs = untilMs;
    this.machine.timePassed(untilMs);
  }

  get(
    path: string,
    deadlineMs = Number.POSITIVE_INFINITY,
  ): { promise: Promise<string>; request: Call<never, never, never> } {
    return this.submit(operations.getData, { path, watch: false }, 'get', path, deadlineMs, ({ data }) => text(data));
  }

  set(path: string, data: string): { promise: Promise<unknown>; request: Call<never, never, never> } {
    const body = { path, data: new TextEncoder().encode(data), version: -1 };
    return this.submit(operations.setData, body, 'set', path, Number.POSITIVE_INFINITY, () => 'done');
  }

  watch(kind: WatchRegistration['kind'], path: string, name: 'getData' | 'exists' | 'getChildren'): Promise<unknown> {
    const watch = { kind, path, watcher: (event: WatchEvent) => this.events.push(event) };
    const body = { path, watch: true };
    const send = <S>(operation: {
      name: OperationName;
      code: number;
      request: typeof operations.exists.request;
      response: Type<S, unknown>;
    }) => this.submit(operation, body, name, path, Number.POSITIVE_INFINITY, () => 'done', watch).promise;
    if (name === 'getData') return send(operations.getData);
    return name === 'exists' ? send(operations.exists) : send(operations.getChildren);
  }

  submit<Q, S, T>(
    operation: { name: OperationName; code: number; request: Type<Q, unknown>; response: Type<S, unknown> },
    body: Q,
    method: string,
    path: string,
    deadlineMs: number,
    convert: (response: S) => T,
    watch?: WatchRegistration,
  ): { promise: Promise<T>; request: Call<never, never, never> } {
    let request: Call<Q, S, T> | undefined;
    const promise = new Promise<T>((resolve, reject) => {
      request = new Call(operation, body, { method, path, deadlineMs, watch }, convert, resolve, reject);
      this.machine.submit(request);
    });
    promise.catch(() => {});
    return { promise, request: request as unknown as Call<never, never, never> };
  }
}

export const STAT = {
  czxid: 1n,
  mzxid: 1n,
  ctime: 0n,
  mtime: 0n,
  version: 0,
  cversion: 0,
  aversion: 0,
  ephemeralOwner: 0n,
  dataLength: 0,
  numChildren: 0,
  pzxid: 1n,
};

export function data(content: string): { data: Uint8Array; stat: typeof STAT } {
  return { data: new TextEncoder().encode(content), stat: STAT };
}

function text(bytes: Uint8Array | null): string {
  return new TextDecoder().decode(bytes ?? new Uint8Array(0));
}

function writeHeader(writer: JuteWriter, xid: number, zxid: bigint, code: number): void {
  writer.int(xid);
  writer.long(zxid);
  writer.int(code);
}

export function splitFrames(bytes: Uint8Array): Uint8Array[] {
  const frames: Uint8Array[] = [];
  const reader = new JuteReader(bytes);
  while (reader.remaining > 0) {
    const length = reader.int();
    frames.push(bytes.slice(reader.position, reader.position + length));
    reader.position += length;
  }
  return frames;
}

export function decodePacket(frame: Uint8Array): Packet {
  const reader = new JuteReader(frame);
  const xid = reader.int();
  const name = operationName(reader.int());
  return { xid, name, body: name === undefined ? undefined : operations[name].request.read(reader) };
}
