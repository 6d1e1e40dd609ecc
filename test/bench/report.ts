/** Medians, ratios and the table. */
import type { BigFigures } from './big.js';
import type { SubjectName } from './subjects.js';
import type { Outcome, Row } from './workloads.js';

/** Above this the generator, not the server, may have been the limit. */
const GENERATOR_BUSY_MAX = 0.9;

/** All rounds of one row, by server. A round that failed is null. */
export interface RowResult {
  readonly row: Row;
  readonly outcomes: Record<SubjectName, (Outcome | null)[]>;
}

export interface Line {
  readonly name: string;
  readonly unit: string;
  readonly zabra: number | undefined;
  readonly zookeeper: number | undefined;
  readonly lessIsBetter: boolean;
  readonly remark: string;
}

/** Makes lines of one figure of each subject's. */
export function lineMaker<Figures>(results: ReadonlyMap<SubjectName, Figures>) {
  const zabra = results.get('zabra');
  const zookeeper = results.get('zookeeper');
  return (name: string, unit: string, figure: (figures: Figures) => number, remark = ''): Line => ({
    name,
    unit,
    zabra: zabra && figure(zabra),
    zookeeper: zookeeper && figure(zookeeper),
    lessIsBetter: unit === 'ms',
    remark,
  });
}

export function median(values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** How much better the first is than the second; above 1 it is better. */
export function ratio({
  zabra,
  zookeeper,
  lessIsBetter,
}: Pick<Line, 'zabra' | 'zookeeper' | 'lessIsBetter'>): number | undefined {
  if (zabra === undefined || zookeeper === undefined) return undefined;
  return lessIsBetter ? zookeeper / zabra : zabra / zookeeper;
}

export function rowLine({ row, outcomes }: RowResult): Line {
  const figures = (name: SubjectName) =>
    median(outcomes[name].flatMap((outcome) => (outcome === null ? [] : (row.figure(outcome) ?? []))));
  const zabra = outcomes.zabra.filter((outcome) => outcome !== null);
  const failed = outcomes.zabra.length - zabra.length;
  const remarks = [];
  if (failed > 0) remarks.push(`${failed} of ${outcomes.zabra.length} rounds failed`);
  if (zabra.some(({ errors }) => errors > 0)) remarks.push('errors');
  if (zabra.some(({ generatorBusy }) => generatorBusy > GENERATOR_BUSY_MAX)) remarks.push('generator at its limit');
  return {
    name: row.name,
    unit: row.unit,
    zabra: figures('zabra'),
    zookeeper: figures('zookeeper'),
    lessIsBetter: row.unit === 'µs',
    remark: remarks.join(', '),
  };
}

export function bigLines(big: ReadonlyMap<SubjectName, BigFigures>): Line[] {
  const zabra = big.get('zabra');
  const zookeeper = big.get('zookeeper');
  const line = (name: string, unit: string, figure: (figures: BigFigures) => number | undefined): Line => ({
    name,
    unit,
    zabra: zabra && figure(zabra),
    zookeeper: zookeeper && figure(zookeeper),
    lessIsBetter: unit !== '/s',
    remark: '',
  });
  return [
    line('big: creates', '/s', ({ createsPerSec }) => createsPerSec),
    line('big: resident memory', 'MiB', ({ residentMiB }) => residentMiB),
    line('big: resident, restarted', 'MiB', ({ residentRestartedMiB }) => median(residentRestartedMiB)),
    line('big: restart', 'ms', ({ restartMs }) => median(restartMs)),
  ];
}

export function formatTable(lines: readonly Line[]): string {
  const rows = lines.map((line) => {
    const better = ratio(line)?.toFixed(2) ?? '-';
    return [line.name, figureText(line.zabra), figureText(line.zookeeper), line.unit, better, line.remark];
  });
  const table = [['', 'zabra', 'zookeeper', '', 'ratio', ''], ...rows];
  const widths = [24, 12, 12, 4, 7, 0];
  return table
    .map((cells) =>
      cells
        .map((cell, i) => (i === 0 || i === 3 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
        .join(' ')
        .trimEnd(),
    )
    .join('\n');
}

/** Geometric mean and worst of the ratios, in a sentence. */
export function summarize(lines: readonly Line[]): string {
  const ratios = lines.flatMap((line) => {
    const value = ratio(line);
    return value === undefined ? [] : [{ name: line.name, value }];
  });
  if (ratios.length === 0) return 'no ratios: only one server was measured';
  const mean = Math.exp(ratios.reduce((sum, { value }) => sum + Math.log(value), 0) / ratios.length);
  const worst = ratios.reduce((least, one) => (one.value < least.value ? one : least));
  return `${ratios.length} ratios, geometric mean ${mean.toFixed(2)}, worst ${worst.value.toFixed(2)} (${worst.name})`;
}

function figureText(value: number | undefined): string {
  if (value === undefined) return '-';
  return value < 100 ? value.toFixed(1) : String(Math.round(value));
}
