/**
 * The soak of the SDK, for as long as one likes. Ends with 1 when anything was wrong.
 *
 *   npm run build && node dist/test/soak/main.js [--minutes 10] [--seed 1]
 */
import { parseArgs } from 'node:util';
import { heapGrowthBytes, runSoak } from './soak.js';

const MIB = 1_048_576;
/** Half a MiB a minute would be a leak of some dozen bytes a call. */
const HEAP_GROWTH_BYTES_MAX = 2 * MIB;
const SAMPLES = 60;

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string', default: '1' } },
});
const durationMs = Number(values.minutes) * 60_000;
console.log(`${values.minutes} minutes, seed ${values.seed}`); // also opens the output before handles are counted
const { samples, faults, leftHandles } = await runSoak({
  durationMs,
  sampleMs: durationMs / SAMPLES,
  seed: Number(values.seed),
  onSample: ({ elapsedMs, heapBytes, counts }) => {
    const figures = Object.entries(counts).map(([name, count]) => `${count} ${name}`);
    console.log(`${Math.round(elapsedMs / 1000)} s  heap ${(heapBytes / MIB).toFixed(1)} MiB  ${figures.join(', ')}`);
  },
});
const growthBytes = heapGrowthBytes(samples);
console.log(`heap: ${(growthBytes / MIB).toFixed(2)} MiB more in the last third than in the second`);
console.log(`handles left: ${leftHandles.join(', ') || 'none'}`);
console.log(
  `faults: ${faults.length}${faults
    .slice(0, 10)
    .map((fault) => `\n  ${fault}`)
    .join('')}`,
);
if (growthBytes > HEAP_GROWTH_BYTES_MAX || leftHandles.length > 0 || faults.length > 0) process.exitCode = 1;
