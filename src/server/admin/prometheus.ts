// The figures of `mntr` in Prometheus' text format 0.0.4, under the names ZooKeeper's own exporter gives them: no `zk_`,
// a counter without suffix, a summary as `_count` and `_sum`, with quantiles where they are kept. What is not a number
// (version, state) is left out.

import { COUNTERS, gauges, PERCENTILE_SUMMARIES, SUMMARIES } from './mntr.js';
import type { ServerFacts } from './server-facts.js';

export const PROMETHEUS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** In the order of SummaryFacts.percentiles. */
const QUANTILES = ['0.5', '0.95', '0.99', '0.999'] as const;

/** All metrics of one server, one line each behind the line of its type. */
export function prometheusText(facts: ServerFacts): string {
  const { counters, summaries } = facts.metrics();
  const lines: string[] = [];
  for (const [name, value] of gauges(facts)) {
    const number = Number(value);
    if (Number.isFinite(number)) lines.push(`# TYPE ${name} gauge`, `${name} ${number}`);
  }
  for (const name of new Set([...COUNTERS, ...counters.keys()])) {
    lines.push(`# TYPE ${name} counter`, `${name} ${counters.get(name) ?? 0}`);
  }
  for (const name of new Set([...SUMMARIES, ...PERCENTILE_SUMMARIES, ...summaries.keys()])) {
    const { count = 0, sum = 0, percentiles } = summaries.get(name) ?? {};
    const quantiles = QUANTILES.flatMap((quantile, index) =>
      percentiles === undefined ? [] : [`${name}{quantile="${quantile}"} ${percentiles[index]}`],
    );
    lines.push(`# TYPE ${name} summary`, ...quantiles, `${name}_count ${count}`, `${name}_sum ${sum}`);
  }
  return lines.map((line) => `${line}\n`).join('');
}
