// The session that README.md shows, played again: every command in it is run, and has to answer what stands there, but for
// ids, times and ports. The text is in readme-session.txt; README.md has the same between its markers.
//
// To record anew: ZABRA_RECORD_EXPECTED=1, and read the difference before it is kept.

import { execFile } from 'node:child_process';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { removeDirectory, type ServerUnderTest, temporaryDirectory } from '../helpers/processes.js';
import { startZabra } from '../helpers/zabra-server.js';
import { sectionsOf } from './run-cli.js';

const FILE = resolve('test/cli/readme-session.txt');
const BEGIN = '<!-- shell-session -->';
const END = '<!-- /shell-session -->';
const README_ADDRESS = '127.0.0.1:2181';
const PROMPT = /^\[zk: \S+\(CONNECTED\) \d+\] (.*)$/;

let server: ServerUnderTest;
let directory: string;
beforeAll(async () => {
  server = await startZabra();
  directory = temporaryDirectory('zabra-readme');
  for (const name of ['bin', 'dist', 'package.json', 'node_modules']) symlinkSync(resolve(name), join(directory, name));
}, 60_000);
afterAll(async () => {
  removeDirectory(directory);
  await server[Symbol.asyncDispose]();
});

/** In a directory that looks like the project's, so that files it writes do no harm there. */
function shell(command: string): Promise<string> {
  const env = { PATH: process.env.PATH, TZ: 'UTC', HOME: directory, ZABRA_SERVER: server.address };
  return new Promise((settle) => {
    execFile('/bin/sh', ['-c', `{ ${command}\n} 2>&1`], { cwd: directory, env }, (_, stdout) => settle(stdout));
  });
}

/** The same commands with the answers of now. */
async function replay(text: string): Promise<string> {
  const lines = text.split('\n').filter((line) => line.startsWith('$ ') || PROMPT.test(line));
  let played = '';
  for (let i = 0; i < lines.length; i++) {
    const session = [];
    while (lines[i + 1] !== undefined && PROMPT.test(lines[i + 1])) session.push(lines[++i]);
    if (session.length === 0) {
      played += `${lines[i]}\n${await shell(lines[i].slice(2))}`;
      continue;
    }
    played += `${lines[i - session.length]}\n`;
    const sections = await sectionsOf(
      server.address,
      session.map((line) => PROMPT.exec(line)?.[1] ?? ''),
    );
    for (const [n, line] of session.entries()) played += `${line}\n${sections[n] ?? ''}`;
  }
  return played.replaceAll(server.address, README_ADDRESS);
}

function masked(text: string): string {
  return text
    .replaceAll(/0x[0-9a-f]{6,}/g, '0x#')
    .replaceAll(/127\.0\.0\.1:(?!2181)\d+/g, '127.0.0.1:#')
    .replaceAll(/\w{3} \w{3} \d\d \d\d:\d\d:\d\d UTC \d{4}/g, 'then')
    .replaceAll(/( \d+ ms +)[A-Z]{4}/g, '$1LAST') // a ping may have come last
    .replaceAll(/ {2,}(?=\S)/g, '  '); // columns are as wide as their ids
}

test('every command answers what README.md says', async () => {
  const written = readFileSync(FILE, 'utf8');
  const played = await replay(written);
  if (process.env.ZABRA_RECORD_EXPECTED === '1') writeFileSync(FILE, played);
  expect(masked(played)).toBe(masked(written));
}, 60_000);

test('README.md shows this session', () => {
  const readme = readFileSync('README.md', 'utf8');
  const begin = readme.indexOf(BEGIN);
  const shown = begin < 0 ? undefined : readme.slice(begin + BEGIN.length, readme.indexOf(END));
  if (shown !== undefined) expect(shown.trim()).toBe(`\`\`\`text\n${readFileSync(FILE, 'utf8').trim()}\n\`\`\``);
});
