// The tree against a dumb twin: a Map of plain objects that does by the rules (E26-E32) what the tree does by words and
// blocks. Random changes, transactions that fail, and checkpoints begun and drained at random moments; after each run
// the tree, the twin and the tree loaded from the last checkpoint are compared node by node.
// Left out: sizes beyond some kilobytes and the wrap of version numbers, which the unit tests have.

import fc from 'fast-check';
import type { CheckpointPage, Tree } from '../../src/core/tree/tree.js';
import { NodeKind } from '../../src/core/tree/tree.js';
import { create, dump, loadTree, newTree, sliceOf, totals } from '../unit/core/tree/fixture.js';

interface TwinNode {
  data: string | null;
  czxid: number;
  mzxid: number;
  pzxid: number;
  ctime: number;
  mtime: number;
  version: number;
  aversion: number;
  storedCversion: number;
  kind: NodeKind;
  ownerOrTtl: number;
  aclId: number;
}

type Twin = Map<string, TwinNode>;

const parentOf = (path: string) => path.slice(0, path.lastIndexOf('/')) || '/';
const childrenOf = (twin: Twin, path: string) =>
  [...twin.keys()]
    .filter((other) => other !== '/' && parentOf(other) === path)
    .map((p) => p.slice(p.lastIndexOf('/') + 1));

function freshTwin(): Twin {
  const node = (aclId: number, aversion: number): TwinNode => ({
    ...{ data: '', czxid: 0, mzxid: 0, pzxid: 0, ctime: 0, mtime: 0, version: 0, aversion, storedCversion: 0 },
    ...{ kind: NodeKind.persistent, ownerOrTtl: 0, aclId },
  });
  return new Map([
    ['/', node(0, 0)],
    ['/zookeeper', node(0, 0)],
    ['/zookeeper/quota', node(0, 0)],
    ['/zookeeper/config', node(1, -1)],
  ]);
}

/** In the form of `dump`. */
function twinDump(twin: Twin): Record<string, unknown> {
  const entries = [...twin].map(([path, node]) => {
    const children = childrenOf(twin, path).sort();
    const isEphemeral = node.kind === NodeKind.ephemeral;
    const { data, czxid, mzxid, pzxid, ctime, mtime, version, aversion, storedCversion, kind, aclId } = node;
    return [
      path,
      {
        ...{ czxid, mzxid, ctime, mtime, version, aversion, pzxid, data, children, kind, aclId, storedCversion },
        cversion: 2 * storedCversion - children.length,
        ephemeralOwner: isEphemeral ? node.ownerOrTtl : 0,
        dataLength: data?.length ?? 0,
        numChildren: children.length,
        ttlMs: kind === NodeKind.ttl ? node.ownerOrTtl : 0,
        isExpendable: kind === NodeKind.container || kind === NodeKind.ttl,
        isOwned: isEphemeral,
      },
    ] as const;
  });
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

type Change =
  | { do: 'create'; under: number; name: string; data: string | null; kind: NodeKind; owner: number; aclId: number }
  | { do: 'remove'; node: number }
  | { do: 'setData'; node: number; data: string | null }
  | { do: 'setAcl'; node: number; aclId: number };

type Step =
  | Change
  | { do: 'multi'; changes: Change[]; fails: boolean }
  | { do: 'begin' }
  | { do: 'slice'; bytesMax: number };

/** Does the change to both, if it is one a caller might ask for. */
function apply(tree: Tree, twin: Twin, change: Change, zxid: number): void {
  const timeMs = zxid * 1000 - 5000;
  const paths = [...twin.keys()].sort();
  const pick = (n: number) => paths[n % paths.length];
  if (change.do === 'create') {
    const parent = pick(change.under);
    const path = `${parent === '/' ? '' : parent}/${change.name}`;
    const above = twin.get(parent) as TwinNode;
    if (twin.has(path) || above.kind === NodeKind.ephemeral) return;
    const { data, kind, aclId, owner: ownerOrTtl } = change;
    create(tree, path, { data, kind, aclId, ownerOrTtl, zxid, timeMs });
    twin.set(path, {
      ...{ data, kind, aclId, ownerOrTtl, czxid: zxid, mzxid: zxid, pzxid: zxid, ctime: timeMs, mtime: timeMs },
      ...{ version: 0, aversion: 0, storedCversion: 0 },
    });
    twin.set(parent, { ...above, storedCversion: above.storedCversion + 1, pzxid: zxid });
    return;
  }
  const path = pick(change.node);
  const node = twin.get(path) as TwinNode;
  if (change.do === 'remove') {
    if (path === '/' || path.startsWith('/zookeeper') || childrenOf(twin, path).length > 0) return;
    tree.remove(tree.findText(path), zxid);
    twin.delete(path);
    twin.set(parentOf(path), { ...(twin.get(parentOf(path)) as TwinNode), pzxid: zxid });
  } else if (change.do === 'setData') {
    tree.setData(tree.findText(path), sliceOf(change.data), zxid, timeMs);
    twin.set(path, { ...node, data: change.data, version: node.version + 1, mzxid: zxid, mtime: timeMs });
  } else {
    tree.setAcl(tree.findText(path), change.aclId);
    twin.set(path, { ...node, aclId: change.aclId, aversion: node.aversion + 1 });
  }
}

const anyNode = fc.nat(1000);
const anyData = fc.oneof(
  fc.constant(null),
  fc.stringMatching(/^[a-z]{0,12}$/),
  fc.nat(6000).map((length) => 'x'.repeat(length)),
);
const anyAcl = fc.nat(3);
const anyChange: fc.Arbitrary<Change> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('create' as const),
      under: anyNode,
      name: fc.stringMatching(/^[a-e]{1,2}$/),
      data: anyData,
      kind: fc.constantFrom(...Object.values(NodeKind)),
      owner: fc.constantFrom(1, 2, 2 ** 39 + 7),
      aclId: anyAcl,
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('remove' as const), node: anyNode }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('setData' as const), node: anyNode, data: anyData }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('setAcl' as const), node: anyNode, aclId: anyAcl }) },
);
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: anyChange },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('multi' as const),
      changes: fc.array(anyChange, { maxLength: 8 }),
      fails: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'begin' as const }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('slice' as const), bytesMax: fc.nat(9000) }) },
);

test('does what its dumb twin does, under failing transactions and checkpoints', () => {
  fc.assert(
    fc.property(fc.array(anyStep, { minLength: 20, maxLength: 150, size: 'max' }), (steps) => {
      const tree = newTree();
      const twin = freshTwin();
      const stored = new Map<number, CheckpointPage>();
      let atBegin: { nodes: unknown; totals: unknown } | null = null;
      const take = (bytesMax: number) => {
        for (const page of tree.nextCheckpointSlice(bytesMax)) stored.set(page.page, page);
        if (atBegin === null || tree.checkpointPending > 0) return;
        const loaded = loadTree(stored.values());
        expect(dump(loaded)).toEqual(atBegin.nodes);
        expect(totals(loaded)).toEqual(atBegin.totals);
        atBegin = null;
      };
      for (const [i, step] of steps.entries()) {
        const zxid = 2 ** 32 + i;
        if (step.do === 'begin') {
          if (atBegin !== null) continue;
          tree.beginCheckpoint();
          atBegin = { nodes: twinDump(twin), totals: totals(tree) };
        } else if (step.do === 'slice') {
          take(step.bytesMax);
        } else if (step.do === 'multi') {
          const attempt = step.fails ? new Map(twin) : twin;
          tree.begin();
          for (const change of step.changes) apply(tree, attempt, change, zxid);
          if (step.fails) tree.rollback();
          else tree.commit();
        } else {
          apply(tree, twin, step, zxid);
        }
        expect(tree.nodeCount).toBe(twin.size);
      }
      while (tree.checkpointPending > 0) take(1000);
      expect(dump(tree)).toEqual(twinDump(twin));
      totals(tree);
    }),
    { numRuns: 40 },
  );
});
