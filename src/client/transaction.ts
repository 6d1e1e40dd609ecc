// Several writes that happen together or not at all, and several reads of one state. The builder only collects; its type
// grows with it, so that the results come back as a tuple of exactly what was asked.

import { Code } from '../../protocol/client/errors.js';
import type { MultiPart, MultiReadPart, MultiReadResult, MultiResult } from '../../protocol/client/multi.js';
import { toBuffer, toBytes, toStat, toWireAcl } from './convert.js';
import { errorOfCode, ZooKeeperError } from './errors.js';
import {
  type CallOptions,
  type Data,
  type NodeData,
  type NodeOptions,
  nodeKind,
  OPEN_ACL,
  type Stat,
} from './types.js';

/** `stat` is null from servers before 3.9, which answer a create in a transaction with its path only. */
export interface TransactionCreated {
  readonly path: string;
  readonly stat: Stat | null;
}

/** What a transaction needs of its client. */
export interface TransactionHost {
  /** The server's path; throws ZooKeeperError BadArguments. `sequential` allows a trailing slash. */
  toServer(method: string, path: string, sequential?: boolean): string;
  toClient(path: string): string;
  send(parts: MultiPart[], convert: (results: MultiResult[]) => unknown[], options: CallOptions): Promise<unknown[]>;
}

/**
 * Collects writes; `commit()` sends them as one request.
 *
 * ```ts
 * const [created, stat] = await client.transaction()
 *   .create('/orders/7', 'new')
 *   .set('/orders/count', '7', { version: 6 })
 *   .commit();
 * ```
 *
 * When one fails nothing has happened, and the error's `operationIndex` says which. A bad argument throws at once.
 */
export class Transaction<Results extends readonly unknown[] = []> {
  readonly #host: TransactionHost;
  readonly #parts: MultiPart[] = [];
  readonly #paths: string[] = [];

  /** @internal Made by client.transaction(). */
  constructor(host: TransactionHost) {
    this.#host = host;
  }

  create(path: string, data?: Data, options: NodeOptions = {}): Transaction<[...Results, TransactionCreated]> {
    const kind = nodeKind(options);
    if (typeof kind === 'string') throw new ZooKeeperError('BadArguments', { operation: 'create', path, text: kind });
    const request = {
      path: this.#host.toServer('create', path, kind.sequential),
      data: toBytes(data),
      acl: toWireAcl(options.acl ?? OPEN_ACL),
      flags: kind.flags,
    };
    if (kind.operation === 'createTTL') {
      return this.#add({ op: 'createTTL', request: { ...request, ttl: BigInt(kind.ttlMs) } }, path);
    }
    return this.#add({ op: kind.operation, request }, path);
  }

  set(path: string, data: Data, options: { version?: number } = {}): Transaction<[...Results, Stat]> {
    const request = { path: this.#host.toServer('set', path), data: toBytes(data), version: options.version ?? -1 };
    return this.#add({ op: 'setData', request }, path);
  }

  delete(path: string, options: { version?: number } = {}): Transaction<[...Results, undefined]> {
    const request = { path: this.#host.toServer('delete', path), version: options.version ?? -1 };
    return this.#add({ op: 'delete', request }, path);
  }

  /** The node must exist, and have this version when one is given. */
  check(path: string, version = -1): Transaction<[...Results, undefined]> {
    return this.#add({ op: 'check', request: { path: this.#host.toServer('check', path), version } }, path);
  }

  /** Sends the transaction. May be called again, to try again. */
  commit(options: CallOptions = {}): Promise<Results> {
    const convert = (results: MultiResult[]): unknown[] => {
      this.#throwFailure(results);
      return results.map((result) => this.#result(result));
    };
    return this.#host.send(this.#parts, convert, options) as unknown as Promise<Results>;
  }

  #add<Next extends readonly unknown[]>(part: MultiPart, path: string): Transaction<Next> {
    this.#parts.push(part);
    this.#paths.push(path);
    return this as unknown as Transaction<Next>;
  }

  /** The one that failed is between successes marked 0 and others marked as not executed (E51). */
  #throwFailure(results: MultiResult[]): void {
    const operationIndex = results.findIndex(
      (result) => result.type === 'error' && result.code !== Code.Ok && result.code !== Code.RuntimeInconsistency,
    );
    const failure = results[operationIndex];
    if (failure?.type !== 'error') return;
    const operation = METHODS[this.#parts[operationIndex].op];
    throw errorOfCode(failure.code, { operation, path: this.#paths[operationIndex], operationIndex });
  }

  #result(result: MultiResult): TransactionCreated | Stat | undefined {
    if (result.type === 'create') return { path: this.#host.toClient(result.path), stat: null };
    if (result.type === 'create2') return { path: this.#host.toClient(result.path), stat: toStat(result.stat) };
    return result.type === 'setData' ? toStat(result.stat) : undefined;
  }
}

const METHODS: { readonly [O in MultiPart['op']]: string } = {
  create: 'create',
  create2: 'create',
  createContainer: 'create',
  createTTL: 'create',
  setData: 'set',
  delete: 'delete',
  check: 'check',
};

/** One read of multiRead. */
export type Read = { readonly get: string } | { readonly children: string };

/** What a read gives: its result, or its own error. */
export type ReadResult<R extends Read> =
  | ZooKeeperError
  | (R extends { readonly get: string } ? NodeData : R extends { readonly children: string } ? string[] : never);

export function toReadPart(read: Read, toServer: (method: string, path: string) => string): MultiReadPart {
  return 'get' in read
    ? { op: 'getData', request: { path: toServer('get', read.get), watch: false } }
    : { op: 'getChildren', request: { path: toServer('children', read.children), watch: false } };
}

export function toReadResult(result: MultiReadResult, read: Read): ReadResult<Read> {
  if (result.type === 'error') {
    const [operation, path] = 'get' in read ? ['get', read.get] : ['children', read.children];
    return errorOfCode(result.code, { operation, path });
  }
  if (result.type === 'getChildren') return result.children;
  return { data: toBuffer(result.data), stat: toStat(result.stat) };
}
