// A create whose answer got lost leaves a doubt (E72), and for a sequential node no way to tell: the name is not known.
// So the name gets a prefix that nobody else has, and after the reconnect the parent's children say whether the node is
// there. The sync before that makes sure that the server has caught up with what the old connection may have written;
// a write that is still under way on the old connection is refused, since the session has moved (E19).

import { baseName, parentPath } from '../../protocol/path.js';
import { ZooKeeperError } from './errors.js';
import type { CreatedNode, Stat } from './types.js';

export interface ProtectedCreateHost {
  create(path: string): Promise<CreatedNode>;
  sync(path: string): Promise<unknown>;
  children(path: string): Promise<string[]>;
  exists(path: string): Promise<Stat | null>;
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

/** Creates `path`, as made by protectedPath, exactly once. Fails only when no node is left behind, or with its session. */
export async function createProtected(path: string, host: ProtectedCreateHost): Promise<CreatedNode> {
  for (;;) {
    try {
      return await host.create(path);
    } catch (error) {
      if (!ZooKeeperError.is(error) || !error.maybeApplied || error.name !== 'ConnectionLoss') throw error;
    }
    const found = await find(path, host);
    if (found !== undefined) return found;
  }
}

async function find(path: string, host: ProtectedCreateHost): Promise<CreatedNode | undefined> {
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
