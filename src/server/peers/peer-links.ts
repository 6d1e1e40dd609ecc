// The links between the servers of an ensemble: one for each pair, made by the server with the higher number (E77), made
// again whenever it breaks. In order, or not at all: what arrives is what was sent on that link, up to where it broke.
//
//   dial or accept → greetings (conversation, introduction, judge) → link (frames, queue) → handlers
//
// Messages to send collect and leave in one write a link when `flush` is called, or at the end of this turn of the event
// loop at the latest. How long a leader or learner may be silent is for the core to say, which pings, and resets the link.
// But two followers need not have anything to say to each other: when the machine of the one that is dialled was started
// again, only the other can notice, and must, since nobody else may dial. So links that are silent are asked now and then.

import { randomBytes } from 'node:crypto';
import type { Server, Socket } from 'node:net';
import { encodePeerMessage, type PeerMessage } from '../../../protocol/peer/messages.js';
import type { Logger } from '../logging.js';
import { RareWarnings } from '../rare-warnings.js';
import { bind } from './bind.js';
import { Conversation, ConversationEnded } from './conversation.js';
import { Dialer } from './dialer.js';
import { encodeGreeting, type Hello, helloBody } from './greeting.js';
import { introduce, type Outcome, receive } from './introduction.js';
import type { Identity } from './judge.js';
import type { PeerLinksOptions, PeerMember } from './options.js';
import { Peer, type PeerHandlers, type PeerStatus } from './peer.js';
import { errorText, hostPort } from './sockets.js';

/** Time in which a server that is linked already has to answer when another one comes with its number. */
const PROBE_MS = 1000;

export class PeerLinks {
  private readonly options: PeerLinksOptions;
  private readonly logger: Logger;
  private readonly rareWarnings: RareWarnings;
  private readonly identity: Identity;
  private readonly peers = new Map<number, Peer>();
  private readonly dialers: Dialer[] = [];
  private readonly server: Server;
  /** All that were accepted, as TCP has them: below TLS, and also while its handshake goes on. */
  private readonly connections = new Set<Socket>();
  /** Connections that were accepted and are no link yet, the oldest first. */
  private readonly strangers = new Set<Conversation>();
  /** Sockets that were dialled and are no link yet. */
  private readonly dialled = new Set<Socket>();
  private readonly closing = new AbortController();
  private plannedFlush: NodeJS.Immediate | undefined;
  private watcher: NodeJS.Timeout | undefined;

  /** Throws RangeError when the list of servers is too long to be exchanged. */
  constructor(options: PeerLinksOptions, handlers: PeerHandlers, logger: Logger) {
    const { serverId, members, clusterName: cluster, strangersMax } = options;
    this.options = options;
    this.logger = logger;
    this.rareWarnings = new RareWarnings(logger);
    this.identity = { cluster, sender: serverId, incarnation: randomBytes(8).toString('hex'), members };
    encodeGreeting('hello', helloBody({ ...this.identity, recipient: serverId }));
    for (const member of members) {
      if (member.id === serverId) continue;
      const dialer = member.id < serverId ? new Dialer(() => this.attempt(peer)) : null;
      const peer = new Peer(member, handlers, logger, dialer);
      if (dialer !== null) this.dialers.push(dialer);
      this.peers.set(member.id, peer);
    }
    this.server = options.sockets.listen(
      (socket) => this.accept(socket),
      (error, address) => this.handshakeFailed(error, address),
    );
    this.server.on('connection', (socket: Socket) => {
      this.connections.add(socket);
      socket.once('close', () => this.connections.delete(socket));
    });
    // Also bounds those that are still in a TLS handshake.
    this.server.maxConnections = 2 * (members.length + strangersMax);
  }

  /** Opens the port and begins to dial. Rejects with the system's error when the port cannot be opened. */
  async listen(): Promise<void> {
    const { listen, bindTriesMax: triesMax, bindPauseMs: pauseMs, watchMs } = this.options;
    await bind(this.server, { ...listen, triesMax, pauseMs }, this.logger, this.closing.signal);
    this.server.on('error', (error) => this.logger.error('the port for other servers failed', { error }));
    for (const dialer of this.dialers) dialer.start();
    this.watcher = setInterval(() => {
      for (const { link } of this.peers.values()) link?.watch();
    }, watchMs);
  }

  /** Queues the message for those of these servers there is a link to. */
  send(to: readonly number[], message: PeerMessage): void {
    const links = to.flatMap((id) => this.peers.get(id)?.link ?? []);
    if (links.length === 0) return;
    const payload = encodePeerMessage(message);
    if (payload.length > this.options.messageBytesMax) {
      const problem = `a message ${message.type} of ${payload.length} bytes is too long for a link`;
      this.logger.error(problem);
      for (const id of to) this.reset(id, problem);
      return;
    }
    for (const link of links) link.send(payload);
    this.plannedFlush ??= setImmediate(() => this.flush());
  }

  /** Writes what was queued. */
  flush(): void {
    if (this.plannedFlush === undefined) return;
    clearImmediate(this.plannedFlush);
    this.plannedFlush = undefined;
    for (const { link } of this.peers.values()) link?.flush();
  }

  /** Breaks the link, if there is one; a new one is made at once. */
  reset(peer: number, reason: string): void {
    this.peers.get(peer)?.reset(reason);
  }

  /** By rising id. */
  status(): PeerStatus[] {
    return [...this.peers.values()].map((peer) => peer.status());
  }

  /** Sends what was queued as far as the sockets take it, and closes everything. No handler is called any more. */
  close(): Promise<void> {
    this.closing.abort();
    clearImmediate(this.plannedFlush);
    clearInterval(this.watcher);
    for (const peer of this.peers.values()) peer.close();
    for (const stranger of this.strangers) stranger.abort();
    for (const socket of this.dialled) socket.destroy();
    for (const socket of this.connections) socket.destroy();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  // --- dialling

  /** One attempt to link to a peer. Resolves with whether it did. */
  private async attempt(peer: Peer): Promise<boolean> {
    const { id, host, port } = peer.member;
    const where = `server ${id} at ${hostPort(host, port)}`;
    let conversation: Conversation;
    let outcome: Outcome;
    try {
      const socket = await this.connect(peer.member);
      conversation = new Conversation(socket, this.options.connectTimeoutMs);
      outcome = await introduce(conversation, this.identity, id, this.options.secret);
    } catch (error) {
      if (this.closing.signal.aborted) return false;
      const text = errorText(error);
      if (error instanceof ConversationEnded) {
        const hint = error.kind === 'closed' ? '; its log may tell why' : '';
        peer.trouble(error.kind, `whoever answers for ${where} ${text}${hint}`);
      } else peer.trouble('unreachable', `cannot reach ${where}: ${text}`);
      return false;
    }
    if (outcome.type === 'accepted') return this.adopt(peer, conversation, outcome.hello);
    const reason = outcome.type === 'refused' ? outcome.refusal.reason : outcome.reason;
    peer.trouble(reason, outcome.type === 'refused' ? `refused ${where}: ${reason}` : `refused by ${where}: ${reason}`);
    return false;
  }

  private connect(member: PeerMember): Promise<Socket> {
    const { sockets, connectTimeoutMs } = this.options;
    return new Promise((resolve, reject) => {
      const socket = sockets.dial(member, () => {
        clearTimeout(timer);
        resolve(socket);
      });
      const timer = setTimeout(() => {
        socket.destroy(new Error(`no answer within ${connectTimeoutMs} ms`));
      }, connectTimeoutMs);
      this.prepare(socket);
      this.dialled.add(socket);
      socket.on('error', reject);
      socket.once('close', () => {
        clearTimeout(timer);
        this.dialled.delete(socket);
        reject(new Error('the connection was closed'));
      });
    });
  }

  // --- being dialled

  private async accept(socket: Socket): Promise<void> {
    const { connectTimeoutMs, strangersMax, sockets } = this.options;
    this.prepare(socket);
    const conversation = new Conversation(socket, connectTimeoutMs, () => this.strangers.delete(conversation));
    this.strangers.add(conversation);
    if (this.strangers.size > strangersMax) {
      const [oldest] = this.strangers;
      oldest?.abort();
    }
    const { address } = conversation;
    let outcome: Outcome;
    try {
      outcome = await receive(conversation, this.identity, {
        objection: (hello) => sockets.objection(socket, hello && this.peers.get(hello.sender)?.member.host),
        findRival: (hello) => this.findRival(hello),
        secret: this.options.secret,
      });
    } catch (error) {
      if (!(error instanceof ConversationEnded)) throw error;
      const text = `a connection to the port for other servers is given up: who connected ${error.message}`;
      if (error.kind === 'closed' || error.kind === 'shutdown') this.logger.debug(text, { address });
      else this.rareWarnings.warn(error.kind, text, { address });
      return;
    }
    if (outcome.type === 'accepted') {
      this.strangers.delete(conversation);
      this.adopt(this.peers.get(outcome.hello.sender)!, conversation, outcome.hello);
    } else if (outcome.type === 'refused') {
      const { kind, reason, sender } = outcome.refusal;
      const known = sender !== undefined && this.peers.has(sender) ? sender : '';
      this.rareWarnings.warn(`refused ${kind} ${known}`, `refused a server: ${reason}`, { address });
    } else {
      this.rareWarnings.warn('refused by', `refused by a server: ${outcome.reason}`, { address });
    }
  }

  private handshakeFailed(error: NodeJS.ErrnoException, address: string): void {
    const text = `a TLS handshake on the port for other servers failed: ${errorText(error)}`;
    // Whoever hangs up in between, as the checks of a load balancer do, is no news.
    if (error.code === 'ECONNRESET') this.logger.debug(text, { address });
    else this.rareWarnings.warn(`tls ${error.code}`, text, { address });
  }

  private async findRival({ sender, incarnation }: Hello): Promise<string | undefined> {
    const link = this.peers.get(sender)?.link ?? null;
    if (link === null || link.incarnation === incarnation) return undefined;
    return (await link.probe(PROBE_MS)) ? link.address : undefined;
  }

  // --- both

  private prepare(socket: Socket): void {
    socket.setNoDelay(true);
    socket.setKeepAlive(this.options.keepAlive);
  }

  private adopt(peer: Peer, conversation: Conversation, { incarnation }: Hello): boolean {
    const { socket } = conversation;
    const first = conversation.release();
    this.dialled.delete(socket);
    // It may have been lost while it was accepted, or the links closed.
    if (socket.destroyed || this.closing.signal.aborted) {
      socket.destroy();
      return false;
    }
    const { messageBytesMax, queuedBytesMax } = this.options;
    peer.adopt(socket, first, { incarnation, messageBytesMax, queuedBytesMax });
    return true;
  }
}
