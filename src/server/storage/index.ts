/** Durable storage of a server: one SQLite database in a worker thread. */
export { StorageError, type StorageErrorCode } from './errors.js';
export type { StoredBatch } from './log-table.js';
export type { Page } from './page-table.js';
export { type Recovered, Storage, type StorageOptions, type StorageStats } from './storage.js';
