// A node together with the ancestors that it lacks. From below, so that nobody needs rights on nodes that are there.

import { parentPath } from '../../protocol/path.js';
import { ZooKeeperError } from './errors.js';

/** Calls `create` again each time an ancestor was missing and has been made by `createParent`. */
export async function withParents<T>(
  path: string,
  create: () => Promise<T>,
  createParent: (path: string) => Promise<unknown>,
): Promise<T> {
  const parent = parentPath(path);
  for (;;) {
    try {
      return await create();
    } catch (error) {
      if (!ZooKeeperError.is(error, 'NoNode') || parent === '/') throw error; // the chroot is not ours to make
    }
    try {
      await withParents(parent, () => createParent(parent), createParent);
    } catch (error) {
      if (!ZooKeeperError.is(error, 'NodeExists')) throw error; // somebody else was faster
    }
  }
}
