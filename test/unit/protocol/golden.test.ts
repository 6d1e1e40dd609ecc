/**
 * Every decoder against the bytes of a real ZooKeeper: whole, written back, and cut off at every byte, which must be a
 * ProtocolError each time and never a wrong value.
 */
import { type OperationName, operations } from '../../../protocol/client/operations.js';
import {
  readConnectRequest,
  readConnectResponse,
  writeConnectRequest,
  writeConnectResponse,
} from '../../../protocol/client/packets.js';
import { ReplyHeader, RequestHeader, WatcherEvent } from '../../../protocol/client/records.js';
import { ProtocolError } from '../../../protocol/errors.js';
import { JuteReader } from '../../../protocol/jute/reader.js';
import type { Type } from '../../../protocol/jute/schema.js';
import { JuteWriter } from '../../../protocol/jute/writer.js';
import { asRecorded, type GoldenFrame, goldenFrames } from './golden.js';

const FRAMES = goldenFrames();
/** What ZooKeeper refuses to decode, and so do we. */
const UNDECODABLE = 'multi.json: a read among writes, request';
/** A null list reads as empty, a null string as the empty one: these cannot be written back as they were. */
const WITH_NULLS: ReadonlySet<string> = new Set([
  'create.json: null ACL, request',
  'write.json: reconfig, disabled, request',
]);
const LEN_HEADER = { request: 8, reply: 16 };

function of(...kinds: GoldenFrame['kind'][]): [string, GoldenFrame][] {
  return FRAMES.filter(({ kind, name }) => kinds.includes(kind) && name !== UNDECODABLE).map((one) => [one.name, one]);
}

function codecOf({ operation, kind }: GoldenFrame): Type<unknown> {
  const { request, response } = operations[operation as OperationName];
  return (kind === 'request' ? request : response) as Type<unknown>;
}

function written(write: (writer: JuteWriter) => void): Uint8Array {
  const writer = new JuteWriter(1);
  write(writer);
  return writer.toBytes();
}

/** `read` consumes exactly these bytes, and no fewer will do. */
function expectExact(bytes: Uint8Array, read: (reader: JuteReader) => unknown, shortestMissing = 1): void {
  const reader = new JuteReader(bytes);
  read(reader);
  expect(reader.remaining).toBe(0);
  for (let end = 0; end <= bytes.length - shortestMissing; end++) {
    expect(() => read(new JuteReader(bytes, 0, end))).toThrow(ProtocolError);
  }
}

test('the recordings are there', () => {
  expect(FRAMES.length).toBeGreaterThan(200);
  const covered = new Set(FRAMES.filter(({ kind }) => kind === 'request').map(({ operation }) => operation));
  const missing = Object.keys(operations).filter((name) => !covered.has(name));
  expect(missing).toEqual(['check', 'sasl']);
});

describe('requests', () => {
  test.each(of('request'))('%s', (name, frame) => {
    const { payload, decoded } = frame;
    const header = RequestHeader.read(new JuteReader(payload));
    expect(header).toEqual(decoded.header);
    const body = payload.subarray(LEN_HEADER.request);
    const codec = codecOf(frame);
    expectExact(body, (reader) => codec.read(reader));
    expectExact(body, (reader) => codec.view(reader));
    const value = codec.read(new JuteReader(body));
    const isMulti = frame.operation.startsWith('multi');
    if (!isMulti && value !== undefined && !WITH_NULLS.has(name)) expect(asRecorded(value)).toEqual(decoded.body);
    if (!WITH_NULLS.has(name)) expect(written((writer) => codec.write(writer, value))).toEqual(body);
  });

  test('a read among the writes of a multi is no multi', () => {
    const frame = FRAMES.find(({ name }) => name === UNDECODABLE) as GoldenFrame;
    const reader = new JuteReader(frame.payload, LEN_HEADER.request);
    expect(() => operations.multi.request.read(reader)).toThrow(ProtocolError);
  });
});

describe('replies', () => {
  test.each(of('reply').filter(([, { operation }]) => operation !== 'raw'))('%s', (_name, frame) => {
    const { payload, decoded } = frame;
    const reader = new JuteReader(payload);
    const header = ReplyHeader.read(reader);
    expect(asRecorded(header)).toEqual(decoded.header);
    if (header.err !== 0) return expect(reader.remaining).toBe(0);
    const body = payload.subarray(LEN_HEADER.reply);
    const codec = codecOf(frame);
    expectExact(body, (one) => codec.read(one));
    const value = codec.read(new JuteReader(body));
    expect(written((writer) => codec.write(writer, value))).toEqual(body);
    const isMulti = frame.operation.startsWith('multi');
    if (!isMulti && value !== undefined) expect(asRecorded(value)).toEqual(decoded.body);
  });
});

describe('events', () => {
  test.each(of('event'))('%s', (_name, { payload, decoded }) => {
    const header = ReplyHeader.read(new JuteReader(payload));
    expect(header).toMatchObject({ xid: -1, err: 0 });
    const body = payload.subarray(LEN_HEADER.reply);
    expectExact(body, (reader) => WatcherEvent.read(reader));
    expect(WatcherEvent.read(new JuteReader(body))).toEqual(decoded.body);
  });
});

describe('the handshake', () => {
  // One byte less than a packet with readOnly is a packet without it (E2).
  const missingMin = (readOnly: boolean | undefined) => (readOnly === undefined ? 1 : 2);

  test.each(of('connect request'))('%s', (_name, { payload }) => {
    const value = readConnectRequest(new JuteReader(payload));
    expect(payload.length - (value.password?.length ?? 0)).toBe(value.readOnly === undefined ? 28 : 29);
    expectExact(payload, readConnectRequest, missingMin(value.readOnly));
    expect(written((writer) => writeConnectRequest(writer, value))).toEqual(payload);
  });

  test.each(of('connect'))('%s', (_name, { payload, decoded }) => {
    const value = readConnectResponse(new JuteReader(payload));
    expect(payload.length).toBe(value.readOnly === undefined ? 36 : 37);
    expectExact(payload, readConnectResponse, missingMin(value.readOnly));
    expect(written((writer) => writeConnectResponse(writer, value))).toEqual(payload);
    expect(asRecorded([value.timeoutMs, value.sessionId, value.password])).toEqual([
      decoded.body?.timeOut,
      decoded.body?.sessionId,
      decoded.body?.passwd,
    ]);
  });
});
