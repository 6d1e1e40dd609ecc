// One HTTP port that answers questions: GET and HEAD, small headers, no bodies, few connections, and nobody may hold one
// open without asking. What it answers is a function from path to answer; whatever that does, the port lives. Requests
// that are more than a question, with a body or an endless answer, are taken over by whoever the port was given for that.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { ConfigError } from '../config/index.js';
import type { Logger } from '../logging.js';
import { TLS_HANDSHAKE, whenFirstByte } from '../net/first-byte.js';
import { certificateRequest } from '../tls/material.js';
import type { MaterialSource } from '../tls/material-source.js';

export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** Of the path, without query. */
export type HttpRoute = (path: string) => HttpAnswer;

export interface HttpPortOptions {
  readonly host: string;
  /** 0: the system chooses. */
  readonly port: number;
  /** An idle connection is closed after this time. */
  readonly idleTimeoutMs: number;
  /** Names of the options of port and address, for errors. */
  readonly portOption: string;
  readonly addressOption: string;
  /** What switches the port off, for errors. */
  readonly offSwitch: string;
  /** Undefined: plain HTTP. */
  readonly tls?: HttpTlsOptions | undefined;
  /** Is shown each request first, with its path, and says whether it answers that itself; it never throws. */
  readonly takeOver?: ((path: string, request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
}

export interface HttpTlsOptions {
  /** Its settings say whether a certificate is needed. Closed with the port. */
  readonly source: MaterialSource;
  /** Plain HTTP is answered as well. */
  readonly alsoPlain: boolean;
}

const HEADER_BYTES_MAX = 8192;
const HEADERS_MAX = 64;
const CONNECTIONS_MAX = 64;
/** For the whole of a request to arrive, and how often that is looked at. */
const REQUEST_TIMEOUT_MS = 10_000;
const CHECK_MS = 2000;
const JSON_TYPE = 'application/json; charset=utf-8';

export class HttpPort {
  private readonly options: HttpPortOptions;
  private readonly route: HttpRoute;
  private readonly logger: Logger;
  private readonly server: Server | TlsServer;

  constructor(options: HttpPortOptions, route: HttpRoute, logger: Logger) {
    this.options = options;
    this.route = route;
    this.logger = logger;
    const { idleTimeoutMs, tls, takeOver } = options;
    const rules = {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: REQUEST_TIMEOUT_MS,
      // A body that is taken may be long. Nobody else gains by it: the others are answered, and cut off, at their headers.
      requestTimeout: takeOver === undefined ? REQUEST_TIMEOUT_MS : 0,
      keepAliveTimeout: idleTimeoutMs,
      connectionsCheckingInterval: CHECK_MS,
    };
    const handle = (request: IncomingMessage, response: ServerResponse) => this.handle(request, response);
    if (tls === undefined) this.server = createServer(rules, handle);
    else {
      const { material, settings } = tls.source;
      const request = certificateRequest(settings.clientAuth);
      const server = createTlsServer(
        { ...rules, ...material, ...request, handshakeTimeout: REQUEST_TIMEOUT_MS },
        handle,
      );
      server.on('tlsClientError', (error) => logger.debug('a TLS handshake with an HTTP port failed', { error }));
      tls.source.onChange((changed) => server.setSecureContext(changed));
      if (tls.alsoPlain) takePlainToo(server, idleTimeoutMs);
      this.server = server;
    }
    // Who asks whether to send a body hears the refusal first.
    this.server.on('checkContinue', handle);
    this.server.maxHeadersCount = HEADERS_MAX;
    this.server.maxConnections = CONNECTIONS_MAX;
    this.server.timeout = idleTimeoutMs;
  }

  /**
   * Resolves with `host:port` as it stands in an address. Throws ConfigError when the port cannot be had; `code` of its
   * cause is the system's.
   */
  listen(): Promise<string> {
    const { host, port, portOption, addressOption, offSwitch } = this.options;
    return new Promise((resolve, reject) => {
      const failed = (error: NodeJS.ErrnoException) => {
        const [key, problem] = REASONS[error.code ?? ''] ?? ['port', `cannot be listened on: ${error.message}`];
        const option = key === 'port' ? portOption : addressOption;
        const remedy = `set another ${option}, or ${offSwitch} to do without`;
        const refusal = new ConfigError({ key: option, problem: `${hostText(host)}:${port} ${problem}`, remedy });
        refusal.cause = error;
        reject(refusal);
      };
      this.server.once('error', failed);
      this.server.listen({ host, port }, () => {
        this.server.off('error', failed);
        this.server.on('error', (error) => this.logger.error('an HTTP port failed', { error }));
        const address = this.server.address();
        const bound = typeof address === 'object' && address !== null ? address.port : port;
        resolve(`${hostText(host)}:${bound}`);
      });
    });
  }

  /** Hangs up on everybody. */
  close(): Promise<void> {
    this.options.tls?.source.close();
    return new Promise((resolve) => {
      this.server.close(() => resolve());
      this.server.closeAllConnections();
    });
  }

  private handle(request: IncomingMessage, response: ServerResponse): void {
    const { method = '', url = '', headers } = request;
    // Nobody reads a body, so the connection that brings one ends with the answer.
    if (headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined) {
      response.setHeader('connection', 'close');
    }
    if (this.options.takeOver?.(pathOf(url), request, response)) return;
    const { status, contentType, body } = this.answer(method, url);
    if (status === 405) response.setHeader('allow', 'GET, HEAD');
    response.writeHead(status, {
      'content-type': contentType,
      'content-length': Buffer.byteLength(body),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    response.end(body);
  }

  private answer(method: string, url: string): HttpAnswer {
    if (method !== 'GET' && method !== 'HEAD') return problem(405, 'only GET and HEAD are answered on this port');
    try {
      return this.route(pathOf(url));
    } catch (error) {
      this.logger.error('an HTTP request could not be answered', { url, error });
      return problem(500, 'the server could not answer; its log has the reason');
    }
  }
}

/** Plain connections go past the handshake to where encrypted ones come out of it: one server, one set of limits. */
function takePlainToo(server: TlsServer, idleTimeoutMs: number): void {
  const handshake = server.listeners('connection');
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    const hangUp = () => socket.destroy();
    socket.setTimeout(idleTimeoutMs, hangUp);
    socket.on('error', hangUp);
    whenFirstByte(socket, (byte) => {
      socket.setTimeout(0, hangUp);
      socket.off('timeout', hangUp);
      if (byte === TLS_HANDSHAKE) for (const listener of handshake) listener.call(server, socket);
      else {
        server.emit('secureConnection', socket);
        socket.resume();
      }
    });
  });
}

/** By the system's code: which option is to blame, and what is wrong with it. */
const REASONS: Readonly<Record<string, readonly ['port' | 'address', string] | undefined>> = {
  EADDRINUSE: ['port', 'is used by another program'],
  EACCES: ['port', 'may not be listened on by this user'],
  EADDRNOTAVAIL: ['address', 'is no address of this machine'],
  ENOTFOUND: ['address', 'is a name nobody knows'],
};

function pathOf(url: string): string {
  return url.split('?', 1)[0] ?? '';
}

function problem(status: number, error: string): HttpAnswer {
  return { status, contentType: JSON_TYPE, body: `${JSON.stringify({ error })}\n` };
}

function hostText(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
