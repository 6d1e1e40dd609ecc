// The two ways to get a client: with a connection, or on the way to one.

import { Client } from './client.js';
import { SessionDriver } from './driver.js';
import { type ClientOptions, resolveOptions } from './options.js';
import { systemSurroundings } from './surroundings.js';
import { WorkerSession } from './worker-session.js';

/**
 * Connects to an ensemble and returns when a server has taken the session.
 *
 * ```ts
 * await using client = await connect('zk1:2181,zk2:2181,[::1]:2181/my-app');
 * await client.create('/greeting', 'hello');
 * const { data, stat } = await client.get('/greeting');
 * ```
 *
 * `connectString` is a list of hosts, port 2181 by default, with an optional chroot: a path that all others are below.
 * Rejects with ConnectionLoss after `connectTimeoutMs`, AuthFailed, BadArguments, or SessionExpired when the option
 * `session` names one that is gone.
 */
export async function connect(
  connectString: string,
  options: ClientOptions & { readonly signal?: AbortSignal } = {},
): Promise<Client> {
  const { signal, ...clientOptions } = options;
  const client = createClient(connectString, clientOptions);
  try {
    await client.connected({ signal });
    return client;
  } catch (error) {
    await client.close({ keepSession: options.session !== undefined });
    throw error;
  }
}

/** As connect(), without waiting: calls made meanwhile are sent when a server is found. */
export function createClient(connectString: string, options: ClientOptions = {}): Client {
  const resolved = resolveOptions(connectString, options);
  const surroundings = systemSurroundings(resolved.tls);
  return new Client(resolved, surroundings, (events) => {
    if (options.thread !== 'worker') return new SessionDriver(resolved, surroundings, events).start();
    return new WorkerSession(connectString, options, 2 * resolved.session.requestsMax, events);
  });
}
