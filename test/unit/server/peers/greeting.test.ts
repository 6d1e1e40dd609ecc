import fc from 'fast-check';
import {
  decodeGreeting,
  encodeGreeting,
  encodeRefusal,
  GREETING_BYTES_MAX,
  type Hello,
  helloBody,
  type Membership,
  parseHello,
} from '../../../../src/server/peers/greeting.js';

const member: fc.Arbitrary<Membership> = fc.record({
  id: fc.nat(254),
  role: fc.constantFrom('participant' as const, 'observer' as const),
  weight: fc.nat(9),
  group: fc.option(fc.nat(9), { nil: undefined }),
});
const hello: fc.Arbitrary<Hello> = fc.record({
  cluster: fc.string({ maxLength: 20 }),
  sender: fc.nat(254),
  recipient: fc.nat(254),
  incarnation: fc.constant('0123456789abcdef'),
  members: fc.array(member, { maxLength: 12 }),
});

test('what is written is read again, however it is cut', () => {
  fc.assert(
    fc.property(hello, (one) => {
      const bytes = encodeGreeting('hello', helloBody(one));
      for (let end = 0; end < bytes.length; end++) expect(decodeGreeting(bytes.subarray(0, end))).toBe('more');
      const decoded = decodeGreeting(Buffer.concat([bytes, Buffer.from('more')]));
      if (decoded === null || decoded === 'more') throw new Error('not decoded');
      expect(decoded.end).toBe(bytes.length);
      expect(parseHello(decoded.greeting.body)).toEqual(one);
    }),
  );
});

test('an ensemble of every possible id fits', () => {
  const members = Array.from({ length: 255 }, (_, id) => ({
    id,
    role: 'participant' as const,
    weight: 1,
    group: undefined,
  }));
  const body = helloBody({ cluster: 'x'.repeat(100), sender: 1, recipient: 2, incarnation: '0'.repeat(16), members });
  expect(encodeGreeting('hello', body).length).toBeLessThanOrEqual(GREETING_BYTES_MAX);
});

test('a reason of any length can be given', () => {
  const decoded = decodeGreeting(encodeRefusal('ü'.repeat(100_000)));
  expect(decoded).toMatchObject({ greeting: { kind: 'refused', body: 'ü'.repeat(1000) } });
});

test.each([
  ['no JSON', '{'],
  ['null', 'null'],
  ['no id', '{"cluster":"","recipient":1,"incarnation":"0123456789abcdef","members":[]}'],
  ['half an id', '{"cluster":"","sender":1.5,"recipient":1,"incarnation":"0123456789abcdef","members":[]}'],
  [
    'a long name',
    `{"cluster":"${'x'.repeat(101)}","sender":2,"recipient":1,"incarnation":"0123456789abcdef","members":[]}`,
  ],
  ['an incarnation that is none', '{"cluster":"","sender":2,"recipient":1,"incarnation":"x","members":[]}'],
  ['a member that is none', '{"cluster":"","sender":2,"recipient":1,"incarnation":"0123456789abcdef","members":["1"]}'],
  [
    'a role that is none',
    '{"cluster":"","sender":2,"recipient":1,"incarnation":"0123456789abcdef","members":[[1,2,1]]}',
  ],
])('%s is no introduction', (_, body) => {
  expect(parseHello(body)).toBeNull();
});

test('bytes that no server of ours sends are told apart at once', () => {
  expect(decodeGreeting(Buffer.from('G'))).toBeNull();
  expect(decodeGreeting(Buffer.from([0, 0, 0, 11]))).toBeNull();
  const bytes = encodeGreeting('hello', '');
  bytes[8] = 9;
  expect(decodeGreeting(bytes)).toBeNull();
});
