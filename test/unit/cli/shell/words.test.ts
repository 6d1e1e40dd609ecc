import fc from 'fast-check';
import { isUnfinished, quoted, splitWords } from '../../../../src/cli/shell/words.js';

const texts = (line: string) => splitWords(line).words.map(({ text }) => text);

test.each<[string, string[]]>([
  ['', []],
  ['   ', []],
  ['ls /', ['ls', '/']],
  ['  get\t-s  /a\r\n', ['get', '-s', '/a']],
  ['set /a "two words"', ['set', '/a', 'two words']],
  ['set /a \'it "is"\'', ['set', '/a', 'it "is"']],
  ['set /a ""', ['set', '/a', '']],
  ['set /a {"a":1}', ['set', '/a', '{"a":1}']],
  ["set /a it's", ['set', '/a', "it's"]],
  ['set /a "a \\"b\\" \\\\ \\n"', ['set', '/a', 'a "b" \\ \\n']],
  ["set /a 'a\\'", ['set', '/a', 'a\\']],
  ['set /a c:\\temp', ['set', '/a', 'c:\\temp']],
  ['"a""b"', ['a', 'b']],
])('%j', (line, expected) => {
  expect(texts(line)).toEqual(expected);
  expect(splitWords(line).openQuote).toBeUndefined();
});

test('an open quote is told, with its word', () => {
  expect(splitWords('set /a "tw')).toEqual({
    words: [
      { text: 'set', start: 0 },
      { text: '/a', start: 4 },
      { text: 'tw', start: 7 },
    ],
    openQuote: '"',
  });
  expect(splitWords("'").openQuote).toBe("'");
});

test('whatever is quoted comes back as it was', () => {
  const quoted = (text: string) => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
  fc.assert(
    fc.property(fc.array(fc.string()), (words) => {
      expect(texts(words.map(quoted).join(' '))).toEqual(words);
    }),
  );
});

test('a line goes on where a quote is open, but not behind the sign of a remark', () => {
  expect(isUnfinished('set /a "one')).toBe(true);
  expect(isUnfinished('set /a "one\ntwo"')).toBe(false);
  expect(isUnfinished(' # it is "open')).toBe(false);
  expect(isUnfinished("set /a it's")).toBe(false);
});

test('a quoted word is read back as it was', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(texts(`get ${quoted(text)}`)).toEqual(['get', text]);
    }),
  );
  expect(quoted('/plain')).toBe('/plain');
});
