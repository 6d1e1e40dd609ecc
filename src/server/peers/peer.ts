// One other server: the link to it while there is one, who is told about it, and what it amounts to. `connected` and
// `disconnected` alternate, and no message comes outside of them.

import type { Socket } from 'node:net';
import type { PeerMessage } from '../../../protocol/peer/messages.js';
import type { Logger } from '../logging.js';
import type { Dialer } from './dialer.js';
import { PeerLink, type PeerLinkOptions } from './link.js';
import type { PeerMember } from './options.js';
import { hostPort } from './sockets.js';

/** Who hears of the links. Called from the event loop, never from within a call of PeerLinks. */
export interface PeerHandlers {
  /** There is a link now; nothing of an earlier one arrives any more. */
  connected(peer: number): void;
  disconnected(peer: number): void;
  message(peer: number, message: PeerMessage): void;
}

/** Facts about a peer, for people and metrics. */
export interface PeerStatus {
  readonly id: number;
  /** As configured. */
  readonly configured: string;
  readonly isConnected: boolean;
  /** Of the other end of the link. */
  readonly address: string | undefined;
  /** Age of the link in ms. */
  readonly connectedForMs: number | undefined;
  /** Over all links there have been. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** What waits to be sent. */
  readonly queuedBytes: number;
  /** Links there have been, this one included. */
  readonly links: number;
}

export class Peer {
  readonly member: PeerMember;
  link: PeerLink | null = null;
  private readonly handlers: PeerHandlers;
  private readonly logger: Logger;
  private readonly dialer: Dialer | null;
  private readonly told = new Set<string>();
  private isToldConnected = false;
  private links = 0;
  private earlierBytesIn = 0;
  private earlierBytesOut = 0;

  /** `dialer`: null for a peer that dials us. */
  constructor(member: PeerMember, handlers: PeerHandlers, logger: Logger, dialer: Dialer | null) {
    this.member = member;
    this.handlers = handlers;
    this.logger = logger;
    this.dialer = dialer;
  }

  /** A connection to the right server. It takes the place of a link that is still there. */
  adopt(socket: Socket, first: Uint8Array, options: PeerLinkOptions): void {
    const { id } = this.member;
    this.drop(`server ${id} has connected again; its former link is closed`);
    this.tellDisconnected();
    const link = new PeerLink(socket, options, {
      message: (message) => this.handlers.message(id, message),
      broken: (reason, isFault) => {
        this.forget(link);
        this.logger[isFault ? 'warn' : 'info'](`the link to server ${id} broke: ${reason}`, { address: link.address });
        this.tellDisconnectedSoon();
      },
    });
    this.link = link;
    this.links++;
    this.told.clear();
    this.isToldConnected = true;
    this.logger.info(`linked to server ${id}`, { address: link.address });
    this.handlers.connected(id);
    link.start(first);
  }

  /** Breaks the link; `disconnected` is told once the caller is done, and the next link is on its way. */
  reset(reason: string): void {
    if (this.link === null) return;
    this.drop(`the link to server ${this.member.id} is reset: ${reason}`);
    this.tellDisconnectedSoon();
  }

  /** Ends everything, without a word to the handlers. */
  close(): void {
    this.isToldConnected = false;
    this.dialer?.stop();
    this.link?.flush();
    this.link?.destroy();
    this.link = null;
  }

  /** Something keeps the link from being made: told the first time, until there is a link. */
  trouble(kind: string, message: string): void {
    if (this.told.has(kind)) this.logger.debug(message);
    else this.logger.warn(`${message}; trying again, which is not logged`);
    this.told.add(kind);
  }

  status(): PeerStatus {
    const { member, link } = this;
    return {
      id: member.id,
      configured: hostPort(member.host, member.port),
      isConnected: link !== null,
      address: link?.address,
      connectedForMs: link === null ? undefined : performance.now() - link.sinceMs,
      bytesIn: this.earlierBytesIn + (link?.bytesIn ?? 0),
      bytesOut: this.earlierBytesOut + (link?.bytesOut ?? 0),
      queuedBytes: link?.queuedBytes ?? 0,
      links: this.links,
    };
  }

  private drop(message: string): void {
    const { link } = this;
    if (link === null) return;
    this.logger.info(message, { address: link.address });
    this.forget(link);
    link.destroy();
  }

  private forget(link: PeerLink): void {
    this.link = null;
    this.earlierBytesIn += link.bytesIn;
    this.earlierBytesOut += link.bytesOut;
    this.dialer?.linkBroke(performance.now() - link.sinceMs);
  }

  /** Once the caller is done: links also break inside of `send` and `reset`. */
  private tellDisconnectedSoon(): void {
    queueMicrotask(() => this.tellDisconnected());
  }

  private tellDisconnected(): void {
    if (!this.isToldConnected) return;
    this.isToldConnected = false;
    this.handlers.disconnected(this.member.id);
  }
}
