import { AssertionFailure, assert } from '../../../src/std/assert.js';

test('assert passes what holds and throws an AssertionFailure with the message for what does not', () => {
  assert(true, 'never seen');
  expect(() => assert(false, 'epoch went back')).toThrow(new AssertionFailure('epoch went back'));
  expect(new AssertionFailure('x')).toBeInstanceOf(Error);
});
