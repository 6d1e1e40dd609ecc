/**
 * Who holds the directory: `zabra.lock`, a line of JSON written by the holder.
 *
 * It only informs. The lock itself is SQLite's exclusive lock on the database, which the kernel releases when the
 * process dies, so a file left behind by a killed server does no harm.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { StorageError } from './errors.js';

const LOCK_FILE = 'zabra.lock';

/** Writes the file; `address` is where the holder can be reached, when it has told. */
export function writeLockFile(directory: string, address?: string): void {
  const holder = { pid: process.pid, host: hostname(), since: new Date().toISOString(), ...(address && { address }) };
  writeFileSync(join(directory, LOCK_FILE), `${JSON.stringify(holder)}\n`, { mode: 0o600 });
}

export function removeLockFile(directory: string): void {
  rmSync(join(directory, LOCK_FILE), { force: true });
}

export function lockedError(directory: string, cause: unknown): StorageError {
  return new StorageError('LOCKED', `The directory ${directory} is in use by ${describeHolder(directory)}.`, { cause });
}

function describeHolder(directory: string): string {
  try {
    const { pid, host, since, address } = JSON.parse(readFileSync(join(directory, LOCK_FILE), 'utf8'));
    const self = pid === process.pid && host === hostname() ? ' (this very process)' : '';
    return `process ${pid}${self} on ${host} since ${since}${address ? `, serving ${address}` : ''}`;
  } catch {
    return 'a process that left no description of itself';
  }
}
