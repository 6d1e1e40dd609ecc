// The table of operations: E11, E47, E69.

import { OpCode } from '../../../../protocol/client/constants.js';
import { clientOperation, operationOf, writeOperation } from '../../../../src/core/ops/table.js';

const WRITES: (keyof typeof OpCode)[] = [
  'create',
  'create2',
  'createContainer',
  'createTTL',
  'delete',
  'setData',
  'setACL',
  'multi',
  'reconfig',
  'closeSession',
];
const INTERNAL: (keyof typeof OpCode)[] = ['check', 'deleteContainer', 'createSession', 'error'];
const ELSEWHERE: (keyof typeof OpCode)[] = ['notification', 'auth', 'sasl'];
const READS = (Object.keys(OpCode) as (keyof typeof OpCode)[]).filter(
  (name) => ![...WRITES, ...INTERNAL, ...ELSEWHERE].includes(name),
);

test.each(WRITES)('%s is a write that clients may send', (name) => {
  expect(writeOperation(OpCode[name])?.name).toBe(name);
  expect(clientOperation(OpCode[name])).toBe(writeOperation(OpCode[name]));
});

test.each(READS)('%s is a read that clients may send', (name) => {
  expect(operationOf(OpCode[name])).toMatchObject({ kind: 'read', name });
  expect(writeOperation(OpCode[name])).toBeUndefined();
  expect(clientOperation(OpCode[name])).toBe(operationOf(OpCode[name]));
});

test.each(INTERNAL)('%s is a write that clients may not send (E11, E47)', (name) => {
  expect(writeOperation(OpCode[name])?.name).toBe(name);
  expect(clientOperation(OpCode[name])).toBeUndefined();
});

test.each([...ELSEWHERE.map((name) => OpCode[name]), 10, 23, 99, 500, 12345, -2, -12, 2 ** 31 - 1, -(2 ** 31)])(
  '%i is no operation on the tree',
  (code) => expect(operationOf(code)).toBeUndefined(),
);

test('only setWatches and setWatches2 deliver events (E62)', () => {
  const delivering = READS.filter((name) => {
    const operation = operationOf(OpCode[name]);
    return operation?.kind === 'read' && operation.deliversEvents === true;
  });
  expect(delivering.sort()).toEqual(['setWatches', 'setWatches2']);
});
