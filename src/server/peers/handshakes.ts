// TLS handshakes that others began and have not finished. Whoever reaches the port can begin as many as there may be
// connections; so there is a limit below that one, and beyond it the oldest gives way: a server of ours needs a few
// milliseconds, and gets in.

import type { Socket } from 'node:net';
import { addressOf } from './sockets.js';

export class Handshakes {
  private readonly max: number;
  /** By the address of the other end, which the encrypted socket has in common with the one below; the oldest first. */
  private readonly sockets = new Map<string, Socket>();

  constructor(max: number) {
    this.max = max;
  }

  begin(socket: Socket): void {
    const address = addressOf(socket);
    this.sockets.set(address, socket);
    socket.once('close', () => {
      if (this.sockets.get(address) === socket) this.sockets.delete(address);
    });
    if (this.sockets.size <= this.max) return;
    const [oldest] = this.sockets.values();
    oldest?.destroy();
  }

  /** Takes the encrypted socket of one that is done. */
  done(socket: Socket): void {
    this.sockets.delete(addressOf(socket));
  }
}
