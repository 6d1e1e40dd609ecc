// What goes wrong, in a form a program can act on: a stable name to switch on, the wire code, what was asked and of
// which node, whether the same call may succeed later, and whether a write may have happened although no answer came
// (E72). One class, because callers compare names; a class per code would only add imports.

import { Code, type ErrorName, errorName, errorText, isRetryable } from '../../protocol/client/errors.js';

/** ZooKeeper's names, and two of the client: `ClientClosed` after close(), `UnknownError` for a code nobody knows. */
export type ZooKeeperErrorName = ErrorName | 'ClientClosed' | 'UnknownError';

export interface ZooKeeperErrorDetails {
  /** The client's method, for example `create`. */
  readonly operation?: string | undefined;
  /** The path as the caller gave it, without the chroot. */
  readonly path?: string | null | undefined;
  /** The write was sent and its answer was lost. Default false. */
  readonly maybeApplied?: boolean;
  /** Which operation of a transaction failed, counted from 0. */
  readonly operationIndex?: number;
  /** Wire code; by default the one that belongs to the name. */
  readonly code?: number;
  /** More about this one case, in place of the standard text. */
  readonly text?: string | undefined;
  readonly cause?: unknown;
}

/**
 * An operation that failed.
 *
 * ```ts
 * try {
 *   await client.create('/config', 'on');
 * } catch (error) {
 *   if (!ZooKeeperError.is(error, 'NodeExists')) throw error;
 * }
 * ```
 */
export class ZooKeeperError extends Error {
  override readonly name: ZooKeeperErrorName;
  /** ZooKeeper's number, for example -101. */
  readonly code: number;
  /** The client's method that failed; undefined when the error belongs to the connection as a whole. */
  readonly operation: string | undefined;
  /** The path as the caller gave it; null for an operation that has none. */
  readonly path: string | null;
  /** The same call may succeed later as it is. A create or delete may then find its own earlier effect: see maybeApplied. */
  readonly retryable: boolean;
  /** The write may have been carried out, or may still be: its request was sent, its answer was lost. */
  readonly maybeApplied: boolean;
  /** The failed operation of a transaction, counted from 0; undefined elsewhere. */
  readonly operationIndex: number | undefined;
  readonly #text: string | undefined;

  constructor(name: ZooKeeperErrorName, details: ZooKeeperErrorDetails = {}) {
    super(sentence(name, details), details.cause === undefined ? undefined : { cause: details.cause });
    this.name = name;
    this.code = details.code ?? codeOf(name);
    this.operation = details.operation;
    this.path = details.path ?? null;
    this.retryable = name !== 'ClientClosed' && name !== 'UnknownError' && isRetryable(name);
    this.maybeApplied = details.maybeApplied ?? false;
    this.operationIndex = details.operationIndex;
    this.#text = details.text;
  }

  /** @internal What can be sent to another thread; see ofPlain(). */
  toPlain(): PlainError {
    const { name, code, maybeApplied, operation, cause } = this;
    const plainCause = cause instanceof ZooKeeperError ? cause.toPlain() : cause instanceof Error ? cause : undefined;
    return { name, code, maybeApplied, operation, text: this.#text, cause: plainCause };
  }

  /** @internal The error again; `subject` is what the other thread did not know. */
  static ofPlain(plain: PlainError, subject: { operation?: string; path?: string | null } = {}): ZooKeeperError {
    const { name, cause, ...details } = plain;
    const ownCause = cause !== undefined && 'maybeApplied' in cause ? ZooKeeperError.ofPlain(cause) : cause;
    return new ZooKeeperError(name, { ...details, cause: ownCause, ...subject });
  }

  /** Whether `error` is a ZooKeeperError and, when names are given, has one of them. */
  static is(error: unknown, ...names: ZooKeeperErrorName[]): error is ZooKeeperError {
    return error instanceof ZooKeeperError && (names.length === 0 || names.includes(error.name));
  }
}

/** A ZooKeeperError as the structured clone algorithm can carry it. */
export interface PlainError {
  readonly name: ZooKeeperErrorName;
  readonly code: number;
  readonly maybeApplied: boolean;
  readonly operation: string | undefined;
  readonly text: string | undefined;
  readonly cause: PlainError | Error | undefined;
}

/** The error for a code that a server answered with. */
export function errorOfCode(code: number, details: ZooKeeperErrorDetails): ZooKeeperError {
  return new ZooKeeperError(errorName(code) ?? 'UnknownError', { ...details, code });
}

function codeOf(name: ZooKeeperErrorName): number {
  if (name === 'ClientClosed') return Code.SessionExpired; // what ZooKeeper's own clients answer after close()
  return name === 'UnknownError' ? Code.SystemError : Code[name];
}

function sentence(name: ZooKeeperErrorName, details: ZooKeeperErrorDetails): string {
  const { operation, path, operationIndex } = details;
  let subject = operation ?? '';
  if (path !== null && path !== undefined) subject += subject === '' ? path : ` of ${path}`;
  if (operationIndex !== undefined) subject += ` (operation ${operationIndex} of the transaction)`;
  const sent = details.maybeApplied === true ? ', and the write may have been applied' : '';
  return `${subject === '' ? '' : `${subject} failed: `}${details.text ?? textOf(name, details.code)}${sent} (${name})`;
}

function textOf(name: ZooKeeperErrorName, code: number | undefined): string {
  if (name === 'ClientClosed') return 'the client is closed';
  if (name === 'UnknownError') return `the server answered with the unknown code ${code}`;
  return errorText(name);
}
