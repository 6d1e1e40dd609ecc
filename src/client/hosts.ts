// Which server to try next, and after how long. Hosts are shuffled once, so that clients spread over the ensemble, and
// then tried in turn. Within one round nothing waits: the next server may be fine. From the second round on each round
// waits twice as long as the one before, with jitter, so that the clients of a restarted ensemble do not come at once.

import { assert } from '../std/assert.js';
import type { Random } from '../std/random.js';
import type { Host } from './connect-string.js';

const ROUND_DELAY_MIN_MS = 50;
const ROUND_DELAY_MAX_MS = 2000;

export class HostRotation {
  readonly #hosts: Host[];
  readonly #random: Random;
  #next = 0;
  /** Attempts that failed in a row. */
  #failures = 0;

  constructor(hosts: readonly Host[], random: Random) {
    assert(hosts.length > 0, 'no hosts');
    this.#hosts = random.shuffle([...hosts]);
    this.#random = random;
  }

  get count(): number {
    return this.#hosts.length;
  }

  /** Takes the next host in turn. */
  next(): Host {
    const host = this.#hosts[this.#next];
    this.#next = (this.#next + 1) % this.#hosts.length;
    return host;
  }

  /** The next one to be taken is `host`. */
  prefer(host: Host): void {
    this.#next = Math.max(0, this.#hosts.indexOf(host));
  }

  succeeded(): void {
    this.#failures = 0;
  }

  /** Counts a failed attempt or a connection that did not last. */
  failed(): void {
    this.#failures++;
  }

  /** How long to wait before the next attempt: between half and all of the round's delay. */
  delayMs(): number {
    const round = Math.floor(this.#failures / this.#hosts.length);
    if (round === 0) return 0;
    const delayMs = Math.min(ROUND_DELAY_MAX_MS, ROUND_DELAY_MIN_MS * 2 ** Math.min(round - 1, 16));
    return delayMs / 2 + this.#random.int(Math.ceil(delayMs / 2));
  }
}
