/** What may reach the log (E11, E34): decodable and allowed. */
import { OpCode } from '../../../../protocol/client/constants.js';
import { Code } from '../../../../protocol/client/errors.js';
import { type OperationName, operations } from '../../../../protocol/client/operations.js';
import { JuteReader } from '../../../../protocol/jute/reader.js';
import type { Type } from '../../../../protocol/jute/schema.js';
import { JuteWriter } from '../../../../protocol/jute/writer.js';
import { writeOperation } from '../../../../src/core/ops/table.js';
import { admitWrite, isAuthenticated } from '../../../../src/core/pipeline/admit.js';
import { DEFAULT_REPLICA_OPTIONS } from '../../../../src/testing/index.js';
import { OPEN_ACL } from '../../../helpers/world.js';

const options = DEFAULT_REPLICA_OPTIONS;
const ttl = { path: '/t', data: null, acl: OPEN_ACL, flags: 5, ttl: 1000n };

function admit(name: OperationName, request: unknown, change: { ttlNodes?: boolean } = {}): number {
  const writer = new JuteWriter();
  (operations[name].request as Type<unknown>).write(writer, request);
  return admitBytes(operations[name].code, writer.toBytes(), change);
}

function admitBytes(code: number, bytes: Uint8Array, { ttlNodes = true } = {}): number {
  const operation = writeOperation(code);
  if (operation === undefined) throw new Error(`no write ${code}`);
  return admitWrite({ ttlNodes }, operation, new JuteReader(bytes));
}

test('a write that can be decoded', () => {
  expect(admit('delete', { path: '/a', version: -1 })).toBe(0);
  expect(admit('multi', [{ op: 'createTTL', request: ttl }])).toBe(0);
});

test('nothing that cannot be decoded: it could not be applied later', () => {
  expect(admitBytes(OpCode.create, new Uint8Array(3))).toBe(Code.MarshallingError);
  const readInMulti = new JuteWriter();
  for (const part of [OpCode.getData, -1]) {
    readInMulti.int(part);
    readInMulti.bool(part === -1);
    readInMulti.int(-1);
    if (part === OpCode.getData) {
      readInMulti.ustring('/');
      readInMulti.bool(false);
    }
  }
  expect(admitBytes(OpCode.multi, readInMulti.toBytes())).toBe(Code.MarshallingError);
});

test('no TTL nodes where they are off, neither alone nor in a multi', () => {
  expect(admit('createTTL', ttl, { ttlNodes: false })).toBe(Code.Unimplemented);
  expect(admit('multi', [{ op: 'createTTL', request: ttl }], { ttlNodes: false })).toBe(Code.Unimplemented);
  expect(admit('multi', [], { ttlNodes: false })).toBe(0);
});

test('demanded schemes: one of them is enough, none demanded is always enough', () => {
  const required = { ...options, requiredSchemes: ['digest', 'x509'] };
  expect(isAuthenticated(options, [])).toBe(true);
  expect(isAuthenticated(required, [{ scheme: 'ip' }])).toBe(false);
  expect(isAuthenticated(required, [{ scheme: 'ip' }, { scheme: 'x509' }])).toBe(true);
});
