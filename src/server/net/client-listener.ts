// The ports for clients: accepts connections within the limits, cuts their bytes into frames, answers four-letter words,
// and writes what the replica has for them — at most one write per connection and turn of the event loop. There is a
// plain port, one for TLS, or both; behind the handshake (tls-door.ts) a client is a client.
//
// A client that reads slowly is not read from while too much waits for it, and is cut off when even that does not help:
// no client can make the server hold more than its budget. All of them together have one too, for what they do not take
// and for requests that they began to send; who has held a part of it for the longest (budget.ts) is hung up on then.

import { randomBytes } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { ProtocolError } from '../../../protocol/errors.js';
import type { Identity } from '../../../protocol/peer/entries.js';
import { Connection } from '../../core/pipeline/connections.js';
import { ConfigError, type HostPort } from '../config/index.js';
import type { Logger } from '../logging.js';
import { RareWarnings } from '../rare-warnings.js';
import { Admission, type AdmissionOptions } from './admission.js';
import { Budget } from './budget.js';
import { FrameAssembler, LENGTH_BYTES } from './frames.js';
import { type Origin, TlsDoor, type TlsDoorOptions } from './tls-door.js';

export interface ClientListenerOptions extends AdmissionOptions {
  /** Undefined: there is no plain port. */
  readonly plain: HostPort | undefined;
  /** Undefined: there is no TLS, on either port. */
  readonly tls: ClientTlsOptions | undefined;
  readonly backlog: number;
  readonly frameBytesMax: number;
  /** A connection without a session is closed after this time (nio.sessionlessCnxnTimeout). */
  readonly sessionlessTimeoutMs: number;
  readonly keepAlive: boolean;
  /** Bytes of requests that have come in part only, and of output that waits for slow readers: of all clients together. */
  readonly tornBytesMax: number;
  readonly outputTotalBytesMax: number;
}

export interface ClientTlsOptions extends TlsDoorOptions {
  /** The port for TLS; undefined when only the plain port takes it. */
  readonly listen: HostPort | undefined;
  /** The plain port takes TLS as well (client.portUnification). */
  readonly onPlainPort: boolean;
}

/** Ports that are listened on; undefined for one that was not asked for. */
export interface ListeningPorts {
  readonly plain: number | undefined;
  readonly secure: number | undefined;
}

/** Where the bytes go. */
export interface ClientHandler {
  /** A connection was turned away at once. */
  refused(): void;
  /** A connection was given up because too much had come of requests that are not whole (largeRequestMaxBytes). */
  tornRequestDropped(): void;
  connected(connection: Connection, entropy: Uint8Array): void;
  frames(connection: Connection, bytes: Uint8Array, start: number, end: number): void;
  disconnected(connection: Connection): void;
  /** Everything has left of a connection whose output was full. */
  drained(connection: Connection): void;
  /** Of the first four bytes or more: the answer to a four-letter word, null if they are none, 'more' to come. */
  fourLetterWord(bytes: Uint8Array): { readonly answer: string } | 'more' | null;
}

/** Output that waits in a socket: not read from above the first, cut off above the second. */
const OUTPUT_PAUSE_BYTES = 1_048_576;
const OUTPUT_BYTES_MAX = 67_108_864;
const OUTPUT_KEPT_BYTES = 65_536;
const PASSWORD_BYTES = 16;
/** A client that was hung up on is given this long to take its last reply, idle and in total. */
const LINGER_IDLE_MS = 1000;
const LINGER_MAX_MS = 10_000;
const NOTHING = new Uint8Array(0);

interface Client {
  readonly socket: Socket;
  readonly connection: Connection;
  readonly assembler: FrameAssembler;
  /** The first bytes, as long as they may turn out to be a four-letter word; null when that is settled. */
  head: Uint8Array | null;
  /** Stopped by the replica (too much under way) or by a slow reader. */
  pausedByReplica: boolean;
  pausedByOutput: boolean;
  /** Of a frame that has not come as a whole. */
  tornBytes: number;
}

export class ClientListener {
  private readonly options: ClientListenerOptions;
  private readonly handler: ClientHandler;
  private readonly logger: Logger;
  private readonly plainServer: Server;
  private readonly secureServer: Server;
  private readonly door: TlsDoor | null;
  private readonly admission: Admission;
  private readonly clients = new Map<number, Client>();
  private readonly warnings: RareWarnings;
  private readonly torn: Budget<Client>;
  private readonly unsent: Budget<Client>;
  private nextId = 1;
  private readonly sweep: NodeJS.Timeout;

  constructor(options: ClientListenerOptions, handler: ClientHandler, logger: Logger) {
    this.options = options;
    this.handler = handler;
    this.logger = logger;
    this.warnings = new RareWarnings(logger);
    this.torn = new Budget(options.tornBytesMax);
    this.unsent = new Budget(options.outputTotalBytesMax);
    this.admission = new Admission(options, this.warnings);
    const { tls, keepAlive } = options;
    this.door =
      tls === undefined ? null : new TlsDoor(tls, (...client) => this.serve(...client), logger, this.warnings);
    const plain = tls?.onPlainPort === true ? this.acceptEither : this.acceptPlain;
    this.plainServer = createServer({ noDelay: true, keepAlive }, plain);
    this.secureServer = createServer({ noDelay: true, keepAlive }, this.acceptSecure);
    this.sweep = setInterval(() => this.closeLate(), Math.max(100, options.sessionlessTimeoutMs / 4));
    this.sweep.unref();
  }

  /** Connections whose TLS handshake is under way. */
  get pendingHandshakes(): number {
    return this.door?.pendingCount ?? 0;
  }

  isSecure(connection: Connection): boolean {
    return this.clients.get(connection.id)?.socket instanceof TLSSocket;
  }

  /**
   * Resolves when the ports listen. Rejects with the system's error when the plain port cannot be had, and with
   * ConfigError for the one with TLS.
   */
  async listen(): Promise<ListeningPorts> {
    const { plain, tls } = this.options;
    const secure = tls?.listen;
    return {
      plain: plain === undefined ? undefined : await this.listenOn(this.plainServer, plain),
      secure:
        secure === undefined
          ? undefined
          : await this.listenOn(this.secureServer, secure).catch((error: Error) => {
              const refusal = new ConfigError({
                key: 'secureClientPort',
                problem: error.message,
                remedy: 'choose another port, or another secureClientPortAddress',
              });
              refusal.cause = error;
              throw refusal;
            }),
    };
  }

  private listenOn(server: Server, { host, port }: HostPort): Promise<number> {
    const { backlog } = this.options;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ port, backlog, ...(host === undefined ? {} : { host }) }, () => {
        server.off('error', reject);
        server.on('error', (error) => this.logger.error('a client port failed', { error }));
        const address = server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : port);
      });
    });
  }

  /** Stops accepting and hangs up on everybody. */
  async close(): Promise<void> {
    clearInterval(this.sweep);
    this.warnings.sum(true);
    // Of a server that does not listen, close() calls back at once.
    const closed = [this.plainServer, this.secureServer].map(
      (server) => new Promise<void>((resolve) => server.close(() => resolve())),
    );
    this.door?.close();
    this.options.tls?.source.close();
    for (const { socket } of this.clients.values()) socket.destroy();
    await Promise.all(closed);
  }

  // --- what the replica wants

  flush(connection: Connection): void {
    const { output } = connection;
    connection.flushing = false;
    const client = this.clients.get(connection.id);
    if (client === undefined || output.position === 0) {
      output.clear();
      return;
    }
    const { socket } = client;
    socket.write(Buffer.from(output.bytes.buffer, 0, output.position));
    // Written at once, as nearly always: the buffer is free again. Else the socket keeps it.
    if (socket.writableLength === 0) {
      output.clear(OUTPUT_KEPT_BYTES);
      if (connection.isFull) this.handler.drained(connection);
    } else {
      output.handOver();
      this.watchOutput(client);
    }
  }

  hangUp(connection: Connection, reason: string): void {
    const client = this.clients.get(connection.id);
    if (client === undefined) return;
    this.flush(connection);
    this.logger.debug(`closing a client's connection: ${reason}`, { client: client.socket.remoteAddress });
    this.linger(client.socket, null);
  }

  /** Sends the last words and closes. The client may never close its side: what it sends now is nobody's business. */
  private linger(socket: Socket, lastWords: string | null): void {
    if (lastWords === null) socket.end();
    else socket.end(lastWords);
    socket.removeAllListeners('data');
    socket.resume();
    const destroy = () => socket.destroy();
    socket.setTimeout(LINGER_IDLE_MS, destroy);
    const deadline = setTimeout(destroy, LINGER_MAX_MS);
    socket.once('close', () => clearTimeout(deadline));
  }

  pause(connection: Connection): void {
    const client = this.clients.get(connection.id);
    if (client === undefined) return;
    client.pausedByReplica = true;
    client.socket.pause();
  }

  resume(connection: Connection): void {
    const client = this.clients.get(connection.id);
    if (client === undefined) return;
    client.pausedByReplica = false;
    if (!client.pausedByOutput) client.socket.resume();
  }

  // --- sockets

  private readonly acceptPlain = (socket: Socket): void => {
    const origin = this.admit(socket);
    if (origin !== null) this.serve(socket, origin);
  };

  private readonly acceptSecure = (socket: Socket): void => {
    const origin = this.admit(socket);
    if (origin !== null) this.door?.enter(socket, origin);
  };

  private readonly acceptEither = (socket: Socket): void => {
    const origin = this.admit(socket);
    if (origin === null) return;
    this.door?.enterEither(socket, origin, () => {
      this.serve(socket, origin);
      socket.resume();
    });
  };

  /** Null when the connection is one too many, and gone. A handshake counts from its first byte on. */
  private admit(socket: Socket): Origin | null {
    const address = (socket.remoteAddress ?? '').replace(/^::ffff:/, '');
    if (!this.admission.enter(address, this.clients.size + this.pendingHandshakes)) {
      this.handler.refused();
      socket.destroy();
      return null;
    }
    socket.once('close', () => this.admission.leave(address));
    return { address, port: socket.remotePort ?? 0 };
  }

  private serve(socket: Socket, { address, port }: Origin, proven: readonly Identity[] = []): void {
    const connection = new Connection(this.nextId++, address, port, Date.now());
    if (proven.length > 0) connection.identities = [...connection.identities, ...proven];
    const assembler = new FrameAssembler(this.options.frameBytesMax);
    const client: Client = {
      socket,
      connection,
      assembler,
      head: NOTHING,
      pausedByReplica: false,
      pausedByOutput: false,
      tornBytes: 0,
    };
    this.clients.set(connection.id, client);
    this.handler.connected(connection, randomBytes(PASSWORD_BYTES));
    const onFrames = (bytes: Uint8Array, start: number, end: number) =>
      this.handler.frames(connection, bytes, start, end);
    socket.on('data', (chunk) => this.received(client, chunk, onFrames));
    socket.on('drain', () => this.outputSent(client));
    socket.on('error', (error) => this.logger.debug('a client connection failed', { error }));
    socket.on('close', () => this.closed(client));
  }

  private received(client: Client, chunk: Uint8Array, onFrames: (b: Uint8Array, s: number, e: number) => void): void {
    const { connection, assembler } = client;
    if (connection.isGone) return;
    const bytes = client.head === null ? chunk : this.receivedFirst(client, client.head, chunk);
    if (bytes === null) return;
    try {
      assembler.feed(bytes, onFrames);
      // Not only at the end of the turn: a socket may be read many times in one.
      if (connection.paused) this.pause(connection);
      if (assembler.heldBytes !== client.tornBytes) this.tear(client);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      const { address, port } = connection;
      this.warnings.warn('sent', `closing the connection of ${address}:${port}, which sent ${error.message}`);
      client.socket.destroy();
    }
  }

  /** The first bytes of a connection: what is to be read as frames, or null when they are a word or may become one. */
  private receivedFirst(client: Client, head: Uint8Array, chunk: Uint8Array): Uint8Array | null {
    const bytes = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
    const word = bytes.length < LENGTH_BYTES ? 'more' : this.handler.fourLetterWord(bytes);
    if (word === 'more') {
      client.head = bytes;
      return null;
    }
    client.head = null;
    if (word === null) return bytes;
    client.connection.become('closing');
    this.linger(client.socket, word.answer);
    return null;
  }

  /** The frame that has not come as a whole has grown, or is whole. */
  private tear(client: Client): void {
    client.tornBytes = client.assembler.heldBytes;
    const stalest = this.torn.set(client, client.tornBytes);
    if (stalest === null) return;
    this.handler.tornRequestDropped();
    this.giveUp(
      stalest,
      'too much has come of requests that are not whole, of which its is the oldest',
      'largeRequestMaxBytes',
    );
  }

  private giveUp({ socket, connection }: Client, reason: string, limit: string): void {
    const { address, port } = connection;
    this.warnings.warn(limit, `closing the connection of ${address}:${port}: ${reason} (${limit})`);
    socket.destroy();
  }

  private closed(client: Client): void {
    this.torn.set(client, 0);
    this.unsent.set(client, 0);
    this.clients.delete(client.connection.id);
    this.handler.disconnected(client.connection);
  }

  private watchOutput(client: Client): void {
    const { socket } = client;
    // Of less nobody is told when it has left.
    const stalest = this.unsent.set(client, socket.writableNeedDrain ? socket.writableLength : 0);
    if (stalest !== null)
      this.giveUp(stalest, 'too much waits for slow readers, and for it the longest', 'outputLimitInMb');
    if (socket.writableLength > OUTPUT_BYTES_MAX) {
      this.giveUp(client, `${socket.writableLength} bytes wait for it`, 'the limit of a connection');
    } else if (socket.writableLength > OUTPUT_PAUSE_BYTES && !client.pausedByOutput) {
      client.pausedByOutput = true;
      socket.pause();
    }
  }

  /** The socket has sent all that it had. */
  private outputSent(client: Client): void {
    const { socket, connection } = client;
    this.unsent.set(client, 0);
    if (client.pausedByOutput) {
      client.pausedByOutput = false;
      if (!client.pausedByReplica) socket.resume();
    }
    if (connection.isFull) this.handler.drained(connection);
  }

  private closeLate(): void {
    this.door?.sweep();
    this.warnings.sum();
    const deadline = Date.now() - this.options.sessionlessTimeoutMs;
    for (const { connection, socket } of this.clients.values()) {
      if (connection.state !== 'greeting' || connection.establishedMs > deadline) continue;
      this.logger.debug('closing a connection that never asked for a session', { client: connection.address });
      socket.destroy();
    }
  }
}
