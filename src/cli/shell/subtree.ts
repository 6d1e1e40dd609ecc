// A node and all below it, each parent before its children and brothers in order: fetched level by level with many
// requests under way, since one after the other would cost a round trip a node.

import { type Client, ZooKeeperError } from '../../client/index.js';
import { sorted } from './format.js';

const IN_FLIGHT_MAX = 500;

/**
 * Rejects with NoNode or NoAuth for the root. Below it, nodes that vanish meanwhile are left out, and what stands under one
 * that may not be read is unknown: only the node itself is listed.
 */
export async function subtree(client: Client, root: string, signal: AbortSignal): Promise<string[]> {
  const childrenOf = new Map<string, string[]>();
  for (let level = [root]; level.length > 0; ) {
    const next: string[] = [];
    for (let from = 0; from < level.length; from += IN_FLIGHT_MAX) {
      const paths = level.slice(from, from + IN_FLIGHT_MAX);
      const lists = await Promise.all(paths.map((path) => children(client, path, signal, path === root)));
      for (const [i, names] of lists.entries()) {
        if (names === null) continue;
        const below = sorted(names).map((name) => join(paths[i], name));
        childrenOf.set(paths[i], below);
        next.push(...below);
      }
    }
    level = next;
  }
  const found: string[] = [];
  for (const stack = [root]; stack.length > 0; ) {
    const path = stack.pop() as string;
    const below = childrenOf.get(path);
    if (below === undefined) continue;
    found.push(path);
    for (let i = below.length - 1; i >= 0; i--) stack.push(below[i]);
  }
  return found;
}

export function join(parent: string, name: string): string {
  return parent === '/' ? `/${name}` : `${parent}/${name}`;
}

async function children(client: Client, path: string, signal: AbortSignal, isRoot: boolean): Promise<string[] | null> {
  try {
    return await client.children(path, { signal });
  } catch (error) {
    if (isRoot || !ZooKeeperError.is(error, 'NoNode', 'NoAuth')) throw error;
    return error.name === 'NoNode' ? null : [];
  }
}
