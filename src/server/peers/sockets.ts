// How sockets between servers are made. Everything above speaks to plain `net` sockets; whoever wants TLS gives another
// set of functions (tls-sockets.ts) and nothing else changes.

import { connect, createServer, type Server, type Socket } from 'node:net';
import { types } from 'node:util';
import { tlsErrorText } from './tls-error.js';

export interface PeerSockets {
  /**
   * A server, not yet listening. `onSocket` is called with each socket that is ready for bytes: behind TLS's handshake,
   * which must have a time limit. `onFailed` is called for one whose handshake came to nothing.
   */
  listen(onSocket: (socket: Socket) => void, onFailed: (error: Error, address: string) => void): Server;
  /**
   * Connects; the name is looked up anew each time. `onReady` is called once bytes may be sent: with TLS, when the other
   * side's certificate was found good. Failures come as the socket's `error`.
   */
  dial(to: { readonly host: string; readonly port: number }, onReady: () => void): Socket;
  /**
   * Of a socket that was accepted: what speaks against the other side, null for nothing. Asked before a byte of it is
   * read, and again with the host of the server it says it is.
   */
  objection(socket: Socket, host?: string): string | null;
}

/** TCP without TLS. */
export const plainSockets: PeerSockets = {
  listen: (onSocket) => createServer(onSocket),
  dial: ({ host, port }, onReady) => connect({ host, port }, onReady),
  objection: () => null,
};

/** `10.0.0.7:41234`, to be asked while the socket is open. */
export function addressOf(socket: Socket): string {
  return hostPort(hostOf(socket), socket.remotePort ?? 0);
}

/** `10.0.0.7`, also of a socket that was accepted for all addresses, IPv6 included. */
export function hostOf({ remoteAddress = 'unknown' }: Socket): string {
  return remoteAddress.replace(/^::ffff:(?=\d+\.)/, '');
}

/** A host and a port as text; an IPv6 address gets its brackets. */
export function hostPort(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** What went wrong with a socket, in words. A name with several addresses fails with an error for each of them. */
export function errorText(error: unknown): string {
  if (!types.isNativeError(error)) return String(error);
  if ('errors' in error && Array.isArray(error.errors)) return error.errors.map(errorText).join('; ');
  return tlsErrorText(error) ?? error.message;
}
