/** What may reach the log (E11, E34): decodable and allowed. */
import { CreateFlag, OpCode } from '../../../../protocol/client/constants.js';
import { Code } from '../../../../protocol/client/errors.js';
import { type OperationName, operations } from '../../../../protocol/client/operations.js';
import { JuteReader } from '../../../../protocol/jute/reader.js';
import type { Type } from '../../../../protocol/jute/schema.js';
import { JuteWriter } from '../../../../protocol/jute/writer.js';
import type { WriteOperation } from '../../../../src/core/ops/operation.js';
import { writeOperation } from '../../../../src/core/ops/table.js';
import { freesMemory, isAuthenticated, WriteGate } from '../../../../src/core/pipeline/admit.js';
import { DEFAULT_REPLICA_OPTIONS } from '../../../../src/testing/index.js';
import { OPEN_ACL } from '../../../helpers/world.js';

const options = DEFAULT_REPLICA_OPTIONS;
const ttl = { path: '/t', data: null, acl: OPEN_ACL, flags: 5, ttl: 1000n };

interface Change {
  ttlNodes?: boolean;
  ephemeralsPerSessionMax?: number;
}

function encoded(name: OperationName, request: unknown): Uint8Array {
  const writer = new JuteWriter();
  (operations[name].request as Type<unknown>).write(writer, request);
  return writer.toBytes();
}

function admit(name: OperationName, request: unknown, change: Change = {}, ephemerals = 0): number {
  return admitBytes(operations[name].code, encoded(name, request), change, ephemerals);
}

function admitBytes(code: number, bytes: Uint8Array, change: Change = {}, ephemerals = 0): number {
  const gate = new WriteGate({ ttlNodes: true, ...change });
  return gate.admit(write(code), new JuteReader(bytes), () => ephemerals);
}

function write(code: number): WriteOperation<unknown> {
  const operation = writeOperation(code);
  if (operation === undefined) throw new Error(`no write ${code}`);
  return operation;
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

describe('ephemerals of a session', () => {
  const node = (flags: number) => ({ path: '/e', data: null, acl: OPEN_ACL, flags });
  const max = { ephemeralsPerSessionMax: 10 };

  test('as many as may be, alone and in a multi, and not one more', () => {
    for (const flags of [CreateFlag.ephemeral, CreateFlag.ephemeralSequential]) {
      expect(admit('create', node(flags), max, 9)).toBe(0);
      expect(admit('create2', node(flags), max, 10)).toBe(Code.QuotaExceeded);
      const parts = [
        { op: 'create', request: node(flags) },
        { op: 'create', request: node(CreateFlag.persistent) },
        { op: 'create2', request: node(flags) },
      ];
      expect(admit('multi', parts, max, 8)).toBe(0);
      expect(admit('multi', parts, max, 9)).toBe(Code.QuotaExceeded);
    }
  });

  test('other nodes are not counted, and without a limit none is', () => {
    expect(admit('create', node(CreateFlag.persistent), max, 10)).toBe(0);
    expect(admit('create', node(CreateFlag.ephemeral), {}, 1e9)).toBe(0);
  });
});

describe('while memory is scarce', () => {
  const frees = (name: OperationName, request: unknown) =>
    freesMemory(write(operations[name].code), new JuteReader(encoded(name, request)));
  const deletion = { path: '/a', version: -1 };
  const setting = { path: '/a', data: null, version: -1 };

  test('what makes room is taken, what needs room is not', () => {
    expect(frees('delete', deletion)).toBe(true);
    expect(frees('closeSession', undefined)).toBe(true);
    expect(frees('setData', setting)).toBe(false);
    expect(frees('create', { path: '/a', data: null, acl: OPEN_ACL, flags: 0 })).toBe(false);
    expect(frees('createTTL', ttl)).toBe(false);
    expect(frees('setACL', { path: '/a', acl: OPEN_ACL, version: -1 })).toBe(false);
  });

  test('a multi is as its parts', () => {
    const deletions = [
      { op: 'delete', request: deletion },
      { op: 'check', request: deletion },
    ];
    expect(frees('multi', deletions)).toBe(true);
    expect(frees('multi', [...deletions, { op: 'setData', request: setting }])).toBe(false);
    expect(freesMemory(write(OpCode.multi), new JuteReader(new Uint8Array(3)))).toBe(false);
  });
});
