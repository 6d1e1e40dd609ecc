// setWatches and setWatches2: a client that reconnected says what it was watching and what it has seen. What changed in
// between is delivered now, before the reply; the rest is watched again (E62, E63). The second adds persistent watches.

import { Code } from '../../../protocol/client/errors.js';
import { operations } from '../../../protocol/client/operations.js';
import type { SetWatches2Request, SetWatchesRequest } from '../../../protocol/client/records.js';
import type { View } from '../../../protocol/jute/schema.js';
import type { Slice } from '../../../protocol/jute/slice.js';
import { NO_NODE, type Tree } from '../tree/tree.js';
import { resumeWatches, type WatchedTree } from '../watches/resume.js';
import type { ReadContext, ReadOperation } from './operation.js';

const LISTS = ['dataWatches', 'existWatches', 'childWatches'] as const;
const PERSISTENT_LISTS = [...LISTS, 'persistentWatches', 'persistentRecursiveWatches'] as const;

export const setWatches: ReadOperation<View<typeof SetWatchesRequest>> = {
  kind: 'read',
  name: 'setWatches',
  code: operations.setWatches.code,
  request: operations.setWatches.request,
  deliversEvents: true,
  answer: (context, request) => answer(context, request.relativeZxid, LISTS, request),
};

export const setWatches2: ReadOperation<View<typeof SetWatches2Request>> = {
  kind: 'read',
  name: 'setWatches2',
  code: operations.setWatches2.code,
  request: operations.setWatches2.request,
  deliversEvents: true,
  answer: (context, request) => answer(context, request.relativeZxid, PERSISTENT_LISTS, request),
};

type ListName = (typeof PERSISTENT_LISTS)[number];

function answer<Name extends ListName>(
  context: ReadContext,
  relativeZxid: number,
  names: readonly Name[],
  lists: Readonly<Record<Name, (Slice | null)[] | null>>,
): number {
  const watches = new Map<ListName, string[]>();
  for (const name of names) {
    const paths: string[] = [];
    for (const path of lists[name] ?? [null]) {
      if (path === null) return Code.MarshallingError; // as ZooKeeper answers a null list or a null path
      paths.push(path.text());
    }
    watches.set(name, paths);
  }
  return resumeWatches(
    watchedTree(context.world.tree),
    context.watches,
    context.watcher,
    {
      relativeZxid,
      dataWatches: watches.get('dataWatches') ?? [],
      existWatches: watches.get('existWatches') ?? [],
      childWatches: watches.get('childWatches') ?? [],
      persistentWatches: watches.get('persistentWatches') ?? [],
      persistentRecursiveWatches: watches.get('persistentRecursiveWatches') ?? [],
    },
    (watcher, type, path) => context.deliver(watcher, type, path),
  );
}

function watchedTree(tree: Tree): WatchedTree {
  return {
    find(path) {
      const node = tree.findText(path);
      return node === NO_NODE ? undefined : { mzxid: tree.mzxid(node), pzxid: tree.pzxid(node) };
    },
  };
}
