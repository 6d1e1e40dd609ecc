// Lets a virtual world go by the real clock: what is due happens when its time has come, so that programs with real
// sockets can live with it. What takes less than a millisecond there takes no time here, and time that the process could
// not use (it was stopped, or computed for long) does not count, as with a real server.

import type { VirtualWorld } from './virtual-world.js';

/** Node's timers are no finer than this: what is due so soon happens at once. */
const SLACK_MS = 1;
const PAUSE_MS_MAX = 100;

export class Pacer {
  private readonly world: VirtualWorld;
  /** Where the world stands when the real clock shows 0. */
  private offsetMs: number;
  private timer: NodeJS.Timeout | undefined;
  private isRunning = false;
  private isStopped = false;

  constructor(world: VirtualWorld) {
    this.world = world;
    this.offsetMs = world.nowMs - performance.now();
    this.catchUp();
  }

  /** Does what is due. Call it whenever something was put into the world from outside. */
  catchUp(): void {
    if (this.isRunning || this.isStopped) return;
    const behindMs = performance.now() + this.offsetMs + SLACK_MS - this.world.nowMs;
    if (behindMs > PAUSE_MS_MAX) this.offsetMs -= behindMs - PAUSE_MS_MAX;
    this.run(Math.min(Math.max(behindMs, 0), PAUSE_MS_MAX));
    this.arm();
  }

  /** Lets this much time pass at once, beside the real one. */
  skip(durationMs: number): void {
    this.offsetMs += durationMs;
    this.run(durationMs);
    this.arm();
  }

  /** The world stands still from now on. */
  stop(): void {
    this.isStopped = true;
    clearTimeout(this.timer);
  }

  private run(durationMs: number): void {
    this.isRunning = true;
    try {
      this.world.run(durationMs);
    } finally {
      this.isRunning = false;
    }
  }

  private arm(): void {
    clearTimeout(this.timer);
    const { nextMs } = this.world;
    if (nextMs === undefined || this.isStopped) return;
    const delayMs = nextMs - this.offsetMs - performance.now();
    this.timer = setTimeout(() => this.catchUp(), Math.max(0, Math.ceil(delayMs)));
  }
}
