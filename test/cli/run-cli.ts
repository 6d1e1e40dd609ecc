// `zabra cli` as a process, and a scripted session of it as a transcript: what each command printed, on both streams in
// their order, with what differs from run to run masked as in test/interop/zkcli.

import { spawn } from 'node:child_process';
import { resolve } from 'node:path';

const LAUNCHER = resolve('bin/zabra.js');
const MARK_COMMAND = 'version';
const MARK_OUTPUT = /^Zabra CLI version: .*\n/m;

export interface Finished {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number | null;
}

/** Runs `zabra` with the arguments; `input` is its standard input, which is never a terminal. */
export function runZabra(
  args: readonly string[],
  input = '',
  env: Readonly<Record<string, string>> = {},
): Promise<Finished> {
  return run(process.execPath, [LAUNCHER, ...args], input, env);
}

function run(
  command: string,
  args: readonly string[],
  input: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Finished> {
  return new Promise((settle, reject) => {
    // The settings of whoever runs the tests are none of theirs.
    const fixed = { TZ: 'UTC', LC_ALL: 'C.UTF-8', XDG_CONFIG_HOME: '/nowhere', ZABRA_SERVER: '', ZABRA_AUTH: '' };
    const child = spawn(command, args, { env: { ...process.env, ...fixed, ...env } });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (part: Buffer) => stdout.push(part));
    child.stderr.on('data', (part: Buffer) => stderr.push(part));
    child.once('error', reject);
    child.once('close', (exitCode) =>
      settle({ stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString(), exitCode }),
    );
    child.stdin.on('error', () => {}); // a process that ends before it has read everything
    child.stdin.end(input);
  });
}

/** What each of the commands printed, in one session: on both streams, in their order, with events where they came. */
export async function sectionsOf(address: string, commands: readonly string[]): Promise<(string | undefined)[]> {
  const input = commands.map((line) => `${line}\n${MARK_COMMAND}\n`).join('');
  // One pipe for both streams keeps results and complaints in their order.
  const shell = ['-c', 'exec "$0" "$@" 2>&1', process.execPath, LAUNCHER, 'cli', '-server', address];
  const { stdout } = await run('/bin/sh', shell, input);
  return stdout.split(MARK_OUTPUT);
}

/** Runs the commands of a script in one session. Watch events are listed at the end, in their order. */
export async function transcript(address: string, script: string): Promise<string> {
  const commands = script.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const sections = await sectionsOf(
    address,
    commands.map((line) => line.replaceAll('{address}', address)),
  );
  const events: string[] = [];
  const shown = commands.map((command, i) => {
    const text = sections[i]?.replaceAll(/^\nWATCHER::\n\n(WatchedEvent .*\n)/gm, (_, event: string) => {
      events.push(event);
      return '';
    });
    return `> ${command}\n${text ?? '<no output: the session ended>\n'}`;
  });
  return mask([...shown, '== events ==\n', ...events].join(''));
}

function mask(text: string): string {
  const zxid = /\b(cZxid|mZxid|pZxid) = (0x[0-9a-f]+)/gi;
  const seen = [...new Set([...text.matchAll(zxid)].map((match) => match[2]))].sort((a, b) => Number(a) - Number(b));
  const rank = (value: string) => (value === '0x0' ? 0 : seen.indexOf(value) + 1);
  return text
    .replace(zxid, (_, name: string, value: string) => `${name} = #${rank(value)}`)
    .replace(/^(ctime|mtime) = (?!Thu Jan 01 00:00:00 \w+ 1970).*$/gm, '$1 = <time>')
    .replace(/ephemeralOwner = 0x(?!0$)[0-9a-f]+$/gm, 'ephemeralOwner = <session>')
    .replaceAll(/\b127\.0\.0\.1:\d+/g, '<address>');
}
