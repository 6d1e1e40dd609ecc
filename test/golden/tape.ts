/**
 * The tape of the recorder: what was sent and what came back, as hex and as decoded values, one JSON file per topic.
 *
 * Shape of a file: { server, cases: [{ name, operation, request: { hex, decoded }, replies: [{ kind, hex, decoded }],
 * closed }] }. Hex is the whole frame with its length prefix. In decoded values a long is a decimal string and a
 * buffer is hex (null stays null). `replies` are all frames up to the answer, events before it included; `closed`
 * tells that the server ended the connection behind them.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Fields, toJson } from '../interop/wire/jute.js';
import { type OperationName, operation } from '../interop/wire/operations.js';
import {
  connectFrame,
  type HandshakeOptions,
  RawConnection,
  type Received,
  type RequestOptions,
} from '../interop/wire/raw-connection.js';

export interface TapeCase {
  readonly name: string;
  readonly operation: OperationName | 'connect' | 'notification' | 'raw';
  readonly request: { readonly hex: string; readonly decoded: unknown } | null;
  readonly replies: ReadonlyArray<{ readonly kind: string; readonly hex: string; readonly decoded: unknown }>;
  readonly closed: boolean;
}

const DIRECTORY = resolve('test/golden/wire');

function describeReplies(received: readonly Received[]): Pick<TapeCase, 'replies' | 'closed'> {
  const replies = received.flatMap((item) => {
    if (item.kind === 'closed') return [];
    const header = 'header' in item ? item.header : undefined;
    const decoded = { ...(header && { header }), ...(item.body && { body: item.body }) };
    return [{ kind: item.kind, hex: item.frame.toString('hex'), decoded: toJson(decoded) }];
  });
  return { replies, closed: received.at(-1)?.kind === 'closed' };
}

export class Tape {
  private cases: TapeCase[] = [];

  constructor(private readonly port: number) {}

  /** Writes the cases gathered so far as test/golden/wire/<topic>.json and starts anew. */
  save(topic: string, server: string): void {
    const file = resolve(DIRECTORY, `${topic}.json`);
    writeFileSync(file, `${JSON.stringify({ server, cases: this.cases }, null, 2)}\n`);
    execFileSync(process.execPath, [resolve('node_modules/.bin/biome'), 'format', '--write', file]);
    this.cases = [];
  }

  /** A handshake; the connection comes back together with what the server granted. */
  async connect(
    name: string,
    options: HandshakeOptions = { readOnly: false },
  ): Promise<{ connection: RawConnection; session: Fields }> {
    const connection = await RawConnection.open(this.port);
    const frame = connectFrame(options);
    connection.write(frame);
    const first = await connection.receive();
    const session = first.kind === 'connect' ? first.body : {};
    const received = [first];
    if (session.timeOut === 0) received.push(await connection.receive());
    this.cases.push({
      name,
      operation: 'connect',
      request: { hex: frame.toString('hex'), decoded: toJson({ protocolVersion: 0, ...(options as Fields) }) },
      ...describeReplies(received),
    });
    return { connection, session };
  }

  /** One request and everything up to its reply; `andClose` also waits for the end of the connection. */
  async request(
    connection: RawConnection,
    name: string,
    op: OperationName,
    fields: Fields = {},
    options: RequestOptions & { readonly andClose?: boolean } = {},
  ): Promise<Fields> {
    const { xid, frame } = connection.prepare(op, fields, options);
    connection.write(frame);
    const received: Received[] = [];
    for (;;) {
      const next = await connection.receive();
      received.push(next);
      if (next.kind === 'closed') break;
      if (next.kind === 'reply' && next.header.xid === xid && !options.andClose) break;
    }
    const parts = options.parts && { parts: options.parts };
    const decoded = { header: { xid, type: operation(op).code }, body: { ...fields, ...parts } };
    this.cases.push({
      name,
      operation: op,
      request: { hex: frame.toString('hex'), decoded: toJson(decoded) },
      ...describeReplies(received),
    });
    const reply = received.findLast((item) => item.kind === 'reply');
    return reply?.kind === 'reply' ? { ...reply.header, ...reply.body } : {};
  }

  /** Events that come without a request of this connection. */
  async events(connection: RawConnection, name: string, count: number): Promise<void> {
    const received: Received[] = [];
    while (received.length < count) received.push(await connection.receive());
    this.cases.push({ name, operation: 'notification', request: null, ...describeReplies(received) });
  }

  /** Bytes that are no well-formed request; up to `count` frames or the end of the connection. */
  async raw(connection: RawConnection, name: string, bytes: Uint8Array, meaning: Fields, count: number): Promise<void> {
    connection.write(bytes);
    const received: Received[] = [];
    while (received.length < count && received.at(-1)?.kind !== 'closed') received.push(await connection.receive());
    this.cases.push({
      name,
      operation: 'raw',
      request: { hex: Buffer.from(bytes).toString('hex'), decoded: toJson(meaning) },
      ...describeReplies(received),
    });
  }
}
