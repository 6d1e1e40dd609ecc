// One real server for a file of tests, and clients that reach it through a link which the test can cut or freeze.

import { type Client, type ClientOptions, connect } from '../../../src/client/index.js';
import { LOOPBACK } from '../../helpers/ports.js';
import { type ServerUnderTest, waitFor } from '../../helpers/processes.js';
import { TcpProxy } from '../../helpers/tcp-proxy.js';
import { startZabra } from '../../helpers/zabra-server.js';

/** The way of one client to the server. */
export class Link {
  readonly #proxy: TcpProxy;

  private constructor(proxy: TcpProxy) {
    this.#proxy = proxy;
  }

  static async to(port: number): Promise<Link> {
    return new Link(await TcpProxy.open(port));
  }

  get address(): string {
    return `${LOOPBACK}:${this.#proxy.port}`;
  }

  /** Ends all connections; new ones may come. */
  cut(): void {
    this.#proxy.cut();
    this.#proxy.mend();
  }

  /** Ends all connections and takes no new ones, until open(). */
  close(): void {
    this.#proxy.cut();
  }

  open(): void {
    this.#proxy.mend();
  }

  /** Swallows every byte from now on, without closing anything. */
  freeze(): void {
    this.#proxy.swallow();
  }

  async end(): Promise<void> {
    await this.#proxy.close();
  }
}

export class Fixture {
  server!: ServerUnderTest;
  readonly #clients: Client[] = [];
  readonly #links: Link[] = [];

  /** With these lines in its zoo.cfg, if any. */
  async start(settings: Readonly<Record<string, string>> = {}): Promise<void> {
    this.server = await startZabra(settings);
  }

  async stop(): Promise<void> {
    await this.server[Symbol.asyncDispose]();
  }

  /** After each test. */
  async cleanUp(): Promise<void> {
    await Promise.all(this.#clients.splice(0).map((client) => client.close()));
    await Promise.all(this.#links.splice(0).map((link) => link.end()));
  }

  /** `hosts` is the way there; by default the server itself. */
  async client({ hosts = this.server.address, ...options }: ClientOptions & { hosts?: string } = {}): Promise<Client> {
    const client = await connect(hosts, { sessionTimeoutMs: 4000, ...options });
    this.#clients.push(client);
    return client;
  }

  async linkedClient(options: ClientOptions = {}): Promise<{ client: Client; link: Link }> {
    const link = await Link.to(this.server.port);
    this.#links.push(link);
    const client = await connect(link.address, { sessionTimeoutMs: 2000, ...options });
    this.#clients.push(client);
    return { client, link };
  }
}

export function aborted(signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(signal.reason);
    signal.addEventListener('abort', () => resolve(signal.reason), { once: true });
  });
}

/** Waits until the node has so many children. */
export function childCount(client: Client, path: string, count: number): Promise<boolean> {
  let seen: number | undefined;
  return waitFor(
    async () => {
      seen = (await client.exists(path))?.numChildren;
      return seen === count ? true : undefined;
    },
    20_000,
    () => `${path} has ${seen} children, not ${count}`,
  );
}

/** The client with a record of the names of all methods that are called on it. */
export function recorded(client: Client): { client: Client; calls: (string | symbol)[] } {
  const calls: (string | symbol)[] = [];
  const proxy = new Proxy(client, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        calls.push(name);
        return Reflect.apply(value, target, args);
      };
    },
  });
  return { client: proxy, calls };
}
