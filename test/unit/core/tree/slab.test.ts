import { blockBytesOf, SHARED_BLOCK_BYTES_MAX, Slab, sizeClassOf } from '../../../../src/core/tree/slab.js';

test('a size class holds what is put into it, and no smaller class would', () => {
  for (let length = 1; length <= SHARED_BLOCK_BYTES_MAX; length += length < 2000 ? 1 : 997) {
    const sizeClass = sizeClassOf(length);
    expect(blockBytesOf(sizeClass)).toBeGreaterThanOrEqual(length);
    if (sizeClass > 0) expect(blockBytesOf(sizeClass - 1)).toBeLessThan(length);
  }
  expect(blockBytesOf(sizeClassOf(SHARED_BLOCK_BYTES_MAX))).toBe(SHARED_BLOCK_BYTES_MAX);
});

test('live blocks never overlap, through many rounds of taking and giving back', () => {
  const slab = new Slab();
  const live: { block: number; length: number; mark: number }[] = [];
  let state = 1;
  const random = (below: number) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const expectIntact = ({ block, length, mark }: { block: number; length: number; mark: number }) => {
    const start = slab.offsetOf(block);
    const content = slab.bytesOf(block).subarray(start, start + length);
    expect(content.length).toBe(length);
    expect(content.every((byte) => byte === mark)).toBe(true);
  };
  for (let round = 0; round < 4000; round++) {
    if (live.length > 0 && random(100) < 48) {
      const [gone] = live.splice(random(live.length), 1);
      expectIntact(gone);
      slab.release(gone.block);
    } else {
      const length = 1 + random([20, 300, 3000, 300_000][random(20) < 19 ? random(3) : 3]);
      const taken = { block: slab.allocate(length), length, mark: random(256) };
      const start = slab.offsetOf(taken.block);
      slab.bytesOf(taken.block).fill(taken.mark, start, start + length);
      live.push(taken);
    }
  }
  live.forEach(expectIntact);
});

test('memory is given back: pages of their own at once, shared ones when they are empty', () => {
  const slab = new Slab();
  const large = slab.allocate(SHARED_BLOCK_BYTES_MAX + 1);
  expect(slab.memoryBytes).toBeGreaterThan(SHARED_BLOCK_BYTES_MAX);
  slab.release(large);
  expect(slab.memoryBytes).toBe(0);

  const blocks = Array.from({ length: 50_000 }, () => slab.allocate(100));
  const full = slab.memoryBytes;
  expect(full).toBeLessThan(50_000 * 112 + 2 * 2 ** 20);
  for (const block of blocks) slab.release(block);
  expect(slab.memoryBytes).toBeLessThanOrEqual(2 ** 20);
  // And what was given to one size can be had by another.
  const others = Array.from({ length: 20_000 }, () => slab.allocate(200));
  expect(new Set(others).size).toBe(20_000);
});

test('only a block of equal size may be written over', () => {
  const slab = new Slab();
  const block = slab.allocate(100);
  expect(slab.fits(block, 97)).toBe(true);
  expect(slab.fits(block, 112)).toBe(true);
  expect(slab.fits(block, 96)).toBe(false);
  expect(slab.fits(block, 113)).toBe(false);
  const large = slab.allocate(1_000_000);
  expect(slab.fits(large, 900_000)).toBe(true);
  expect(slab.fits(large, 1_000_001)).toBe(false);
  expect(slab.fits(large, 400_000)).toBe(false);
  expect(slab.fits(0, 1)).toBe(false);
});
