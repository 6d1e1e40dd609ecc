// checkWatches and removeWatches: whether the connection has a watch of a type on a path, and its removal. Nothing of
// the kind is -121; a type that does not exist could not be decoded (E66). No event is sent: the client makes its own.

import { WatcherType } from '../../../protocol/client/constants.js';
import { Code } from '../../../protocol/client/errors.js';
import { operations } from '../../../protocol/client/operations.js';
import type { WatchesOfTypeRequest } from '../../../protocol/client/records.js';
import type { View } from '../../../protocol/jute/schema.js';
import type { ReadOperation } from './operation.js';

type Request = View<typeof WatchesOfTypeRequest>;

const TYPES: ReadonlySet<number> = new Set(Object.values(WatcherType));

export const checkWatches: ReadOperation<Request> = {
  kind: 'read',
  name: 'checkWatches',
  code: operations.checkWatches.code,
  request: operations.checkWatches.request,

  answer({ watches, watcher }, { path, type }) {
    if (path === null || !TYPES.has(type)) return Code.MarshallingError;
    return watches.contains(path.text(), watcher, type) ? 0 : Code.NoWatcher;
  },
};

export const removeWatches: ReadOperation<Request> = {
  kind: 'read',
  name: 'removeWatches',
  code: operations.removeWatches.code,
  request: operations.removeWatches.request,

  answer({ watches, watcher }, { path, type }) {
    if (path === null || !TYPES.has(type)) return Code.MarshallingError;
    return watches.remove(path.text(), watcher, type) ? 0 : Code.NoWatcher;
  },
};
