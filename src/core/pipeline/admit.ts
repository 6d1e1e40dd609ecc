// What may go further. A request is refused here, before it costs anybody else anything, when it is none that a client
// may send or cannot be decoded: nothing may reach the log that cannot be applied (E-0, E11, E34, E47).

import { OpCode } from '../../../protocol/client/constants.js';
import { Code } from '../../../protocol/client/errors.js';
import type { MultiPartView } from '../../../protocol/client/multi.js';
import { ProtocolError } from '../../../protocol/errors.js';
import type { JuteReader } from '../../../protocol/jute/reader.js';
import type { ReplicaOptions } from '../io.js';
import type { WriteOperation } from '../ops/operation.js';

export interface Admission {
  readonly options: ReplicaOptions;
  /** Writes can be taken at the moment. */
  readonly writable: boolean;
}

/** 0, or the code that the write is refused with. `reader` stands at the request's first byte. */
export function admitWrite(admission: Admission, operation: WriteOperation<unknown>, reader: JuteReader): number {
  if (!admission.writable) return Code.SystemError;
  let request: unknown;
  try {
    request = operation.request.view(reader);
  } catch (error) {
    if (error instanceof ProtocolError) return Code.MarshallingError;
    throw error;
  }
  return admission.options.ttlNodes || !makesTtlNode(operation.code, request) ? 0 : Code.Unimplemented;
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
