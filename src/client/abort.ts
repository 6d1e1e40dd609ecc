// Many calls may hang on one AbortSignal, such as the one that says that the program is to end. Node warns of a leak when
// a signal has more than ten listeners, so ours take one place on it, however many they are.

const LISTENERS = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls `listener` when the signal aborts, or at once when it has already. Returns a function that takes the listener
 * away; while any is there, the signal has one listener for all of them.
 */
export function onAbort(signal: AbortSignal | undefined, listener: () => void): () => void {
  if (signal === undefined) return () => {};
  if (signal.aborted) {
    listener();
    return () => {};
  }
  const listeners = LISTENERS.get(signal) ?? new Set();
  listeners.add(listener);
  if (!LISTENERS.has(signal)) {
    LISTENERS.set(signal, listeners);
    signal.addEventListener('abort', tellAll, { once: true });
  }
  return () => {
    if (!listeners.delete(listener) || listeners.size > 0) return;
    LISTENERS.delete(signal);
    signal.removeEventListener('abort', tellAll);
  };
}

function tellAll(this: AbortSignal): void {
  const listeners = LISTENERS.get(this);
  LISTENERS.delete(this);
  for (const listener of listeners ?? []) listener();
}
