// The node that contenders stand under. It and its parents are made as containers, so that the server clears them away
// when nobody has used them for a while; whoever comes then makes them again.

import { type Acl, type Client, type CreateMode, ZooKeeperError } from '../client/index.js';
import { PATIENT, persist } from './waiting.js';

/** Makes the node and the parents that are missing. Rejects with NoNode when the chroot itself does not exist. */
export async function ensureDirectory(
  client: Client,
  path: string,
  options: { readonly acl?: readonly Acl[] | undefined; readonly mode?: CreateMode } = {},
): Promise<void> {
  const { acl, mode = 'container' } = options;
  for (;;) {
    try {
      await persist(client, () => client.create(path, null, { ...PATIENT, mode, acl }));
      return;
    } catch (error) {
      if (ZooKeeperError.is(error, 'NodeExists')) return;
      const parent = path.slice(0, path.lastIndexOf('/'));
      if (!ZooKeeperError.is(error, 'NoNode') || parent === '') throw error;
      await ensureDirectory(client, parent, options);
    }
  }
}
