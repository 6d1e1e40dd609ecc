// A create whose answer got lost leaves a doubt (E72), and for a sequential node no way to tell: the name is not known.
// So the name gets a prefix that nobody else has, and after the reconnect the parent's children say whether the node is
// there. The sync before that makes sure that the server has caught up with what the old connection may have written;
// a write that is still under way on the old connection is refused, since the session has moved (E19).

import { baseName, parentPath } from '../../protocol/path.js';
import { ZooKeeperError } from './errors.js';
import type { CreatedNode, Stat } from './types.js';

/** The calls that it takes, all with the deadline and the signal of the caller. */
export interface ProtectedCreateHost {
  create(path: string): Promise<CreatedNode>;
  sync(path: string): Promise<unknown>;
  children(path: string): Promise<string[]>;
  exists(path: string): Promise<Stat | null>;
  /** The same without the caller's deadline and signal, to clean up after they have struck. */
  readonly unhurried: Omit<ProtectedCreateHost, 'unhurried' | 'create'> & { delete(path: string): Promise<void> };
}

/** Curator's form, so that its tools know these nodes. */
export function protectedPath(path: string, unique: string): string {
  const slash = path.lastIndexOf('/');
  return `${path.slice(0, slash + 1)}_c_${unique}-${path.slice(slash + 1)}`;
}

/** The name without the prefix of a protected create. */
export function unprotectedName(name: string): string {
  return name.replace(/^_c_[0-9a-f-]{36}-/, '');
}

/**
 * Creates `path`, as made by protectedPath, exactly once. When the caller's deadline or signal ends it, the node that may
 * be left behind is deleted in the background.
 */
export async function createProtected(path: string, host: ProtectedCreateHost): Promise<CreatedNode> {
  try {
    for (;;) {
      try {
        return await host.create(path);
      } catch (error) {
        if (!ZooKeeperError.is(error, 'ConnectionLoss') || !error.maybeApplied) throw error;
      }
      const found = await find(path, host);
      if (found !== undefined) return found;
    }
  } catch (error) {
    const wasAnswered = ZooKeeperError.is(error) && error.name !== 'RequestTimeout';
    if (!wasAnswered) removeLeftover(path, host.unhurried);
    throw error;
  }
}

type Finder = Pick<ProtectedCreateHost, 'sync' | 'children' | 'exists'>;

/** The create may still be on its way, but what is asked on the same connection now is answered after it. */
async function removeLeftover(path: string, host: ProtectedCreateHost['unhurried']): Promise<void> {
  try {
    const found = await find(path, host);
    if (found !== undefined) await host.delete(found.path);
  } catch {
    // The session or the client has ended; a node that belongs to the session goes with it.
  }
}

async function find(path: string, host: Finder): Promise<CreatedNode | undefined> {
  const parent = parentPath(path);
  const prefix = baseName(path);
  for (;;) {
    try {
      await host.sync(parent);
      const name = (await host.children(parent)).find((child) => child.startsWith(prefix));
      if (name === undefined) return undefined;
      const found = parent === '/' ? `/${name}` : `${parent}/${name}`;
      const stat = await host.exists(found);
      return stat === null ? undefined : { path: found, stat };
    } catch (error) {
      if (!ZooKeeperError.is(error, 'ConnectionLoss')) throw error;
    }
  }
}
