/** A proxy for one TCP port on loopback, whose connections can be cut, and kept from coming back. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { LOOPBACK } from './ports.js';

export class TcpProxy {
  private readonly sockets = new Set<Socket>();
  /** Sees what is sent, in both directions. */
  onBytes: (bytes: Buffer) => void = () => {};
  private state: 'open' | 'cut' | 'silent' = 'open';

  private constructor(
    private readonly server: Server,
    readonly port: number,
    targetPort: number,
  ) {
    server.on('connection', (near) => {
      if (this.state === 'cut') {
        near.destroy();
        return;
      }
      const far = connect(targetPort, LOOPBACK);
      this.join(near, far);
      this.join(far, near);
    });
  }

  static open(targetPort: number): Promise<TcpProxy> {
    return new Promise((resolve, reject) => {
      const server = createServer();
      server.once('error', reject);
      server.listen(0, LOOPBACK, () => {
        const address = server.address();
        if (address === null || typeof address === 'string') reject(new Error('a TCP listener has no port'));
        else resolve(new TcpProxy(server, address.port, targetPort));
      });
    });
  }

  /** What was on its way is lost, and whoever connects is hung up on. */
  cut(): void {
    this.state = 'cut';
    for (const socket of this.sockets) socket.destroy();
  }

  /** Connections stay, and new ones are accepted, but nothing gets through any more; what is sent is lost. */
  swallow(): void {
    this.state = 'silent';
  }

  /** Those that lost something are cut; new ones get through. */
  mend(): void {
    for (const socket of this.sockets) socket.destroy();
    this.state = 'open';
  }

  close(): Promise<void> {
    this.cut();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  private join(from: Socket, to: Socket): void {
    this.sockets.add(from);
    from.setNoDelay(true);
    from.on('data', (bytes: Buffer) => {
      this.onBytes(bytes);
      if (this.state !== 'silent') to.write(bytes);
    });
    from.on('error', () => {});
    from.on('close', () => {
      this.sockets.delete(from);
      to.destroy();
    });
  }
}
