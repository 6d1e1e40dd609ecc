// One connection, plain or over TLS, as thin as it can be: bytes in, bytes out, one end. It says `closed` once and only
// when it ends by itself; after destroy() it is silent. The name of the host is looked up anew for every connection.

import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import type { Host } from './connect-string.js';
import { shuffledLookup } from './lookup.js';

export interface ConnectionEvents {
  opened(): void;
  received(chunk: Uint8Array): void;
  /** The socket has taken all that was written; only after write() returned false. */
  drained(): void;
  /** `cause` is undefined when the peer closed in good order. */
  closed(cause: Error | undefined): void;
}

export class Connection {
  readonly #socket: Socket;
  #destroyed = false;

  constructor(host: Host, tls: ConnectionOptions | undefined, events: ConnectionEvents) {
    const socket = open(host, tls);
    // Small requests must not wait for the acknowledgement of the last ones; batching is done above (one write a turn).
    socket.setNoDelay(true);
    let cause: Error | undefined;
    const unlessDestroyed = (action: () => void) => () => {
      if (!this.#destroyed) action();
    };
    socket.on(readyEvent(tls), unlessDestroyed(events.opened));
    socket.on('drain', unlessDestroyed(events.drained));
    socket.on('data', (chunk: Buffer) => {
      // As a plain Uint8Array: on a Buffer, slice() would make a view of memory that is used again.
      if (!this.#destroyed) events.received(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length));
    });
    socket.on('error', (error) => {
      cause = legible(error);
    });
    socket.on(
      'close',
      unlessDestroyed(() => {
        this.#destroyed = true;
        events.closed(cause);
      }),
    );
    this.#socket = socket;
  }

  /** False when the socket is full: wait for drained() before writing more. */
  write(bytes: Uint8Array): boolean {
    return this.#socket.write(bytes);
  }

  /** Ends the connection or the attempt to open one. */
  destroy(): void {
    this.#destroyed = true;
    this.#socket.destroy();
  }
}

const LOOKUP = shuffledLookup();
/** Of a name with several addresses, how long each is tried: Node's own 250 ms are too short for another continent. */
const ADDRESS_TIMEOUT_MS = 1000;

function open({ host, port }: Host, tls: ConnectionOptions | undefined): Socket {
  const target = { host, port, lookup: LOOKUP, autoSelectFamilyAttemptTimeout: ADDRESS_TIMEOUT_MS };
  return tls === undefined ? connect(target) : connectTls({ ...tls, ...target });
}

/** Of an error of OpenSSL only the reason is for people; the rest are numbers, and lines of a source file. */
function legible(error: Error & { readonly reason?: string }): Error {
  return error.reason === undefined ? error : new Error(`TLS: ${error.reason}`, { cause: error });
}

/** When bytes may be written; over TLS the server's certificate has been checked by then. */
function readyEvent(tls: ConnectionOptions | undefined): 'connect' | 'secureConnect' {
  return tls === undefined ? 'connect' : 'secureConnect';
}

/** Asks a server with the word `isro` whether it takes writes; false when it does not answer within `timeoutMs`. */
export function isWritable(host: Host, tls: ConnectionOptions | undefined, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = open(host, tls);
    socket.setTimeout(timeoutMs, () => socket.destroy());
    socket.on(readyEvent(tls), () => socket.write('isro'));
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(answer.trim() === 'rw'));
    socket.unref();
  });
}
