// A real port in front of a virtual server: each connection is a virtual socket, and its bytes go through as they are.

import { createServer, type Server, type Socket } from 'node:net';
import type { Pacer } from './pacer.js';
import type { VirtualServer } from './virtual-server.js';

const HOST = '127.0.0.1';

export class TcpDoor {
  port = 0;
  private readonly listener: Server;
  private readonly sockets = new Set<Socket>();

  constructor(
    private readonly server: VirtualServer,
    private readonly pacer: Pacer,
  ) {
    this.listener = createServer({ noDelay: true }, (socket) => this.connected(socket));
  }

  /** `port` 0: any that is free. Rejects with the system's error. */
  listen(port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.listener.once('error', reject);
      this.listener.listen(port, HOST, () => {
        const address = this.listener.address();
        if (address !== null && typeof address === 'object') this.port = address.port;
        resolve();
      });
    });
  }

  /** The network between clients and this server breaks; they may come back at once. */
  cut(): void {
    for (const socket of this.sockets) socket.resetAndDestroy();
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.listener.close(() => resolve());
      for (const socket of this.sockets) socket.destroy();
    });
  }

  private connected(socket: Socket): void {
    const { pacer, sockets } = this;
    pacer.catchUp();
    const virtual = this.server.accept({
      bytes: (chunk) => {
        if (!socket.write(chunk)) virtual?.toClient.hold();
      },
      end: () => socket.end(),
    });
    if (virtual === null) {
      socket.resetAndDestroy(); // nobody is at home
      return;
    }
    sockets.add(socket);
    socket.on('data', (bytes) => {
      virtual.toServer.send(new Uint8Array(bytes)); // on a Buffer, slice() would make a view of memory that is used again
      pacer.catchUp();
    });
    socket.on('drain', () => {
      virtual.toClient.release();
      pacer.catchUp();
    });
    socket.on('error', () => {}); // 'close' follows
    socket.on('close', () => {
      sockets.delete(socket);
      virtual.toServer.end();
      pacer.catchUp();
    });
    pacer.catchUp();
  }
}
