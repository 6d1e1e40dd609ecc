// error: an entry that does nothing but fail. A write that could not be decoded still takes its place and its zxid in
// the log, as every failing write does (E38).

import { OpCode } from '../../../protocol/client/constants.js';
import { ErrorResponse } from '../../../protocol/client/records.js';
import type { View } from '../../../protocol/jute/schema.js';
import type { WriteOperation } from './operation.js';

export const error: WriteOperation<View<typeof ErrorResponse>> = {
  kind: 'write',
  name: 'error',
  code: OpCode.error,
  request: ErrorResponse,
  apply: (_world, _entry, { err }) => err,
};
