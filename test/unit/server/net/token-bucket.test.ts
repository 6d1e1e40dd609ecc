import { TokenBucket } from '../../../../src/server/net/token-bucket.js';

const takeAll = (bucket: TokenBucket, nowMs: number) => {
  let count = 0;
  while (count < 1000 && bucket.take(nowMs)) count++;
  return count;
};

test('a burst, then as many as are filled in, never more than a burst', () => {
  const bucket = new TokenBucket({ tokensMax: 5, fillCount: 2, fillMs: 10 }, 100);
  expect(takeAll(bucket, 100)).toBe(5);
  expect(takeAll(bucket, 109)).toBe(0);
  expect(takeAll(bucket, 110)).toBe(2);
  expect(takeAll(bucket, 129)).toBe(2); // filled at 120, and 9 ms count for the next
  expect(takeAll(bucket, 130)).toBe(2);
  expect(takeAll(bucket, 100_000)).toBe(5);
});

test('0 is no limit', () => {
  expect(takeAll(new TokenBucket({ tokensMax: 0, fillCount: 1, fillMs: 1 }, 0), 0)).toBe(1000);
});
