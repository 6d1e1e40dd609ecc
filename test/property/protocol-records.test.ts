/** Every record of the client protocol: what is written is read again, what is cut off is refused, garbage is harmless. */
import fc, { type Arbitrary } from 'fast-check';
import { type OperationName, operations } from '../../protocol/client/operations.js';
import * as R from '../../protocol/client/records.js';
import { ProtocolError } from '../../protocol/errors.js';
import { JuteReader } from '../../protocol/jute/reader.js';
import { bool, buffer, int, long, type Type, ustring } from '../../protocol/jute/schema.js';
import { JuteWriter } from '../../protocol/jute/writer.js';

const anyInt = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff });
const anyLong = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const anyText = fc.string({ unit: 'binary', maxLength: 12 });
const anyBuffer = fc.option(fc.uint8Array({ maxLength: 40 }));

type Fields = { readonly fields: Record<string, unknown> };

function arbitraryOf(type: unknown, name: string): Arbitrary<unknown> {
  if (type === bool) return fc.boolean();
  if (type === int) return anyInt;
  if (type === long) return anyLong;
  if (type === ustring) return anyText;
  if (type === buffer) return anyBuffer;
  if (typeof type === 'object' && type !== null && 'fields' in type) {
    const entries = Object.entries((type as Fields).fields);
    return fc.record(Object.fromEntries(entries.map(([key, field]) => [key, arbitraryOf(field, key)])));
  }
  // A vector does not say of what: its field does.
  const element = name === 'acl' ? R.Acl : name === 'clientInfo' ? R.ClientInfo : ustring;
  return fc.array(arbitraryOf(element, ''), { maxLength: 4 });
}

const part = (op: string, request: unknown) => fc.record({ op: fc.constant(op), request: arbitraryOf(request, op) });
const result = (type: string, body?: Fields) =>
  body === undefined
    ? fc.record({ type: fc.constant(type) })
    : arbitraryOf(body, type).map((value) => ({ type, ...(value as object) }));
const errorResult = anyInt.map((code) => ({ type: 'error', code }));

const MULTI: Readonly<Record<string, readonly [request: Arbitrary<unknown>, response: Arbitrary<unknown>]>> = {
  multi: [
    fc.array(
      fc.oneof(
        part('create', R.CreateRequest),
        part('create2', R.CreateRequest),
        part('createContainer', R.CreateRequest),
        part('createTTL', R.CreateTtlRequest),
        part('delete', R.DeleteRequest),
        part('setData', R.SetDataRequest),
        part('check', R.CheckVersionRequest),
      ),
      { maxLength: 5 },
    ),
    fc.array(
      fc.oneof(
        errorResult,
        result('create', R.PathResponse),
        result('create2', R.PathStatResponse),
        result('setData', R.StatResponse),
        result('delete'),
        result('check'),
      ),
      { maxLength: 5 },
    ),
  ],
  multiRead: [
    fc.array(fc.oneof(part('getData', R.PathWatchRequest), part('getChildren', R.PathWatchRequest)), { maxLength: 5 }),
    fc.array(fc.oneof(errorResult, result('getData', R.DataResponse), result('getChildren', R.ChildrenResponse)), {
      maxLength: 5,
    }),
  ],
};

const CASES = (Object.keys(operations) as OperationName[]).flatMap((name) =>
  (['request', 'response'] as const).map((which) => {
    const type = operations[name][which] as Type<unknown>;
    const arbitrary =
      MULTI[name]?.[which === 'request' ? 0 : 1] ?? ('fields' in type ? arbitraryOf(type, '') : fc.constant(undefined));
    return [`${name} ${which}`, type, arbitrary] as const;
  }),
);

test.each(CASES)('%s', (_name, type, arbitrary) => {
  fc.assert(
    fc.property(arbitrary, (value) => {
      const writer = new JuteWriter(1);
      type.write(writer, value);
      const bytes = writer.toBytes();
      const reader = new JuteReader(bytes);
      expect(type.read(reader)).toEqual(value);
      expect(reader.remaining).toBe(0);
      type.view(reader.reset(bytes));
      expect(reader.remaining).toBe(0);
      for (let end = 0; end < bytes.length; end++) {
        if (!isRefused(type, 'read', bytes, end) || !isRefused(type, 'view', bytes, end)) expect(end).toBe('refused');
      }
    }),
    { numRuns: 15 },
  );
});

test('garbage is read or refused, and nothing is allocated for a length that is only claimed', () => {
  const claims = fc.constantFrom([0x7f, 0xff, 0xff, 0xff], [0xff, 0xff, 0xff, 0xff], [0, 0, 0, 1], [0x80, 0, 0, 0]);
  const garbage = fc.array(fc.oneof(claims, fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 3 })), {
    maxLength: 12,
  });
  fc.assert(
    fc.property(garbage, (parts) => {
      const bytes = new Uint8Array(parts.flat());
      for (const [, type] of CASES) {
        for (const how of ['read', 'view'] as const) {
          isRefused(type, how, bytes, bytes.length);
        }
      }
    }),
    { numRuns: 150 },
  );
});

/** Whether reading bytes[0, end) ends in a ProtocolError; any other error gets out. */
function isRefused(type: Type<unknown>, how: 'read' | 'view', bytes: Uint8Array, end: number): boolean {
  try {
    type[how](new JuteReader(bytes, 0, end));
    return false;
  } catch (error) {
    if (error instanceof ProtocolError) return true;
    throw error;
  }
}
