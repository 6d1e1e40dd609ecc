// The one table of operations: everything that depends on an operation's number is looked up here. auth and sasl are
// not in it, since they concern the connection and not the tree (E12).

import { OpCode } from '../../../protocol/client/constants.js';
import { addWatch } from './add-watch.js';
import { check } from './check.js';
import { closeSession } from './close-session.js';
import { create, create2, createContainer, createTtl } from './create.js';
import { createSession } from './create-session.js';
import { deleteNode } from './delete.js';
import { deleteContainer } from './delete-container.js';
import { error } from './error.js';
import { exists } from './exists.js';
import { getAcl } from './get-acl.js';
import { getAllChildrenNumber } from './get-all-children-number.js';
import { getChildren, getChildren2 } from './get-children.js';
import { getData } from './get-data.js';
import { getEphemerals } from './get-ephemerals.js';
import { multi } from './multi.js';
import { multiRead } from './multi-read.js';
import type { ReadOperation, WriteOperation } from './operation.js';
import { ping } from './ping.js';
import { reconfig } from './reconfig.js';
import { checkWatches, removeWatches } from './remove-watches.js';
import { setAcl } from './set-acl.js';
import { setData } from './set-data.js';
import { setWatches, setWatches2 } from './set-watches.js';
import { sync } from './sync.js';
import { whoAmI } from './who-am-i.js';

export type Operation = ReadOperation<unknown> | WriteOperation<unknown>;

const WRITES: readonly WriteOperation<unknown>[] = [
  check,
  closeSession,
  create,
  create2,
  createContainer,
  createSession,
  createTtl,
  deleteContainer,
  deleteNode,
  error,
  multi,
  reconfig,
  setAcl,
  setData,
];

const READS: readonly ReadOperation<unknown>[] = [
  addWatch,
  checkWatches,
  exists,
  getAcl,
  getAllChildrenNumber,
  getChildren,
  getChildren2,
  getData,
  getEphemerals,
  multiRead,
  ping,
  removeWatches,
  setWatches,
  setWatches2,
  sync,
  whoAmI,
];

/** What a client may not send as a request of its own: check belongs into a multi, the others are the server's (E11, E47). */
const INTERNAL: ReadonlySet<number> = new Set([
  OpCode.check,
  OpCode.createSession,
  OpCode.deleteContainer,
  OpCode.error,
]);

const CODES = [...WRITES, ...READS].map(({ code }) => code);
/** Numbers start below 0: an operation stands at its number minus this. */
const CODE_MIN = Math.min(...CODES);
const CODE_MAX = Math.max(...CODES);

const BY_CODE: readonly (Operation | undefined)[] = (() => {
  const table = new Array<Operation | undefined>(CODE_MAX - CODE_MIN + 1).fill(undefined);
  for (const operation of [...WRITES, ...READS]) table[operation.code - CODE_MIN] = operation;
  return table;
})();

/** The operation with this number, internal ones included; undefined for numbers that mean nothing. */
export function operationOf(code: number): Operation | undefined {
  return code >= CODE_MIN && code <= CODE_MAX ? BY_CODE[code - CODE_MIN] : undefined;
}

/** The operation if it is one that is replicated (E69). */
export function writeOperation(code: number): WriteOperation<unknown> | undefined {
  const operation = operationOf(code);
  return operation?.kind === 'write' ? operation : undefined;
}

/** The operation if a client may ask for it by itself; undefined is answered with -6 (E11). */
export function clientOperation(code: number): Operation | undefined {
  return INTERNAL.has(code) ? undefined : operationOf(code);
}
