// Quotas (E99). They live in the tree itself, below /zookeeper/quota and under the path they are for:
//
//   /zookeeper/quota/app/zookeeper_limits    count=1000,bytes=-1=;byteHardLimit=5000000;countHardLimit=-1
//   /zookeeper/quota/app/zookeeper_stats     count=17,bytes=2048
//
// A path has a quota while its limits node exists. Every change below a path with a quota, the path itself included,
// updates the stats node of the nearest one, its data only: no version, no time and no watch tells of it. Soft limits
// are for people to look at; hard ones are enforced, where the entry says so.
//
// This table knows only *which* paths have a quota, so that a tree without quotas pays nothing. All figures are in the
// nodes, and what they say is whatever somebody has written there: text that makes no sense counts as no limit.
// ZooKeeper itself falls over a quota for `/`; here one has no effect.

import { Slice } from '../../../protocol/jute/slice.js';
import { utf8Decode, utf8Encode } from '../../../protocol/jute/utf8.js';
import { parentPath } from '../../../protocol/path.js';
import { assert } from '../../std/assert.js';
import { NO_NODE, type NodeId, type Tree } from './tree.js';

const QUOTA_ROOT = '/zookeeper/quota';
const LIMITS_NAME = 'zookeeper_limits';
const STATS_NAME = 'zookeeper_stats';

/** What a limits or stats node says; -1 is no limit. */
export interface QuotaFigures {
  readonly count: number;
  readonly bytes: number;
  readonly countHardLimit: number;
  readonly byteHardLimit: number;
}

export class QuotaTable {
  private readonly paths = new Set<string>();
  /** While a transaction is open: what was added to or removed from `paths`. */
  private journal: { readonly path: string; readonly added: boolean }[] | null = null;

  get isEmpty(): boolean {
    return this.paths.size === 0;
  }

  /** The paths that have a quota. */
  [Symbol.iterator](): IterableIterator<string> {
    return this.paths.values();
  }

  /** Call when a node has been created. */
  created(tree: Tree, node: NodeId, name: Uint8Array, nameStart: number, nameEnd: number): void {
    // Only two names matter; their lengths tell almost all others apart.
    const length = nameEnd - nameStart;
    if (length === LIMITS_NAME.length || length === STATS_NAME.length) this.noteQuotaNode(tree, node, name, nameStart);
    if (this.paths.size > 0) this.add(tree, tree.pathText(node), 1, tree.dataLength(node));
  }

  private noteQuotaNode(tree: Tree, node: NodeId, name: Uint8Array, nameStart: number): void {
    if (name[nameStart] !== LIMITS_NAME.charCodeAt(0)) return;
    const path = tree.pathText(node);
    const limited = limitedPath(path, LIMITS_NAME);
    if (limited !== null) this.put(limited);
    const counted = limitedPath(path, STATS_NAME);
    if (counted !== null) recount(tree, node, counted);
  }

  /** Call before a node is removed. */
  removing(tree: Tree, node: NodeId): void {
    if (this.paths.size === 0) return;
    const path = tree.pathText(node);
    const limited = limitedPath(path, LIMITS_NAME);
    if (limited !== null && this.paths.delete(limited)) this.journal?.push({ path: limited, added: false });
    this.add(tree, path, -1, -tree.dataLength(node));
  }

  /** Call when a node's data has grown by `byteDelta`, which may be negative. */
  dataChanged(tree: Tree, node: NodeId, byteDelta: number): void {
    if (this.paths.size > 0) this.add(tree, tree.pathText(node), 0, byteDelta);
  }

  /** Whether a hard limit forbids that the node at `path` comes into being (1) or grows (0) by so many bytes. */
  forbids(tree: Tree, path: Slice, countDelta: number, byteDelta: number): boolean {
    if (this.paths.size === 0) return false;
    const limited = this.nearest(path.text());
    if (limited === null) return false;
    const limits = quotaFigures(tree, limited, 'limits');
    const stats = quotaFigures(tree, limited, 'stats');
    if (limits === null || stats === null) return false;
    return (
      (countDelta !== 0 && limits.countHardLimit > -1 && stats.count + countDelta > limits.countHardLimit) ||
      (byteDelta !== 0 && limits.byteHardLimit > -1 && stats.bytes + byteDelta > limits.byteHardLimit)
    );
  }

  /** Finds the quotas of a tree that was loaded from a checkpoint. */
  rebuild(tree: Tree): void {
    assert(this.journal === null, 'rebuilding inside of a transaction');
    this.paths.clear();
    const pending = [tree.findText(QUOTA_ROOT)];
    for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
      if (node === NO_NODE) continue;
      tree.forEachChild(node, (child) => {
        pending.push(child);
        if (tree.nameText(child) !== LIMITS_NAME) return;
        const limited = limitedPath(tree.pathText(child), LIMITS_NAME);
        if (limited !== null) this.paths.add(limited);
      });
    }
  }

  begin(): void {
    assert(this.journal === null, 'a transaction is open already');
    this.journal = [];
  }

  commit(): void {
    assert(this.journal !== null, 'no transaction is open');
    this.journal = null;
  }

  rollback(): void {
    assert(this.journal !== null, 'no transaction is open');
    for (const { path, added } of this.journal.reverse()) {
      if (added) this.paths.delete(path);
      else this.paths.add(path);
    }
    this.journal = null;
  }

  private put(path: string): void {
    if (this.paths.has(path)) return;
    this.paths.add(path);
    this.journal?.push({ path, added: true });
  }

  /** The path itself or its nearest ancestor that has a quota. */
  private nearest(path: string): string | null {
    for (let at = path; at !== '/'; at = parentPath(at)) if (this.paths.has(at)) return at;
    return null;
  }

  private add(tree: Tree, path: string, countDelta: number, byteDelta: number): void {
    const limited = this.nearest(path);
    if (limited === null || (countDelta === 0 && byteDelta === 0)) return;
    const node = tree.findText(`${QUOTA_ROOT}${limited}/${STATS_NAME}`);
    if (node === NO_NODE) return;
    const fields = parseFields(tree, node);
    fields.set('count', String(numberIn(fields, 'count') + countDelta));
    fields.set('bytes', String(numberIn(fields, 'bytes') + byteDelta));
    replaceData(tree, node, fields);
  }
}

/** The limits of a path with a quota, or its stats; null when there is no such node. */
export function quotaFigures(tree: Tree, path: string, which: 'limits' | 'stats'): QuotaFigures | null {
  const name = which === 'limits' ? LIMITS_NAME : STATS_NAME;
  const node = tree.findText(`${QUOTA_ROOT}${path}/${name}`);
  if (node === NO_NODE) return null;
  const fields = parseFields(tree, node);
  return {
    count: numberIn(fields, 'count'),
    bytes: numberIn(fields, 'bytes'),
    countHardLimit: numberIn(fields, 'countHardLimit'),
    byteHardLimit: numberIn(fields, 'byteHardLimit'),
  };
}

/** `/app` for /zookeeper/quota/app/<name>; null for every other path, and for a quota of the root. */
function limitedPath(path: string, name: string): string | null {
  if (!path.startsWith(`${QUOTA_ROOT}/`) || !path.endsWith(`/${name}`)) return null;
  const limited = path.slice(QUOTA_ROOT.length, path.length - name.length - 1);
  return limited === '' ? null : limited;
}

/** A new stats node shows what is there already, whatever it was created with. */
function recount(tree: Tree, statsNode: NodeId, path: string): void {
  let count = 0;
  let bytes = 0;
  const pending = [tree.findText(path)];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (node === NO_NODE) continue;
    count++;
    bytes += tree.dataLength(node);
    tree.forEachChild(node, (child) => void pending.push(child));
  }
  const fields = new Map([
    ['count', String(count)],
    ['bytes', String(bytes)],
  ]);
  replaceData(tree, statsNode, fields);
}

/** `key=value` parts between commas and semicolons; a second `=` and what follows it means nothing. */
function parseFields(tree: Tree, node: NodeId): Map<string, string> {
  const data = tree.dataCopy(node);
  const fields = new Map<string, string>();
  if (data === null) return fields;
  for (const part of utf8Decode(data).split(/[,;]+/)) {
    const [key, value] = part.split('=');
    if (value !== undefined) fields.set(key.trim(), value.trim());
  }
  return fields;
}

function numberIn(fields: ReadonlyMap<string, string>, key: string): number {
  const text = fields.get(key);
  return text !== undefined && /^[+-]?[0-9]{1,19}$/.test(text) ? Number(text) : -1;
}

/** Writes the fields as ZooKeeper does, and changes nothing else of the node's Stat but its length. */
function replaceData(tree: Tree, node: NodeId, fields: ReadonlyMap<string, string>): void {
  const rest = [...fields.keys()].filter((key) => key !== 'count' && key !== 'bytes').sort();
  let text = `count=${fields.get('count')},bytes=${fields.get('bytes')}`;
  if (rest.length > 0) text += `=${rest.map((key) => `;${key}=${fields.get(key)}`).join('')}`;
  tree.setData(node, new Slice(utf8Encode(text)), tree.mzxid(node), tree.mtimeMs(node), tree.version(node));
}
