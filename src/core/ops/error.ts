// error: an entry that does nothing but fail. A write that was refused before it got into the log, because it could not
// be decoded for instance, takes its place and its zxid there all the same, as every failing write does (E38).

import { OpCode } from '../../../protocol/client/constants.js';
import { int, record, type View } from '../../../protocol/jute/schema.js';
import { JuteWriter } from '../../../protocol/jute/writer.js';
import type { WriteOperation } from './operation.js';

/** `code` that the client is answered with; not 0. */
export const ErrorRequest = record({ code: int });

/** The request that fails with this code. */
export function errorEntry(code: number): Uint8Array {
  const writer = new JuteWriter(4);
  ErrorRequest.write(writer, { code });
  return writer.toBytes();
}

export const error: WriteOperation<View<typeof ErrorRequest>> = {
  kind: 'write',
  name: 'error',
  code: OpCode.error,
  request: ErrorRequest,
  apply: (_world, _entry, { code }) => code,
};
