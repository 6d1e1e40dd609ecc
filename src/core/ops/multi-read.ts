// multiRead: several getData and getChildren on one state of the tree. Each succeeds or fails for itself, and none
// sets a watch, whatever its flag says (E55).

import { Code } from '../../../protocol/client/errors.js';
import {
  type MultiReadPartView,
  writeMultiEnd,
  writeMultiError,
  writeMultiResultHeader,
} from '../../../protocol/client/multi.js';
import { operations } from '../../../protocol/client/operations.js';
import { limits } from '../limits.js';
import { getChildren } from './get-children.js';
import { getData } from './get-data.js';
import type { ReadOperation } from './operation.js';

const PARTS = { getData, getChildren } as const;

export const multiRead: ReadOperation<readonly MultiReadPartView[]> = {
  kind: 'read',
  name: 'multiRead',
  code: operations.multiRead.code,
  request: operations.multiRead.request,

  answer(context, parts, reply) {
    const replyStart = reply.position;
    for (const { op, request } of parts) {
      const operation = PARTS[op];
      const start = reply.position;
      writeMultiResultHeader(reply, operation.code);
      const code = operation.answer(context, { path: request.path, watch: false }, reply);
      if (reply.position - replyStart > limits.multiReadBytesMax) return Code.BadArguments;
      // What ZooKeeper cannot digest at all fails as a whole, not as a part.
      if (code === Code.MarshallingError) return code;
      if (code !== 0) {
        reply.position = start;
        writeMultiError(reply, code);
      }
    }
    writeMultiEnd(reply);
    return 0;
  },
};
