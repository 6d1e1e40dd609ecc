import { Schedule } from '../../bench/schedule.js';

describe('Schedule', () => {
  test('requests come due at the pace', () => {
    const schedule = new Schedule(1000, 500, 100);
    expect([1000, 1001, 1002, 1010, 1021].map((nowMs) => schedule.advance(nowMs))).toEqual([0, 0, 1, 5, 10]);
  });

  test('an answer tells when its request was due, not when it could be sent', () => {
    const schedule = new Schedule(0, 1000, 100);
    schedule.advance(1);
    schedule.advance(3);
    expect([schedule.answer(), schedule.answer(), schedule.answer()]).toEqual([1, 3, 3]);
  });

  test('a full backlog postpones the plan, and counts what it gave up', () => {
    const schedule = new Schedule(0, 1000, 4);
    expect(schedule.advance(4)).toBe(4);
    expect(schedule.givenUp).toBe(0);
    expect(schedule.advance(10)).toBe(4);
    expect(schedule.givenUp).toBe(6);
    for (let i = 0; i < 4; i++) expect(schedule.answer()).toBe(4);
    expect(schedule.advance(12)).toBe(6);
    expect(schedule.givenUp).toBe(6);
    expect([schedule.answer(), schedule.answer()]).toEqual([12, 12]);
  });
});
