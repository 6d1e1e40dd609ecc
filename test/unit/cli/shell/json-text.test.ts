import fc from 'fast-check';
import { prettyJson } from '../../../../src/cli/shell/json-text.js';
import { COLOURED, PLAIN } from '../../../../src/cli/shell/output.js';

test('laid out as JSON.stringify does it', () => {
  fc.assert(
    fc.property(fc.oneof(fc.array(fc.jsonValue()), fc.dictionary(fc.string(), fc.jsonValue())), (value) => {
      expect(prettyJson(JSON.stringify(value), PLAIN)?.join('\n')).toBe(JSON.stringify(value, null, 2));
    }),
  );
});

test('what a parser would change stays as it is', () => {
  const text = '{"n":12345678901234567890,"n":1.0e2,"s":"\\u00e9"}';
  expect(prettyJson(text, PLAIN)).toEqual([
    '{',
    '  "n": 12345678901234567890,',
    '  "n": 1.0e2,',
    '  "s": "\\u00e9"',
    '}',
  ]);
});

test.each(['', 'on', '12', '"text"', '{"a":', '[1] x', '{a:1}'])('%j is no JSON to lay out', (text) => {
  expect(prettyJson(text, PLAIN)).toBeUndefined();
});

test('colours tell names, texts and other values apart', () => {
  expect(prettyJson('{"a":["b",1]}', COLOURED)).toEqual([
    '{',
    '  \x1b[36m"a"\x1b[0m: [',
    '    \x1b[32m"b"\x1b[0m,',
    '    \x1b[33m1\x1b[0m',
    '  ]',
    '}',
  ]);
});
