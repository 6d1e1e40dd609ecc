/** All recipes that are simulated. */
import { barrier, doubleBarrier } from './barriers.js';
import { nodeCache, treeCache } from './caches.js';
import { config } from './configuration.js';
import { protectedCreate } from './creates.js';
import { election, lock, multiLock, readWriteLock, semaphore } from './locks.js';
import { groupMembership, partitioner, persistentNode, serviceDiscovery } from './members.js';
import type { Recipe } from './play.js';
import { delayQueue, priorityQueue, queue } from './queues.js';
import { counter, sharedValue } from './values.js';

export const RECIPES: readonly Recipe[] = [
  lock,
  readWriteLock,
  semaphore,
  multiLock,
  election,
  barrier,
  doubleBarrier,
  queue,
  priorityQueue,
  delayQueue,
  counter,
  sharedValue,
  config,
  nodeCache,
  treeCache,
  persistentNode,
  groupMembership,
  partitioner,
  serviceDiscovery,
  protectedCreate,
];
