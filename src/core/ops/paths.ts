// What operations ask of a path as it stands in a request. Most of them check less than the rules for paths say,
// because ZooKeeper looks nodes up before it has checked the whole path, and the first check that fails decides the
// answer (E35, E40): `/a//b` is a missing parent, not a bad path.

import type { Slice } from '../../../protocol/jute/slice.js';
import { isValidPathBytes } from '../../../protocol/path.js';

const SLASH = 0x2f;
const SPECIAL_PATHS: ReadonlySet<string> = new Set(['/', '/zookeeper', '/zookeeper/quota', '/zookeeper/config']);
const SPECIAL_LENGTH_MAX = Math.max(...[...SPECIAL_PATHS].map((path) => path.length));

export function isValidPath(path: Slice): boolean {
  return isValidPathBytes(path.bytes, path.start, path.end);
}

/** Where the last slash stands in `path.bytes`, or -1. The parent's path ends there; that of the root is empty. */
export function lastSlash({ bytes, start, end }: Slice): number {
  for (let at = end - 1; at >= start; at--) if (bytes[at] === SLASH) return at;
  return -1;
}

/** U+0000, the one character that ZooKeeper looks for before everything else. */
export function hasNul({ bytes, start, end }: Slice): boolean {
  for (let at = start; at < end; at++) if (bytes[at] === 0) return true;
  return false;
}

/** The nodes that always exist and cannot be deleted (E36). */
export function isSpecialPath(path: Slice): boolean {
  return path.length <= SPECIAL_LENGTH_MAX && SPECIAL_PATHS.has(path.text());
}
