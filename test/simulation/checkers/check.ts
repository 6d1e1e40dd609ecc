/** A rule that was broken in a simulated run, with what there is to see of it. */
export class Violation extends Error {
  override readonly name = 'Violation';

  constructor(rule: string, details: unknown) {
    super(`${rule}: ${JSON.stringify(details, readable)}`);
  }
}

function readable(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value;
}

export function check(holds: boolean, rule: string, details: () => unknown): void {
  if (!holds) throw new Violation(rule, details());
}

export function equalBytes(a: Uint8Array | null, b: Uint8Array | null): boolean {
  if (a === null || b === null) return a === b;
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
