/** The scheme `ensemble`: clients that mean another ensemble are turned away, the others gain nothing (E45). */
import { createAuthenticate } from '../../../src/server/auth.js';
import { EnsembleAuth } from '../../../src/server/ensemble-auth.js';

const bytes = (text: string) => new Uint8Array(Buffer.from(text));
const digest = { superDigest: null, digestAlgorithm: 'SHA1', digestEnabled: true };

test('one of the names, or none, is let in without an identity; another name is refused', () => {
  const ensemble = new EnsembleAuth(['red', 'rot']);
  const authenticate = createAuthenticate({ ...digest, ensemble });
  expect(authenticate('ensemble', bytes('red'))).toEqual([]);
  expect(authenticate('ensemble', bytes('rot'))).toEqual([]);
  expect(authenticate('ensemble', bytes(''))).toEqual([]);
  expect(authenticate('ensemble', bytes('blue'))).toBeNull();
  expect(authenticate('ensemble', bytes('red,rot'))).toBeNull();
  expect(authenticate('digest', bytes('a:b'))).toHaveLength(1);
  expect([ensemble.successes, ensemble.skips, ensemble.failures]).toEqual([2, 1, 2]);
});

test('where no name is configured the scheme is unknown', () => {
  const authenticate = createAuthenticate({ ...digest, ensemble: new EnsembleAuth([]) });
  expect(authenticate('ensemble', bytes('red'))).toBeNull();
  expect(authenticate('ensemble', bytes(''))).toBeNull();
  expect(createAuthenticate(digest)('ensemble', bytes('red'))).toBeNull();
});
