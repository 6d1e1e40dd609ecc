import { getEventListeners } from 'node:events';
import { onAbort } from '../../../src/client/abort.js';

test('many listeners take one place on a signal, and none when they have gone', () => {
  const controller = new AbortController();
  const { signal } = controller;
  const told: number[] = [];
  const ends = Array.from({ length: 50 }, (_, i) => onAbort(signal, () => told.push(i)));
  expect(getEventListeners(signal, 'abort')).toHaveLength(1);
  for (const end of ends) end();
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  const endOfFirst = onAbort(signal, () => told.push(100));
  onAbort(signal, () => told.push(101));
  onAbort(signal, () => told.push(102));
  endOfFirst();
  endOfFirst();
  controller.abort();
  expect(told).toEqual([101, 102]);
});

test('tells at once of a signal that has aborted', () => {
  let told = 0;
  onAbort(AbortSignal.abort(), () => told++);
  onAbort(undefined, () => told++)();
  expect(told).toBe(1);
});
