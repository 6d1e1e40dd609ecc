// What goes back to clients: reads are answered from the tree here, straight into the connection's output, and so are
// the outcomes of writes and refusals. Everything counts as sent the moment it is in the output; one flush a turn and
// connection takes it to the socket.

import { Code } from '../../../protocol/client/errors.js';
import { SaslResponse } from '../../../protocol/client/records.js';
import { ProtocolError } from '../../../protocol/errors.js';
import { hex } from '../../../protocol/ids.js';
import { JuteReader } from '../../../protocol/jute/reader.js';
import type { JuteWriter } from '../../../protocol/jute/writer.js';
import type { Effect, ReplicaOptions } from '../io.js';
import type { ReadContext, ReadOperation, Watcher, World } from '../ops/operation.js';
import type { Stats } from '../stats.js';
import type { Connection } from './connections.js';
import { Events } from './events.js';
import { beginReply, endReply } from './reply.js';

/** What the answers need from the replica they are given by. */
export interface Source {
  readonly options: ReplicaOptions;
  readonly world: World;
  readonly stats: Stats;
  readonly appliedZxid: number;
  emit(effect: Effect): void;
}

const NO_ZXID = -1;

/** Stands in the context until the first read. */
const NOBODY: Watcher = { session: 0, identities: [] };

export class Answers {
  readonly events: Events;
  private readonly source: Source;
  private readonly reader = new JuteReader(new Uint8Array(0));
  /** Serves every read in turn: `watcher` is the connection that asks. */
  private readonly context: ReadContext & { watcher: Watcher };

  constructor(source: Source) {
    this.source = source;
    const { world, options } = source;
    this.events = new Events(world, options, (connection) => this.sent(connection));
    this.context = {
      world,
      watches: this.events.watches,
      watcher: NOBODY,
      skipAcl: options.skipAcl,
      deliver: (watcher, type, path) => this.events.sendMissed(watcher as Connection, type, path),
    };
  }

  /** Answers from the tree as it is now. `bytes[start, end)` is the request behind its header. */
  read(
    connection: Connection,
    xid: number,
    operation: ReadOperation<unknown>,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): void {
    const { context, source } = this;
    const { output } = connection;
    context.watcher = connection;
    let code: number;
    let reply = beginReply(output, xid);
    try {
      const request = operation.request.view(this.reader.reset(bytes, start, end));
      if (operation.deliversEvents === true) {
        // The events come before the reply (E62), which starts where they end.
        output.position = reply;
        code = operation.answer(context, request, output);
        reply = beginReply(output, xid);
      } else code = operation.answer(context, request, output);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      code = Code.MarshallingError;
    }
    endReply(output, reply, source.appliedZxid, code);
    if (code === Code.QuotaExceeded) this.limited(connection, 'watches');
    this.events.updateRecording();
    source.stats.reads++;
    this.sent(connection);
  }

  /** The outcome of a write: `body` counts if `code` is 0. */
  outcome(connection: Connection, xid: number, code: number, body: JuteWriter): void {
    const reply = beginReply(connection.output, xid);
    if (code === 0) connection.output.raw(body.bytes, 0, body.position);
    endReply(connection.output, reply, this.source.appliedZxid, code);
    this.sent(connection);
  }

  /** An answer without a body. That to an operation that nobody knows names no state (E9). */
  code(connection: Connection, xid: number, code: number): void {
    this.codeAt(connection, xid, code, code === Code.Unimplemented ? NO_ZXID : this.source.appliedZxid);
  }

  /** An answer without a body and with a zxid of its own. */
  codeAt(connection: Connection, xid: number, code: number, zxid: number): void {
    endReply(connection.output, beginReply(connection.output, xid), zxid, code);
    this.sent(connection);
  }

  /**
   * The answer to a token of SASL; null: it was refused. Unlike any other reply it has a body with an error as well:
   * ZooKeeper's own client reads it without a look at the code.
   */
  sasl(connection: Connection, xid: number, token: Uint8Array | null, code: number): void {
    const { output } = connection;
    const reply = beginReply(output, xid);
    SaslResponse.write(output, { token });
    endReply(output, reply, 0, code, true);
    this.sent(connection);
  }

  /** A session has as much of something as it may: the log hears of it once for each connection. */
  limited(connection: Connection, what: string): void {
    const { source } = this;
    source.stats.limitedRequests++;
    if (connection.toldOfLimit) return;
    connection.toldOfLimit = true;
    const { address, port, session } = connection;
    const message = `the client ${address}:${port} has as many ${what} as a session may: more are refused`;
    source.emit({ type: 'note', level: 'warn', message, fields: { session: hex(session) } });
  }

  /** Something was written to the output. */
  sent(connection: Connection): void {
    connection.sent++;
    this.source.stats.sent++;
    if (connection.flushing) return;
    connection.flushing = true;
    this.source.emit({ type: 'flush', connection });
  }
}
