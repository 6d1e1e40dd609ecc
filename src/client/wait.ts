// A promise that something else settles, unless its deadline or its AbortSignal comes first; no timer and no listener is
// left behind. For the few waits of a client that are not requests: those have their deadlines in the session machine.

import { onAbort } from './abort.js';
import type { Clock } from './clock.js';

export interface WaitOptions {
  readonly signal: AbortSignal | undefined;
  readonly clock: Clock;
  /** Infinity for no deadline; nor is there one that lies weeks ahead. */
  readonly timeoutMs: number;
  /** The error of the deadline. */
  readonly timeoutError: () => Error;
}

/** `start` gets the function that settles the promise (with null for success), and may return a clean-up. */
export function waitFor(
  options: WaitOptions,
  start: (settle: (error: unknown) => void) => (() => void) | undefined,
): Promise<void> {
  const { signal, timeoutMs } = options;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    let cleanUp: (() => void) | undefined;
    let settled = false;
    const settle = (error: unknown) => {
      if (settled) return;
      settled = true;
      callOff();
      stopListening();
      cleanUp?.();
      if (error === null) resolve();
      else reject(error);
    };
    const callOff = options.clock.after(timeoutMs, () => settle(options.timeoutError()));
    const stopListening = onAbort(signal, () => settle(signal?.reason));
    cleanUp = start(settle);
    if (settled) cleanUp?.();
  });
}
