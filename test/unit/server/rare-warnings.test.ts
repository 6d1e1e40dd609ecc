import { RareWarnings } from '../../../src/server/rare-warnings.js';
import { collectingLogger, Happenings } from './peers/ensemble.js';

test('one a minute of each kind, and the next one counts what was left out', () => {
  const log = new Happenings();
  let nowMs = 0;
  const warnings = new RareWarnings(collectingLogger(log), () => nowMs);
  for (let i = 0; i < 5; i++) warnings.warn('a', `first ${i}`, {});
  warnings.warn('b', 'other', {});
  nowMs = 60_000;
  warnings.warn('a', 'second', {});
  nowMs = 120_000;
  warnings.warn('a', 'third', {});
  expect(log.list).toEqual(['warn first 0', 'warn other', 'warn second (and 4 like it, not logged)', 'warn third']);
});

test('what was left out is told even if nothing of its kind comes any more', () => {
  const log = new Happenings();
  let nowMs = 0;
  const warnings = new RareWarnings(collectingLogger(log), () => nowMs);
  for (let i = 0; i < 5; i++) warnings.warn('a', `no ${i}`);
  warnings.sum();
  nowMs = 60_000;
  warnings.sum();
  warnings.sum();
  warnings.warn('a', 'no 5');
  warnings.sum(true);
  expect(log.list).toEqual([
    'warn no 0',
    'warn 4 more like this, not logged; the last: no 4',
    'warn 1 more like this, not logged; the last: no 5',
  ]);
});
