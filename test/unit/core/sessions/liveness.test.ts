/** A learner's notes on whom it has heard of (E16), and on whose end is on its way (E14). */
import { HeardSessions } from '../../../../src/core/sessions/liveness.js';

test('each report has those heard of since the last one, once', () => {
  const heard = new HeardSessions();
  for (const id of [1, 2, 1]) expect(heard.touch(id)).toBe(true);
  expect([...heard.take()].sort()).toEqual([1, 2]);
  expect(heard.take()).toEqual([]);
  heard.touch(2);
  expect(heard.take()).toEqual([2]);
});

test('a report that was taken does not change afterwards', () => {
  const heard = new HeardSessions();
  heard.touch(1);
  const report = heard.take();
  heard.touch(2);
  expect(report).toEqual([1]);
});

test('a session that is being closed is not heard any more, until its end is undone or done', () => {
  const heard = new HeardSessions();
  expect([heard.isClosing(1), heard.close(1), heard.isClosing(1), heard.touch(1)]).toEqual([false, true, true, false]);
  expect(heard.take()).toEqual([]);
  heard.remove(1);
  expect([heard.isClosing(1), heard.touch(1)]).toEqual([false, true]);
});

test('a session that is gone is not reported', () => {
  const heard = new HeardSessions();
  heard.touch(1);
  heard.touch(2);
  heard.remove(1);
  expect(heard.take()).toEqual([2]);
});

test('with a term everything ends', () => {
  const heard = new HeardSessions();
  heard.touch(1);
  heard.close(2);
  heard.clear();
  expect([heard.take(), heard.isClosing(2)]).toEqual([[], false]);
});
