// Several leases that are held as one: all, or it is not held any more.

import { onAbort } from '../client/index.js';
import type { Lease } from './lease.js';

/** Leases that were taken together and are given up together. */
export class LeaseSet implements AsyncDisposable {
  readonly leases: readonly Lease[];
  /** Aborts with the first of the leases' signals, for its reason. */
  readonly signal: AbortSignal;

  /** @internal Made by the recipes. */
  constructor(leases: readonly Lease[]) {
    const controller = new AbortController();
    this.leases = leases;
    this.signal = controller.signal;
    for (const { signal } of leases) onAbort(signal, () => controller.abort(signal.reason));
  }

  /** Whether all are held, by the clock. */
  get isHeld(): boolean {
    return this.leases.every(({ isHeld }) => isHeld);
  }

  /** Gives all up. Resolves when others can have them. May be called again. */
  async release(): Promise<void> {
    await Promise.all(this.leases.map((lease) => lease.release()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }
}
