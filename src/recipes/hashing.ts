// Rendezvous hashing: every pair of a key and a candidate has a weight that all compute alike, and the candidate with the
// highest weight has the key. When a candidate comes or goes, only the keys that it gets or had move.

/** A number from 0 to 2^32 − 1: FNV-1a over both texts, mixed, since neighbouring texts would have neighbouring hashes. */
function weightOf(key: string, candidate: string): number {
  let hash = 0x811c9dc5;
  for (const text of [candidate, '\0', key]) {
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** The candidates, the one with the highest weight for the key first. */
export function ranked(key: string, candidates: readonly string[]): string[] {
  return candidates
    .map((candidate) => ({ candidate, weight: weightOf(key, candidate) }))
    .sort((a, b) => b.weight - a.weight || (a.candidate < b.candidate ? -1 : 1))
    .map(({ candidate }) => candidate);
}
