// Recipes: what coordination is usually needed for, built on the public SDK only. Everything that
// `import … from 'zabra/recipes'` gives.

export type { BarrierOptions } from './barrier.js';
export { Barrier } from './barrier.js';
export type { CacheChange, CachedNode, CacheUpdate } from './cache/changes.js';
export { NodeCache } from './cache/node-cache.js';
export { TreeCache } from './cache/tree-cache.js';
export { Config, ConfigError, type ConfigOptions, type ConfigValue } from './config.js';
export type { ContenderInfo } from './contender.js';
export { Counter, type CounterOptions } from './counter.js';
export type { Health, Schema, ServiceInstance } from './discovery/instance.js';
export type { PickPolicy } from './discovery/picking.js';
export {
  type Registrant,
  type Registration,
  ServiceDiscovery,
  type ServiceDiscoveryOptions,
} from './discovery/service-discovery.js';
export {
  NoInstanceError,
  type PickOptions,
  type ServiceView,
  type ServiceViewOptions,
} from './discovery/service-view.js';
export type { DoubleBarrierOptions } from './double-barrier.js';
export { type BarrierMember, DoubleBarrier } from './double-barrier.js';
export type { ElectionOptions, LeadOptions } from './election.js';
export { Election, type Leadership } from './election.js';
export {
  FENCING_HEADER,
  FencedResource,
  type FencedUpdateOptions,
  fencedTransaction,
  fencedUpdate,
  fencingHeaders,
  fencingTokenOf,
  StaleTokenError,
} from './fencing.js';
export { GroupMembership, type GroupMembershipOptions, type Member, type Membership } from './group-membership.js';
export type { ElectionLayout, LockLayout } from './layouts.js';
export type { Lease } from './lease.js';
export type { LeaseSet } from './lease-set.js';
export { Lock } from './lock.js';
export { type MultiLease, MultiLock } from './multi-lock.js';
export {
  type OwnedPartition,
  Partitioner,
  type PartitionerOptions,
  PartitionRevokedError,
} from './partitioner/partitioner.js';
export { NodeTakenError, PersistentNode, type PersistentNodeOptions } from './persistent-node.js';
export { DelayQueue } from './queue/delay-queue.js';
export type { QueueItem } from './queue/item.js';
export type { QueueOptions } from './queue/line.js';
export { PriorityQueue, Queue } from './queue/queue.js';
export type { Lockable, LockOptions, QueuedLock } from './queued-lock.js';
export { ReadWriteLock, type WriteLease } from './read-write-lock.js';
export { type PermitOptions, type Permits, Semaphore, type SemaphoreOptions } from './semaphore.js';
export type { GuardOptions } from './session-guard.js';
export { LeaseEndedError } from './session-guard.js';
export { SharedValue, type SharedValueOptions, type Versioned } from './shared-value.js';
export type { WaitingOptions } from './waiting.js';
