import { sealPage } from '../../../../src/core/tree/page-codec.js';
import type { CheckpointPage } from '../../../../src/core/tree/tree.js';
import { CheckpointError, NodeKind } from '../../../../src/core/tree/tree.js';
import { create, dump, loadTree, newTree, sliceOf, takeSlices, totals } from './fixture.js';

function sampleTree() {
  const tree = newTree();
  create(tree, '/a', { data: 'one', zxid: 2 ** 33 + 5, timeMs: 1_795_557_257_135 });
  for (let i = 0; i < 40; i++)
    create(tree, `/a/n${i}`, { data: i % 2 === 0 ? null : 'd'.repeat(i * 10), aclId: i % 3 });
  create(tree, '/e', { kind: NodeKind.ephemeral, ownerOrTtl: 2 ** 50 + 1 });
  create(tree, '/c', { kind: NodeKind.container });
  create(tree, '/t', { kind: NodeKind.ttl, ownerOrTtl: 2 ** 40 - 1 });
  tree.setData(tree.findText('/a'), sliceOf('two'), 2 ** 33 + 6, -1);
  tree.remove(tree.findText('/a/n3'), 2 ** 33 + 7);
  return tree;
}

function pagesOf(tree = sampleTree()): CheckpointPage[] {
  tree.beginCheckpoint();
  return takeSlices(tree);
}

test('a tree comes back equal, from its pages in any order', () => {
  const tree = sampleTree();
  const slotOfN3 = tree.findText('/a/n2') + 1; // free again
  const pages = pagesOf(tree);
  for (const order of [pages, [...pages].reverse()]) {
    const loaded = loadTree(order);
    expect(dump(loaded)).toEqual(dump(tree));
    expect(totals(loaded)).toEqual(totals(tree));
    expect(loaded.checkpointDirty).toBe(0);
    expect(create(loaded, '/a/more')).toBe(slotOfN3);
  }
});

test('only what changed is handed over, and a page that became empty has no bytes', () => {
  const tree = sampleTree();
  expect(pagesOf(tree).length).toBe(4);
  expect(pagesOf(tree)).toEqual([]);
  tree.setData(tree.findText('/a/n1'), sliceOf('new'), 9, 9);
  expect(pagesOf(tree).length).toBe(1);
  for (let i = 0; i < 40; i++) if (i !== 3) tree.remove(tree.findText(`/a/n${i}`), 10);
  const last = pagesOf(tree).find(({ page }) => page === 1);
  expect(last?.bytes.length).toBe(0);
});

test('the pages show the state at the beginning, whatever happens meanwhile', () => {
  const tree = sampleTree();
  const before = dump(tree);
  const digest = tree.digest();
  tree.beginCheckpoint();
  const pages = tree.nextCheckpointSlice(1);
  expect(pages.length).toBe(1);
  tree.setData(tree.findText('/a'), sliceOf('changed'), 20, 20);
  for (let i = 30; i < 40; i++) tree.remove(tree.findText(`/a/n${i}`), 21);
  create(tree, '/new', { zxid: 22 });
  tree.begin();
  create(tree, '/never', { zxid: 23 });
  tree.rollback();
  pages.push(...takeSlices(tree));
  const loaded = loadTree(pages);
  expect(dump(loaded)).toEqual(before);
  expect(loaded.digest()).toEqual(digest);
  // The next one brings it up to date.
  const stored = new Map([...pages, ...pagesOf(tree)].map((page) => [page.page, page]));
  expect(dump(loadTree(stored.values()))).toEqual(dump(tree));
});

test('an abandoned checkpoint counts as changed again, in full', () => {
  const tree = sampleTree();
  tree.beginCheckpoint();
  tree.nextCheckpointSlice(1);
  tree.setData(tree.findText('/t'), sliceOf('x'), 20, 20);
  tree.abandonCheckpoint();
  expect(tree.checkpointPending).toBe(0);
  for (const path of ['/a', '/c', '/t']) tree.setData(tree.findText(path), sliceOf('y'), 21, 21);
  expect(tree.checkpointDirty).toBe(4);
  expect(dump(loadTree(pagesOf(tree)))).toEqual(dump(tree));
  tree.abandonCheckpoint();
  expect(dump(loadTree(pagesOf(tree)))).toEqual(dump(tree));
});

test('markEverythingDirty asks for a full copy', () => {
  const tree = sampleTree();
  pagesOf(tree);
  tree.markEverythingDirty();
  expect(dump(loadTree(pagesOf(tree)))).toEqual(dump(tree));
});

describe('damaged bytes', () => {
  test('of any kind are noticed', () => {
    const [first, ...rest] = pagesOf();
    for (let at = 0; at < first.bytes.length; at += 7) {
      const bytes = first.bytes.slice();
      bytes[at] ^= 0x10;
      expect(() => loadTree([{ page: first.page, bytes }, ...rest])).toThrow('checksum');
    }
    for (const length of [1, 5, 6, first.bytes.length - 1]) {
      const bytes = first.bytes.slice(0, length);
      expect(() => loadTree([{ page: first.page, bytes }, ...rest])).toThrow(CheckpointError);
    }
  });

  test('a page under another number is noticed', () => {
    const [first, second, third] = pagesOf();
    expect(() => loadTree([first, { page: second.page, bytes: third.bytes }])).toThrow('checksum');
    expect(() => loadTree([{ page: -1, bytes: first.bytes }])).toThrow('out of range');
    expect(() => loadTree([first, first])).toThrow('loaded before');
  });

  test('missing pages leave orphans or no root', () => {
    const pages = pagesOf().sort((a, b) => a.page - b.page);
    expect(() => loadTree(pages.slice(1))).toThrow('the root is missing');
    expect(() => loadTree([])).toThrow('no page');
    const tree = newTree();
    for (let i = 0; i < 20; i++) create(tree, `/n${i}`);
    create(tree, '/n19/child');
    for (let i = 0; i < 10; i++) create(tree, `/n19/child/${i}`);
    const deep = pagesOf(tree);
    expect(() => loadTree(deep.filter(({ page }) => page !== 1))).toThrow('does not exist');
  });

  // Forged pages with a valid checksum: what is wrong with them is only what the case says.
  const NODE_BYTES = 80;
  const OWNER_AT = 40;
  const PARENT_AT = 64;
  const KIND_AT = 68;
  const NAME_LENGTH_AT = 72;
  const DATA_LENGTH_AT = 76;
  /** Nodes 1 to 7: /, /zookeeper, its quota, its config, /a, /a/b, /a/c; where each begins in the page. */
  function forge(change: (view: DataView, starts: number[]) => void) {
    const tree = newTree();
    create(tree, '/a');
    create(tree, '/a/b');
    create(tree, '/a/c');
    const [{ page, bytes }] = pagesOf(tree);
    const view = new DataView(bytes.buffer);
    const starts = [0];
    for (let at = 6; at < bytes.length; ) {
      starts.push(at);
      at +=
        NODE_BYTES + view.getInt32(at + NAME_LENGTH_AT, true) + Math.max(0, view.getInt32(at + DATA_LENGTH_AT, true));
    }
    expect(starts.length).toBe(8);
    change(view, starts);
    sealPage(page, bytes);
    return () => loadTree([{ page, bytes }]);
  }

  test.each<[string, string, (view: DataView, starts: number[]) => void]>([
    [
      'a cycle',
      '2 nodes are not connected',
      (view, starts) => {
        view.setInt32(starts[5] + PARENT_AT, 6, true);
        view.setInt32(starts[6] + PARENT_AT, 5, true);
        view.setInt32(starts[7] + PARENT_AT, 1, true);
      },
    ],
    [
      'a node that is its own parent',
      '1 nodes are not connected',
      (view, starts) => {
        view.setInt32(starts[7] + PARENT_AT, 7, true);
      },
    ],
    ['an orphan', 'parent 99, which does not exist', (view, starts) => view.setInt32(starts[7] + PARENT_AT, 99, true)],
    [
      'a second root',
      'parent 0, which does not exist',
      (view, starts) => view.setInt32(starts[5] + PARENT_AT, 0, true),
    ],
    ['a root with a parent', 'the root has a parent', (view, starts) => view.setInt32(starts[1] + PARENT_AT, 5, true)],
    ['an unknown kind', 'unknown kind 5', (view, starts) => view.setInt32(starts[7] + KIND_AT, 5, true)],
    [
      'a child of an ephemeral',
      'ephemeral node 5',
      (view, starts) => {
        view.setInt32(starts[5] + KIND_AT, NodeKind.ephemeral, true);
        view.setInt32(starts[5] + OWNER_AT, 1, true);
      },
    ],
    [
      'a negative name length',
      'negative length',
      (view, starts) => view.setInt32(starts[7] + NAME_LENGTH_AT, -1, true),
    ],
    ['a name beyond the end', 'ends inside', (view, starts) => view.setInt32(starts[7] + NAME_LENGTH_AT, 2, true)],
    [
      'data beyond the end',
      'ends inside',
      (view, starts) => view.setInt32(starts[7] + DATA_LENGTH_AT, 2 ** 31 - 1, true),
    ],
    ['bytes left over', 'bytes too many', (view) => view.setUint16(4, view.getUint16(4, true) & ~(1 << 7), true)],
    ['more nodes than bytes', 'ends inside', (view) => view.setUint16(4, 0xfffe, true)],
    ['a node in slot 0', 'slot 0', (view) => view.setUint16(4, view.getUint16(4, true) | 1, true)],
    [
      'two nodes of one name',
      'two nodes are called /a/b',
      (view, starts) => view.setUint8(starts[7] + NODE_BYTES, 0x62),
    ],
    ['a slash in a name', 'a slash in its name', (view, starts) => view.setUint8(starts[7] + NODE_BYTES, 0x2f)],
    ['no quota node', '/zookeeper/quota is missing', (view, starts) => view.setUint8(starts[3] + NODE_BYTES, 0x7a)],
  ])('%s is reported', (_what, message, change) => {
    const load = forge(change);
    expect(load).toThrow(CheckpointError);
    expect(load).toThrow(message);
  });
});
