// The SDK: everything that `import … from 'zabra'` gives. What is not listed here is private.

export { onAbort } from './abort.js';
export type { Client } from './client.js';
export type { Clock } from './clock.js';
export { connect, createClient } from './connect.js';
export type { ZooKeeperErrorName } from './errors.js';
export { ZooKeeperError } from './errors.js';
export type { ClientOptions, ClientTlsOptions } from './options.js';
export { unprotectedName } from './protected-create.js';
export type { BackoffOptions, RetryOptions, RetryPolicy } from './retry.js';
export { exponentialBackoff } from './retry.js';
export type { SaslOptions } from './sasl.js';
export type { ConnectionState, StateChange } from './states.js';
export type { Read, ReadResult, Transaction, TransactionCreated } from './transaction.js';
export type {
  Acl,
  CallOptions,
  CreatedNode,
  CreateMode,
  CreateOptions,
  Data,
  NodeData,
  NodeOptions,
  ReconfigOptions,
  RemoveWatchesOptions,
  Stat,
  VersionOptions,
  WatchOptions,
} from './types.js';
export { CREATOR_ACL, OPEN_ACL, Perms, READ_ACL } from './types.js';
export type { WatchStream } from './watch-stream.js';
export type { WatchEvent, Watcher, WatchType } from './watches.js';
