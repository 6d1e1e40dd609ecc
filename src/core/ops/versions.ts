// Compare-and-set: a request names the version it expects, or -1 for any (E31).

const ANY_VERSION = -1;

export function isExpectedVersion(current: number, expected: number): boolean {
  return expected === ANY_VERSION || expected === current;
}
