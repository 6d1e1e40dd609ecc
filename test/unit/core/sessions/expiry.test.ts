import { SessionExpiry } from '../../../../src/core/sessions/expiry.js';
import { AssertionFailure } from '../../../../src/std/assert.js';

describe('SessionExpiry', () => {
  test('rounds a deadline up to the next tick, and a whole one not at all (E17)', () => {
    const expiry = new SessionExpiry(1000);
    expiry.track(1, 500, 2000); // 2500 → 3000
    expiry.track(2, 1000, 2000); // 3000
    expiry.track(3, 1001, 2000); // 3001 → 4000
    expect(expiry.deadlines()).toEqual([
      [3000, [1, 2]],
      [4000, [3]],
    ]);
    expect(expiry.nextMs).toBe(3000);
    expect(expiry.expire(2999.9)).toEqual([]);
    expect(expiry.expire(3000)).toEqual([1, 2]);
    expect(expiry.expire(3999)).toEqual([]);
    expect(expiry.expire(4000)).toEqual([3]);
    expect(expiry.nextMs).toBeUndefined();
  });

  test('a touch puts the deadline off; a shorter timeout brings it forward', () => {
    const expiry = new SessionExpiry(100);
    expiry.track(1, 0, 1000);
    expect(expiry.touch(1, 950, 1000)).toBe(true);
    expect(expiry.expire(1900)).toEqual([]);
    expect(expiry.deadlines()).toEqual([[2000, [1]]]);
    expect(expiry.touch(1, 1900, 300)).toBe(true);
    expect(expiry.deadlines()).toEqual([[2200, [1]]]);
    expect(expiry.touch(1, 1910, 200)).toBe(true);
    expect(expiry.expire(2100)).toEqual([]);
    expect(expiry.expire(2200)).toEqual([1]);

    expiry.track(2, 3000, 5000);
    expiry.touch(2, 3000, 100);
    expect(expiry.nextMs).toBe(3100);
    expect(expiry.expire(3100)).toEqual([2]);
  });

  test('gives all that is due after a long pause, earliest first, each once', () => {
    const expiry = new SessionExpiry(10);
    expiry.track(1, 0, 500);
    expiry.track(2, 0, 100);
    expiry.track(3, 0, 300);
    expiry.touch(2, 50, 150);
    expiry.track(4, 0, 1_000_000);
    expect(expiry.expire(900_000)).toEqual([2, 3, 1]);
    expect(expiry.expire(900_000)).toEqual([]);
  });

  test('an expired session is closing: no touch revives it, and it is not expired again', () => {
    const expiry = new SessionExpiry(100);
    expiry.track(1, 0, 100);
    expect(expiry.isClosing(1)).toBe(false);
    expect(expiry.expire(100)).toEqual([1]);
    expect(expiry.isClosing(1)).toBe(true);
    expect(expiry.touch(1, 100, 100)).toBe(false);
    expect(expiry.close(1)).toBe(false);
    expect(expiry.expire(10_000)).toEqual([]);
    expect(expiry.size).toBe(1);
    expiry.remove(1);
    expect(expiry.isClosing(1)).toBe(false);
    expect(expiry.size).toBe(0);
  });

  test('a session whose client closes it can neither be touched nor expire', () => {
    const expiry = new SessionExpiry(100);
    expiry.track(1, 0, 100);
    expiry.track(2, 0, 100);
    expect(expiry.close(1)).toBe(true);
    expect(expiry.close(1)).toBe(false);
    expect(expiry.touch(1, 10, 100)).toBe(false);
    expect(expiry.deadlines()).toEqual([[100, [2]]]);
    expect(expiry.expire(100)).toEqual([2]);
  });

  test('knows nothing of a session that is removed or never came', () => {
    const expiry = new SessionExpiry(100);
    expiry.track(1, 0, 100);
    expiry.remove(1);
    expiry.remove(1);
    expect(expiry.touch(1, 0, 100)).toBe(false);
    expect(expiry.close(7)).toBe(false);
    expect(expiry.expire(1000)).toEqual([]);
    expiry.track(1, 1000, 100);
    expect(expiry.expire(1100)).toEqual([1]);
  });

  test('a new leader gives every session its full timeout, closing ones too (E18)', () => {
    const expiry = new SessionExpiry(100);
    expiry.track(1, 0, 1000);
    expiry.track(2, 0, 1000);
    expiry.track(9, 0, 1000);
    expiry.close(2);
    expiry.restart(
      [
        { id: 1, timeoutMs: 1000 },
        { id: 2, timeoutMs: 3000 },
      ],
      5000,
    );
    expect(expiry.size).toBe(2);
    expect(expiry.touch(9, 5000, 1000)).toBe(false);
    expect(expiry.expire(5900)).toEqual([]);
    expect(expiry.deadlines()).toEqual([
      [6000, [1]],
      [8000, [2]],
    ]);
    expect(expiry.touch(2, 5100, 3000)).toBe(true);
    expect(expiry.expire(6000)).toEqual([1]);
  });

  test('refuses a tick that is none and a session tracked twice', () => {
    expect(() => new SessionExpiry(0)).toThrow(AssertionFailure);
    const expiry = new SessionExpiry(1);
    expiry.track(1, 0, 1);
    expect(() => expiry.track(1, 0, 1)).toThrow(AssertionFailure);
  });
});
