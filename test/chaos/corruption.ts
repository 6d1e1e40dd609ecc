/**
 * Changes single bytes of a database, one after the other, and looks at what a server would serve of each: exactly what was
 * stored, or nothing, with an error. Anything else is a failure. What a server refuses `zabra verify` has to find as well.
 *
 *   node dist/test/chaos/corruption.js [--stride N] [--seed N]
 *
 * Takes every N-th byte (default 7) of the database, of its write-ahead log and of the witness of its end; what a byte
 * becomes is drawn. Works on the storage itself, without a process for each of the many thousand cases.
 */
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { examineDatabase } from '../../src/server/storage/index.js';
import { Random } from '../../src/std/random.js';
import { ALL, build, copy, FILE, outcome, served, TAIL, WAL } from '../unit/server/storage/damaged-copies.js';
import { newDirectory, removeDirectories } from '../unit/server/storage/fixtures.js';

const { values } = parseArgs({
  options: { stride: { type: 'string', default: '7' }, seed: { type: 'string', default: '1' } },
});

interface Counts {
  changed: number;
  harmless: number;
  refused: number;
  wrong: number;
  /** Refused by a server, and nothing found by verify. */
  missed: number;
}

function sweep(source: string, name: string, expected: string, random: Random): Counts {
  const counts: Counts = { changed: 0, harmless: 0, refused: 0, wrong: 0, missed: 0 };
  const stride = Number(values.stride);
  const image = readFileSync(join(source, name));
  const directory = newDirectory();
  const restore = (bytes: Uint8Array) => {
    for (const file of ALL) rmSync(join(directory, file), { force: true });
    for (const file of ALL) {
      if (file === name) writeFileSync(join(directory, file), bytes);
      else if (source === live || file !== WAL) copyFileSync(join(source, file), join(directory, file));
    }
  };
  for (let offset = random.int(Math.min(stride, image.length)); offset < image.length; offset += stride) {
    const bytes = Buffer.from(image);
    bytes[offset] ^= 1 + random.int(255);
    restore(bytes);
    const result = outcome(directory, expected);
    counts.changed++;
    if (result === 'harmless') counts.harmless++;
    else if (result === 'DAMAGED' || result === 'VERSION') {
      counts.refused++;
      restore(bytes);
      if (examineDatabase(directory).problems.length === 0) {
        counts.missed++;
        console.log(`${name} byte ${offset}: refused, and verify finds nothing`);
      }
    } else {
      counts.wrong++;
      console.log(`${name} byte ${offset}: ${result}`);
    }
  }
  return counts;
}

const { closed, live } = build();
const expected = served(copy(closed));
const random = new Random(Number(values.seed));
let failures = 0;
console.log('| file | bytes changed | harmless | refused | served wrongly | missed by verify |');
console.log('| --- | ---: | ---: | ---: | ---: | ---: |');
for (const [what, source, name] of [
  ['database, closed', closed, FILE],
  ['database, with a write-ahead log', live, FILE],
  ['write-ahead log', live, WAL],
  ['witness of the end', live, TAIL],
] as const) {
  const { changed, harmless, refused, wrong, missed } = sweep(source, name, expected, random);
  failures += wrong + missed;
  console.log(`| ${what} | ${changed} | ${harmless} | ${refused} | ${wrong} | ${missed} |`);
}
removeDirectories();
process.exitCode = failures > 0 ? 1 : 0;
