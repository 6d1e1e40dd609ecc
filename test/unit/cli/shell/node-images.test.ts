import { isBelow, moved } from '../../../../src/cli/shell/node-images.js';

test.each([
  ['/a', '/a', '/b', '/b'],
  ['/a/x/y', '/a', '/b/c', '/b/c/x/y'],
  ['/a/x', '/a', '/', '/x'],
  ['/a', '/a', '/', '/'],
  ['/x', '/', '/b', '/b/x'],
  ['/', '/', '/b', '/b'],
  ['/', '/', '/', '/'],
  ['/x', '/', '/', '/x'],
])('%s of %s below %s is %s', (path, from, to, expected) => {
  expect(moved(path, from, to)).toBe(expected);
});

test('below is by whole names', () => {
  expect(isBelow('/app/x', '/app')).toBe(true);
  expect(isBelow('/app', '/app')).toBe(true);
  expect(isBelow('/apple', '/app')).toBe(false);
  expect(isBelow('/x', '/')).toBe(true);
});
