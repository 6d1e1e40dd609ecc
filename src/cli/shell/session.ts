// The shell's connection: a client that `connect` replaces and `close` takes away.

import { type Client, type ClientTlsOptions, createClient, type StateChange } from '../../client/index.js';
import { NotConnectedError } from './errors.js';

export interface ShellSessionOptions {
  /** host:port[,…][/chroot] */
  readonly server: string;
  /** Of the session, and how long a command waits for a connection or an answer. */
  readonly timeoutMs: number;
  readonly readOnly: boolean;
  /** Undefined: without TLS. */
  readonly tls?: ClientTlsOptions | undefined;
  readonly onState?: (change: StateChange) => void;
}

export class ShellSession {
  readonly #options: ShellSessionOptions;
  #server: string;
  #client: Client | undefined;

  constructor(options: ShellSessionOptions) {
    this.#options = options;
    this.#server = options.server;
  }

  /** Throws NotConnectedError after close(). */
  get client(): Client {
    if (this.#client === undefined) throw new NotConnectedError();
    return this.#client;
  }

  get clientOrNone(): Client | undefined {
    return this.#client;
  }

  /** The server connected to; before that, what the user gave. */
  get server(): string {
    return this.#client?.server ?? this.#server;
  }

  get timeoutMs(): number {
    return this.#options.timeoutMs;
  }

  /** A new session, with this server or the one before. The old one is closed. Does not wait. Throws BadArguments. */
  async open(server = this.#server): Promise<void> {
    const { timeoutMs, readOnly, tls, onState } = this.#options;
    const client = createClient(server, {
      sessionTimeoutMs: timeoutMs,
      connectTimeoutMs: timeoutMs,
      requestTimeoutMs: timeoutMs,
      readOnly,
      ...(tls === undefined ? {} : { tls }),
    });
    await this.close();
    this.#server = server;
    this.#client = client;
    if (onState !== undefined) client.onState(onState);
  }

  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await client?.close();
  }
}
