// The shell's connection: a client that `connect` replaces and `close` takes away. It also puts the four-letter words to
// the servers, each on a connection of its own.

import { type Host, hostText, parseConnectString } from '../../client/connect-string.js';
import {
  type Client,
  type ClientOptions,
  type ClientTlsOptions,
  createClient,
  type StateChange,
} from '../../client/index.js';
import { NotConnectedError } from './errors.js';
import { askServer } from './four-letter-word.js';

export interface ShellSessionOptions {
  /** host:port[,…][/chroot] */
  readonly server: string;
  /** Of the session, and how long a command waits for a connection or an answer. */
  readonly timeoutMs: number;
  readonly readOnly: boolean;
  /** Undefined: without TLS. */
  readonly tls?: ClientTlsOptions | undefined;
  /** Identities to connect with. */
  readonly auth?: ClientOptions['auth'];
  readonly onState?: (change: StateChange) => void;
}

/** What one server says to a word; a text that begins with the reason where it says nothing. */
export interface Said {
  /** host:port */
  readonly server: string;
  readonly answer: string | null;
  readonly problem: string | null;
}

export class ShellSession {
  readonly #options: ShellSessionOptions;
  #connectString: string;
  #client: Client | undefined;

  constructor(options: ShellSessionOptions) {
    this.#options = options;
    this.#connectString = options.server;
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
    return this.#client?.server ?? this.#connectString;
  }

  get timeoutMs(): number {
    return this.#options.timeoutMs;
  }

  /** A new session, with this server or the one before. The old one is closed. Does not wait. Throws BadArguments. */
  async open(connectString = this.#connectString): Promise<void> {
    const client = this.another(connectString);
    await this.close();
    this.#connectString = connectString;
    this.#client = client;
    const { onState } = this.#options;
    if (onState !== undefined) client.onState(onState);
  }

  /** A client beside that of the shell, for the caller to close. Throws BadArguments. */
  another(connectString: string): Client {
    const { timeoutMs, readOnly, tls, auth } = this.#options;
    return createClient(connectString, {
      sessionTimeoutMs: timeoutMs,
      connectTimeoutMs: timeoutMs,
      requestTimeoutMs: timeoutMs,
      readOnly,
      ...(tls === undefined ? {} : { tls }),
      ...(auth === undefined ? {} : { auth }),
    });
  }

  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await client?.close();
  }

  /** Asks the server connected to, or all that the connect string names. Never fails but by the signal. */
  async ask(word: string, which: 'this' | 'all', signal: AbortSignal): Promise<Said[]> {
    const { hosts } = parseConnectString(which === 'this' ? this.server : this.#connectString);
    return await Promise.all(hosts.map((host) => this.#askOne(host, word, signal)));
  }

  async #askOne(host: Host, word: string, signal: AbortSignal): Promise<Said> {
    const { timeoutMs, tls } = this.#options;
    const server = hostText(host);
    try {
      const answer = await askServer(host, word, { timeoutMs, tls, signal });
      const isRefused = /is not executed because it is not in the whitelist/.test(answer);
      if (!isRefused && answer !== '') return { server, answer, problem: null };
      return {
        server,
        answer: null,
        problem: isRefused ? `${word} is not among its 4lw.commands.whitelist` : 'no answer',
      };
    } catch (error) {
      signal.throwIfAborted();
      return { server, answer: null, problem: (error as Error).message };
    }
  }
}
