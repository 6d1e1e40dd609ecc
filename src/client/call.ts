// One request of a user: the operation with its body on one side, the promise on the other. One object and one promise
// per call, since a busy client makes hundreds of thousands of them a second.

import type { OperationName } from '../../protocol/client/operations.js';
import type { JuteReader } from '../../protocol/jute/reader.js';
import type { Type } from '../../protocol/jute/schema.js';
import type { JuteWriter } from '../../protocol/jute/writer.js';
import type { ZooKeeperError } from './errors.js';
import type { Request } from './requests.js';
import type { WatchRegistration } from './watches.js';

/** An entry of the operation table. */
export interface WireOperation<Q, S> {
  readonly name: OperationName;
  readonly code: number;
  readonly request: Type<Q, unknown>;
  readonly response: Type<S, unknown>;
}

/** What a lost answer leaves in doubt. */
const WRITES: ReadonlySet<OperationName> = new Set<OperationName>([
  'create',
  'create2',
  'createContainer',
  'createTTL',
  'delete',
  'setData',
  'setACL',
  'multi',
  'reconfig',
]);

export interface CallContext<T> {
  /** The client's method and the caller's path, for errors. */
  readonly method: string;
  readonly path: string | null;
  readonly deadlineMs: number;
  readonly watch?: WatchRegistration | undefined;
  /** Turns an error into a result, or returns undefined to let it fail. */
  readonly recover?: ((error: ZooKeeperError) => { value: T } | undefined) | undefined;
}

export class Call<Q, S, T> implements Request {
  readonly code: number;
  readonly method: string;
  readonly path: string | null;
  readonly isWrite: boolean;
  readonly deadlineMs: number;
  readonly watch: WatchRegistration | undefined;
  xid = 0;
  sentAtMs = 0;
  settled = false;
  readonly #operation: WireOperation<Q, S>;
  readonly #body: Q;
  readonly #convert: (response: S) => T;
  readonly #recover: ((error: ZooKeeperError) => { value: T } | undefined) | undefined;
  readonly #resolve: (value: T) => void;
  readonly #reject: (error: unknown) => void;

  constructor(
    operation: WireOperation<Q, S>,
    body: Q,
    context: CallContext<T>,
    convert: (response: S) => T,
    resolve: (value: T) => void,
    reject: (error: unknown) => void,
  ) {
    this.code = operation.code;
    this.method = context.method;
    this.path = context.path;
    this.isWrite = WRITES.has(operation.name);
    this.deadlineMs = context.deadlineMs;
    this.watch = context.watch;
    this.#operation = operation;
    this.#body = body;
    this.#convert = convert;
    this.#recover = context.recover;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  encode(writer: JuteWriter): void {
    this.#operation.request.write(writer, this.#body);
  }

  succeed(body: JuteReader): void {
    const response = this.#operation.response.read(body);
    try {
      this.#resolve(this.#convert(response));
    } catch (error) {
      this.#reject(error); // a multi that failed has the error inside of a good reply (E51)
    }
  }

  fail(error: unknown): void {
    const recovered = this.#recover?.(error as ZooKeeperError);
    if (recovered === undefined) this.#reject(error);
    else this.#resolve(recovered.value);
  }
}
