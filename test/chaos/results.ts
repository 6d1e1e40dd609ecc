/** The results of a run: a table of faults and workloads. */
import type { Outcome } from './episode.js';
import { SERVICE } from './episode.js';
import { WORKLOADS } from './workloads/index.js';

interface Row {
  runs: number;
  outageMs: number;
  violations: number;
  readonly operations: Map<string, number>;
  readonly violationsOf: Map<string, number>;
  /** With how often it was made. */
  readonly remarks: Map<string, number>;
}

export class Results {
  private readonly rows = new Map<string, Row>();

  add(fault: string, { operations, violations, outageMs, remarks }: Outcome): void {
    const row = this.rows.get(fault) ?? {
      runs: 0,
      outageMs: 0,
      violations: 0,
      operations: new Map(),
      violationsOf: new Map(),
      remarks: new Map(),
    };
    this.rows.set(fault, row);
    row.runs++;
    row.outageMs = Math.max(row.outageMs, outageMs);
    for (const [name, count] of operations) row.operations.set(name, (row.operations.get(name) ?? 0) + count);
    for (const [name, { length }] of violations) {
      row.violations += length;
      row.violationsOf.set(name, (row.violationsOf.get(name) ?? 0) + length);
    }
    for (const remark of remarks) row.remarks.set(remark, (row.remarks.get(remark) ?? 0) + 1);
  }

  get violations(): number {
    return [...this.rows.values()].reduce((sum, { violations }) => sum + violations, 0);
  }

  get operations(): number {
    const counts = [...this.rows.values()].flatMap(({ operations }) => [...operations.values()]);
    return counts.reduce((sum, count) => sum + count, 0);
  }

  /** In Markdown: operations that were answered, and what was wrong of them in brackets where there was something. */
  table(): string {
    const names = WORKLOADS.map(({ name }) => name);
    const head = ['fault', 'runs', ...names, 'violations', 'no write for'];
    const lines = [...this.rows].map(([fault, row]) => {
      const cells = names.map((name) => {
        const wrong = row.violationsOf.get(name) ?? 0;
        return `${row.operations.get(name) ?? 0}${wrong > 0 ? ` (${wrong})` : ''}`;
      });
      const inService = row.violationsOf.get(SERVICE) ?? 0;
      const all = `${row.violations}${inService > 0 ? ` (${inService} of the service)` : ''}`;
      return [fault, String(row.runs), ...cells, all, `${(row.outageMs / 1000).toFixed(2)} s`];
    });
    const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
    const rule = line(head.map((_, i) => (i === 0 ? '---' : '---:')));
    const remarks = [...this.rows].flatMap(([fault, row]) =>
      [...row.remarks].map(([text, times]) => `${fault}: ${text} (${times} of ${row.runs})`),
    );
    return [line(head), rule, ...lines.map(line), ...(remarks.length > 0 ? ['', ...remarks] : [])].join('\n');
  }
}
