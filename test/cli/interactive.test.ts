// The shell at a pseudo-terminal, which Python opens for us: keys in, screen out.

import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { jest } from '@jest/globals';
import { type Client, connect } from '../../src/client/index.js';
import {
  fourLetterWord,
  removeDirectory,
  type ServerUnderTest,
  temporaryDirectory,
  waitFor,
} from '../helpers/processes.js';
import { startZabra } from '../helpers/zabra-server.js';
import { screenOf } from './screen.js';

jest.setTimeout(60_000);

type Step = readonly [waitFor: string, keys: string | { readonly columns: number }];

const CTRL_A = '\x01';
const CTRL_C = '\x03';
const CTRL_D = '\x04';
const CTRL_E = '\x05';
const UP = '\x1b[A';
const CHILDREN = 100_000;

let server: ServerUnderTest;
let home: string;
let client: Client;

function whyNot(): string | undefined {
  try {
    execFileSync('python3', ['-c', 'import pty, os; os.waitstatus_to_exitcode'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'no python3 with the module pty';
  }
}

function type(
  steps: readonly Step[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ screen: string; exitCode: number | string | null | undefined }> {
  const command = [process.execPath, resolve('bin/zabra.js'), 'cli', '-server', server.address];
  const args = [resolve('test/cli/terminal.py'), JSON.stringify(steps), ...command];
  const inherited = { PATH: process.env.PATH, HOME: home, TERM: 'xterm' };
  return new Promise((settle) => {
    execFile('python3', args, { env: { ...inherited, ...env }, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      settle({ screen: stdout + stderr, exitCode: error === null ? 0 : error.code });
    });
  });
}

/** Until the server has a watch of the shell on the path. */
async function untilWatched(path: string): Promise<void> {
  await waitFor(
    async () => ((await fourLetterWord(server.port, 'wchp')).includes(`${path}\n`) ? true : undefined),
    20_000,
    () => 'the shell does not watch',
  );
}

const prompt = (n: number): string => `(CONNECTED) ${n}] `;

const reason = whyNot();
(reason === undefined ? describe : describe.skip)(`at a terminal${reason === undefined ? '' : ` (${reason})`}`, () => {
  beforeAll(async () => {
    server = await startZabra();
    home = temporaryDirectory('zabra-home');
    client = await connect(server.address);
  });
  afterAll(async () => {
    await client.close();
    removeDirectory(home);
    await server[Symbol.asyncDispose]();
  });

  test('completes commands and paths, prints events above the line, keeps history without secrets', async () => {
    await client.create('/terminal', 'from outside\x1b[2J');
    await client.create('/terminal/first');
    const { screen, exitCode } = await type([
      [prompt(0), 'whoa'],
      ['whoa', '\t'],
      ['mi ', '\r'],
      [prompt(1), 'ls /term'],
      ['ls /term', '\t'],
      ['inal', '/\t'],
      ['/first', '\r'],
      [prompt(2), 'get -w /terminal\r'],
      [prompt(3), `set /terminal half${CTRL_A}${CTRL_E}way\r`],
      ['WATCHER::', ''],
      [prompt(4), 'nonsense\r'],
      [prompt(5), 'addauth digest ann:secret\r'],
      [prompt(6), 'not sent'],
      ['not sent', CTRL_C],
      [prompt(6), `${UP}${UP}\r`], // the last but one
      [prompt(7), CTRL_C],
      ['Ctrl-D or quit leaves.', ''],
      [prompt(7), CTRL_D],
    ]);
    expect({ exitCode, screen }).toEqual({ exitCode: 0, screen });
    expect(screen).toContain('ip: 127.0.0.1');
    expect(screen).toContain('from outside\\x1b[2J'); // what the server holds cannot steer the terminal
    expect(screen).toContain('WatchedEvent state:SyncConnected type:NodeDataChanged path:/terminal');
    expect(screen.split('\x1b[31mCommand not found: nonsense').length).toBe(3); // typed, and once more from history
    const file = join(home, '.local/state/zabra/history');
    const history = readFileSync(file, 'utf8').split('\n');
    expect(history).toContain('set /terminal halfway');
    expect(history.join()).not.toContain('secret');
    expect(history.join()).not.toContain('not sent');
    expect(statSync(file).mode & 0o077).toBe(0);
  });

  test('the next run has the history of the one before', async () => {
    await type([
      [prompt(0), 'getAllChildrenNumber /zookeeper\r'],
      [prompt(1), 'quit\r'],
    ]);
    const { screen, exitCode } = await type([
      [prompt(0), `${UP}${UP}`],
      ['getAllChildrenNumber /zookeeper', '\r'],
      ['\n2', ''],
      [prompt(1), CTRL_D],
    ]);
    expect({ exitCode, screen }).toEqual({ exitCode: 0, screen });
  });

  test('an event from outside leaves the line that is being typed as it is, also on several rows', async () => {
    const path = `/outside-${'long-'.repeat(12)}name`;
    await client.create(path, 'old');
    const typing = type([
      [prompt(0), `get -w ${path}\r`],
      [prompt(1), `get ${path.slice(0, -2)}`],
      ['WatchedEvent', ''],
      [`get ${path.slice(0, -2)}`, 'me\r'], // drawn again below the event
      [prompt(2), 'quit\r'],
    ]);
    await untilWatched(path);
    await sleep(1000); // for the half line to be typed
    await client.set(path, 'new');
    const { screen, exitCode } = await typing;
    expect({ exitCode, screen }).toEqual({ exitCode: 0, screen });
    const rows = screenOf(screen, 100);
    const event = rows.findIndex((row) => row.startsWith('WatchedEvent')); // takes two rows itself
    const typed = `[zk: ${server.address}${prompt(1)}get ${path}`;
    expect(typed.length).toBeGreaterThan(100);
    // Nothing of the half line is left above the event; below it, it is whole, and so is the answer.
    expect(rows.slice(event - 4, event)).toEqual(['old', '', 'WATCHER::', '']);
    expect(rows.slice(event + 2, event + 5)).toEqual([typed.slice(0, 100), typed.slice(100), 'new']);
  });

  test('a change of the width in the middle of a line', async () => {
    await client.create('/resized', 'here it is');
    const { screen, exitCode } = await type([
      [prompt(0), 'set /resized "a text that is longer than half of the width'],
      ['of the width', { columns: 50 }],
      ['of the width', ' of this terminal"\r'], // drawn anew
      [prompt(1), 'get /resized\r'],
      ['a text that is longer than half of the width of this terminal', ''],
      [prompt(2), 'quit\r'],
    ]);
    expect({ exitCode, screen }).toEqual({ exitCode: 0, screen });
    expect(String((await client.get('/resized')).data)).toBe(
      'a text that is longer than half of the width of this terminal',
    );
  });

  test('a text in quotes goes on on the next line, until Ctrl-C or its end', async () => {
    const { screen, exitCode } = await type([
      [prompt(0), 'create /lines "one\r'],
      ['... ', 'two'],
      ['two', CTRL_C],
      [prompt(0), 'create /lines "one\r'],
      ['... ', 'three"\r'],
      ['Created /lines', ''],
      [prompt(1), CTRL_D],
    ]);
    expect({ exitCode, screen }).toEqual({ exitCode: 0, screen });
    expect(String((await client.get('/lines')).data)).toBe('one\nthree');
  });

  test('Ctrl-C ends what runs, and what waits for ever', async () => {
    const typing = type([
      [prompt(0), 'watch -f -d /followed\r'],
      ['created', ''],
      ['dataChanged', ''],
      ['same', CTRL_C],
      [prompt(1), 'watch /followed\r'],
      ['Ctrl-C ends.', CTRL_C],
      ['Interrupted', ''],
      [prompt(2), 'quit\r'],
    ]);
    await untilWatched('/followed');
    await client.create('/followed', 'same');
    await client.set('/followed', 'same');
    const { screen, exitCode } = await typing;
    expect({ exitCode, screen }).toEqual({ exitCode: 0, screen });
    expect(
      screenOf(screen, 100)
        .filter((row) => /\/followed {2}/.test(row))
        .map((row) => row.slice(14)),
    ).toEqual(['created  /followed  same', 'dataChanged  /followed  same']);
  });

  test('a lost connection is told, and that there is one again; the session goes on', async () => {
    const typing = type([
      [prompt(0), 'create -e /mine x\r'],
      [prompt(1), 'get -w /mine\r'],
      [prompt(2), 'set /mi'],
      ['The connection is lost', ''],
      ['(SUSPENDED) 2] ', ''],
      ['set /mi', ''],
      ['again', ''],
      ['(RECONNECTED) 2] ', 'ne y\r'],
      ['WatchedEvent', ''],
      ['(RECONNECTED) 3] ', 'quit\r'],
    ]);
    await untilWatched('/mine');
    await sleep(500);
    await server.kill9();
    await server.restart();
    const { screen, exitCode } = await typing;
    expect({ exitCode, screen }).toEqual({ exitCode: 0, screen });
  });

  test('$EDITOR gets the terminal, and the shell gets it back', async () => {
    await client.create('/edited', 'first');
    const { screen, exitCode } = await type(
      [
        [prompt(0), 'edit /edited\r'],
        ['new text? ', 'typed in the editor\r'],
        ['Changed /edited, version 1', ''],
        [prompt(1), 'cat /edited\r'],
        ['typed in the editor', ''],
        [prompt(2), 'quit\r'],
      ],
      { EDITOR: `sh -c 'printf "new text? "; read text; printf "%s" "$text" > "$0"'` },
    );
    expect({ exitCode, screen }).toEqual({ exitCode: 0, screen });
    expect(String((await client.get('/edited')).data)).toBe('typed in the editor');
  });

  test(`${CHILDREN} children: the list comes whole, or stops at Ctrl-C; completion does not flood the screen`, async () => {
    await client.create('/big');
    for (let i = 0; i < CHILDREN; i += 5000) {
      await Promise.all(
        Array.from({ length: 5000 }, (_, j) => client.create(`/big/child-${String(i + j).padStart(6, '0')}`)),
      );
    }
    const { screen, exitCode } = await type([
      [prompt(0), 'ls /big\r'],
      ['child-000100', CTRL_C],
      ['Interrupted', ''],
      [prompt(1), 'ls /big\r'],
      ['child-099999', ''],
      [prompt(2), 'ls /bi'],
      ['ls /bi', '\t'],
      ['g', '/\t'],
      [`${CHILDREN} possibilities`, ''],
      ['child-', `099999\r`],
      [prompt(3), 'quit\r'],
    ]);
    expect({ exitCode, tail: screen.slice(-500) }).toEqual({ exitCode: 0, tail: screen.slice(-500) });
    expect(screen.split('child-050000').length).toBe(2); // in the second list only: the first one was stopped
  });
});
