// One server in the process of the test, and clients that reach it through a link that loses answers, is cut, or stays
// cut until the session is gone.

import { type Client, type ClientOptions, connect } from '../../../src/client/index.js';
import { startTestServer, type TestServer } from '../../../src/testing/index.js';
import { LossyLink } from './lossy-link.js';

export interface Linked {
  readonly client: Client;
  readonly link: LossyLink;
}

export class DataFixture {
  server!: TestServer;
  readonly #clients: Client[] = [];
  readonly #links: LossyLink[] = [];

  async start(): Promise<void> {
    this.server = await startTestServer();
  }

  stop(): Promise<void> {
    return this.server.stop();
  }

  /** After each test. */
  async cleanUp(): Promise<void> {
    for (const link of this.#links) link.open();
    await Promise.all(this.#clients.splice(0).map((client) => client.close()));
    await Promise.all(this.#links.splice(0).map((link) => link[Symbol.asyncDispose]()));
  }

  async client(options: ClientOptions = {}): Promise<Client> {
    const client = await connect(this.server.connectString, { sessionTimeoutMs: 4000, ...options });
    this.#clients.push(client);
    return client;
  }

  async linked(options: ClientOptions = {}): Promise<Linked> {
    const link = await LossyLink.to(this.server.port);
    this.#links.push(link);
    const client = await connect(link.address, { sessionTimeoutMs: 4000, ...options });
    this.#clients.push(client);
    return { client, link };
  }

  /** Ends the session behind the client's back; it learns of that when it connects again, which it may at once. */
  async expire({ client, link }: Linked): Promise<void> {
    await this.expireAndStayAway({ client, link });
    link.open();
  }

  async expireAndStayAway({ client, link }: Linked): Promise<void> {
    link.close();
    const twin = await connect(this.server.connectString, { session: client.session, sessionTimeoutMs: 4000 });
    await twin.close();
  }
}

/** Looks again and again until the value is there. */
export async function eventually<T>(look: () => T | undefined | false | Promise<T | undefined | false>): Promise<T> {
  const untilMs = Date.now() + 15_000;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > untilMs) throw new Error(`it did not come about: ${look}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
