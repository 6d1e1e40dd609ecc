/** From pages and a header back to the same world, or not at all. */
import { encodeHeader } from '../../../src/core/checkpointing.js';
import { WorldLoader } from '../../../src/core/loading.js';
import type { World } from '../../../src/core/ops/operation.js';
import type { CheckpointPage } from '../../../src/core/tree/tree.js';
import { TestWorld } from '../../helpers/world.js';

function copyOf(world: World, zxid: number): { pages: CheckpointPage[]; header: Uint8Array } {
  const header = encodeHeader(world, zxid);
  world.tree.beginCheckpoint();
  const pages: CheckpointPage[] = [];
  while (world.tree.checkpointPending > 0) {
    pages.push(...world.tree.nextCheckpointSlice(4096).map(({ page, bytes }) => ({ page, bytes: bytes.slice() })));
  }
  return { pages, header };
}

/** A world with some of everything, and pages enough that one may be missing. */
function populated(): { pages: CheckpointPage[]; header: Uint8Array; world: World; zxid: number } {
  const test = new TestWorld();
  test.world.sessions.add({ id: 7, timeoutMs: 1000, password: new Uint8Array(16) });
  for (let i = 0; i < 300; i++) test.create(`/n${i}`, new Uint8Array(200).fill(i));
  test.create('/e', null, 1);
  test.create('/secret', null, 0, [{ perms: 1, id: { scheme: 'digest', id: 'ann:x' } }]);
  return { ...copyOf(test.world, test.zxid), world: test.world, zxid: test.zxid };
}

function load(pages: readonly CheckpointPage[], header: Uint8Array) {
  const loader = new WorldLoader(5);
  for (const page of pages) loader.page(page);
  return loader.finish(header);
}

test('the same nodes, ACLs, sessions and digest, whatever order the pages come in', () => {
  const { pages, header, world, zxid } = populated();
  expect(pages.length).toBeGreaterThan(3);
  for (const order of [pages, [...pages].reverse()]) {
    const loaded = load(order, header);
    expect(loaded.zxid).toBe(zxid);
    expect(loaded.world.tree.digest()).toEqual(world.tree.digest());
    expect(loaded.world.tree.nodeCount).toBe(world.tree.nodeCount);
    expect(loaded.world.sessions.encode()).toEqual(world.sessions.encode());
    expect(loaded.world.tree.ephemeralCount).toBe(1);
    expect(encodeHeader(loaded.world, zxid)).toEqual(header);
  }
});

test('pages and header that do not belong together are refused', () => {
  const { pages, header, world, zxid } = populated();
  expect(() => load(pages.slice(0, -1), header)).toThrow();
  expect(() => load([], header)).toThrow();
  const later = new TestWorld();
  later.create('/secret', null, 0, [{ perms: 1, id: { scheme: 'digest', id: 'ann:x' } }]);
  expect(() => load(pages, encodeHeader(later.world, zxid))).toThrow('digest');
  expect(world.tree.nodeCount).toBeGreaterThan(300);
});

test('bytes that are no header are refused', () => {
  const { pages, header } = populated();
  expect(() => load(pages, new Uint8Array(3))).toThrow();
  expect(() => load(pages, header.subarray(0, 30))).toThrow();
  const future = header.slice();
  future[3] = 99;
  expect(() => load(pages, future)).toThrow('version 99');
});
