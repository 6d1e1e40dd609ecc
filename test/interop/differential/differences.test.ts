/** The comparison must see what is wrong, and let through exactly what the table lists. No server is needed. */
import { DIFFERENCES, unexplained } from './differences.js';
import type { Seen } from './observe.js';
import type { Step } from './steps.js';

const step: Step = { kind: 'resume', session: 0 };
const reply = (op: string, err: number, body?: unknown): Seen => ({ from: 0, kind: 'reply', op, err, body });
const stat = { version: 0 };

test('equal frames need no explanation, different ones do', () => {
  expect(unexplained([reply('exists', 0, stat)], [reply('exists', 0, stat)], step)).toEqual([]);
  expect(unexplained([reply('delete', -101)], [reply('delete', -103)], step)).toHaveLength(1);
  expect(unexplained([reply('setData', 0, stat)], [reply('setData', 0, { version: 1 })], step)).toHaveLength(1);
});

test('a missing frame and one too many are seen', () => {
  const event: Seen = { from: 1, kind: 'event', body: { type: 3, state: 3, path: '/a' } };
  expect(unexplained([reply('setData', 0), event], [reply('setData', 0)], step)).toHaveLength(1);
  expect(unexplained([reply('setData', 0)], [reply('setData', 0), event], step)).toHaveLength(1);
});

test('an event behind the reply that shows it is seen', () => {
  const event: Seen = { from: 0, kind: 'event', body: { type: 3, state: 3, path: '/a' } };
  expect(unexplained([event, reply('setData', 0)], [reply('setData', 0), event], step)).toHaveLength(2);
});

test('create2 inside a multi may carry a Stat, and nothing else may change', () => {
  const multi = (...results: unknown[]) => reply('multi', 0, { results });
  const short = { type: 1, headerErr: 0, path: '/a' };
  const long = { type: 15, headerErr: 0, path: '/a', stat };
  const setData = { type: 5, headerErr: 0, stat };
  expect(unexplained([multi(short, setData)], [multi(long, setData)], step)).toEqual([]);
  expect(unexplained([multi(long)], [multi(short)], step)).toHaveLength(1);
  expect(unexplained([multi(short)], [multi({ ...long, path: '/b' })], step)).toHaveLength(1);
  expect(unexplained([multi(short, setData)], [multi(long)], step)).toHaveLength(1);
});

test('an unknown operation may leave the connection open, in a step that sends one', () => {
  const unknown: Step = { kind: 'bytes', what: 'operation 999', bytes: new Uint8Array() };
  const closed: Seen = { from: 'own', kind: 'closed' };
  const goesOn = [reply('unknown', -6), reply('closeSession', 0), closed];
  expect(unexplained([reply('unknown', -6), closed], goesOn, unknown)).toEqual([]);
  expect(unexplained([reply('unknown', -6), closed], goesOn, step)).toHaveLength(2);
  expect(unexplained([reply('unknown', -6), closed], [reply('unknown', -5), ...goesOn.slice(1)], unknown)).toHaveLength(
    1,
  );
});

test('every difference has a reason', () => {
  for (const { name, reason } of DIFFERENCES) expect([name, reason.length > 10]).toEqual([name, true]);
});
