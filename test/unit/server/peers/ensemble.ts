// Servers of a small ensemble as far as links go: real sockets on loopback, everything that happened in order, and a way
// to wait for more of it.

import { connect, type Socket } from 'node:net';
import type { PeerMessage } from '../../../../protocol/peer/messages.js';
import type { LogFields, Logger } from '../../../../src/server/logging.js';
import { PeerLinks, type PeerLinksOptions, type PeerMember, plainSockets } from '../../../../src/server/peers/index.js';
import { freePort, LOOPBACK } from '../../../helpers/ports.js';

/** A list that can be waited on. */
export class Happenings {
  readonly list: string[] = [];
  private waiting: (() => void)[] = [];

  add(what: string): void {
    this.list.push(what);
    for (const check of this.waiting) check();
  }

  /** Resolves when so many of these happened; what else happens does not matter. */
  until(what: string | RegExp, count = 1): Promise<void> {
    const isIt = (one: string): boolean => (typeof what === 'string' ? one === what : what.test(one));
    return new Promise((resolve) => {
      const check = (): void => {
        if (this.list.filter(isIt).length < count) return;
        this.waiting = this.waiting.filter((one) => one !== check);
        resolve();
      };
      this.waiting.push(check);
      check();
    });
  }

  count(what: RegExp): number {
    return this.list.filter((one) => what.test(one)).length;
  }
}

export interface TestServer {
  readonly links: PeerLinks;
  /** `connected 2`, `disconnected 2`, `2: ping 5`, in order. */
  readonly events: Happenings;
  /** `warn message`. */
  readonly log: Happenings;
  readonly messages: PeerMessage[];
  /** Called on each message, before it is recorded. */
  onMessage: (peer: number, message: PeerMessage) => void;
}

export function collectingLogger(log: Happenings): Logger {
  const write = (level: string) => (message: string, fields?: LogFields) =>
    log.add(`${level} ${message}${fields?.address === undefined ? '' : ` @${String(fields.address)}`}`);
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

/** The members 1 to n, each on a free port. */
export async function membersOf(count: number): Promise<PeerMember[]> {
  const members: PeerMember[] = [];
  for (let id = 1; id <= count; id++) {
    members.push({ id, host: LOOPBACK, port: await freePort(), role: 'participant', weight: 1, group: undefined });
  }
  return members;
}

/** A server that does not listen yet. */
export function serverOf(
  serverId: number,
  members: readonly PeerMember[],
  more: Partial<PeerLinksOptions> = {},
): TestServer {
  const own = members.find(({ id }) => id === serverId)!;
  const options: PeerLinksOptions = {
    serverId,
    members,
    listen: { host: LOOPBACK, port: own.port },
    clusterName: '',
    sockets: plainSockets,
    secret: null,
    keepAlive: true,
    connectTimeoutMs: 5000,
    bindTriesMax: 1,
    bindPauseMs: 20,
    messageBytesMax: 1 << 20,
    queuedBytesMax: 256 << 20,
    watchMs: 2000,
    strangersMax: 64,
    ...more,
  };
  const events = new Happenings();
  const log = new Happenings();
  const messages: PeerMessage[] = [];
  const server: TestServer = {
    events,
    log,
    messages,
    onMessage: () => {},
    links: new PeerLinks(
      options,
      {
        connected: (peer) => events.add(`connected ${peer}`),
        disconnected: (peer) => events.add(`disconnected ${peer}`),
        message: (peer, message) => {
          server.onMessage(peer, message);
          messages.push(message);
          events.add(`${peer}: ${message.type}${message.type === 'ping' ? ` ${message.round}` : ''}`);
        },
      },
      collectingLogger(log),
    ),
  };
  return server;
}

/** Closes what a test opened. */
export class Cleanup {
  private readonly actions: (() => unknown)[] = [];

  add<T>(thing: T, close: (thing: T) => unknown): T {
    this.actions.push(() => close(thing));
    return thing;
  }

  server(serverId: number, members: readonly PeerMember[], more: Partial<PeerLinksOptions> = {}): TestServer {
    return this.add(serverOf(serverId, members, more), ({ links }) => links.close());
  }

  async run(): Promise<void> {
    for (const action of this.actions.splice(0).reverse()) await action();
  }
}

/** A bare socket to a server, with all it receives. */
export interface RawPeer {
  readonly socket: Socket;
  received(): Buffer;
  readonly closed: Promise<void>;
  /** Resolves when at least so many bytes came. */
  bytes(count: number): Promise<void>;
}

export function rawPeer(port: number): RawPeer {
  const socket = connect({ host: LOOPBACK, port });
  const chunks: Buffer[] = [];
  const length = (): number => chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => {});
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return {
    socket,
    closed,
    received: () => Buffer.concat(chunks),
    bytes: (count) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (length() < count) return;
          socket.off('data', check);
          resolve();
        };
        socket.on('data', check);
        check();
      }),
  };
}
