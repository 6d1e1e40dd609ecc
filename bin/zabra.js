#!/usr/bin/env node
// Launcher of the command line. The program itself is compiled TypeScript in dist/.

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const program = new URL('../dist/src/cli/main.js', import.meta.url);

if (!existsSync(fileURLToPath(program))) {
  console.error('zabra is not built yet: run `npm ci && npm run build` in its directory, then try again.');
  process.exit(1);
}

const { main } = await import(program.href);
await main(process.argv.slice(2));
