/** zxids as safe integers: made in one place, taken apart again, ordered as the bigints of the wire are. */
import fc from 'fast-check';
import { COUNTER_MAX, counterOf, EPOCH_LIMIT, epochOf, hex, makeZxid } from '../../../protocol/ids.js';

const epoch = fc.integer({ min: 0, max: EPOCH_LIMIT - 1 });
const counter = fc.integer({ min: 0, max: COUNTER_MAX });

test('epoch and counter come back, and the number is the one on the wire', () => {
  fc.assert(
    fc.property(epoch, counter, (e, c) => {
      const zxid = makeZxid(e, c);
      expect([epochOf(zxid), counterOf(zxid)]).toEqual([e, c]);
      expect(Number.isSafeInteger(zxid)).toBe(true);
      expect(BigInt(zxid)).toBe((BigInt(e) << 32n) | BigInt(c));
    }),
  );
  expect(Number.isSafeInteger(makeZxid(EPOCH_LIMIT - 1, COUNTER_MAX))).toBe(true);
});

test.each([
  [-1, 0],
  [EPOCH_LIMIT, 0],
  [0.5, 0],
  [0, -1],
  [0, COUNTER_MAX + 1],
  [0, Number.NaN],
])('epoch %d, counter %d: no zxid', (e, c) => {
  expect(() => makeZxid(e, c)).toThrow(RangeError);
});

test('printed as ZooKeeper prints it', () => {
  expect([hex(makeZxid(1, 26)), hex(255n), hex(0)]).toEqual(['0x10000001a', '0xff', '0x0']);
});
