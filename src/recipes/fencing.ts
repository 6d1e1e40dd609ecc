// The use of a fencing token, at the thing that it guards. A lock alone cannot keep out a holder that slept through the end
// of its session; the thing itself can, by refusing a token lower than the highest it has seen. How it compares depends on
// what it is: a table, a service behind HTTP, or the coordination service itself.

import type { Client, Transaction } from '../client/index.js';
import type { Lease } from './lease.js';

/** A write was refused, since somebody with a higher token has been there: whoever wrote is not the holder any more. */
export class StaleTokenError extends Error {
  override readonly name = 'StaleTokenError';
  constructor(
    readonly token: bigint,
    readonly highestToken: bigint,
  ) {
    super(`token ${token} is older than ${highestToken}: the lock has had another holder since`);
  }
}

// --- a table

export interface FencedUpdateOptions {
  /** The table, and names of columns: letters, digits, `_`, with dots between parts. They are not quoted. */
  readonly table: string;
  /** The new values by column; at least one. */
  readonly set: Readonly<Record<string, unknown>>;
  /** Which row: values by column, all to be equal; at least one. */
  readonly where: Readonly<Record<string, unknown>>;
  readonly token: bigint;
  /** Where the row keeps the highest token; a column of 64 bits, not null, 0 at first. Default `fencing_token`. */
  readonly tokenColumn?: string;
  /** How parameters are written: `$` as $1, $2 (PostgreSQL), `?` (MySQL, SQLite). Default `$`. */
  readonly placeholder?: '$' | '?';
}

/**
 * An UPDATE that changes the row only when no higher token has written it, and leaves its token there. When no row was
 * changed the write was refused, or there is no such row.
 *
 * ```ts
 * const { text, values } = fencedUpdate({ table: 'accounts', set: { balance: 5 }, where: { id: 7 }, token: held.token });
 * // UPDATE accounts SET balance = $1, fencing_token = $2 WHERE id = $3 AND fencing_token <= $4
 * if ((await pool.query(text, values)).rowCount === 0) throw new Error('somebody else has the lock');
 * ```
 *
 * Throws RangeError for a name that is none. Values are passed on as they are; tokens are bigints.
 */
export function fencedUpdate(options: FencedUpdateOptions): { readonly text: string; readonly values: unknown[] } {
  const { table, set, where, token, tokenColumn = 'fencing_token', placeholder = '$' } = options;
  const values: unknown[] = [];
  const compare = (column: string, operator: string, value: unknown) => {
    values.push(value);
    return `${sqlName(column)} ${operator} ${placeholder === '$' ? `$${values.length}` : '?'}`;
  };
  const equal = (columns: Readonly<Record<string, unknown>>) => {
    const entries = Object.entries(columns);
    if (entries.length === 0)
      throw new RangeError('a fenced update needs columns to set and columns to find the row by');
    return entries.map(([column, value]) => compare(column, '=', value));
  };
  const assignments = [...equal(set), compare(tokenColumn, '=', token)].join(', ');
  const conditions = [...equal(where), compare(tokenColumn, '<=', token)].join(' AND ');
  return { text: `UPDATE ${sqlName(table)} SET ${assignments} WHERE ${conditions}`, values };
}

function sqlName(name: string): string {
  if (!/^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*$/.test(name))
    throw new RangeError(`${JSON.stringify(name)} is no name in SQL`);
  return name;
}

// --- a service behind HTTP

/** The header by which a token travels. */
export const FENCING_HEADER = 'fencing-token';

/** The header for a request that is made under the lease: `fetch(url, { headers: fencingHeaders(held) })`. */
export function fencingHeaders({ token }: { readonly token: bigint }): Record<typeof FENCING_HEADER, string> {
  return { [FENCING_HEADER]: token.toString() };
}

/**
 * The token of a request: of Node's `request.headers`, or of a Headers object. Null when there is none: refuse a write
 * then. Throws RangeError for what is no token. The service compares it with the highest it has stored, in the same step
 * as it writes, and answers 409 to a lower one.
 */
export function fencingTokenOf(
  headers: Readonly<Record<string, string | readonly string[] | undefined>> | { get(name: string): string | null },
): bigint | null {
  const value = typeof headers.get === 'function' ? headers.get(FENCING_HEADER) : Reflect.get(headers, FENCING_HEADER);
  if (value === undefined || value === null) return null;
  if (typeof value !== 'string' || !/^\d{1,19}$/.test(value)) throw new RangeError(`${value} is no fencing token`);
  return BigInt(value);
}

// --- the coordination service itself

/**
 * A transaction that happens only while the node of the lease is there: what is added to it cannot be written by a holder
 * whose lock has passed on, so data in the same ensemble needs no token. Rejects with NoNode, operationIndex 0, else.
 *
 * ```ts
 * await fencedTransaction(client, held).set('/report', 'done').commit();
 * ```
 */
export function fencedTransaction(client: Client, { path }: Pick<Lease, 'path'>): Transaction<[undefined]> {
  return client.transaction().check(path);
}

// --- for tests

/** A guarded thing in memory, to show in a test that a zombie is kept out. */
export class FencedResource<T> {
  #value: T;
  #highestToken = 0n;
  #refused = 0;

  constructor(value: T) {
    this.#value = value;
  }

  get value(): T {
    return this.#value;
  }

  /** Of all writes so far. */
  get highestToken(): bigint {
    return this.#highestToken;
  }

  /** How many writes were refused. */
  get refused(): number {
    return this.#refused;
  }

  /** Replaces the value by what `change` makes of it. Throws StaleTokenError, and changes nothing, for an older token. */
  write(token: bigint, change: (value: T) => T): T {
    if (token < this.#highestToken) {
      this.#refused++;
      throw new StaleTokenError(token, this.#highestToken);
    }
    this.#highestToken = token;
    this.#value = change(this.#value);
    return this.#value;
  }
}
