/** Durable storage of a server: one SQLite database in a worker thread. */
export type { Recovered, StorageOptions, StorageSnapshot, StorageStats } from './contract.js';
export { StorageError, type StorageErrorCode } from './errors.js';
export type { StoredBatch } from './log-table.js';
export type { Page } from './page-table.js';
export { setDatabaseAside, setsIn } from './set-aside.js';
export { Storage } from './storage.js';
export { copyDatabase, type Examination, examineDatabase } from './verify.js';
