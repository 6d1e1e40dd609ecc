// Connections on their way to become clients over TLS: from the accepted socket to the end of the handshake, which a
// client has a limited time for. What comes out is an encrypted socket and who its certificate says the client is (E45).
//
//   socket ─ whenFirstByte (only where a port takes both) ─┬─ plain
//                                                          └─ handshake ─ certificate ─▶ client
//
// A port with TLS is where the whole world knocks: whatever comes there, plain bytes, half a handshake, a certificate
// of somebody else, costs that connection and a line in the log.

import { isIP, type Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { Identity } from '../../../protocol/peer/entries.js';
import { certificateIdentities } from '../auth.js';
import type { Logger } from '../logging.js';
import type { RareWarnings } from '../rare-warnings.js';
import { certificateRequest } from '../tls/material.js';
import type { MaterialSource } from '../tls/material-source.js';
import { TLS_HANDSHAKE, whenFirstByte } from './first-byte.js';

export interface TlsDoorOptions {
  /** Its settings say whether clients need a certificate. Closed with the port. */
  readonly source: MaterialSource;
  /** Subject of the certificate that makes a superuser; null: there is none. */
  readonly superUser: string | null;
  /** A certificate has to name the address that the client comes from (ssl.clientHostnameVerification). */
  readonly checkAddress: boolean;
  /** From the accepted connection to the end of the handshake. */
  readonly timeoutMs: number;
}

/** Where the socket came from, as it stood when it was accepted. */
export interface Origin {
  readonly address: string;
  readonly port: number;
}

/** Of a client whose handshake is done. `identities` are those of its certificate, none without one. */
export type OnSecureClient = (socket: TLSSocket, origin: Origin, identities: readonly Identity[]) => void;

interface Pending extends Origin {
  readonly socket: Socket;
  readonly sinceMs: number;
}

export class TlsDoor {
  private readonly options: TlsDoorOptions;
  private readonly onClient: OnSecureClient;
  private readonly logger: Logger;
  private readonly warnings: RareWarnings;
  private readonly server: Server;
  /** By both ends of the connection, which the encrypted socket has in common with the accepted one. */
  private readonly pending = new Map<string, Pending>();

  constructor(options: TlsDoorOptions, onClient: OnSecureClient, logger: Logger, warnings: RareWarnings) {
    this.options = options;
    this.onClient = onClient;
    this.logger = logger;
    this.warnings = warnings;
    const { source, timeoutMs } = options;
    const { material, settings } = source;
    this.server = createServer(
      { ...material, ...certificateRequest(settings.clientAuth), handshakeTimeout: timeoutMs },
      (socket) => this.secured(socket),
    );
    this.server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => this.failed(error, socket));
    source.onChange((changed) => this.server.setSecureContext(changed));
  }

  /** Connections that are not clients yet. */
  get pendingCount(): number {
    return this.pending.size;
  }

  /** Takes a connection that has to speak TLS. */
  enter(socket: Socket, origin: Origin): void {
    if (this.await(socket, origin)) this.server.emit('connection', socket);
  }

  /** Takes a connection that may speak TLS; one that does not is handed to `onPlain`, paused. */
  enterEither(socket: Socket, origin: Origin, onPlain: () => void): void {
    const key = this.await(socket, origin);
    if (key === null) return;
    whenFirstByte(socket, (byte) => {
      if (byte === TLS_HANDSHAKE) {
        this.server.emit('connection', socket);
      } else {
        this.pending.delete(key);
        onPlain();
      }
    });
  }

  /** Hangs up on those whose time is over; to be called now and then. */
  sweep(): void {
    const deadline = performance.now() - this.options.timeoutMs;
    for (const { socket, sinceMs, address } of this.pending.values()) {
      if (sinceMs > deadline) continue;
      this.logger.debug('closing a connection that does not finish its TLS handshake', { client: address });
      socket.destroy();
    }
  }

  close(): void {
    for (const { socket } of this.pending.values()) socket.destroy();
  }

  private await(socket: Socket, origin: Origin): string | null {
    const key = endsOf(socket);
    if (key === null) {
      socket.destroy(); // it has gone already
      return null;
    }
    this.pending.set(key, { ...origin, socket, sinceMs: performance.now() });
    socket.on('error', (error) => this.logger.debug('a connection failed before its TLS handshake', { error }));
    socket.once('close', () => {
      if (this.pending.get(key)?.socket === socket) this.pending.delete(key);
    });
    return key;
  }

  private secured(socket: TLSSocket): void {
    const key = endsOf(socket);
    const pending = key === null ? undefined : this.pending.get(key);
    if (key === null || pending === undefined) {
      socket.destroy();
      return;
    }
    this.pending.delete(key);
    const { address, port } = pending;
    const { superUser, checkAddress } = this.options;
    const certificate = socket.getPeerX509Certificate();
    const refusal =
      certificate === undefined
        ? null // whoever needs one did not come as far as this
        : !socket.authorized
          ? `its certificate is not trusted (${String(socket.authorizationError)})`
          : checkAddress && (isIP(address) === 0 || certificate.checkIP(address) === undefined)
            ? 'its certificate does not name its address (ssl.clientHostnameVerification)'
            : null;
    if (refusal !== null) {
      this.warnings.warn(`TLS: ${refusal}`, `closing the TLS connection of ${address}:${port}: ${refusal}`);
      socket.destroy();
      return;
    }
    this.onClient(socket, { address, port }, certificateIdentities(certificate?.raw, superUser));
  }

  private failed(error: NodeJS.ErrnoException, socket: TLSSocket): void {
    const pending = this.pending.get(endsOf(socket) ?? '');
    const client = pending === undefined ? 'a client' : `${pending.address}:${pending.port}`;
    const reason = reasonOf(error);
    const message = `the TLS handshake with ${client} failed: ${reason}`;
    // Whoever hangs up in between, as the checks of a load balancer do, is no news.
    if (error.code === 'ECONNRESET') this.logger.debug(message);
    else this.warnings.warn(`TLS: ${reason}`, message);
    socket.destroy();
    pending?.socket.destroy();
  }
}

function endsOf({ remoteAddress, remotePort, localPort }: Socket): string | null {
  return remoteAddress === undefined ? null : `${remoteAddress} ${remotePort} ${localPort}`;
}

/** OpenSSL's text without the numbers around it. */
function reasonOf(error: NodeJS.ErrnoException & { readonly reason?: string }): string {
  if (error.code === 'ERR_SSL_HTTP_REQUEST' || error.code === 'ERR_SSL_WRONG_VERSION_NUMBER') {
    return 'it does not speak TLS';
  }
  return error.reason ?? error.message;
}
