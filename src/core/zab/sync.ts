// Where the histories of a learner and its leader part (E81). An epoch has one leader, so logs of one epoch are prefixes of
// each other, and an entry that both have means that both have all before it. The learner names the ends of its log, one
// for each epoch it has entries of and last the one up to which it has executed; the leader compares each, newest first,
// with the nearest end of its own. The point that is found is exact: what the learner removes is in nobody's history, so
// nothing that was ever acknowledged is taken back, not even until it is sent again.

import { epochOf } from '../../../protocol/ids.js';

/**
 * Whether `nearest`, the leader's greatest end of a batch at or before the learner's end, is where they part. If not, all
 * that the learner has of that epoch is unknown to the leader, and the end of an earlier epoch has to be tried.
 */
export function partsAt(learnersEnd: number, nearest: number): boolean {
  return nearest === learnersEnd || epochOf(nearest) === epochOf(learnersEnd);
}
