// For what goes on in the background and must not end because a server refuses for the moment.

import { type Client, ZooKeeperError } from '../client/index.js';
import { pause, persist } from './waiting.js';

/** Before a server is asked again that has refused. */
export const REFUSED_PAUSE_MS = 100;

/**
 * As persist(), and a server that is overloaded, read-only or cannot write is asked again after a pause. For calls that
 * may be made twice.
 */
export async function insist<T>(client: Client, call: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  for (;;) {
    try {
      return await persist(client, call, signal);
    } catch (error) {
      if (!ZooKeeperError.is(error) || !error.retryable || client.state === 'CLOSED') throw error;
      await pause(client, REFUSED_PAUSE_MS, signal);
    }
  }
}
