// A four-letter word put to one server: a connection of its own, four bytes, and all that comes until the server closes it.

import { connect as connectPlain, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import type { Host } from '../../client/connect-string.js';
import type { ClientTlsOptions } from '../../client/index.js';

export interface AskOptions {
  readonly timeoutMs: number;
  /** Undefined: without TLS. */
  readonly tls?: ClientTlsOptions | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Rejects when there is no connection, no end of the answer in time, or with the signal's reason. */
export function askServer(host: Host, word: string, { timeoutMs, tls, signal }: AskOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    const socket = open(host, tls, () => socket.write(word));
    const interrupt = (): void => {
      socket.destroy(signal?.reason instanceof Error ? signal.reason : new Error('interrupted'));
    };
    const timer = setTimeout(() => socket.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    signal?.addEventListener('abort', interrupt);
    socket.on('data', (part) => parts.push(part));
    socket.once('error', reject);
    socket.once('close', () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', interrupt);
      resolve(Buffer.concat(parts).toString('utf8'));
    });
  });
}

function open({ host, port }: Host, tls: ClientTlsOptions | undefined, onConnect: () => void): Socket {
  if (tls === undefined) return connectPlain(port, host, onConnect);
  const { ca, cert, key, pfx, passphrase, servername, rejectUnauthorized = true } = tls;
  const options = { ca, cert, key, pfx, passphrase, servername } as ConnectionOptions;
  return connectTls({ ...options, host, port, rejectUnauthorized }, onConnect);
}
