// How a learner comes to have its leader's history (E81). What it has up to its committed zxid is history for certain;
// what it has after that may not be. Zxids decide, because an epoch has one leader and logs of one epoch are prefixes of
// each other: a zxid that both have means the same entries up to there.

import { epochOf } from '../../../protocol/ids.js';
import type { History } from './history.js';

/** Where a learner stands. */
export interface Position {
  /** End of its log. */
  readonly lastZxid: number;
  /** What it knows to be committed, the end of a batch. */
  readonly committedZxid: number;
}

export type Sync =
  /** Send what comes after `afterZxid`, once it has removed what it has after that, if anything. */
  | { readonly kind: 'diff'; readonly afterZxid: number; readonly truncate: boolean }
  /** Too far back for what is kept in memory: look on disk whether one of these zxids is in the log. */
  | { readonly kind: 'search'; readonly position: Position };

export function chooseSync(position: Position, history: History): Sync {
  const { lastZxid, committedZxid } = position;
  if (history.has(lastZxid)) return { kind: 'diff', afterZxid: lastZxid, truncate: false };
  const common = history.endBefore(Math.min(lastZxid, history.lastZxid));
  // Within an epoch the shorter log is a prefix of the longer one; across epochs nothing is known (E81 (3)).
  if (common !== null && common > committedZxid && epochOf(common) === epochOf(lastZxid)) {
    return { kind: 'diff', afterZxid: common, truncate: true };
  }
  if (history.has(committedZxid)) return { kind: 'diff', afterZxid: committedZxid, truncate: true };
  return { kind: 'search', position };
}
