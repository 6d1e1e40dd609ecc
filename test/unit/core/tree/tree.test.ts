import { JuteReader } from '../../../../protocol/jute/reader.js';
import { JuteWriter } from '../../../../protocol/jute/writer.js';
import { NO_NODE, NodeKind, ROOT } from '../../../../src/core/tree/tree.js';
import { create, encode, newTree, sliceOf, statOf, totals } from './fixture.js';

const EPOCH_3 = 3 * 2 ** 32;
const SESSION = 0x1_2345_6789_abcd;

describe('a fresh tree', () => {
  // As ZooKeeper 3.8.0 answered when asked (E27, E36).
  const nothing = {
    czxid: 0,
    mzxid: 0,
    ctime: 0,
    mtime: 0,
    version: 0,
    cversion: 0,
    aversion: 0,
    ephemeralOwner: 0,
    dataLength: 0,
    numChildren: 0,
    pzxid: 0,
  };
  test.each([
    ['/', { ...nothing, cversion: -1, numChildren: 1 }, 0],
    ['/zookeeper', { ...nothing, cversion: -2, numChildren: 2 }, 0],
    ['/zookeeper/quota', nothing, 0],
    ['/zookeeper/config', { ...nothing, aversion: -1 }, 1],
  ])('shows %s as ZooKeeper does', (path, stat, aclId) => {
    const tree = newTree();
    expect(statOf(tree, path)).toEqual(stat);
    expect(tree.dataCopy(tree.findText(path))).toEqual(new Uint8Array(0));
    expect(tree.aclId(tree.findText(path))).toBe(aclId);
  });

  test('counts as ZooKeeper does', () => {
    const tree = newTree();
    expect(tree.nodeCount).toBe(4);
    expect(tree.approximateDataSize).toBe(44);
    expect(tree.countDescendants(ROOT)).toBe(3);
    create(tree, '/a', { data: 'xyz' });
    create(tree, '/a/b', { data: null });
    create(tree, '/e', { data: '1' });
    expect(tree.approximateDataSize).toBe(56);
  });
});

describe('the Stat', () => {
  test('of a new node (E29), and what its parent shows (E26, E27, E28)', () => {
    const tree = newTree();
    create(tree, '/a', { data: 'abc', zxid: EPOCH_3 + 0xffff_fffe, timeMs: 1_795_557_257_135 });
    expect(statOf(tree, '/a')).toEqual({
      czxid: EPOCH_3 + 0xffff_fffe,
      mzxid: EPOCH_3 + 0xffff_fffe,
      pzxid: EPOCH_3 + 0xffff_fffe,
      ctime: 1_795_557_257_135,
      mtime: 1_795_557_257_135,
      version: 0,
      cversion: 0,
      aversion: 0,
      ephemeralOwner: 0,
      dataLength: 3,
      numChildren: 0,
    });
    expect(statOf(tree, '/')).toMatchObject({ cversion: 0, numChildren: 2, pzxid: EPOCH_3 + 0xffff_fffe, mzxid: 0 });
    expect(tree.storedCversion(ROOT)).toBe(1);
  });

  test('a time before 1970 stays what it is', () => {
    const tree = newTree();
    create(tree, '/a', { timeMs: -5 });
    expect(statOf(tree, '/a').ctime).toBe(-5);
    expect(tree.mtimeMs(tree.findText('/a'))).toBe(-5);
  });

  test('cversion counts creates and deletes, the sequence number only creates (E26, E27)', () => {
    const tree = newTree();
    const a = create(tree, '/a');
    create(tree, '/a/x', { zxid: 2 });
    const y = create(tree, '/a/y', { zxid: 3 });
    tree.remove(y, 4);
    expect(statOf(tree, '/a')).toMatchObject({ cversion: 3, numChildren: 1, pzxid: 4, mzxid: 1, version: 0 });
    expect(tree.storedCversion(a)).toBe(2);
  });

  test('pzxid: grandchildren and data do not move it, a late delete does not lower it (E28)', () => {
    const tree = newTree();
    create(tree, '/a', { zxid: 5 });
    const b = create(tree, '/a/b', { zxid: 6 });
    const c = create(tree, '/a/b/c', { zxid: 7 });
    tree.setData(b, sliceOf('x'), 8, 8);
    expect(statOf(tree, '/a').pzxid).toBe(6);
    tree.remove(c, 3);
    expect(statOf(tree, '/a/b').pzxid).toBe(7);
  });

  test('setData raises the version even for equal bytes, and moves mzxid and mtime only (E30)', () => {
    const tree = newTree();
    const a = create(tree, '/a', { data: 'same', zxid: 5, timeMs: 50 });
    tree.setData(a, sliceOf('same'), 6, 60);
    expect(statOf(tree, '/a')).toMatchObject({
      czxid: 5,
      mzxid: 6,
      ctime: 50,
      mtime: 60,
      pzxid: 5,
      version: 1,
      cversion: 0,
      aversion: 0,
    });
  });

  test('setAcl raises aversion only (E30)', () => {
    const tree = newTree();
    const a = create(tree, '/a', { zxid: 5, timeMs: 50 });
    const before = statOf(tree, '/a');
    tree.setAcl(a, 7);
    expect(statOf(tree, '/a')).toEqual({ ...before, aversion: 1 });
    expect(tree.aclId(a)).toBe(7);
  });

  test('a version runs over into the negative and skips -1 (E31)', () => {
    const tree = newTree();
    const a = create(tree, '/a');
    tree.setData(a, null, 2, 2, 2 ** 31 - 1);
    tree.setData(a, null, 3, 3);
    expect(tree.version(a)).toBe(-(2 ** 31));
    tree.setData(a, null, 4, 4, -2);
    tree.setData(a, null, 5, 5);
    expect(tree.version(a)).toBe(0);
  });

  test('the config node may be written with the fixed version -1 (E36)', () => {
    const tree = newTree();
    tree.setData(tree.findText('/zookeeper/config'), sliceOf('server.1=…'), 9, 0, -1);
    expect(statOf(tree, '/zookeeper/config')).toMatchObject({ version: -1, mzxid: 9, czxid: 0 });
  });

  test('shows the owner of ephemerals only, not of containers and TTL nodes (E32)', () => {
    const tree = newTree();
    const ttlMs = 2 ** 40 - 1;
    create(tree, '/e', { kind: NodeKind.ephemeral, ownerOrTtl: SESSION });
    create(tree, '/c', { kind: NodeKind.container });
    const t = create(tree, '/t', { kind: NodeKind.ttl, ownerOrTtl: ttlMs });
    expect(statOf(tree, '/e').ephemeralOwner).toBe(SESSION);
    expect(statOf(tree, '/c').ephemeralOwner).toBe(0);
    expect(statOf(tree, '/t').ephemeralOwner).toBe(0);
    expect(tree.ttlMs(t)).toBe(ttlMs);
    expect(tree.kind(t)).toBe(NodeKind.ttl);
  });
});

describe('data', () => {
  test.each(['', 'x', 'x'.repeat(100), 'y'.repeat(5000), 'z'.repeat(400_000)])(
    'of any size comes back (%#)',
    (text) => {
      const tree = newTree();
      const a = create(tree, '/a', { data: text });
      const b = create(tree, '/b', { data: 'short' });
      tree.setData(b, sliceOf(text), 2, 2);
      for (const id of [a, b]) {
        const writer = new JuteWriter();
        tree.writeData(id, writer);
        expect(Buffer.from(new JuteReader(writer.toBytes()).buffer() ?? []).equals(Buffer.from(text))).toBe(true);
        expect(tree.dataLength(id)).toBe(text.length);
        expect(tree.dataIsNull(id)).toBe(false);
      }
      expect(tree.pathText(b)).toBe('/b');
      totals(tree);
    },
  );

  test('null and empty stay distinct (E29)', () => {
    const tree = newTree();
    const a = create(tree, '/a', { data: null });
    const written = (id: number) => {
      const writer = new JuteWriter();
      tree.writeData(id, writer);
      return new JuteReader(writer.toBytes()).int();
    };
    expect(written(a)).toBe(-1);
    expect(tree.dataCopy(a)).toBeNull();
    tree.setData(a, sliceOf(''), 2, 2);
    expect(written(a)).toBe(0);
    expect(tree.dataCopy(a)).toEqual(new Uint8Array(0));
    tree.setData(a, null, 3, 3);
    expect(tree.dataIsNull(a)).toBe(true);
  });
});

describe('paths', () => {
  test('are found from the bytes of a frame, exactly', () => {
    const tree = newTree();
    const deep = ['/a', '/a/bé', '/a/bé/漢字', '/a/bé/漢字/x'].map((path) => create(tree, path)).at(-1);
    const frame = encode('__/a/bé/漢字/x__');
    expect(tree.find(frame, 2, frame.length - 2)).toBe(deep);
    for (const path of ['/a/bé/漢字/', '/a/bé/漢字/y', '/a/x', 'a', '/A', '//a', '/a/bé/漢字/x/x', '/a/']) {
      expect([path, tree.findText(path)]).toEqual([path, NO_NODE]);
    }
    expect(tree.findText('/')).toBe(ROOT);
    expect(tree.findText('')).toBe(ROOT);
    expect(tree.pathText(ROOT)).toBe('/');
    expect(tree.pathText(deep as number)).toBe('/a/bé/漢字/x');
    expect(Buffer.from(tree.pathBytes(deep as number)).toString()).toBe('/a/bé/漢字/x');
    expect(tree.nameText(deep as number)).toBe('x');
  });

  test('are compared in full, whatever their hashes', () => {
    const tree = newTree();
    create(tree, '/a');
    const id = create(tree, '/a/b');
    for (const path of ['/a/b', '/x/a/b', 'xa/b', 'a/b', '/axb', '/b', 'b', '/a/c', '/c/b', '']) {
      const bytes = encode(path);
      expect([path, tree.isPathOf(id, bytes, 0, bytes.length)]).toEqual([path, path === '/a/b']);
    }
  });

  test('longer than any buffer of ours are laid out whole', () => {
    const tree = newTree();
    let path = '';
    for (let i = 0; i < 200; i++) {
      path += `/${String(i).repeat(20)}`;
      create(tree, path);
    }
    const writer = new JuteWriter();
    tree.writePath(tree.findText(path), writer);
    expect(new JuteReader(writer.toBytes()).ustring()).toBe(path);
    expect(tree.countDescendants(tree.findText(path.slice(0, path.indexOf('/', 1))))).toBe(199);
  });

  test('stay found while others come and go', () => {
    const tree = newTree();
    const ids = new Map<string, number>();
    for (let i = 0; i < 3000; i++) ids.set(`/n${i}`, create(tree, `/n${i}`));
    for (const [path, id] of ids) expect(tree.findText(path)).toBe(id);
    for (const [path, id] of ids) {
      if (id % 2 === 0) continue;
      tree.remove(id, 9);
      ids.set(path, NO_NODE);
    }
    for (const [path, id] of ids) expect(tree.findText(path)).toBe(id);
  });
});

test('children are listed once each, and may be removed while visited', () => {
  const tree = newTree();
  const a = create(tree, '/a');
  for (const name of ['x', 'y', 'z', 'w']) create(tree, `/a/${name}`);
  tree.remove(tree.findText('/a/y'), 2);
  const writer = new JuteWriter();
  tree.writeChildNames(a, writer);
  const reader = new JuteReader(writer.toBytes());
  const names = Array.from({ length: reader.vectorLength() }, () => reader.ustring());
  expect(names.sort()).toEqual(['w', 'x', 'z']);
  tree.forEachChild(a, (child) => tree.remove(child, 3));
  expect(tree.childCount(a)).toBe(0);
  expect(tree.firstChild(a)).toBe(NO_NODE);
});

test('ephemerals are known by their session, containers and TTL nodes by their kind', () => {
  const tree = newTree();
  const mine = ['/a', '/b'].map((path) => create(tree, path, { kind: NodeKind.ephemeral, ownerOrTtl: SESSION }));
  create(tree, '/other', { kind: NodeKind.ephemeral, ownerOrTtl: 5 });
  const container = create(tree, '/c', { kind: NodeKind.container });
  const ttl = create(tree, '/t', { kind: NodeKind.ttl, ownerOrTtl: 1000 });
  expect([...tree.ephemeralsOf(SESSION)]).toEqual(mine);
  expect([...tree.expendables()]).toEqual([container, ttl]);
  expect(tree.ephemeralCount).toBe(3);
  for (const id of tree.ephemeralsOf(SESSION)) tree.remove(id, 2);
  tree.remove(ttl, 3);
  expect([...tree.sessionsWithEphemerals()]).toEqual([5]);
  expect([...tree.expendables()]).toEqual([container]);
  expect(tree.ephemeralCount).toBe(1);
});

describe('the digest', () => {
  test('is equal for equal trees, whatever the hash seed, the slots and the order of siblings', () => {
    const first = newTree(1);
    create(first, '/a');
    create(first, '/b', { zxid: 2 });
    const second = newTree(2);
    second.begin();
    create(second, '/b', { zxid: 2 });
    create(second, '/c', { zxid: 2 });
    second.rollback();
    create(second, '/a');
    create(second, '/b', { zxid: 2 });
    expect(second.digest()).toEqual(first.digest());
  });

  test.each<[string, Parameters<typeof create>[2]]>([
    ['data', { data: 'y' }],
    ['null data', { data: null }],
    ['the ACL', { aclId: 3 }],
    ['the kind', { kind: NodeKind.container }],
    ['the owner', { kind: NodeKind.ephemeral, ownerOrTtl: 1 }],
    ['the TTL', { kind: NodeKind.ttl, ownerOrTtl: 1 }],
    ['the low byte of a zxid', { zxid: 2 }],
    ['the epoch of a zxid', { zxid: 2 ** 32 + 1 }],
    ['a time', { timeMs: 2 }],
  ])('sees %s', (_what, options) => {
    const [plain, other] = [newTree(), newTree()];
    create(plain, '/a', { data: 'x' });
    create(other, '/a', { data: 'x', ...options });
    expect(other.digest().high).not.toBe(plain.digest().high);
    expect(other.digest().low).not.toBe(plain.digest().low);
  });

  test('sees a name, and the sequence number', () => {
    const trees = [newTree(), newTree(), newTree()];
    create(trees[0], '/a');
    create(trees[1], '/b');
    trees[2].remove(create(trees[2], '/x'), 1);
    create(trees[2], '/a');
    expect(new Set(trees.map((tree) => tree.digest().high)).size).toBe(3);
    expect(new Set(trees.map((tree) => tree.digest().low)).size).toBe(3);
  });
});

describe('a transaction', () => {
  test('leaves no trace when it is rolled back', () => {
    const tree = newTree();
    create(tree, '/a', { data: 'one' });
    create(tree, '/a/x');
    create(tree, '/e', { kind: NodeKind.ephemeral, ownerOrTtl: SESSION });
    const before = totals(tree);
    tree.begin();
    tree.setData(tree.findText('/a'), sliceOf('two'), 9, 9);
    create(tree, '/a/y', { zxid: 9, kind: NodeKind.ephemeral, ownerOrTtl: 77 });
    tree.remove(tree.findText('/a/x'), 9);
    create(tree, '/a/x', { data: 'again', zxid: 9 });
    tree.remove(tree.findText('/e'), 9);
    tree.setAcl(tree.findText('/a'), 4);
    tree.rollback();
    expect(totals(tree)).toEqual(before);
    expect(tree.findText('/a/y')).toBe(NO_NODE);
    expect(Buffer.from(tree.dataCopy(tree.findText('/a')) ?? []).toString()).toBe('one');
    expect([...tree.ephemeralsOf(SESSION)]).toEqual([tree.findText('/e')]);
  });

  test('costs no memory, however often it fails or succeeds', () => {
    const tree = newTree();
    const a = create(tree, '/a', { data: 'x'.repeat(1000) });
    const round = (end: () => void) => {
      tree.begin();
      tree.setData(a, sliceOf('y'.repeat(1000)), 2, 2);
      tree.remove(create(tree, '/a/gone', { data: 'z'.repeat(1000) }), 2);
      create(tree, '/a/new', { data: 'z'.repeat(1000) });
      end();
    };
    const once = () => {
      round(() => tree.rollback());
      round(() => tree.commit());
      tree.remove(tree.findText('/a/new'), 3);
    };
    once();
    const memory = tree.memoryBytes;
    for (let i = 0; i < 2000; i++) once();
    expect(tree.memoryBytes).toBe(memory);
  });

  test('does not nest, and must be open to be ended', () => {
    const tree = newTree();
    expect(() => tree.commit()).toThrow('no transaction');
    tree.begin();
    expect(() => tree.begin()).toThrow('open already');
    expect(() => tree.beginCheckpoint()).toThrow('transaction');
  });
});

test('what the caller must have checked is asserted', () => {
  const tree = newTree();
  create(tree, '/a');
  create(tree, '/a/b');
  expect(() => tree.remove(tree.findText('/a'), 2)).toThrow('has children');
  expect(() => tree.remove(ROOT, 2)).toThrow('remove');
  expect(() => tree.setData(99, null, 2, 2)).toThrow('no node');
  expect(() => create(tree, '/no/parent')).toThrow('no node');
});
