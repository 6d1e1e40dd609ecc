import { PathIndex } from '../../../../src/core/tree/path-index.js';

const NO_BYTES = new Uint8Array(0);

/** A matcher for which "the path" is one wanted node. */
const wanting = (wanted: number) => ({ isPathOf: (id: number) => id === wanted });

test('finds what is there and nothing else, with hashes that collide and wrap around a segment', () => {
  const index = new PathIndex();
  const hashOf = (id: number) =>
    id % 3 === 0 ? -1 : id % 3 === 1 ? 0x1200_0000 + (id % 40) : Math.imul(id, 0x9e3779b1);
  const present = new Set<number>();
  for (let step = 0; step < 6000; step++) {
    const id = 1 + ((step * 7919) % 601);
    if (present.delete(id)) index.remove(hashOf(id), id);
    else {
      present.add(id);
      index.insert(hashOf(id), id);
    }
    if (step % 500 !== 0) continue;
    for (let other = 1; other <= 601; other++) {
      const found = index.find(hashOf(other), wanting(other), NO_BYTES, 0, 0);
      expect(found).toBe(present.has(other) ? other : 0);
    }
  }
});

test('refuses to remove what it does not hold', () => {
  const index = new PathIndex();
  index.insert(5, 1);
  expect(() => index.remove(5, 2)).toThrow('not in the path index');
});
