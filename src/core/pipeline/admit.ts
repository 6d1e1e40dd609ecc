// What may go further. Nothing may reach the log that cannot be applied (E-0, E34): a write that cannot be decoded, or
// that this server does not allow, is not logged as it came; an entry that does nothing but fail takes its place (E38).
// So it is with an ephemeral beyond the session's limit. What is refused because the server itself is in need, for want
// of memory, must not cost even that.

import { CreateFlag, OpCode } from '../../../protocol/client/constants.js';
import { Code } from '../../../protocol/client/errors.js';
import type { MultiPartView } from '../../../protocol/client/multi.js';
import type { CreateRequest } from '../../../protocol/client/records.js';
import { ProtocolError } from '../../../protocol/errors.js';
import type { JuteReader } from '../../../protocol/jute/reader.js';
import type { View } from '../../../protocol/jute/schema.js';
import type { ReplicaOptions } from '../io.js';
import type { WriteOperation } from '../ops/operation.js';

/** Writes that leave less behind than they find, or nothing: they are taken however scarce memory is. */
const FREEING: ReadonlySet<number> = new Set([
  OpCode.closeSession,
  OpCode.delete,
  OpCode.deleteContainer,
  OpCode.check,
  OpCode.createSession, // or nobody could come and delete something
  OpCode.error,
]);

export class WriteGate {
  /** Of the request that was admitted last: how many ephemerals it asks for. */
  ephemerals = 0;
  private readonly options: Pick<ReplicaOptions, 'ttlNodes' | 'ephemeralsPerSessionMax'>;

  constructor(options: Pick<ReplicaOptions, 'ttlNodes' | 'ephemeralsPerSessionMax'>) {
    this.options = options;
  }

  /**
   * 0, or the code that the write fails with. `reader` stands at the request's first byte; `ephemeralsOf` tells how many
   * the session has, with those under way.
   */
  admit(operation: WriteOperation<unknown>, reader: JuteReader, ephemeralsOf: () => number): number {
    const { ttlNodes, ephemeralsPerSessionMax = Number.POSITIVE_INFINITY } = this.options;
    this.ephemerals = 0;
    let request: unknown;
    try {
      request = operation.request.view(reader);
    } catch (error) {
      if (error instanceof ProtocolError) return Code.MarshallingError;
      throw error;
    }
    if (!ttlNodes && makesTtlNode(operation.code, request)) return Code.Unimplemented;
    this.ephemerals = ephemeralsIn(operation.code, request);
    if (this.ephemerals > 0 && ephemeralsOf() + this.ephemerals > ephemeralsPerSessionMax) return Code.QuotaExceeded;
    return 0;
  }
}

/**
 * Whether a write may be taken while memory is scarce. `reader` stands at the request's first byte; one that cannot be
 * decoded may not.
 */
export function freesMemory(operation: WriteOperation<unknown>, reader: JuteReader): boolean {
  if (operation.code !== OpCode.multi) return FREEING.has(operation.code);
  try {
    return (operation.request.view(reader) as readonly MultiPartView[]).every(({ op }) => FREEING.has(OpCode[op]));
  } catch (error) {
    if (error instanceof ProtocolError) return false;
    throw error;
  }
}

function makesTtlNode(code: number, request: unknown): boolean {
  if (code === OpCode.createTTL) return true;
  return code === OpCode.multi && (request as readonly MultiPartView[]).some(({ op }) => op === 'createTTL');
}

function ephemeralsIn(code: number, request: unknown): number {
  if (code === OpCode.create || code === OpCode.create2)
    return isEphemeral(request as View<typeof CreateRequest>) ? 1 : 0;
  if (code !== OpCode.multi) return 0;
  let count = 0;
  for (const part of request as readonly MultiPartView[]) {
    if ((part.op === 'create' || part.op === 'create2') && isEphemeral(part.request)) count++;
  }
  return count;
}

function isEphemeral({ flags }: { readonly flags: number }): boolean {
  return flags === CreateFlag.ephemeral || flags === CreateFlag.ephemeralSequential;
}

/** Whether an identity satisfies enforce.auth.schemes; true when nothing is demanded. */
export function isAuthenticated(options: ReplicaOptions, identities: readonly { readonly scheme: string }[]): boolean {
  const required = options.requiredSchemes;
  return required === null || identities.some(({ scheme }) => required.includes(scheme));
}
