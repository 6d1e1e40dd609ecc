// Path rules (E35; PathUtils.java). A path is checked before it is stamped into the log, so that nothing reaches the
// log that cannot be applied. Checked on UTF-16 units, as Java does it: that is what forbids emoji.

import { utf8Decode } from './jute/utf8.js';

const SLASH = 0x2f;
const DOT = 0x2e;

/** What is wrong with a path, or null when it is valid. */
export function pathFault(path: string): string | null {
  if (path.length === 0) return 'the path is empty';
  if (path.charCodeAt(0) !== SLASH) return 'the path does not start with /';
  if (path.length === 1) return null;
  if (path.charCodeAt(path.length - 1) === SLASH) return 'the path ends with /';
  let elementStart = 1;
  for (let i = 1; i <= path.length; i++) {
    const unit = i < path.length ? path.charCodeAt(i) : SLASH;
    if (unit === SLASH) {
      const length = i - elementStart;
      if (length === 0) return `an element is empty at character ${i}`;
      if (length === 1 && path.charCodeAt(i - 1) === DOT) return `the element . at character ${i - 1}`;
      if (length === 2 && path.charCodeAt(i - 1) === DOT && path.charCodeAt(i - 2) === DOT) {
        return `the element .. at character ${i - 2}`;
      }
      elementStart = i + 1;
    } else if (isForbidden(unit)) {
      return `the character U+${unit.toString(16).toUpperCase().padStart(4, '0')} at ${i} is not allowed`;
    }
  }
  return null;
}

function isForbidden(unit: number): boolean {
  return unit < 0x20 || (unit >= 0x7f && unit <= 0x9f) || (unit >= 0xd800 && unit <= 0xf8ff) || unit >= 0xfff0;
}

/** pathFault for a path that stands in bytes[start, end) as UTF-8. ASCII, the rule, makes no string. */
export function isValidPathBytes(bytes: Uint8Array, start: number, end: number): boolean {
  if (end <= start || bytes[start] !== SLASH) return false;
  if (end - start === 1) return true;
  if (bytes[end - 1] === SLASH) return false;
  let elementStart = start + 1;
  for (let i = start + 1; i <= end; i++) {
    const byte = i < end ? bytes[i] : SLASH;
    if (byte === SLASH) {
      const length = i - elementStart;
      if (length === 0) return false;
      if (length <= 2 && bytes[i - 1] === DOT && (length === 1 || bytes[i - 2] === DOT)) return false;
      elementStart = i + 1;
    } else if (byte < 0x20 || byte === 0x7f) return false;
    else if (byte >= 0x80) return pathFault(utf8Decode(bytes, start, end)) === null;
  }
  return true;
}

/** The parent of a valid path; the root is its own parent. */
export function parentPath(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash <= 0 ? '/' : path.slice(0, slash);
}

/** The last element of a valid path; empty for the root. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The suffix of a sequential node: a signed 32-bit number in ten digits (E26), as Java's %010d prints it. */
export function sequenceSuffix(sequence: number): string {
  const value = sequence | 0;
  return value < 0 ? `-${String(-value).padStart(9, '0')}` : String(value).padStart(10, '0');
}
