// One connection of a virtual network: two pipes that keep order and take a random time. Bytes sent together may
// arrive in pieces, as TCP is free to do. A pipe can be held (the reader does not read) and cut (what is under way is
// lost, the reader learns that the other end is gone).

import type { VirtualWorld } from './virtual-world.js';

export interface PipeEnd {
  bytes(chunk: Uint8Array): void;
  /** The other end has hung up; nothing comes any more. */
  end(): void;
}

/** Bytes, the end (null), or somebody who wants to know that everything before has been read. */
type Item = Uint8Array | null | (() => void);

const PIECES_PROBABILITY = 0.1;

export class Pipe {
  private readonly world: VirtualWorld;
  private readonly target: PipeEnd;
  private lastArrivalMs = 0;
  private isCut = false;
  private isHeld = false;
  /** Arrived while the reader did not read. */
  private arrived: Item[] = [];

  constructor(world: VirtualWorld, target: PipeEnd) {
    this.world = world;
    this.target = target;
  }

  /** The bytes are the pipe's from now on. */
  send(bytes: Uint8Array): void {
    const { random } = this.world;
    if (bytes.length > 1 && this.world.networkDelayMsMax > 0 && random.bool(PIECES_PROBABILITY)) {
      const cut = 1 + random.int(bytes.length - 1);
      this.deliverLater(bytes.subarray(0, cut));
      this.deliverLater(bytes.subarray(cut));
    } else this.deliverLater(bytes);
  }

  end(): void {
    this.deliverLater(null);
  }

  /** Calls back when everything sent so far has been read. */
  whenRead(callback: () => void): void {
    this.deliverLater(callback);
  }

  /** What has not arrived is lost, and the end is all that still comes. */
  cut(): void {
    if (this.isCut) return;
    this.isCut = true;
    this.arrived = [];
    this.world.after(this.world.delayUpTo(this.world.networkDelayMsMax), () => this.target.end());
  }

  hold(): void {
    this.isHeld = true;
  }

  release(): void {
    this.isHeld = false;
    for (let next = this.arrived.shift(); next !== undefined; next = this.arrived.shift()) {
      this.give(next);
      if (this.isHeld) return;
    }
  }

  private deliverLater(item: Item): void {
    const { world } = this;
    this.lastArrivalMs = Math.max(this.lastArrivalMs, world.nowMs + world.delayUpTo(world.networkDelayMsMax));
    world.after(this.lastArrivalMs - world.nowMs, () => {
      if (this.isCut) return;
      if (this.isHeld) this.arrived.push(item);
      else this.give(item);
    });
  }

  private give(item: Item): void {
    if (item === null) this.target.end();
    else if (typeof item === 'function') item();
    else this.target.bytes(item);
  }
}

export class VirtualSocket {
  readonly toServer: Pipe;
  readonly toClient: Pipe;

  constructor(world: VirtualWorld, server: PipeEnd, client: PipeEnd) {
    this.toServer = new Pipe(world, server);
    this.toClient = new Pipe(world, client);
  }

  /** The network between the two is gone: both learn of it, each in its time. */
  cut(): void {
    this.toServer.cut();
    this.toClient.cut();
  }
}
