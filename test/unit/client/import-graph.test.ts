// What comes with `import … from 'zabra'`: nothing but the client, the wire and Node's own modules. No package, so no
// native code, neither in the files of the SDK nor in what its worker thread loads.

import { existsSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';

const ROOT = process.cwd();
const IMPORT = /(?:\bfrom\s*|\bimport\s*\(?\s*|new URL\(\s*)['"]([^'"]+)['"]/g;

/** Every file and module that is reached from `entry`, following compiled code. */
function reached(entry: string): { files: string[]; modules: Set<string> } {
  const files = new Set<string>();
  const modules = new Set<string>();
  const open = [resolve(ROOT, entry)];
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (files.has(file)) continue;
    files.add(file);
    for (const [, target] of withoutComments(readFileSync(file, 'utf8')).matchAll(IMPORT)) {
      if (target.startsWith('.')) open.push(resolve(dirname(file), target));
      else modules.add(target);
    }
  }
  return { files: [...files].map((file) => relative(ROOT, file)), modules };
}

function withoutComments(code: string): string {
  return code.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
}

test('the SDK needs no package, and no file outside of the client, the wire and the small tools', () => {
  const { files, modules } = reached('dist/src/client/index.js');
  expect(
    files.filter((file) => !/^dist\/(src\/client|src\/std|protocol\/(client|jute|[a-z]+\.js))/.test(file)),
  ).toEqual([]);
  expect([...modules].filter((name) => !isBuiltin(name))).toEqual([]);
  // The walk has seen the parts that matter, the worker thread among them.
  for (const part of ['session-machine', 'connection', 'worker-session', 'worker-thread']) {
    expect(files).toContain(`dist/src/client/${part}.js`);
  }
});

test('the walk finds what it looks for', () => {
  expect(reached('dist/src/server/index.js').modules).toContain('winston');
});

test('the entry point of the package is that file', () => {
  const { exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  expect(exports['.'].default).toBe('./dist/src/client/index.js');
  expect(existsSync(join(ROOT, exports['.'].default))).toBe(true);
});
