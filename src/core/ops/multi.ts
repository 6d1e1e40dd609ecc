// multi: several writes as one. They share zxid and time, each sees what the earlier ones did, and if one fails none
// has happened (E50, E53).
//
// The results are written as they happen, so that each Stat is as of its part. When a part fails, the world is rolled
// back and the results are written anew: 0 for the parts before it, its code, and -2 for those behind. The reply itself
// is a success either way (E51, E52).

import { OpCode } from '../../../protocol/client/constants.js';
import { Code } from '../../../protocol/client/errors.js';
import {
  type MultiPartView,
  writeMultiEnd,
  writeMultiError,
  writeMultiResultHeader,
} from '../../../protocol/client/multi.js';
import { operations } from '../../../protocol/client/operations.js';
import type { JuteWriter } from '../../../protocol/jute/writer.js';
import { check } from './check.js';
import { create, create2, createContainer, createTtl } from './create.js';
import { deleteNode } from './delete.js';
import type { World, WriteOperation } from './operation.js';
import { setData } from './set-data.js';

interface Part {
  readonly operation: WriteOperation<unknown>;
  /** The number that its result carries: all that answer with path and Stat answer as create2 (E52). */
  readonly resultType: number;
}

const PARTS: Readonly<Record<MultiPartView['op'], Part>> = {
  create: { operation: create, resultType: OpCode.create },
  create2: { operation: create2, resultType: OpCode.create2 },
  createContainer: { operation: createContainer, resultType: OpCode.create2 },
  createTTL: { operation: createTtl, resultType: OpCode.create2 },
  delete: { operation: deleteNode, resultType: OpCode.delete },
  setData: { operation: setData, resultType: OpCode.setData },
  check: { operation: check, resultType: OpCode.check },
};

export const multi: WriteOperation<readonly MultiPartView[]> = {
  kind: 'write',
  name: 'multi',
  code: operations.multi.code,
  request: operations.multi.request,

  apply(world, entry, parts, reply) {
    // A null path anywhere makes the whole request one that could not be decoded.
    if (parts.some(({ request }) => request.path === null)) return Code.MarshallingError;

    const start = reply?.position ?? 0;
    const changesBefore = world.changes.length;
    begin(world);
    for (let i = 0; i < parts.length; i++) {
      const { operation, resultType } = PARTS[parts[i].op];
      if (reply !== null) writeMultiResultHeader(reply, resultType);
      const code = operation.apply(world, entry, parts[i].request, reply);
      if (code === 0) continue;
      rollback(world);
      world.changes.truncate(changesBefore);
      if (code === Code.MarshallingError) return code;
      if (reply !== null) {
        reply.position = start;
        writeFailure(reply, parts.length, i, code);
      }
      return 0;
    }
    commit(world);
    if (reply !== null) writeMultiEnd(reply);
    return 0;
  },
};

function writeFailure(reply: JuteWriter, parts: number, failed: number, code: number): void {
  for (let i = 0; i < parts; i++) {
    writeMultiError(reply, i < failed ? 0 : i === failed ? code : Code.RuntimeInconsistency);
  }
  writeMultiEnd(reply);
}

function begin({ tree, acls, quotas }: World): void {
  tree.begin();
  acls.begin();
  quotas.begin();
}

function commit({ tree, acls, quotas }: World): void {
  tree.commit();
  acls.commit();
  quotas.commit();
}

function rollback({ tree, acls, quotas }: World): void {
  tree.rollback();
  acls.rollback();
  quotas.rollback();
}
