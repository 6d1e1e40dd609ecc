// Nodes as they are taken from one place to another (cp, mv, export, import, diff): data, ACL, and what of their kind a
// client can see. Containers and TTL nodes look like plain ones to every client; ephemeral nodes are known by their owner.

import { type Acl, type Client, type Stat, ZooKeeperError } from '../../client/index.js';
import { walk } from './subtree.js';

const TOGETHER = 128;

export interface NodeImage {
  readonly path: string;
  readonly data: Buffer | null;
  readonly acl: readonly Acl[];
  readonly stat: Stat;
}

/** Whether it is the root itself, or below it. */
export function isBelow(path: string, root: string): boolean {
  return root === '/' || path === root || path.startsWith(`${root}/`);
}

/** ZooKeeper's own nodes, which are made and kept by the servers. */
export function isSystemPath(path: string): boolean {
  return isBelow(path, '/zookeeper');
}

/**
 * A node and all below it, parents first; system nodes are left out unless the root is one. Fails with NoAuth where data
 * or an ACL may not be read: an image with holes would look like a whole one.
 */
export async function* readImages(
  client: Client,
  root: string,
  signal: AbortSignal,
  depthMax?: number,
): AsyncGenerator<NodeImage> {
  let paths: string[] = [];
  for await (const { path } of walk(client, root, signal, depthMax)) {
    if (isSystemPath(path) && !isSystemPath(root)) continue;
    paths.push(path);
    if (paths.length < TOGETHER) continue;
    yield* await readAll(client, paths, signal);
    paths = [];
  }
  yield* await readAll(client, paths, signal);
}

/** Those that have vanished meanwhile are left out. */
async function readAll(client: Client, paths: readonly string[], signal: AbortSignal): Promise<NodeImage[]> {
  const images = await Promise.all(paths.map((path) => readImage(client, path, signal)));
  return images.filter((image) => image !== null);
}

async function readImage(client: Client, path: string, signal: AbortSignal): Promise<NodeImage | null> {
  try {
    const [{ data, stat }, { acl }] = await Promise.all([
      client.get(path, { signal }),
      client.getAcl(path, { signal }),
    ]);
    return { path, data, acl, stat };
  } catch (error) {
    if (ZooKeeperError.is(error, 'NoNode') && path !== '/') return null;
    throw error;
  }
}

/** How many children a node has had: the number that the next sequential one gets (E26). */
export function childrenCreated({ cversion, numChildren }: Stat): number {
  return (cversion + numChildren) / 2;
}

/** `path`, which is `from` or below it, at the same place below `to`. */
export function moved(path: string, from: string, to: string): string {
  const rest = from === '/' ? path : path.slice(from.length);
  const target = to === '/' ? rest : `${to}${rest === '/' ? '' : rest}`;
  return target === '' ? '/' : target;
}
