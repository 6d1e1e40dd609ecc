/** The rules of paths (E35), for text and for bytes, and what is made of paths. */
import fc from 'fast-check';
import { utf8Encode } from '../../../protocol/jute/utf8.js';
import { baseName, isValidPathBytes, parentPath, pathFault, sequenceSuffix } from '../../../protocol/path.js';

const VALID = [
  '/',
  '/a',
  '/a/b/c',
  '/.a',
  '/a.',
  '/..a',
  '/a..b',
  '/...',
  '/a/.../b',
  '/ ',
  '/a b',
  '/\u00a0',
  '/ä/€',
  '/\ud7ff',
  '/\uf900',
  '/\uffef',
  '/~!@#$%^&*()',
];
const INVALID = [
  '',
  'a',
  'a/b',
  '/a/',
  '//',
  '//a',
  '/a//b',
  '/.',
  '/..',
  '/a/.',
  '/a/..',
  '/./a',
  '/a/../b',
  '/a\u0000',
  '/\u0001',
  '/\u001f',
  '/\u007f',
  '/\u0080',
  '/\u009f',
  '/\ud800',
  '/\ue000',
  '/\uf8ff',
  '/\ufff0',
  '/\ufffd',
  '/\uffff',
  '/😀',
];

function inBytes(path: string): boolean {
  const bytes = utf8Encode(`xx${path}yy`);
  return isValidPathBytes(bytes, 2, bytes.length - 2);
}

test.each(VALID)('%j is a path', (path) => {
  expect(pathFault(path)).toBeNull();
  expect(inBytes(path)).toBe(true);
});

test.each(INVALID)('%j is none', (path) => {
  expect(pathFault(path)).not.toBeNull();
  expect(inBytes(path)).toBe(false);
});

test('text and bytes agree on everything', () => {
  const element = fc.oneof(
    fc.constantFrom('.', '..', '', 'a', '\u0001', 'ä', '\ue000'),
    fc.string({ unit: 'binary', maxLength: 3 }),
  );
  fc.assert(
    fc.property(fc.array(element, { maxLength: 4 }), (elements) => {
      const path = `/${elements.join('/')}`;
      expect(inBytes(path)).toBe(pathFault(path) === null);
    }),
    { numRuns: 1000 },
  );
});

test('parent and name', () => {
  expect(['/', '/a', '/a/b', '/a/b/c'].map(parentPath)).toEqual(['/', '/', '/a', '/a/b']);
  expect(['/', '/a', '/a/b', '/a/b/c'].map(baseName)).toEqual(['', 'a', 'b', 'c']);
});

test.each([
  [0, '0000000000'],
  [7, '0000000007'],
  [2_147_483_647, '2147483647'],
  [2_147_483_648, '-2147483648'],
  [-1, '-000000001'],
])('the suffix of %i is %s (E26)', (sequence, suffix) => {
  expect(sequenceSuffix(sequence)).toBe(suffix);
});
