import fc from 'fast-check';
import { parseJvmFlags, splitShellWords } from '../../../../src/server/config/jvm-flags.js';
import { editDistance, nearestName } from '../../../../src/server/config/nearest.js';
import { parseProperties } from '../../../../src/server/config/properties.js';

/** [text, expected as key=value pairs with their lines] */
const CASES: readonly [string, string, readonly [number, string, string][]][] = [
  ['comments and blanks', '# a\n! b\n\n  \t\nx=1\n', [[5, 'x', '1']]],
  [
    'three separators',
    'a=1\nb: 2\nc 3\nd\t=\t4',
    [
      [1, 'a', '1'],
      [2, 'b', '2'],
      [3, 'c', '3'],
      [4, 'd', '4'],
    ],
  ],
  ['only the first separator cuts', 'a=b=c:d', [[1, 'a', 'b=c:d']]],
  [
    'CRLF and CR',
    'a=1\r\nb=2\rc=3',
    [
      [1, 'a', '1'],
      [2, 'b', '2'],
      [3, 'c', '3'],
    ],
  ],
  [
    'continuation keeps the first line number',
    'a=1,\\\n   2\nb=3',
    [
      [1, 'a', '1,2'],
      [3, 'b', '3'],
    ],
  ],
  ['a comment sign inside a continuation is text', 'a=1\\\n#2', [[1, 'a', '1#2']]],
  [
    'an escaped backslash does not continue',
    'a=C:\\\\\nb=2',
    [
      [1, 'a', 'C:\\'],
      [2, 'b', '2'],
    ],
  ],
  ['escapes', 'a\\ b\\=c=\\u00e9\\t\\x', [[1, 'a b=c', 'é\tx']]],
  [
    'a key alone, and an empty value',
    'a\nb=',
    [
      [1, 'a', ''],
      [2, 'b', ''],
    ],
  ],
  ['trailing blanks of a value go', 'dataDir=/var/lib  ', [[1, 'dataDir', '/var/lib']]],
  ['a byte order mark is no part of the key', '\uFEFFa=1', [[1, 'a', '1']]],
  ['a backslash at the very end', 'a=1\\', [[1, 'a', '1']]],
];

describe('properties', () => {
  test.each(CASES)('%s', (_, text, expected) => {
    expect(parseProperties(text).map(({ line, key, value }) => [line, key, value])).toEqual(expected);
  });

  test('no text makes it throw', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('\\', '=', ':', '\n', '\r', 'u', '0', ' ', '#', 'a') }), (text) => {
        expect(Array.isArray(parseProperties(text))).toBe(true);
      }),
    );
  });
});

describe('JVM flags', () => {
  test('words are split as a shell does', () => {
    expect(splitShellWords(`-Xmx2g  "-Da=b c" -Dd='e "f"' -Dg=h\\ i "-Dj=\\"k\\""`)).toEqual([
      '-Xmx2g',
      '-Da=b c',
      '-Dd=e "f"',
      '-Dg=h i',
      '-Dj="k"',
    ]);
  });

  test('-D words are options, others are skipped', () => {
    const { properties, skipped } = parseJvmFlags('-Xmx1g -Dzookeeper.snapCount=5 -server -Djute.maxbuffer=0x1000');
    expect(properties).toEqual([
      { key: 'zookeeper.snapCount', value: '5' },
      { key: 'jute.maxbuffer', value: '0x1000' },
    ]);
    expect(skipped).toEqual(['-Xmx1g', '-server']);
  });
});

describe('nearest name', () => {
  test('distance counts single-letter edits and swaps', () => {
    expect(editDistance('tickTime', 'tickTime')).toBe(0);
    expect(editDistance('tikcTime', 'tickTime')).toBe(1);
    expect(editDistance('snapCont', 'snapCount')).toBe(1);
    expect(editDistance('', 'abc')).toBe(3);
  });

  test('case does not matter, and the far-fetched is not suggested', () => {
    expect(nearestName('maxclientcnxn', ['maxClientCnxns', 'maxCnxns'])).toBe('maxClientCnxns');
    expect(nearestName('qqqqqqqq', ['tickTime', 'dataDir'])).toBeUndefined();
  });
});
