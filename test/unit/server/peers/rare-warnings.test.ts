import { RareWarnings } from '../../../../src/server/peers/rare-warnings.js';
import { collectingLogger, Happenings } from './ensemble.js';

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
