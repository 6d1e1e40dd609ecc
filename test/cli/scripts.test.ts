// Scripted sessions of the real shell on the real server. A pair <name>.script / <name>.expected is one test.
//
// To record anew: ZABRA_RECORD_EXPECTED=1, and read the difference before it is kept.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { jest } from '@jest/globals';
import type { ServerUnderTest } from '../helpers/processes.js';
import { startZabra } from '../helpers/zabra-server.js';
import { transcript } from './run-cli.js';

// Each command is a process of its own, which takes a while to start on a machine that is busy.
jest.setTimeout(60_000);

const SCRIPTS = resolve('test/cli/scripts');
const ZKCLI = resolve('test/interop/zkcli');
const recording = process.env.ZABRA_RECORD_EXPECTED === '1';
const names = readdirSync(SCRIPTS)
  .filter((file) => file.endsWith('.script'))
  .map((file) => file.slice(0, -'.script'.length));

let server: ServerUnderTest;
beforeEach(async () => {
  server = await startZabra();
}, 60_000);
afterEach(() => server[Symbol.asyncDispose]());

test.each(names)('%s', async (name) => {
  const text = await transcript(server.address, readFileSync(join(SCRIPTS, `${name}.script`), 'utf8'));
  const expectedFile = join(SCRIPTS, `${name}.expected`);
  if (recording) writeFileSync(expectedFile, text);
  expect(text).toBe(existsSync(expectedFile) ? readFileSync(expectedFile, 'utf8') : '');
});

// What zkCli.sh prints, recorded from it for the interop suite. We say more in two places only: what to try, and that an
// unknown scheme was refused.
test.each(['nodes', 'acl'])('the same as zkCli.sh: %s', async (name) => {
  const text = await transcript(server.address, readFileSync(join(ZKCLI, `${name}.script`), 'utf8'));
  const comparable = text.replaceAll(/ \(try: .*\)$/gm, '').replaceAll(/^Authentication failed\n/gm, '');
  expect(comparable).toBe(readFileSync(join(ZKCLI, `${name}.expected`), 'utf8'));
});
