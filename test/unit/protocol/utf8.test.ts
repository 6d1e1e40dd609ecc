/** Our UTF-8 against the platform's. */
import fc from 'fast-check';
import { utf8Decode, utf8Encode, utf8Length } from '../../../protocol/jute/utf8.js';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
/** Any UTF-16 at all, with surrogates that are alone more often than not. */
const anyText = fc
  .array(
    fc.oneof(
      fc.integer({ min: 0, max: 0xffff }),
      fc.integer({ min: 0xd7f0, max: 0xe010 }),
      fc.integer({ min: 0x20, max: 0x7f }),
    ),
  )
  .map((units) => String.fromCharCode(...units));
const goodText = fc.string({ unit: 'binary' });

test('encoding equals TextEncoder, lone surrogates included', () => {
  fc.assert(
    fc.property(fc.oneof(anyText, goodText), (text) => {
      const expected = encoder.encode(text);
      expect(utf8Encode(text)).toEqual(expected);
      expect(utf8Length(text)).toBe(expected.length);
    }),
  );
});

test('what was encoded comes back', () => {
  fc.assert(fc.property(goodText, (text) => expect(utf8Decode(utf8Encode(text))).toBe(text)));
});

test('any bytes decode as TextDecoder has it, up to how many U+FFFD stand for one fault', () => {
  const byte = fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0xe0, 0xed, 0xf0, 0xf4, 0x80, 0xbf, 0xc1));
  const collapse = (text: string) => text.replace(/\ufffd+/g, '\ufffd');
  fc.assert(
    fc.property(fc.array(byte), (bytes) => {
      const array = new Uint8Array(bytes);
      expect(collapse(utf8Decode(array))).toBe(collapse(decoder.decode(array)));
    }),
    { numRuns: 2000 },
  );
});

test('a part of an array, and a text longer than a chunk', () => {
  const long = 'aä€😀'.repeat(5000);
  expect(utf8Decode(utf8Encode(long))).toBe(long);
  const bytes = utf8Encode('/äb/c');
  expect(utf8Decode(bytes, 1, 4)).toBe('äb');
});
