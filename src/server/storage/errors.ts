/**
 * What can go wrong with the disk, in words an operator can act on.
 *
 * SQLite reports some fifty result codes. The owner of a storage needs to tell apart only those that ask for a
 * different reaction, so every failure becomes one of the codes below and carries a remedy. Errors cross the thread
 * boundary as plain data, because a structured clone keeps neither the class nor the extra fields of an Error.
 */

/**
 * - `LOCKED`: another process, or this one, has the database open.
 * - `DAMAGED`: what is stored cannot be trusted; nothing of it is served.
 * - `FULL`: no room; the transaction was rolled back and can be tried again later.
 * - `IO`: reading, writing or fsync failed; never retried, since the page cache may have dropped the dirty pages.
 * - `VERSION`: written by a newer release than this one.
 * - `ACCESS`: the directory or the file may not be opened.
 * - `ORDER`: the caller broke the contract (a gap between batches, a cut through a batch).
 * - `STALE`: what was being read has been replaced meanwhile; it can be read anew.
 * - `CLOSED`: the storage (or a snapshot of it) was closed, or stopped after a fatal error.
 * - `INTERNAL`: the worker failed for a reason that has no code; treat it as `IO`.
 */
export type StorageErrorCode =
  | 'LOCKED'
  | 'DAMAGED'
  | 'FULL'
  | 'IO'
  | 'VERSION'
  | 'ACCESS'
  | 'ORDER'
  | 'STALE'
  | 'CLOSED'
  | 'INTERNAL';

const REMEDIES: Record<StorageErrorCode, string> = {
  LOCKED: 'Stop the process that holds the directory, or give this server a directory of its own.',
  DAMAGED:
    'Keep the server stopped and keep a copy of the directory. Then restore a backup into an empty directory or, in an ' +
    'ensemble, move the directory aside, so that the server fetches a full copy from its peers.',
  FULL: 'Free disk space (or raise the limit of the database); the server goes on by itself.',
  IO: 'Check the disk and the kernel log. Restart the server when the disk is sound: it recovers what was acknowledged.',
  VERSION: 'Start the release that wrote the directory, or a newer one.',
  ACCESS: 'Check that the directory exists, is writable and belongs to the user the server runs as.',
  ORDER: 'This is a bug in the server; please report it with the log.',
  STALE: 'Read it again from the beginning.',
  CLOSED: 'Open the storage again.',
  INTERNAL: 'This is a bug in the server; please report it with the log. A restart recovers what was acknowledged.',
};

/** A failure of the disk or of what is on it. `remedy` tells an operator what to do about it. */
export class StorageError extends Error {
  override readonly name = 'StorageError';
  readonly code: StorageErrorCode;
  readonly remedy: string;

  constructor(code: StorageErrorCode, message: string, options?: { cause?: unknown; remedy?: string }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.remedy = options?.remedy ?? REMEDIES[code];
  }
}

export function damaged(what: string, cause?: unknown): StorageError {
  return new StorageError('DAMAGED', `The database is damaged: ${what}.`, { cause });
}

/** A StorageError as it travels between the threads. */
export interface PlainError {
  code: StorageErrorCode;
  message: string;
  remedy: string;
}

export function toPlain(error: unknown): PlainError {
  const known = toStorageError(error, 'The storage worker failed');
  return { code: known.code, message: known.message, remedy: known.remedy };
}

export function fromPlain(plain: PlainError): StorageError {
  return new StorageError(plain.code, plain.message, { remedy: plain.remedy });
}

/** Turns what SQLite or the file system threw into a StorageError; `doing` says what was being attempted. */
export function toStorageError(error: unknown, doing: string): StorageError {
  if (error instanceof StorageError) return error;
  const code = codeOf(error);
  return new StorageError(classify(code), `${doing}: ${messageOf(error)}${code && ` (${code})`}.`, { cause: error });
}

/** The `code` of an error of SQLite or of Node, '' when it has none. */
export function codeOf(error: unknown): string {
  const hasCode = typeof error === 'object' && error !== null && 'code' in error;
  return hasCode && typeof error.code === 'string' ? error.code : '';
}

/** The message of anything that can be thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function classify(code: string): StorageErrorCode {
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) return 'LOCKED';
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB') return 'DAMAGED';
  if (code === 'SQLITE_FULL' || code === 'ENOSPC' || code === 'EDQUOT') return 'FULL';
  if (code.startsWith('SQLITE_IOERR') || code === 'EIO') return 'IO';
  if (/^(SQLITE_(CANTOPEN|PERM|READONLY)|EACCES|EPERM|EROFS|ENOTDIR|ENOENT)/.test(code)) return 'ACCESS';
  return 'INTERNAL';
}

/** A zxid as messages name it. */
export function hex(zxid: number): string {
  return `0x${zxid.toString(16)}`;
}
