// A link between one client and a server that understands just enough of the protocol to lose what a test wants lost: a
// request on its way there, or the answer to one that has been carried out. Either way the connection is cut then.

import { createServer, type Socket, connect as tcpConnect } from 'node:net';

/** Operation codes of the wire. */
export const Op = { delete: 2, getChildren: 8, multi: 14, create2: 15 } as const;

export class LossyLink implements AsyncDisposable {
  readonly #server = createServer((near) => this.#join(near));
  readonly #sockets = new Set<Socket>();
  readonly #targetPort: number;
  #loss: { readonly operation: number; readonly what: 'request' | 'reply' } | undefined;
  #isCut = false;
  /** How many were lost so far. */
  lost = 0;

  private constructor(targetPort: number) {
    this.#targetPort = targetPort;
  }

  static async to(targetPort: number): Promise<LossyLink> {
    const link = new LossyLink(targetPort);
    await new Promise<void>((resolve) => link.#server.listen(0, '127.0.0.1', resolve));
    return link;
  }

  get address(): string {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? `127.0.0.1:${address.port}` : '';
  }

  /** The next request with this code is lost, or its answer; once. */
  lose(what: 'request' | 'reply', operation: number): void {
    this.#loss = { operation, what };
  }

  /** Ends all connections and takes no new ones, until open(). */
  close(): void {
    this.#isCut = true;
    this.cut();
  }

  open(): void {
    this.#isCut = false;
  }

  /** Ends all connections; new ones may come. */
  cut(): void {
    for (const socket of [...this.#sockets]) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #join(near: Socket): void {
    if (this.#isCut) {
      near.destroy();
      return;
    }
    const far = tcpConnect(this.#targetPort, '127.0.0.1');
    let isDeaf = false;
    const requests = new Frames((frame, isFirst) => {
      const loss = this.#loss;
      if (isFirst || loss === undefined || frame.readInt32BE(8) !== loss.operation) return true;
      this.#loss = undefined;
      this.lost++;
      isDeaf = true;
      if (loss.what === 'reply') return true;
      near.destroy();
      return false;
    });
    near.on('data', (bytes) => requests.push(bytes, (frame) => far.write(frame)));
    far.on('data', (bytes) => {
      // What comes now includes the answer, or comes before it and is lost with it, as a cut connection loses it.
      if (isDeaf) near.destroy();
      else near.write(bytes);
    });
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ]) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
  }
}

/** Cuts a stream of bytes into frames with their lengths. */
class Frames {
  #rest = Buffer.alloc(0);
  #isFirst = true;

  /** `isToPass` sees each frame; the first one of a connection is the handshake. */
  constructor(readonly isToPass: (frame: Buffer, isFirst: boolean) => boolean) {}

  push(bytes: Buffer, pass: (frame: Buffer) => void): void {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    while (this.#rest.length >= 4 && this.#rest.length >= 4 + this.#rest.readInt32BE(0)) {
      const end = 4 + this.#rest.readInt32BE(0);
      const frame = this.#rest.subarray(0, end);
      this.#rest = this.#rest.subarray(end);
      if (this.isToPass(frame, this.#isFirst)) pass(frame);
      this.#isFirst = false;
    }
  }
}
