/**
 * What clients send, from the operations as data: valid requests whose paths and versions often fit what is there, so
 * that many of them succeed, and requests with a hostile value in one field.
 */
import type { Random } from '../../src/std/random.js';
import { connectRequest, multiBody, requestFrame } from '../helpers/frame-client.js';
import { hostile } from '../helpers/hostile-values.js';
import { type JuteType, JuteWriter } from '../interop/wire/jute.js';
import { OPERATIONS, type OperationName, operation } from '../interop/wire/operations.js';
import { mutated } from './mutate.js';

export const NAMES = Object.keys(OPERATIONS) as OperationName[];
const PARTS: readonly OperationName[] = [
  'create',
  'create2',
  'createContainer',
  'createTTL',
  'delete',
  'setData',
  'check',
];
const READ_PARTS: readonly OperationName[] = ['getData', 'getChildren'];
const REQUESTS_MAX = 12;
/** A part of a hostile value that is larger than this makes a run slow and finds nothing more. */
const VALUE_BYTES_MAX = 20_000;

const PATHS = ['/', '/a', '/a/b', '/a/b/c', '/e', '/e-', '/zookeeper/quota/a/zookeeper_limits', '/a/', ''];
const SCHEMES = ['world', 'digest', 'ip', 'auth', 'super', 'x509'];
const IDS = ['anyone', '', 'ann:secret', '127.0.0.1', '127.0.0.1/8', '::1', 'CN=a'];

/** A body: valid, hostile in one field, or with bytes changed anywhere. */
export function bodyOf(random: Random, name: OperationName): Buffer {
  if (name === 'multi' || name === 'multiRead') {
    const names = name === 'multi' ? PARTS : READ_PARTS;
    const parts = Array.from({ length: random.int(6) }, () => {
      const part = random.pick(names);
      return [operation(part).code, bodyOf(random, part)] as const;
    });
    return mutated(random, multiBody(parts));
  }
  const { request } = operation(name);
  if (random.int(4) > 0) {
    const valid = validBody(random, request);
    return random.int(4) === 0 ? mutated(random, valid) : valid;
  }
  const values = hostile(request).filter(({ bytes }) => bytes.length <= VALUE_BYTES_MAX);
  return values.length === 0 ? Buffer.alloc(0) : mutated(random, random.pick(values).bytes);
}

function validBody(random: Random, type: JuteType, field = ''): Buffer {
  const writer = new JuteWriter();
  if (type === 'int') return writer.int(validInt(random, field)).bytes();
  if (type === 'long') return writer.long(BigInt(random.int(2000)) - 1n).bytes();
  if (type === 'bool') return writer.bool(random.bool()).bytes();
  if (type === 'buffer') return writer.buffer(random.int(5) === 0 ? null : random.bytes(random.int(60))).bytes();
  if (type === 'string') return writer.string(validText(random, field)).bytes();
  if ('vector' in type) {
    const items = Array.from({ length: random.int(3) }, () => validBody(random, type.vector, field));
    return writer.int(items.length).raw(Buffer.concat(items)).bytes();
  }
  return Buffer.concat(type.fields.map(([name, of]) => validBody(random, of, name)));
}

function validInt(random: Random, field: string): number {
  if (field === 'perms') return random.int(32);
  if (field === 'version') return random.int(4) - 1;
  return random.int(7);
}

function validText(random: Random, field: string): string {
  if (field === 'scheme') return random.pick(SCHEMES);
  if (field === 'id' || field === 'auth') return random.pick(IDS);
  return random.pick(PATHS);
}

/** All that a client sends through one connection, from its greeting on. */
export function stream(random: Random): Buffer {
  const greeting = connectRequest({ timeoutMs: 4000 + random.int(60_000) });
  const frames = Array.from({ length: random.int(REQUESTS_MAX + 1) }, (_, i) => {
    const name = random.pick(NAMES);
    return requestFrame(i + 1, operation(name).code, bodyOf(random, name));
  });
  return Buffer.concat([random.int(20) === 0 ? mutated(random, greeting) : greeting, ...frames]);
}
