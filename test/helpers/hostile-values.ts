/**
 * What a stranger may put into a field, as bytes: for each wire type a value that is fine and a list of those that are
 * not, or that few codecs would write. Together with the operations as data this gives every operation with every
 * field mistreated in every way.
 */
import { type JuteType, JuteWriter } from '../interop/wire/jute.js';

export interface HostileValue {
  readonly what: string;
  readonly bytes: Buffer;
}

const INT_MAX = 0x7fff_ffff;
const INT_MIN = -0x8000_0000;
const HUGE_BYTES = 300_000;

const raw = (what: string, bytes: Buffer): HostileValue => ({ what, bytes });
const lengthOnly = (length: number): HostileValue => raw(`length ${length}`, new JuteWriter().int(length).bytes());
const text = (what: string, value: string): HostileValue => raw(what, new JuteWriter().string(value).bytes());
const bytes = (what: string, value: Iterable<number>): HostileValue =>
  raw(what, new JuteWriter().buffer(Uint8Array.from(value)).bytes());

const LENGTHS = [lengthOnly(-1), lengthOnly(-2), lengthOnly(INT_MIN), lengthOnly(INT_MAX), lengthOnly(1_048_576)];

const STRINGS: readonly HostileValue[] = [
  ...LENGTHS,
  text('empty', ''),
  text('no slash', 'x'),
  text('only slashes', '///'),
  text('trailing slash', '/hostile/'),
  text('dots', '/hostile/../x/.'),
  text('NUL', '/hostile/\u0000'),
  text('control characters', '/hostile/\u0001\u001f\u007f\u009f'),
  text('private use', '/hostile/\uf8ff\uffff'),
  text('emoji', '/hostile/\u{1f600}'),
  text('a special node', '/zookeeper/quota'),
  text('limits of a quota', '/zookeeper/quota/hostile/zookeeper_limits'),
  text('long', `/${'x'.repeat(HUGE_BYTES)}`),
  text('deep', '/x'.repeat(HUGE_BYTES / 2)),
  bytes('no UTF-8', [0x2f, 0xff, 0xfe, 0x80]),
  bytes('a sequence cut short', [0x2f, 0xe2, 0x82]),
  bytes('an overlong slash', [0x2f, 0xc0, 0xaf]),
  bytes('a surrogate on its own', [0x2f, 0xed, 0xa0, 0x80]),
  bytes('beyond Unicode', [0x2f, 0xf5, 0x80, 0x80, 0x80]),
];

const BUFFERS: readonly HostileValue[] = [
  ...LENGTHS,
  bytes('empty', []),
  bytes('a quota', Buffer.from('count=x,bytes=,=;;byteHardLimit=99999999999999999999')),
  raw('large', new JuteWriter().buffer(new Uint8Array(HUGE_BYTES)).bytes()),
];

const INTS = [0, -1, 1, 7, 99, INT_MAX, INT_MIN].map((value) => raw(`${value}`, new JuteWriter().int(value).bytes()));
const LONGS = [0n, -1n, 1n, 2n ** 40n, 2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n)].map((value) =>
  raw(`${value}`, new JuteWriter().long(value).bytes()),
);
const BOOLS = [0, 1, 0x7f, 0xff].map((value) => raw(`byte ${value}`, Buffer.from([value])));

/** A value of the type that nobody could object to. */
export function harmless(type: JuteType): Buffer {
  const writer = new JuteWriter();
  if (type === 'int') return writer.int(0).bytes();
  if (type === 'long') return writer.long(0n).bytes();
  if (type === 'bool') return writer.bool(false).bytes();
  if (type === 'string') return writer.string('/hostile').bytes();
  if (type === 'buffer') return writer.buffer(Buffer.from('data')).bytes();
  if ('vector' in type) return writer.int(1).raw(harmless(type.vector)).bytes();
  if (isAcl(type.fields)) return writer.int(31).string('world').string('anyone').bytes();
  return Buffer.concat(type.fields.map(([, fieldType]) => harmless(fieldType)));
}

export function hostile(type: JuteType): readonly HostileValue[] {
  if (type === 'int') return INTS;
  if (type === 'long') return LONGS;
  if (type === 'bool') return BOOLS;
  if (type === 'string') return STRINGS;
  if (type === 'buffer') return BUFFERS;
  if ('vector' in type) {
    const { vector } = type;
    const one = hostile(vector).map((value) =>
      raw(`[${value.what}]`, new JuteWriter().int(1).raw(value.bytes).bytes()),
    );
    const many = raw(
      '2000 elements',
      Buffer.concat([new JuteWriter().int(2000).bytes(), ...new Array(2000).fill(harmless(vector))]),
    );
    return [...LENGTHS, raw('empty', new JuteWriter().int(0).bytes()), many, ...one];
  }
  return type.fields.flatMap(([name, fieldType], index) =>
    hostile(fieldType).map((value) => {
      const parts = type.fields.map(([, other], at) => (at === index ? value.bytes : harmless(other)));
      return raw(`${name}: ${value.what}`, Buffer.concat(parts));
    }),
  );
}

function isAcl(fields: ReadonlyArray<readonly [string, JuteType]>): boolean {
  return fields.length === 2 && fields[0][0] === 'perms';
}
