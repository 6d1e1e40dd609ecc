// Time for a client and for all that is built on it. There is one clock per client, because a lease is measured by the
// same time as the session it hangs on; a simulation hands in a clock of its own.

export interface Clock {
  /** Milliseconds since any fixed moment; never goes back, whatever is done to the wall clock. */
  nowMs(): number;
  /** Calls `ring` once, `delayMs` from now. Keeps no process alive. Returns a function that calls it off. */
  after(delayMs: number, ring: () => void): () => void;
}

/** A timer of Node's rings at once when it is set for longer than this. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/**
 * performance.now() counts from the start of its thread. With this added it is the same in all threads of the process, so
 * that a deadline means the same in each.
 */
const THREAD_STARTED_MS = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/** The system's. A timer that is set for weeks, or for ever, does not ring. */
export const SYSTEM_CLOCK: Clock = {
  nowMs: () => performance.now() + THREAD_STARTED_MS,
  after: (delayMs, ring) => {
    if (delayMs > TIMER_MS_MAX) return () => {};
    const timer = setTimeout(ring, Math.max(0, Math.ceil(delayMs))).unref();
    return () => clearTimeout(timer);
  },
};
