import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { addToHistory, HISTORY_LINES_MAX, historyFile, readHistory } from '../../../../src/cli/shell/history-file.js';

let state: string;
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'zabra-history-'));
});
afterEach(() => rmSync(state, { recursive: true }));

test('lines are added as they are run, in a file for nobody else, without secrets', () => {
  const file = historyFile({ XDG_STATE_HOME: state });
  expect(file).toBe(join(state, 'zabra', 'history'));
  const lines = [
    'ls /',
    'addauth digest ann:pw',
    '  ADDAUTH x y',
    'set /db/password x',
    'set /a "two\nlines"',
    '',
    'get /a ',
  ];
  for (const line of lines) addToHistory(file, line);
  expect(readHistory(file)).toEqual(['ls /', 'get /a']);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(dirname(file)).mode & 0o077).toBe(0);
});

test('only the last lines count; a place that cannot be written to is no matter', () => {
  const file = join(state, 'history');
  writeFileSync(file, Array.from({ length: HISTORY_LINES_MAX + 5 }, (_, i) => `get /${i}\n`).join(''));
  expect(readHistory(file)).toHaveLength(HISTORY_LINES_MAX);
  expect(readHistory(file)[0]).toBe('get /5');
  addToHistory(join(file, 'below-a-file'), 'ls /');
  expect(readHistory(join(state, 'none'))).toEqual([]);
});

test('without XDG_STATE_HOME it is below the home', () => {
  expect(historyFile({})).toMatch(/\/\.local\/state\/zabra\/history$/);
});
