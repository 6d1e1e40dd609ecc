// Holds the walls of rules.ts: reads every source file and checks what it imports and how long it is.

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { EXCEPTIONS, FORBIDDEN, IMPURITIES, LAYERS, LINES_MAX, PURE_LAYERS } from './rules.js';

const ROOT = process.cwd();
const files = ['protocol', 'src'].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(ROOT, join(entry.parentPath ?? entry.path, entry.name))),
);

function importsOf(text: string): string[] {
  const pattern =
    /^\s*(?:import|export)\b[^'"]*?\bfrom\s*['"]([^'"]+)['"]|^\s*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm;
  return [...text.matchAll(pattern)].map((match) => (match[1] ?? match[2] ?? match[3]) as string);
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/.*$/gm, '');
}

const ruleOf = (file: string) => LAYERS.find(({ layer }) => file.startsWith(layer));

test('there is something to check', () => {
  expect(files.length).toBeGreaterThan(50);
});

test('every source file belongs to a layer', () => {
  expect(files.filter((file) => ruleOf(file) === undefined)).toEqual([]);
});

test.each(LAYERS.map((rule) => [rule.layer, rule] as const))('%s imports only what it may', (_layer, rule) => {
  const faults: string[] = [];
  for (const file of files.filter((name) => ruleOf(name) === rule)) {
    for (const target of importsOf(readFileSync(join(ROOT, file), 'utf8'))) {
      if (target.startsWith('.')) {
        const path = normalize(join(dirname(file), target));
        if (path.startsWith(rule.layer) || rule.mayImport.some((prefix) => path.startsWith(prefix))) continue;
        // A file of its own, such as logging.ts, is a layer beside the ones around it.
        if (path.replace(/\.js$/, '').startsWith(rule.layer)) continue;
      } else if (rule.mayUse.includes(target) || (target.startsWith('node:') && rule.mayUse.includes('node:*')))
        continue;
      faults.push(`${file} imports ${target}: ${rule.reason}`);
    }
  }
  expect(faults).toEqual([]);
});

test.each(IMPURITIES.map(({ pattern, reason }) => [pattern.source, pattern, reason] as const))(
  'the pure layers do not name %s',
  (_source, pattern, reason) => {
    const faults = files
      .filter((file) => PURE_LAYERS.some((layer) => file.startsWith(layer)))
      .filter((file) => pattern.test(withoutComments(readFileSync(join(ROOT, file), 'utf8'))))
      .map((file) => `${file}: ${reason}`);
    expect(faults).toEqual([]);
  },
);

test.each(FORBIDDEN.map(({ pattern, reason }) => [pattern.source, pattern, reason] as const))(
  'no source file has %s',
  (_source, pattern, reason) => {
    const faults = files
      .filter((file) => pattern.test(withoutComments(readFileSync(join(ROOT, file), 'utf8'))))
      .filter((file) => !(file in EXCEPTIONS))
      .map((file) => `${file}: ${reason}`);
    expect(faults).toEqual([]);
  },
);

test(`no source file is longer than ${LINES_MAX} lines`, () => {
  const long = files.filter((file) => readFileSync(join(ROOT, file), 'utf8').split('\n').length > LINES_MAX);
  expect(long).toEqual([]);
});
