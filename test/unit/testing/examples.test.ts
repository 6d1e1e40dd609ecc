/** The examples for users' own tests, run as they say. The one for vitest is run by hand: it is no dependency of ours. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const TIMEOUT_MS = 60_000;
const { NODE_OPTIONS: _, NODE_TEST_CONTEXT: __, ...env } = process.env;

test(
  'node:test',
  async () => {
    const { stdout } = await run(process.execPath, ['--test', 'examples/testing/node.test.mjs'], { env });
    expect(stdout).toMatch(/^# pass 3$/m);
    expect(stdout).toMatch(/^# fail 0$/m);
  },
  TIMEOUT_MS,
);

test(
  'jest',
  async () => {
    const jest = 'node_modules/jest/bin/jest.js';
    const args = ['--experimental-vm-modules', jest, '--config', 'examples/testing/jest.config.json'];
    const { stderr } = await run(process.execPath, args, { env });
    expect(stderr).toMatch(/Tests: +1 passed, 1 total/);
  },
  TIMEOUT_MS,
);
