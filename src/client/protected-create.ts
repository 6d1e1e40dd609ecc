// A create whose answer got lost leaves a doubt (E72), and for a sequential node no way to tell: the name is not known.
// So the name gets a prefix that nobody else has, and after the reconnect the parent's children say whether the node is
// there. The sync before that makes sure that the server has caught up with what the old connection may have written;
// a write that is still under way on the old connection is refused, since the session has moved (E19).

import { baseName, parentPath } from '../../protocol/path.js';
import { ZooKeeperError } from './errors.js';
import type { CreatedNode, Stat } from './types.js';

/** The calls that it takes, all with the deadline and the signal of the caller. */
export interface ProtectedCreateHost {
  readonly callersPath: string;
  create(path: string): Promise<CreatedNode>;
  sync(path: string): Promise<unknown>;
  children(path: string): Promise<string[]>;
  exists(path: string): Promise<Stat | null>;
  /** The caller's. */
  readonly signal: AbortSignal | undefined;
  /** The same without the caller's deadline and signal, to clean up after they have struck. */
  readonly unhurried: Finder & { delete(path: string): Promise<void>; isClosed(): boolean };
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
 * Creates `path`, as made by protectedPath, exactly once. When something ends it before it is known whether the node is
 * there, the node that may be left behind is deleted in the background. Errors name the caller's path.
 */
export async function createProtected(path: string, host: ProtectedCreateHost): Promise<CreatedNode> {
  let isInDoubt = false;
  try {
    for (;;) {
      try {
        return await host.create(path);
      } catch (error) {
        // The reason of an abort may be anything, so it says nothing about the create.
        const isAborted = host.signal?.aborted === true || !ZooKeeperError.is(error);
        isInDoubt = isAborted || error.maybeApplied;
        if (!isInDoubt || isAborted || error.name !== 'ConnectionLoss') throw error;
      }
      const found = await find(path, host);
      if (found !== undefined) return found;
      isInDoubt = false;
    }
  } catch (error) {
    if (isInDoubt) removeLeftover(path, host.unhurried);
    if (!ZooKeeperError.is(error) || error.operation === 'create' || host.signal?.aborted) throw error;
    const details = { operation: 'create', path: host.callersPath, maybeApplied: true, cause: error };
    throw new ZooKeeperError(error.name, details);
  }
}

type Finder = Pick<ProtectedCreateHost, 'sync' | 'children' | 'exists' | 'signal'>;

/**
 * The create may still be on its way, but what is asked on the same connection now is answered after it. When the session
 * is lost meanwhile the next one does it: a persistent node does not go with the session.
 */
async function removeLeftover(path: string, host: ProtectedCreateHost['unhurried']): Promise<void> {
  for (;;) {
    try {
      const found = await find(path, host);
      if (found !== undefined) await host.delete(found.path);
      return;
    } catch (error) {
      if (!ZooKeeperError.is(error, 'ConnectionLoss', 'SessionExpired') || host.isClosed()) return;
    }
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
      if (ZooKeeperError.is(error, 'NoNode')) return undefined; // without a parent there is no child
      if (!ZooKeeperError.is(error, 'ConnectionLoss') || host.signal?.aborted) throw error;
    }
  }
}
