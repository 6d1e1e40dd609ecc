// The two ways to get a client: with a connection, or on the way to one.

import { Client } from './client.js';
import { type ClientOptions, resolveOptions } from './options.js';

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
  const client = createClient(connectString, options);
  try {
    await client.connected({ signal: options.signal });
    return client;
  } catch (error) {
    await client.close({ keepSession: options.session !== undefined });
    throw error;
  }
}

/** As connect(), without waiting: calls made meanwhile are sent when a server is found. */
export function createClient(connectString: string, options: ClientOptions = {}): Client {
  return new Client(resolveOptions(connectString, options));
}
