// The number of a sequential node is how many children its parent has had (E26). To bring a copy up to the number of the
// original, short-lived children are made and deleted, many in one transaction.

import type { Client, Transaction } from '../../client/index.js';
import { childrenCreated, type NodeImage } from './node-images.js';
import { join } from './subtree.js';

const PAIRS_TOGETHER = 200;
/** More would keep a server busy for too long; the caller is told. */
const RAISE_MAX = 100_000;

/** How many children a node and its copy differ by: those that the original has had and has no more. */
export function childrenGone({ stat }: Pick<NodeImage, 'stat'>): number {
  return childrenCreated(stat) - stat.numChildren;
}

/** Adds as many short-lived children to a transaction. */
export function addChildren(transaction: Transaction<readonly unknown[]>, path: string, pairs: number): void {
  const child = join(path, 'short-lived-to-raise-the-counter');
  for (let i = 0; i < pairs; i++) transaction.create(child).delete(child);
}

/** Returns how many numbers are still missing: those beyond RAISE_MAX. */
export async function raiseCounter(client: Client, path: string, wanted: number, signal: AbortSignal): Promise<number> {
  const { stat } = await client.children(path, { withStat: true, signal });
  const missing = Math.max(0, wanted - childrenCreated(stat));
  for (let left = Math.min(missing, RAISE_MAX); left > 0; left -= PAIRS_TOGETHER) {
    const transaction = client.transaction();
    addChildren(transaction, path, Math.min(left, PAIRS_TOGETHER));
    await transaction.commit({ signal });
  }
  return Math.max(0, missing - RAISE_MAX);
}
