// Copies of a subtree as part of one transaction, for cp and mv.

import type { Transaction } from '../../client/index.js';
import { addChildren, childrenGone } from './counters.js';
import { moved, type NodeImage } from './node-images.js';

/** Beside the nodes themselves: a transaction has to fit into one packet. */
const PAIRS_MAX = 2000;

/**
 * Adds the nodes of `all`, which are `from` and below, at the same places below `to`. Returns the remark that the counters
 * for sequential names start anew there, where that is so.
 */
export function addCopies(
  transaction: Transaction<readonly unknown[]>,
  all: readonly NodeImage[],
  from: string,
  to: string,
): string | undefined {
  for (const { path, data, acl } of all) transaction.create(moved(path, from, to), data, { acl });
  const counters = all.filter((image) => childrenGone(image) > 0);
  if (counters.reduce((sum, image) => sum + childrenGone(image), 0) > PAIRS_MAX) {
    return `Sequential names below ${to} are counted anew: export and import carry long counts over.`;
  }
  for (const image of counters) addChildren(transaction, moved(image.path, from, to), childrenGone(image));
  return undefined;
}
