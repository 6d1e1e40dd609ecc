// What may go further. Nothing may reach the log that cannot be applied (E-0, E34): a write that cannot be decoded, or
// that this server does not allow, is not logged as it came; an entry that does nothing but fail takes its place (E38).

import { OpCode } from '../../../protocol/client/constants.js';
import { Code } from '../../../protocol/client/errors.js';
import type { MultiPartView } from '../../../protocol/client/multi.js';
import { ProtocolError } from '../../../protocol/errors.js';
import type { JuteReader } from '../../../protocol/jute/reader.js';
import type { ReplicaOptions } from '../io.js';
import type { WriteOperation } from '../ops/operation.js';

/**
 * 0, or the code that the write fails with: an `error` entry takes its place in the log then (E38). `reader` stands at
 * the request's first byte.
 */
export function admitWrite(
  { ttlNodes }: Pick<ReplicaOptions, 'ttlNodes'>,
  operation: WriteOperation<unknown>,
  reader: JuteReader,
): number {
  let request: unknown;
  try {
    request = operation.request.view(reader);
  } catch (error) {
    if (error instanceof ProtocolError) return Code.MarshallingError;
    throw error;
  }
  return ttlNodes || !makesTtlNode(operation.code, request) ? 0 : Code.Unimplemented;
}

function makesTtlNode(code: number, request: unknown): boolean {
  if (code === OpCode.createTTL) return true;
  return code === OpCode.multi && (request as readonly MultiPartView[]).some(({ op }) => op === 'createTTL');
}

/** Whether an identity satisfies enforce.auth.schemes; true when nothing is demanded. */
export function isAuthenticated(options: ReplicaOptions, identities: readonly { readonly scheme: string }[]): boolean {
  const required = options.requiredSchemes;
  return required === null || identities.some(({ scheme }) => required.includes(scheme));
}
