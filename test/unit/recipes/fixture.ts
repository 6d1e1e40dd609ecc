// One real server for a file of tests, and clients that reach it through a link which the test can cut or freeze.

import { createServer, type Server, type Socket, connect as tcpConnect } from 'node:net';
import { type Client, type ClientOptions, connect } from '../../../src/client/index.js';
import { type ServerUnderTest, waitFor } from '../../helpers/processes.js';
import { startZabra } from '../../helpers/zabra-server.js';

/** A TCP forwarder. */
export class Link {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isOpen = true;
  #isFrozen = false;

  private constructor(target: number) {
    this.#server = createServer((near) => {
      if (!this.#isOpen) {
        near.destroy();
        return;
      }
      const far = tcpConnect(target, '127.0.0.1');
      for (const [from, to] of [
        [near, far],
        [far, near],
      ]) {
        this.#sockets.add(from);
        from.setNoDelay(true); // or it would add 40 ms to every hand-over
        from.on('data', (bytes) => {
          if (!this.#isFrozen) to.write(bytes);
        });
        from.on('error', () => {});
        from.on('close', () => {
          this.#sockets.delete(from);
          to.destroy();
        });
      }
    });
  }

  static async to(port: number): Promise<Link> {
    const link = new Link(port);
    await new Promise<void>((resolve) => link.#server.listen(0, '127.0.0.1', resolve));
    return link;
  }

  get address(): string {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? `127.0.0.1:${address.port}` : '';
  }

  /** Ends all connections; new ones may come. */
  cut(): void {
    for (const socket of [...this.#sockets]) socket.destroy();
  }

  /** Ends all connections and takes no new ones. */
  close(): void {
    this.#isOpen = false;
    this.cut();
  }

  open(): void {
    this.#isOpen = true;
  }

  /** Swallows every byte from now on, without closing anything. */
  freeze(): void {
    this.#isFrozen = true;
  }

  end(): void {
    this.cut();
    this.#server.close();
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
    for (const link of this.#links.splice(0)) link.end();
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
