// Who should have which partition. All members compute the same from the same list of members, evenly, and so that few
// partitions move when a member comes or goes.

import { ranked } from '../hashing.js';

/**
 * The partitions of each member: their numbers differ by 1 at most. A partition goes to the member with the highest
 * weight for it that is not full; a member is full with the even share, and a few may have one more when it does not come
 * out even.
 */
export function assign(members: readonly string[], partitions: number): Map<string, number[]> {
  const assigned = new Map<string, number[]>(members.map((id) => [id, []]));
  const share = Math.floor(partitions / members.length);
  let extras = partitions % members.length;
  for (let index = 0; members.length > 0 && index < partitions; index++) {
    for (const id of ranked(String(index), members)) {
      const own = assigned.get(id) ?? [];
      if (own.length > share || (own.length === share && extras === 0)) continue;
      if (own.length === share) extras--;
      own.push(index);
      break;
    }
  }
  return assigned;
}
