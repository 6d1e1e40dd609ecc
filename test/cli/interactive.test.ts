// The shell at a pseudo-terminal, which Python opens for us: keys in, screen out.

import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '../../src/client/index.js';
import {
  fourLetterWord,
  removeDirectory,
  type ServerUnderTest,
  temporaryDirectory,
  waitFor,
} from '../helpers/processes.js';
import { startZabra } from '../helpers/zabra-server.js';

type Step = readonly [waitFor: string, keys: string];

let server: ServerUnderTest;
let home: string;

function whyNot(): string | undefined {
  try {
    execFileSync('python3', ['-c', 'import pty, os; os.waitstatus_to_exitcode'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'no python3 with the module pty';
  }
}

function type(steps: readonly Step[]): Promise<{ screen: string; exitCode: number | string | null | undefined }> {
  const command = [process.execPath, resolve('bin/zabra.js'), 'cli', '-server', server.address];
  const args = [resolve('test/cli/terminal.py'), JSON.stringify(steps), ...command];
  const { NO_COLOR: _, ...env } = process.env;
  return new Promise((settle) => {
    execFile('python3', args, { env: { ...env, HOME: home, TERM: 'xterm' } }, (error, stdout, stderr) => {
      settle({ screen: stdout + stderr, exitCode: error === null ? 0 : error.code });
    });
  });
}

const reason = whyNot();
(reason === undefined ? describe : describe.skip)(`at a terminal${reason === undefined ? '' : ` (${reason})`}`, () => {
  beforeAll(async () => {
    server = await startZabra();
    home = temporaryDirectory('zabra-home');
  }, 60_000);
  afterAll(async () => {
    removeDirectory(home);
    await server[Symbol.asyncDispose]();
  });

  test('completes commands and paths, prints events above the line, keeps history without secrets', async () => {
    const client = await connect(server.address);
    await client.create('/terminal', 'from outside\x1b[2J');
    await client.create('/terminal/first');
    const prompt = (n: number) => `(CONNECTED) ${n}] `;
    const typing = type([
      [prompt(0), 'whoa'],
      ['whoa', '\t'],
      ['mi ', '\r'],
      [prompt(1), 'ls /term'],
      ['ls /term', '\t'],
      ['inal', '/\t'],
      ['/first', '\r'],
      [prompt(2), 'get -w /terminal\r'],
      [prompt(3), 'set /terminal half\x01\x05way\r'], // to the line's beginning, and to its end
      ['WATCHER::', ''],
      [prompt(4), 'nonsense\r'],
      [prompt(5), 'addauth digest ann:secret\r'],
      [prompt(6), 'not sent'],
      ['not sent', '\x03'],
      [prompt(6), '\x1b[A\x1b[A\r'], // two up: the last but one
      [prompt(7), '\x04'],
    ]);
    const { screen, exitCode } = await typing;
    await client.close();
    expect({ exitCode, screen }).toEqual({ exitCode: 0, screen });
    expect(screen).toContain('ip: 127.0.0.1');
    expect(screen).toContain('from outside\\x1b[2J'); // what the server holds cannot steer the terminal
    expect(screen).toContain('WatchedEvent state:SyncConnected type:NodeDataChanged path:/terminal');
    expect(screen.split('\x1b[31mCommand not found: nonsense').length).toBe(3); // typed, and once more from history
    const history = readFileSync(join(home, '.zabra_history'), 'utf8').split('\n');
    expect(history).toContain('set /terminal halfway');
    expect(history.join()).not.toContain('secret');
    expect(history.join()).not.toContain('not sent');
    expect(statSync(join(home, '.zabra_history')).mode & 0o077).toBe(0);
  }, 60_000);

  test('an event from outside leaves the line that is being typed as it is', async () => {
    const client = await connect(server.address);
    await client.create('/outside', 'old');
    const typing = type([
      ['(CONNECTED) 0] ', 'get -w /outside\r'],
      ['(CONNECTED) 1] ', 'get /outs'],
      ['WatchedEvent', ''],
      ['get /outs', 'ide\r'], // drawn again below the event
      ['(CONNECTED) 2] ', 'quit\r'],
    ]);
    await waitFor(
      async () => ((await fourLetterWord(server.port, 'wchp')).includes('/outside') ? true : undefined),
      20_000,
      () => 'the shell does not watch',
    );
    await sleep(1000); // for the half line to be typed
    await client.set('/outside', 'new');
    const { screen, exitCode } = await typing;
    await client.close();
    expect(exitCode).toBe(0);
    expect(screen.slice(screen.indexOf('WatchedEvent'))).toContain('new');
  }, 60_000);
});
