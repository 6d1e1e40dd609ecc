// A connection of a virtual process to a virtual server, from its dialing on, as the SDK expects it of a TCP socket.

import type { ConnectionEvents } from '../client/connection.js';
import type { Link } from '../client/surroundings.js';
import type { VirtualProcess } from './virtual-process.js';
import type { VirtualServer } from './virtual-server.js';
import type { VirtualSocket } from './virtual-socket.js';

/** Sees what goes over the connections of a process, before the client does. */
export interface LinkTap {
  sent(link: VirtualLink, bytes: Uint8Array): void;
  received(link: VirtualLink, bytes: Uint8Array): void;
  closed(link: VirtualLink): void;
}

/** Now and then a socket is full after a write, as if its buffer were small. */
const FULL_PROBABILITY = 0.02;

export class VirtualLink implements Link {
  private socket: VirtualSocket | null = null;
  private isDestroyed = false;
  /** What waits for the network, in order. */
  private held: (() => void)[] = [];

  constructor(
    private readonly process: VirtualProcess,
    readonly server: VirtualServer,
    private readonly events: ConnectionEvents,
    private readonly tap: LinkTap | null,
    private readonly onEnd: () => void,
  ) {
    const { world } = process;
    world.after(world.delayUpTo(2 * world.networkDelayMsMax), () => this.pass(() => this.open()));
  }

  write(bytes: Uint8Array): boolean {
    this.tap?.sent(this, bytes);
    const { world } = this.process;
    this.pass(() => this.socket?.toServer.send(bytes));
    if (!world.random.bool(FULL_PROBABILITY)) return true;
    this.pass(() => this.socket?.toServer.whenRead(() => this.tell(() => this.events.drained())));
    return false;
  }

  destroy(): void {
    if (this.isDestroyed) return;
    this.isDestroyed = true;
    this.pass(() => this.socket?.toServer.end());
    this.onEnd();
  }

  /** The network fails: what is under way is lost both ways. */
  cut(): void {
    this.held = [];
    this.socket?.cut();
  }

  /** The network works again. */
  goOn(): void {
    const held = this.held;
    this.held = [];
    for (const action of held) action();
  }

  private open(): void {
    if (this.isDestroyed) return;
    this.socket = this.server.accept({
      bytes: (chunk) =>
        this.pass(() =>
          this.tell(() => {
            this.tap?.received(this, chunk);
            this.events.received(chunk);
          }),
        ),
      end: () => this.pass(() => this.close(undefined)),
    });
    if (this.socket === null) this.close(new Error('connection refused'));
    else this.tell(() => this.events.opened());
  }

  private close(cause: Error | undefined): void {
    this.tell(() => {
      this.isDestroyed = true;
      this.onEnd();
      this.tap?.closed(this);
      this.events.closed(cause);
    });
  }

  private tell(event: () => void): void {
    this.process.run('network', () => {
      if (!this.isDestroyed) event();
    });
  }

  /** Now, or when the network works again. */
  private pass(action: () => void): void {
    if (this.process.isBlocked(this.server.id) || this.held.length > 0) this.held.push(action);
    else action();
  }
}
